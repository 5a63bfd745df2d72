"""Record what granite-tsfm 0.3.11, the published implementation, answers.

No test imports this file. To run it again, in an environment of its own::

    pip install granite-tsfm==0.3.11 einops
    python tests/reference/make_reference.py

It writes one ``cases/*.npz`` per configuration, with the configuration, the names and shapes of
the weights (see ``recipe.py`` for their values), the inputs and every output, and ``hf_tiny/``, a
checkpoint as that library saves it. Outputs are computed in double precision, so that the tests
can tell a difference of rounding from one of meaning, and stored in single.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from recipe import random_weights
from tsfm_public.models.tspulse import TSPulseConfig, TSPulseForReconstruction

HERE = Path(__file__).parent

P8 = {
    "context_length": 512,
    "d_model": 24,
    "decoder_d_model": 24,
    "num_layers": 8,
    "decoder_num_layers": 2,
    "patch_register_tokens": 10,
    "register_mixer_layers": 3,
    "fuse_fft": True,
    "fft_prob_length": 256,
    "fft_prob_mode": "log",
    "minimum_scale": 1e-3,
    "mask_type": "user",
}
ALL_HEADS = {"fft_time_add_forecasting_pt_loss": True, "prediction_length": 16}
DUAL_HEAD = {"fft_weight": 0, "fft_original_signal_loss_weight": 0}
P16 = {
    "patch_length": 16,
    "patch_stride": 16,
    "mask_block_length": 16,
    "d_model": 48,
    "decoder_d_model": 48,
    "patch_register_tokens": 5,
}
MIXED = {"decoder_mode": "mix_channel", "num_input_channels": 3}
SIGMOID = {
    "gated_attention_activation": "sigmoid",
    "head_gated_attention_activation": "sigmoid",
}
TINY = {
    "context_length": 32,
    "patch_length": 4,
    "patch_stride": 4,
    "mask_block_length": 4,
    "d_model": 6,
    "decoder_d_model": 6,
    "num_layers": 2,
    "decoder_num_layers": 1,
    "patch_register_tokens": 2,
    "mask_type": "user",
}

# name: (settings, windows, whether points are hidden)
CASES = {
    "p8_all": ({**P8, **ALL_HEADS}, 2, True),
    "p8_all_3_channels": ({**P8, **ALL_HEADS, "num_input_channels": 3}, 1, True),
    "p8_all_mixed": ({**P8, **ALL_HEADS, **MIXED}, 1, True),
    "p8_all_mixed_expanded": (
        {**P8, **ALL_HEADS, **MIXED, "channel_virtual_expand_scale": 2},
        1,
        False,
    ),
    "p8_dual": ({**P8, **DUAL_HEAD}, 1, False),
    "p8_dual_3_channels": ({**P8, **DUAL_HEAD, "num_input_channels": 3}, 1, True),
    "p16_dual": ({**P8, **DUAL_HEAD, **P16}, 2, True),
    "p16_dual_mixed": ({**P8, **DUAL_HEAD, **P16, **MIXED}, 1, True),
    # The bare defaults of the library, as third parties have trained them.
    "bare": ({}, 2, False),
    "bare_sigmoid_forecast": (
        {
            **SIGMOID,
            "context_length": 96,
            "num_input_channels": 2,
            "mask_type": "user",
            "fft_time_add_forecasting_pt_loss": True,
            "prediction_length": 12,
        },
        2,
        True,
    ),
    "dual_space_without_register_mixers": (
        {
            "context_length": 128,
            "num_input_channels": 3,
            "mask_type": "user",
            "fuse_fft": True,
            "fft_prob_length": 40,
            "gated_attention_activation": "sigmoid",
        },
        1,
        True,
    ),
    "mixed_expanded_other_sizes": (
        {
            **MIXED,
            "context_length": 112,
            "patch_length": 16,
            "patch_stride": 16,
            "mask_block_length": 16,
            "d_model": 12,
            "decoder_d_model": 12,
            "num_layers": 1,
            "decoder_num_layers": 2,
            "expansion_factor": 3,
            "patch_register_tokens": 4,
            "register_mixer_layers": 1,
            "channel_virtual_expand_scale": 2,
            "head_gated_attention_activation": "sigmoid",
            "mask_type": "user",
            "fuse_fft": True,
            "fft_weight": 0,
            "fft_time_add_forecasting_pt_loss": True,
            "prediction_length": 5,
        },
        1,
        True,
    ),
    "zero_token": (
        {**TINY, "use_learnable_mask_token": False, "fuse_fft": True, "num_input_channels": 3},
        2,
        True,
    ),
}


def build(settings: dict) -> TSPulseForReconstruction:
    torch.manual_seed(0)
    model = TSPulseForReconstruction(TSPulseConfig(**settings)).eval()
    weights = random_weights({n: list(p.shape) for n, p in model.state_dict().items()})
    model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    return model


def windows(rng: np.random.Generator, n_windows: int, n_channels: int, length: int) -> np.ndarray:
    """Make periodic, drifting and rough channels with levels far from zero."""
    t = np.arange(length) / length
    shape = (n_windows, n_channels, 1)
    cycles = np.sin(2 * np.pi * (rng.uniform(1, length / 8, shape) * t + rng.uniform(size=shape)))
    drift = rng.standard_normal((n_windows, n_channels, length)).cumsum(-1) / 20
    noise = rng.standard_normal((n_windows, n_channels, length)) / 5
    level, scale = rng.normal(0, 20, shape), np.exp(rng.normal(0, 2, shape))
    return level + scale * (cycles + drift + noise)


def hide(rng: np.random.Generator, x: np.ndarray, patch_length: int) -> np.ndarray:
    """Hide single points and whole patches; in the last window a whole channel."""
    observed = rng.uniform(size=x.shape) > 0.2
    n_patches = x.shape[-1] // patch_length
    observed &= np.repeat(rng.uniform(size=(*x.shape[:2], n_patches)) > 0.2, patch_length, -1)
    if x.shape[1] > 2:
        observed[-1, -1] = False
    return observed


def answer(model: TSPulseForReconstruction, x: np.ndarray, observed: np.ndarray) -> dict:
    model, x = model.double(), x.astype(float)
    mask = None if observed.all() else torch.from_numpy(observed.transpose(0, 2, 1))
    with torch.no_grad():
        output = model(
            torch.from_numpy(x.transpose(0, 2, 1)), past_observed_mask=mask, return_loss=False
        )
    names = {
        "backbone": "backbone_hidden_state",
        "decoder": "decoder_hidden_state",
        "time": "reconstruction_outputs",
        "spectrum": "fft_reconstruction_outputs",
        "frequency": "reconstructed_ts_from_fft",
        "signature": "fft_softmax_preds",
        "forecast": "forecast_output",
        "loc": "loc",
        "scale": "scale",
        "target_spectrum": "original_past_values_fft",
        "target_signature": "original_fft_softmax",
    }
    found = {ours: getattr(output, theirs).numpy() for ours, theirs in names.items()}
    # The library answers a lone zero for a head that the configuration leaves out.
    kept = {name: array.astype("f4") for name, array in found.items() if array.ndim > 1}
    return {f"output_{name}": array for name, array in kept.items()}


def write_case(name: str) -> None:
    settings, n_windows, hidden = CASES[name]
    model = build(settings)
    config = model.config
    rng = np.random.default_rng(len(name))
    x = windows(rng, n_windows, config.num_input_channels, config.context_length)
    if config.num_input_channels > 2:
        x[-1, 1] = 3.7  # a constant channel
    x = x.astype(np.float32)
    observed = np.ones(x.shape, bool)
    if hidden:
        observed = hide(rng, x, config.patch_length)
        x[~observed] = 1e3  # no network may look there
    shapes = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
    np.savez_compressed(
        HERE / "cases" / name,
        config=config.to_json_string(),
        shapes=json.dumps(shapes),
        x=x,
        observed=observed,
        **answer(model, x, observed),
    )


def write_tiny() -> None:
    settings = {**TINY, **MIXED, **ALL_HEADS, "fuse_fft": True, "register_mixer_layers": 1}
    model = build({**settings, "fft_prob_mode": "log"})
    model.save_pretrained(HERE / "hf_tiny")
    rng = np.random.default_rng(0)
    x = windows(rng, 2, 3, 32).astype(np.float32)
    observed = hide(rng, x, 4)
    np.savez_compressed(
        HERE / "hf_tiny" / "answers", x=x, observed=observed, **answer(model, x, observed)
    )


if __name__ == "__main__":
    (HERE / "cases").mkdir(exist_ok=True)
    for case in CASES:
        write_case(case)
    write_tiny()
