"""Sizes that fit together are taken, all others are refused by name."""

from __future__ import annotations

import dataclasses
import json

import pytest

from sktspulse.network.config import TSPulseConfig


@pytest.mark.parametrize(
    ("sizes", "n_patches", "n_register_start", "n_tokens"),
    [
        ({}, 64, 128, 138),
        ({"patch_length": 16, "d_model": 48, "n_registers": 5}, 32, 64, 69),
        (
            {"context_length": 64, "dual_space": False, "frequency_head": False}
            | {"n_signature_bins": 0, "n_registers": 8},
            8,
            8,
            16,
        ),
    ],
)
def test_derived_sizes(sizes, n_patches, n_register_start, n_tokens):
    config = TSPulseConfig(**sizes)
    assert config.n_patches == n_patches
    assert config.n_register_start == n_register_start
    assert config.n_tokens == n_tokens


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("context_length", 0),
        ("context_length", 508),
        ("patch_length", -8),
        ("patch_length", 7),
        ("d_model", 0),
        ("n_layers", -1),
        ("n_decoder_layers", -1),
        ("n_registers", -1),
        ("n_registers", 0),
        ("n_register_layers", -1),
        ("expansion_factor", 0),
        ("gate", "tanh"),
        ("decoder_gate", "tanh"),
        ("n_signature_bins", -1),
        ("n_signature_bins", 257),
        ("signature_scale", "decibel"),
        ("forecast_length", -1),
        ("variance_floor", 0.0),
        ("variance_floor", float("inf")),
        ("variance_floor", float("nan")),
        ("n_channels", 0),
        ("channel_expansion", 0),
    ],
)
def test_sizes_out_of_range_are_refused_by_name(name, value):
    blamed = "patch_length" if (name, value) == ("context_length", 508) else name
    with pytest.raises(ValueError, match=f"TSPulseConfig got {blamed}="):
        TSPulseConfig(**{name: value})


def test_a_spectrum_needs_an_even_length_and_a_head_for_it_needs_a_spectrum():
    odd = {"context_length": 45, "patch_length": 5, "n_signature_bins": 0}
    with pytest.raises(ValueError, match="context_length"):
        TSPulseConfig(**odd)
    with pytest.raises(ValueError, match="frequency_head"):
        TSPulseConfig(**odd, dual_space=False)
    assert TSPulseConfig(**odd, dual_space=False, frequency_head=False).n_patches == 9


def test_a_configuration_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        TSPulseConfig().d_model = 3


def test_a_configuration_survives_json():
    config = TSPulseConfig(d_model=12, gate="sigmoid", variance_floor=1.0, dual_space=True)
    text = json.dumps(dataclasses.asdict(config)).replace("1.0", "1")
    again = TSPulseConfig.from_dict(json.loads(text))
    assert again == config
    assert isinstance(again.variance_floor, float)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("d_model", 24.0),
        ("d_model", "24"),
        ("d_model", True),
        ("d_model", None),
        ("d_model", [24]),
        ("dual_space", 1),
        ("gate", 1),
        ("variance_floor", "small"),
    ],
)
def test_values_of_another_type_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"TSPulseConfig got {name}=.* must be of type"):
        TSPulseConfig.from_dict({name: value})


def test_names_that_are_not_fields_are_refused():
    with pytest.raises(ValueError, match="has no \\['depth', 'width'\\]"):
        TSPulseConfig.from_dict({"width": 3, "depth": 3})
