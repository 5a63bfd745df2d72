"""Plain values need NumPy alone; tests of the decoder cover all of them."""

from __future__ import annotations

import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

from sktspulse.base.values import (
    ValueDecoder,
    ValueEncoder,
    check_names,
    is_array_type,
    is_scalar_type,
)


class Pair(NamedTuple):
    first: object
    second: object = 2


def test_arrays_are_kept_as_they_are():
    values, encoder = np.arange(6.0).reshape(2, 3), ValueEncoder([Pair])
    node = encoder.encode_all({"a": Pair(values), "b": (values.T, "x")})
    assert [*encoder.tensors] == ["a.first", "b.0"]
    found = ValueDecoder([Pair], encoder.tensors).decode_all(node)
    np.testing.assert_array_equal(found["a"].first, values, strict=True)
    np.testing.assert_array_equal(found["b"][0], values.T, strict=True)
    assert found["b"][0].flags.f_contiguous


def test_neither_torch_nor_scikit_learn_is_loaded():
    code = (
        "import sys; from sktspulse.base import ValueDecoder, ValueEncoder\n"
        "print({'torch', 'sklearn', 'scipy'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"


@pytest.mark.parametrize("value", [lambda: 1, {1}, 1j, np.zeros(2, "f8,i4"), np.random])
def test_other_values_are_refused(value):
    with pytest.raises(ValueError, match=r"^it is .*, which a file cannot hold\.$"):
        ValueEncoder([]).encode(value, "it")


def test_estimators_and_networks_need_more():
    for kind in ("network", "tensor"):
        with pytest.raises(ValueError, match=f"It holds a '{kind}', which is not known"):
            ValueDecoder([], {}).decode({kind: "a"})


def test_names_are_compared():
    check_names(Pair, {"first": 1}, Pair._fields, ["first"])
    with pytest.raises(ValueError, match=r"Pair lacks \['first'\] and has no \['third'\]"):
        check_names(Pair, {"third": 1}, Pair._fields, ["first"])


@pytest.mark.parametrize("text", ["|b1", "<u2", ">f8", "<U12", "<M8[ns]", "<m8[25us]", "<c16"])
def test_types_of_arrays(text):
    assert is_array_type(text)
    assert np.dtype(text).str == text


@pytest.mark.parametrize("text", ["O", "|O", "<f8,<i4", "V8", "<U0", "<U9999999999", "f8\n", ""])
def test_other_types_of_arrays_are_unknown(text):
    assert not is_array_type(text)
    assert not is_scalar_type(text)
