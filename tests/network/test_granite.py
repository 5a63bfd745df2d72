"""Checkpoints of the reference library give its answers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from network.checkpoint_files import SETTINGS, TINY, configure, rewrite, same_weights
from reference import cases

from sktspulse.network.checkpoints import CheckpointError, load_checkpoint
from sktspulse.network.config import TSPulseConfig
from sktspulse.network.granite import _DEFAULTS, _FIXED, config_from_granite


def test_a_checkpoint_saved_by_the_reference_library_gives_its_answers():
    with np.load(TINY / "answers.npz") as file:
        x, observed = torch.from_numpy(file["x"]), torch.from_numpy(file["observed"])
        expected = cases.outputs_of(file)
    prediction = load_checkpoint(TINY)(x, observed)
    for name in ("time", "frequency", "forecast"):
        error = np.abs(prediction.in_units(name).mT.numpy() - expected[name]).max()
        assert error <= 1e-5 * np.abs(expected[name]).max()
    signature = prediction.heads["signature"].exp().mT.numpy()
    np.testing.assert_allclose(signature, expected["signature"], rtol=1e-5)


def test_settings_become_sizes():
    assert config_from_granite(SETTINGS) == TSPulseConfig(
        context_length=32,
        patch_length=4,
        d_model=6,
        n_layers=2,
        n_decoder_layers=1,
        n_registers=2,
        n_register_layers=1,
        n_signature_bins=16,
        variance_floor=1e-5,
        n_channels=3,
    )
    scales = {"log": "log", "plain": "linear"}
    for mode, scale in scales.items():
        assert config_from_granite(SETTINGS | {"fft_prob_mode": mode}).signature_scale == scale


def test_defaults_are_those_of_the_reference_library():
    settings = cases.read_case("bare").settings  # built with no argument at all
    published = {"model_type", "architectures"}
    for name, value in (_DEFAULTS | _FIXED).items():
        # The library writes one scale for every layer where none was asked for.
        expected = [1, 1, 1] if name.endswith("_layerwise_scale") else value
        assert name in published or settings[name] == expected, name
    assert config_from_granite({"model_type": "tspulse"}) == config_from_granite(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model_type", "patchtst"),
        ("model_type", None),
        ("architectures", ["TSPulseForClassification"]),
        ("architectures", ["TSPulseModel"]),
        ("mode", "mix_channel"),
        ("gated_attn", False),
        ("gated_attention_activation", "tanh"),
        ("head_gated_attention_activation", "tanh"),
        ("norm_mlp", "BatchNorm"),
        ("norm_eps", 1e-6),
        ("self_attn", True),
        ("use_positional_encoding", True),
        ("scaling", "std"),
        ("scaling", "mean"),
        ("scaling", None),
        ("revin_affine", False),
        ("reconstruction_type", "full"),
        ("channel_register_tokens", 2),
        ("patch_register_tokens", 1),
        ("register_mixer_layers", 0),
        ("patch_stride", 2),
        ("decoder_d_model", 12),
        ("mask_block_length", 8),
        ("mask_type", "random"),
        ("free_channel_flow", False),
        ("channel_mix_init", "zero"),
        ("num_input_channels", 1),
        ("fft_remove_component", "dc"),
        ("fft_applied_on", "raw_ts"),
        ("fft_time_consistent_masking", False),
        ("fft_mask_ratio", 0.2),
        ("fft_prob_mode", "real"),
        ("num_patches_layerwise_scale", [1, 0.5]),
        ("num_channels_layerwise_scale", [0.5, 1]),
        ("d_model_layerwise_scale", [0.5, 0.5]),
        ("decoder_num_patches_layerwise_scale", [2]),
        ("decoder_num_channels_layerwise_scale", [2]),
        ("decoder_d_model_layerwise_scale", [2]),
        ("categorical_vocab_size_list", [3]),
        ("data_actual_context_length", 20),
        ("rotary_embedding", True),
    ],
)
def test_what_the_network_does_not_have_is_refused_by_name(published, name, value):
    with pytest.raises(CheckpointError, match=rf"\b{name}\b"):
        load_checkpoint(configure(published, **{name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("architectures", None),
        ("dropout", 0.9),
        ("loss", "mae"),
        ("mask_ratio", 0.7),
        ("mask_type", "var_hybrid"),
        ("loss_apply_mode", "full"),
        ("init_linear", "normal"),
        ("transformers_version", "4.40.0"),
        ("torch_dtype", "float32"),
        ("fft_mask_ratio", 0),
        ("fft_prob_length", 16),
        ("channel_virtual_expand_scale", None),
        ("d_model_layerwise_scale", None),
        ("_name_or_path", "somewhere"),
        ("a_switch_of_tomorrow", None),
    ],
)
def test_what_changes_no_answer_is_taken(published, name, value):
    extra = {"mask_ratio": 0.5, name: value}
    assert same_weights(load_checkpoint(configure(published, **extra)), load_checkpoint(TINY))
    assert load_checkpoint(published).config == load_checkpoint(TINY).config


def test_a_mask_token_that_was_never_learned_is_zero(published):
    rewrite(published / "model.safetensors", backbone__time_masker__mask_token=None)
    loaded = load_checkpoint(configure(published, mask_type="block", mask_block_length=8))
    assert torch.equal(loaded.mask_token.values, torch.zeros(4))


def test_register_layers_without_a_register_head_do_not_count(tmp_path):
    case = cases.read_case("bare")
    case.settings["register_mixer_layers"] = 40
    assert load_checkpoint(case.write(tmp_path)).config.n_register_layers == 40
