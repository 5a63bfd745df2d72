"""What was encoded is the same again, to the bit; anything else is refused."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from sklearn.base import BaseEstimator

from sktspulse import TSPulseConfig
from sktspulse.base.decoding import Decoder
from sktspulse.base.encoding import Encoder
from sktspulse.network import NewWeights, TSPulse


class Pair(NamedTuple):
    first: object
    second: object = 2


@dataclass(frozen=True)
class Part:
    size: int
    names: tuple = field(default_factory=tuple)

    def __post_init__(self):
        if self.size == 13:
            raise ValueError("13 is no size.")


class Model(BaseEstimator):
    def __init__(self, size=1, device="auto"):
        self.size = size
        self.device = device

    @property
    def twice_(self):
        return 2 * self.size


CLASSES = [Pair, Part, Model]


def recoded(value):
    """Return a value that went through JSON."""
    encoder = Encoder(CLASSES)
    text = json.dumps(encoder.encode(value, "it"), allow_nan=False)
    decoder = Decoder(CLASSES, encoder.tensors)
    found = decoder.decode(json.loads(text))
    decoder.check_end()
    return found


def assert_same(found, expected):
    """Compare types and values, NaN and the order of arrays in memory included."""
    assert type(found) is type(expected)
    if isinstance(expected, np.ndarray):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        if expected.dtype == object:
            assert_same(found.ravel().tolist(), expected.ravel().tolist())
            return
        assert found.tobytes() == expected.tobytes()
        for order in ("c_contiguous", "f_contiguous"):
            assert getattr(found.flags, order) or not getattr(expected.flags, order)
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    elif isinstance(expected, dict):
        assert_same(list(found.items()), list(expected.items()))
    elif isinstance(expected, torch.Tensor):
        assert_same(found.numpy(), expected.numpy())
    else:
        assert repr(found) == repr(expected)


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.floats().map(np.float64)
)
types = st.one_of(
    nps.boolean_dtypes(),
    nps.integer_dtypes(endianness="?"),
    nps.unsigned_integer_dtypes(endianness="?"),
    nps.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    nps.complex_number_dtypes(endianness="?", sizes=(64, 128)),
    nps.unicode_string_dtypes(endianness="?", min_len=1, max_len=5),
    nps.datetime64_dtypes(endianness="?"),
    nps.timedelta64_dtypes(endianness="?"),
)
arrays = types.flatmap(
    lambda dtype: nps.arrays(dtype, nps.array_shapes(min_dims=0, max_dims=3, min_side=0))
)
values = st.recursive(
    st.one_of(scalars, arrays, arrays.map(np.transpose)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.one_of(st.text(max_size=3), st.integers()), inner, max_size=3),
        st.builds(Pair, inner, inner),
    ),
    max_leaves=6,
)


@given(value=values)
def test_values_are_the_same_again(value):
    assert_same(recoded(value), value)


@pytest.mark.parametrize(
    "value",
    [
        slice(1, None, 2),
        Path("a") / "b",
        np.datetime64("2026-01-01T00:00:00", "ns"),
        np.timedelta64(5, "h"),
        np.str_("text"),
        np.int8(-3),
        np.array([["a", None], [1.5, (2,)]], dtype=object),
        np.array([[1, 2], [3, 4]], dtype=object).T,
        np.empty((0, 3), dtype=object),
        np.zeros((3, 4))[::2, ::-1],
        torch.arange(3),
        Part(3, (np.float32(1), "b")),
        "\ud800",
        {np.int64(1): 2.0, (1, 2): "b", None: None},
    ],
    ids=str,
)
def test_more_values_are_the_same_again(value):
    assert_same(recoded(value), value)


def test_estimators_are_the_same_again_but_for_the_device():
    model = Model((1, 2), device="cuda")
    model.fitted_ = np.arange(3)
    encoder = Encoder(CLASSES)
    node = encoder.encode([model], "it")
    decoder = Decoder(CLASSES, encoder.tensors, device="cpu")
    (found,) = decoder.decode(node)
    assert_same(vars(found), {"size": (1, 2), "device": "cpu", "fitted_": np.arange(3)})
    assert decoder.estimators == [found]


def tiny_network():
    config = TSPulseConfig(
        context_length=16, d_model=2, n_layers=1, n_decoder_layers=1, n_signature_bins=8
    )
    with NewWeights(torch.Generator().manual_seed(0)):
        return TSPulse(config).eval().requires_grad_(False)


def test_networks_are_the_same_again():
    network = tiny_network()
    found = recoded([network])[0]
    assert found.config == network.config
    assert not found.training
    assert not any(weight.requires_grad for weight in found.parameters())
    pairs = zip(found.state_dict().items(), network.state_dict().items(), strict=True)
    for (name, weight), (expected_name, expected) in pairs:
        assert name == expected_name
        assert_same(weight, expected)


def test_fields_that_are_missing_have_their_defaults():
    decoder = Decoder(CLASSES, {})
    assert decoder.decode({"object": ["Pair", {"first": 1}]}) == Pair(1, 2)
    assert decoder.decode({"object": ["Part", {"size": 1}]}) == Part(1, ())
    assert decoder.decode({"object": ["Model", {}, {}]}).size == 1


TENSORS = {
    "bytes": torch.arange(12, dtype=torch.uint8).reshape(3, 4),
    "large": torch.full((2, 4), 255, dtype=torch.uint8),
    "numbers": torch.zeros(3),
}


@pytest.mark.parametrize(
    "node",
    [
        {},
        {"tuple": [], "list": []},
        {"set": []},
        {"tuple": 3},
        {"float": "much"},
        {"float": None},
        {"dict": [[1]]},
        {"dict": [[[], 1]]},
        {"slice": [1]},
        {"path": 3},
        {"scalar": ["<f8", "text"]},
        {"scalar": ["<f8"]},
        {"scalar": ["|O", 1]},
        {"scalar": ["<M8[ns]", 2**70]},
        {"scalar": ["|u1", 256]},
        {"object": ["Popen", {"args": "ls"}]},
        {"object": ["Encoder", {}]},
        {"object": []},
        {"object": [["Pair"], {}]},
        {"object": ["Pair", {}]},
        {"object": ["Pair", {"first": 1, "third": 3}]},
        {"object": ["Pair", {"first": 1}, {}]},
        {"object": ["Part", {"size": 13}]},
        {"object": ["Model", {"sizes": 1}, {}]},
        {"object": ["Model", {}, {"__class__": 1}]},
        {"object": ["Model", {}, {"fit": 1, "get_params": 1}]},
        {"object": ["Model", {}, {"twice_": 1}]},
        {"object": ["Model", {"device": "cpu"}]},
        {"objects": [[2**40], []]},
        {"objects": [[-1, -2], [1, 2]]},
        {"objects": [[2.0], [1, 2]]},
        {"objects": ["ab", [1, 2]]},
        {"array": "absent"},
        {"array": ["bytes"]},
        {"array": {"dtype": "<i4"}},
        {"array": {"tensor": "bytes", "dtype": "|O"}},
        {"array": {"tensor": "bytes", "dtype": "<f8,<f8"}},
        {"array": {"tensor": "bytes", "dtype": "<U999999999"}},
        {"array": {"tensor": "bytes", "dtype": "<M8[ns]"}},
        {"array": {"tensor": "numbers", "dtype": "<u4"}},
        {"array": {"tensor": "large", "dtype": "<U1"}},
        {"array": {"tensor": "large", "dtype": "|b1"}},
        [{"array": "bytes"}, {"array": "bytes"}],
        {"tensor": "absent"},
        {"network": [{"context_length": 10**12}, {}]},
        {"network": [{"n_layers": 10**9}, {"a": "numbers"}]},
        {"network": [{"d_model": 10**9}, {"a": "numbers"}]},
        {"network": [{"d_model": "a"}, {}]},
        {"network": [{}, {"mask_token.values": "numbers"}]},
    ],
    ids=str,
)
def test_other_json_is_refused(node, monkeypatch):
    monkeypatch.setattr(subprocess, "Popen", lambda *args: pytest.fail("code was run"))
    with pytest.raises((ValueError, TypeError, KeyError, OverflowError)):
        Decoder(CLASSES, TENSORS).decode(node)


def test_weights_of_another_network_are_refused():
    encoder = Encoder([])
    node = encoder.encode(tiny_network(), "it")
    name = next(iter(node["network"][1].values()))
    for damaged in (encoder.tensors[name].double(), encoder.tensors[name] * torch.nan):
        with pytest.raises(ValueError, match=r"float64|NaN"):
            Decoder([], encoder.tensors | {name: damaged}).decode(node)


def test_tensors_that_nothing_uses_are_refused():
    decoder = Decoder(CLASSES, TENSORS)
    decoder.decode({"array": "numbers"})
    with pytest.raises(ValueError, match=r"nothing uses: \['bytes', 'large'\]"):
        decoder.check_end()
