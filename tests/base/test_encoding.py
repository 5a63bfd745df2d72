"""What a file cannot hold is refused by name; how JSON looks like."""

from __future__ import annotations

import json
from collections import OrderedDict
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator

from sktspulse.base.encoding import Encoder, split_state


class Pair(NamedTuple):
    first: object
    second: object


class Options(BaseEstimator):
    def __init__(self, size=1, device="auto"):
        self.size = size
        self.device = device


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (10**30, 10**30),
        (0.1, 0.1),
        (float("-inf"), {"float": "-inf"}),
        ("text", "text"),
        ([1, (2, "b")], [1, {"tuple": [2, "b"]}]),
        ({1: [2]}, {"dict": [[1, [2]]]}),
        (slice(1, None), {"slice": [1, None, None]}),
        (Path("a/b"), {"path": str(Path("a/b"))}),
        (np.float32(0.5), {"scalar": ["<f4", 0.5]}),
        (np.float64("nan"), {"scalar": ["<f8", {"float": "nan"}]}),
        (np.bool_(True), {"scalar": ["|b1", True]}),
        (np.str_("a"), {"scalar": ["U", "a"]}),
        (np.datetime64(3, "s"), {"scalar": ["<M8[s]", 3]}),
        (Pair(1, [2]), {"object": ["Pair", {"first": 1, "second": [2]}]}),
        (Options(3), {"object": ["Options", {"size": 3}, {}]}),
        (np.array(["a", None], object), {"objects": [[2], ["a", None]]}),
        (np.zeros(2), {"array": "it"}),
        (np.zeros((2, 3)).T, {"array": {"tensor": "it", "order": "F"}}),
        (np.zeros(2, bool), {"array": {"tensor": "it", "dtype": "|b1"}}),
        (torch.zeros(2), {"tensor": "it"}),
    ],
    ids=str,
)
def test_json_is_as_documented(value, expected):
    encoder = Encoder([Pair, Options])
    node = encoder.encode(value, "it")
    assert node == expected
    assert type(node) is type(expected)
    assert json.loads(json.dumps(node, allow_nan=False)) == expected
    assert [*encoder.tensors] == (["it"] if "it" in json.dumps(expected) else [])


def function():
    """Do nothing."""


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (function, "it is a function, which a file cannot hold"),
        (partial(function), r"it is a functools\.partial"),
        (Encoder, "it is a type"),
        (OrderedDict(), r"it is a collections\.OrderedDict"),
        ({1}, "it is a set"),
        (1j, "it is a complex"),
        (np.longdouble(1), r"it is a numpy\.longdouble"),
        (np.zeros(2, np.longdouble), "it is an array of type"),
        (np.zeros(2, "f8,i4"), "it is an array of type"),
        (np.ma.zeros(2), r"it is a numpy\.ma"),
        (torch.nn.Linear(1, 1), r"it is a torch\..*Linear"),
        ([0, {"a": function}], r"it\.1\.a is a function"),
        (Pair(0, (1, function)), r"it\.second\.1 is a function"),
        (Options(function), r"it\.size is a function"),
        (np.array([function]), r"it\.0 is a function"),
        (np.random.RandomState(0), "it is a RandomState instance.* an integer or None"),
    ],
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_other_values_are_refused_by_name(value, message):
    with pytest.raises(ValueError, match=message) as raised:
        Encoder([Pair, Options]).encode(value, "it")
    assert "RandomState" in message or "skops.io.dump or with pickle" in str(raised.value)


def test_names_of_tensors_differ_and_share_no_memory():
    shared = np.zeros(2)
    encoder = Encoder([])
    encoder.encode({"a": {"b": shared}, "a.b": shared, 1: shared[:1]}, "it")
    assert [*encoder.tensors] == ["it.a.b", "it.a.b_", "it.1"]
    assert len({tensor.data_ptr() for tensor in encoder.tensors.values()}) == 3


def test_arrays_that_cannot_be_written_to_are_encoded_without_a_warning():
    array = np.zeros(2)
    array.flags.writeable = False
    assert Encoder([]).encode(array, "it") == {"array": "it"}


def test_the_device_is_no_part_of_the_state():
    estimator = Options(2, device="cuda")
    estimator.fitted_ = 1
    assert split_state(estimator) == ({"size": 2}, {"fitted_": 1})
