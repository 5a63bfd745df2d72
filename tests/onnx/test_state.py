"""Fitted values come back as they were, and nothing else can come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from sktspulse.anomaly import NormalModel
from sktspulse.base import ValueDecoder, ValueEncoder
from sktspulse.onnx.state import classes_within, dump_arrays, load_arrays
from sktspulse.supervised import Probe


class Leaf(NamedTuple):
    values: np.ndarray
    name: str | None


@dataclass(frozen=True)
class Tree:
    leaves: Sequence[Leaf | None]
    limits: tuple[float, ...]
    counts: dict[str, Any]


def there_and_back(value, *roots):
    classes = classes_within(*roots).values()
    encoder = ValueEncoder(classes)
    node = json.loads(json.dumps(encoder.encode(value, "it"), allow_nan=False))
    return ValueDecoder(classes, load_arrays(dump_arrays(encoder.tensors))).decode(node)


def test_records_come_back():
    leaf = Leaf(np.arange(3, dtype=np.float32), "a")
    tree = Tree([leaf, None], (1.5, -np.inf), {"n": np.int64(3), "is": np.bool_(True)})
    found = there_and_back(tree, Tree)
    assert isinstance(found, Tree)
    assert isinstance(found.leaves[0], Leaf)
    np.testing.assert_array_equal(found.leaves[0].values, leaf.values)
    assert found.leaves[0].values.dtype == np.float32
    assert (found.leaves[0].name, found.leaves[1]) == ("a", None)
    assert found.limits == (1.5, -np.inf)
    assert found.counts == {"n": 3, "is": True}


@pytest.mark.parametrize(
    "value", [0.1, np.float64(1 / 3), np.inf, -0.0, 1e-320, True, 7, "é", None]
)
def test_single_values_are_exact(value):
    found = there_and_back(value)
    assert found == value
    assert repr(found) == repr(value)


def test_nan_comes_back():
    assert np.isnan(there_and_back([np.nan])[0])


@pytest.mark.parametrize("labels", [["a", "bé"], [1, 2], [True, False], [1.5, 2.5]])
@pytest.mark.parametrize("as_objects", [True, False])
def test_labels_keep_values_and_type(labels, as_objects):
    array = np.array(labels, dtype=object if as_objects else None)
    found = there_and_back(array)
    assert found.dtype == array.dtype
    assert found.tolist() == labels


def test_classes_are_found_through_annotations():
    assert classes_within(Tree) == {"Tree": Tree, "Leaf": Leaf}
    assert {"ChannelScale", "CounterScale", "HeadCalibration", "Cycle"} <= set(
        classes_within(NormalModel)
    )
    assert {"KernelBank", "QuantileBank", "Interval", "Layout"} <= set(classes_within(Probe))


def test_other_classes_are_neither_made_nor_written():
    encoder = ValueEncoder([Leaf])
    node = encoder.encode(Leaf(np.zeros(1), None), "it")
    with pytest.raises(ValueError, match="It holds a 'Leaf', which does not belong there"):
        ValueDecoder([], encoder.tensors).decode(node)
    with pytest.raises(ValueError, match=r"it is a object, which a file cannot hold\.$"):
        encoder.encode(object(), "it")


def test_arrays_are_read_without_pickle():
    with pytest.raises(ValueError, match="Object arrays cannot be"):
        dump_arrays({"0": np.array([{}], dtype=object)})
