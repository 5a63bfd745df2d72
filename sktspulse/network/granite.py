"""Configuration and weight names of the published TSPulse checkpoints (granite-tsfm).

A setting that this network does not support raises an error that names it. So a checkpoint
either gives the answers of the published implementation or an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .config import TSPulseConfig

__all__ = ["config_from_granite", "granite_layout"]

Settings = Mapping[str, Any]

# Defaults of granite-tsfm 0.3.11, for settings that config.json leaves out.
_DEFAULTS: dict[str, Any] = {
    "model_type": None,
    "architectures": ["TSPulseForReconstruction"],
    "context_length": 64,
    "patch_length": 8,
    "patch_stride": 8,
    "num_input_channels": 1,
    "d_model": 16,
    "decoder_d_model": 16,
    "expansion_factor": 2,
    "num_layers": 3,
    "decoder_num_layers": 3,
    "decoder_mode": "common_channel",
    "channel_virtual_expand_scale": 1,
    "channel_mix_init": "identity",
    "free_channel_flow": True,
    "gated_attention_activation": "softmax",
    "head_gated_attention_activation": "softmax",
    "minimum_scale": 1e-5,
    "mask_ratio": None,
    "mask_type": "block",
    "mask_block_length": 8,
    "use_learnable_mask_token": True,
    "fuse_fft": False,
    "fft_weight": 1,
    "fft_original_signal_loss_weight": 1,
    "fft_mask_ratio": None,
    "enable_fft_prob_loss": True,
    "fft_prob_length": None,
    "fft_prob_mode": "plain",
    "fft_time_add_forecasting_pt_loss": False,
    "prediction_length": 96,
    "patch_register_tokens": 8,
    "register_mixer_layers": None,
    "num_patches_layerwise_scale": None,
    "num_channels_layerwise_scale": None,
    "d_model_layerwise_scale": None,
    "decoder_num_patches_layerwise_scale": None,
    "decoder_num_channels_layerwise_scale": None,
    "decoder_d_model_layerwise_scale": None,
}
# Settings of which one value is supported, which is also the default.
_FIXED: dict[str, Any] = {
    "mode": "common_channel",
    "gated_attn": True,
    "norm_mlp": "LayerNorm",
    "norm_eps": 1e-5,
    "self_attn": False,
    "use_positional_encoding": False,
    "scaling": "revin",
    "revin_affine": True,
    "reconstruction_type": "patchwise",
    "channel_register_tokens": None,
    "fft_remove_component": "last",
    "fft_applied_on": "scaled_ts",
    "fft_time_consistent_masking": True,
    "categorical_vocab_size_list": None,
    "data_actual_context_length": None,
}
# Settings that do not change the answers of a trained network: training, classification,
# derived sizes and bookkeeping. So do names that begin with an underscore.
_WITHOUT_EFFECT = frozenset(
    """
    dropout head_dropout loss loss_apply_mode init_std init_linear init_embed post_init
    init_processing batch_aware_masking channel_consistent_masking fft_mask_strategy
    fft_prob_weight fft_time_add_forecasting_pt_loss_weight full_patch_mask_percentage
    num_full_patches_for_hybrid_mask reconstruction_loss_weight masked_reconstruction_loss_weight
    self_attn_heads positional_encoding_type min_allowed_range patch_last
    classification_mode disable_mask_in_classification_eval head_aggregation
    head_aggregation_dim head_attention head_reduce_channels head_reduce_d_model
    hydra_class_attention hydra_class_head num_targets output_range
    num_patches num_patches_layerwise num_channels_layerwise d_model_layerwise
    decoder_num_patches_layerwise decoder_num_channels_layerwise decoder_d_model_layerwise
    dtype torch_dtype transformers_version return_dict output_hidden_states output_attentions
    chunk_size_feed_forward is_encoder_decoder problem_type id2label label2id
    """.split()  # noqa: SIM905 (fifty lines would say no more)
)
_CHOICES: dict[str, tuple[Any, ...]] = {
    "decoder_mode": ("common_channel", "mix_channel"),
    "gated_attention_activation": ("softmax", "sigmoid"),
    "head_gated_attention_activation": ("softmax", "sigmoid"),
    "mask_type": ("block", "hybrid", "var_hybrid", "user"),
    "fft_prob_mode": ("plain", "log"),
    "fft_mask_ratio": (None, 0),
}
# A weight's name here and in the published files. The rules apply one after the other.
_NAMES = (
    (r"^mask_token\.values", "backbone.time_masker.mask_token"),
    (r"^revin\.", "backbone.scaler.affine_"),
    (r"^backbone\.time_embedding\.linear", "backbone.time_encoding.patcher"),
    (r"^backbone\.frequency_embedding\.linear", "backbone.fft_encoding.patcher"),
    (r"^backbone\.registers", "backbone.add_tokens.patch_tokens"),
    (r"^backbone\.norm", "backbone.base_norm"),
    (r"^backbone\.layers", "backbone.encoder_block.mixers"),
    (r"^decoder\.", "decoder_with_head.decoder.decoder_block.mixers."),
    (r"^time_head\.linear", "decoder_with_head.time_head.base_reconstruction_block"),
    (r"^frequency_head\.linear", "decoder_with_head.fft_head.base_reconstruction_block"),
    (r"^signature_head\.layers", "signature_head.0.mixers"),
    (r"^forecast_head\.layers", "forecast_head.0.mixers"),
    (r"^signature_head", "decoder_with_head.fft_softmax_mapping"),
    (r"^forecast_head", "decoder_with_head.forecast_mapping"),
    (r"\.gate\.linear", ".gating_block.attn_layer"),
)
_MIXERS = ("channel_feature_mixer", "patch_mixer", "feature_mixer")


def config_from_granite(settings: Settings) -> TSPulseConfig:
    """Translate the content of a published ``config.json``.

    Parameters
    ----------
    settings : mapping
        Values by their published names; missing ones have the published defaults.

    Returns
    -------
    TSPulseConfig
        The same network.

    Raises
    ------
    ValueError
        If a setting is unknown, or its value is not supported.
    """
    given = _DEFAULTS | _FIXED | dict(settings)
    if faults := [*_unknown(settings), *_unsupported(given)]:
        raise ValueError(f"The published configuration has {'; '.join(faults)}.")
    mixed = given["decoder_mode"] == "mix_channel"
    sizes = {
        "context_length": given["context_length"],
        "patch_length": given["patch_length"],
        "d_model": given["d_model"],
        "n_layers": given["num_layers"],
        "n_decoder_layers": given["decoder_num_layers"],
        "n_registers": given["patch_register_tokens"],
        "n_register_layers": given["register_mixer_layers"] or 0,
        "expansion_factor": given["expansion_factor"],
        "gate": given["gated_attention_activation"],
        "decoder_gate": given["head_gated_attention_activation"],
        "variance_floor": given["minimum_scale"],
        # Without channel mixers, copies of the channels change nothing.
        "n_channels": given["num_input_channels"] if mixed else 1,
        "channel_expansion": (given["channel_virtual_expand_scale"] or 1) if mixed else 1,
    }
    return TSPulseConfig.from_dict(sizes | _heads(given))


def _heads(given: Settings) -> dict[str, Any]:
    """Return the sizes of the heads; a head exists if its loss is not switched off."""
    forecast = given["fft_time_add_forecasting_pt_loss"]
    heads = {"forecast_length": given["prediction_length"] if forecast else 0}
    if not given["fuse_fft"]:
        return heads | {"dual_space": False, "frequency_head": False, "n_signature_bins": 0}
    n_bins = given["fft_prob_length"] or given["context_length"] // 2
    weights = given["fft_weight"], given["fft_original_signal_loss_weight"]
    return heads | {
        "frequency_head": max(weights) > 0,
        "n_signature_bins": n_bins if given["enable_fft_prob_loss"] else 0,
        "signature_scale": "log" if given["fft_prob_mode"] == "log" else "linear",
    }


def _unknown(settings: Settings) -> Iterator[str]:
    known = {*_DEFAULTS, *_FIXED, *_WITHOUT_EFFECT}
    for name in sorted(set(settings) - known):
        if settings[name] is not None and not name.startswith("_"):
            yield f"{name}, which is unknown (remove it if it does not change the network)"


def _unsupported(given: Settings) -> Iterator[str]:
    """Name every setting whose value is not supported, and the values that are."""
    fixed = {name: (value,) for name, value in _FIXED.items()}
    for name, accepted in (fixed | _CHOICES | _conditional_choices(given)).items():
        if given[name] not in accepted:
            only = " or ".join(repr(value) for value in accepted)
            yield f"{name}={given[name]!r} where only {only} is supported"
    for name in (name for name in _DEFAULTS if name.endswith("_layerwise_scale")):
        if any(scale != 1 for scale in given[name] or ()):
            yield f"{name}={given[name]!r} where only ones are supported"
    if given["decoder_mode"] == "mix_channel" and given["num_input_channels"] == 1:
        yield "decoder_mode='mix_channel' with num_input_channels=1, a mixer of one channel"
    if given["register_mixer_layers"] == 0:
        yield "register_mixer_layers=0 where only None or a positive number is supported"
    if given["register_mixer_layers"] and given["patch_register_tokens"] == 1:
        yield "register_mixer_layers with patch_register_tokens=1, a mixer of one token"


def _conditional_choices(given: Settings) -> dict[str, tuple[Any, ...]]:
    """Return the supported values of the settings that depend on others."""
    choices: dict[str, tuple[Any, ...]] = {
        "model_type": ("tspulse",),
        "architectures": (["TSPulseForReconstruction"], None),
        "patch_stride": (given["patch_length"],),
        "decoder_d_model": (given["d_model"],),
    }
    if _has_mask_token(given):
        choices["mask_block_length"] = (given["patch_length"],)
    if given["decoder_mode"] == "mix_channel":
        choices |= {"free_channel_flow": (True,), "channel_mix_init": ("identity",)}
    return choices


def _has_mask_token(given: Settings) -> bool:
    masked = bool(given["mask_ratio"]) or given["mask_type"] == "user"
    return masked and bool(given["use_learnable_mask_token"])


def granite_layout(
    shapes: Mapping[str, tuple[int, ...]], config: TSPulseConfig, settings: Settings
) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the name and shape of each weight in the published files.

    Parameters
    ----------
    shapes : mapping
        Shape of every weight of the network, by name.
    config : TSPulseConfig
        The result of ``config_from_granite(settings)``.
    settings : mapping
        Content of the published ``config.json``.

    Returns
    -------
    dict
        Published name and shape, by name. A weight that is left out is zero.
    """
    layout = {name: (_published_name(name, config), shape) for name, shape in shapes.items()}
    for name in ("revin.weight", "revin.bias"):
        layout[name] = (layout[name][0], (1, 1, 1))
    if not _has_mask_token(_DEFAULTS | dict(settings)):
        del layout["mask_token.values"]
    return layout


def _published_name(name: str, config: TSPulseConfig) -> str:
    for pattern, replacement in _NAMES:
        name = re.sub(pattern, replacement, name)
    in_backbone = name.startswith("backbone")
    mixers = _MIXERS[1:] if in_backbone or config.n_channels == 1 else _MIXERS
    for index, mixer in enumerate(mixers):
        name = re.sub(rf"(mixers\.\d+)\.{index}\.", rf"\1.{mixer}.", name)
    name = name.replace("_mixer.norm.", "_mixer.norm.norm.")
    # The published heads number their parts: mixers (if any), flattening, norm, linear map.
    norm = 2 if config.n_register_layers else 1
    name = name.replace("_mapping.norm.", f"_mapping.{norm}.")
    return name.replace("_mapping.linear.", f"_mapping.{norm + 1}.")
