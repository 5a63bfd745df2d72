"""Checks of targets and weights."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.utils.class_weight import compute_class_weight

from sktspulse import TSPulseClassifier, TSPulseRegressor
from sktspulse.supervised.targets import (
    check_labels,
    check_numbers,
    check_weights,
    class_weights,
    encode_labels,
)


@pytest.mark.parametrize("y", [["b", "a", "b"], [3, -1, 3], [True, False, True]])
def test_labels_become_sorted_classes_and_their_indices(y):
    labels = check_labels(TSPulseClassifier(), y, 3)
    classes, codes = encode_labels(labels, np.ones(3))
    assert classes.tolist() == sorted(set(y))
    assert classes[codes].tolist() == y


def test_a_series_of_weight_0_adds_no_class():
    classes, codes = encode_labels(np.array([1, 5, 3, 9]), np.array([1.0, 1, 0, 0]))
    assert classes.tolist() == [1, 5]
    assert codes[:2].tolist() == [0, 1]
    assert set(codes) <= {0, 1}
    with pytest.raises(ValueError, match=r"y has one class, \[1\], among series of weight above 0"):
        encode_labels(np.array([1, 5]), np.array([1.0, 0]))


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 2)])
def test_numbers_keep_their_shape(shape):
    y = np.arange(np.prod(shape)).reshape(shape)
    numbers = check_numbers(TSPulseRegressor(), y.tolist(), 3)
    assert numbers.dtype == np.float64
    np.testing.assert_array_equal(numbers, y)


@pytest.mark.parametrize("check", [check_labels, check_numbers])
def test_missing_and_miscounted_targets_are_refused(check):
    with pytest.raises(ValueError, match="Estimator requires y to be passed, but the target y is"):
        check(type("Estimator", (), {})(), None, 3)
    with pytest.raises(ValueError, match="y has 2 entries, but X has 3 series"):
        check(TSPulseClassifier(), [0, 1], 3)


def test_balanced_weights_are_those_of_scikit_learn():
    codes = np.random.default_rng(0).integers(0, 3, 40)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=codes)
    np.testing.assert_allclose(
        class_weights("balanced", np.arange(3), codes, np.ones(40)), expected
    )
    weights = np.random.default_rng(1).integers(0, 4, 40)
    repeated = np.repeat(codes, weights)
    expected = class_weights("balanced", np.arange(3), repeated, np.ones(len(repeated)))
    found = class_weights("balanced", np.arange(3), codes, weights.astype(float))
    np.testing.assert_allclose(found, expected)


def test_labels_left_out_of_a_dict_have_weight_1():
    settings = (np.array(["a", "b"]), np.array([0, 1]), np.ones(2))
    assert class_weights({"b": 3}, *settings).tolist() == [1, 3]
    assert class_weights(None, *settings).tolist() == [1, 1]
    for wrong in ({"c": 1}, {"a": 0}, {"a": np.inf}):
        with pytest.raises(ValueError, match="expected finite numbers above 0 for labels among"):
            class_weights(wrong, *settings)


def test_weights_are_1_by_default():
    assert check_weights(None, 2).tolist() == [1, 1]
    assert check_weights([0, 2], 2).tolist() == [0, 2]
    with pytest.raises(ValueError, match="sample_weight has only zeros, expected numbers"):
        check_weights([0, 0], 2)
    with pytest.raises(ValueError, match=r"sample_weight has -1\.5, expected numbers"):
        check_weights([1, -1.5], 2)


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (np.array([0, 1, 1], dtype=object), [0, 1]),
        (np.array([True, False, True], dtype=object), [False, True]),
        (np.array([2.0, 3, np.int8(3)], dtype=object), [2, 3]),
        (np.array(["b", "a", "b"], dtype=object), ["a", "b"]),
        (pd.Series([1, 2, 1], dtype="Int64"), [1, 2]),
        (pd.Series(["b", "a", "b"], dtype="category"), ["a", "b"]),
        (pl.Series(["b", "a", "b"]), ["a", "b"]),
        (np.ma.array([0, 1, 1]), [0, 1]),
    ],
)
def test_objects_become_labels(y, classes):
    labels = check_labels(TSPulseClassifier(), y, 3)
    assert np.unique(labels).tolist() == classes


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
def test_objects_of_several_kinds_are_refused(missing):
    for y in ([1, "a", 1], [1, missing, 1], ["a", missing, "b"]):
        with pytest.raises(ValueError, match=r"array of objects holds \[.*expected numbers alone"):
            check_labels(TSPulseClassifier(), np.array(y, dtype=object), 3)


def test_masked_targets_and_weights_are_refused():
    masked = np.ma.array([0.0, 1, 2], mask=[0, 1, 0])
    for check in (check_labels, check_numbers):
        with pytest.raises(ValueError, match=r"y has masked entries.*y\.mask"):
            check(TSPulseClassifier(), masked, 3)
    with pytest.raises(ValueError, match="sample_weight has masked entries"):
        check_weights(masked, 3)


@pytest.mark.parametrize("kind", ["M8[D]", "m8[s]"])
def test_dates_and_durations_are_no_targets(kind):
    with pytest.raises(ValueError, match="y cannot be used as targets: y holds d"):
        check_numbers(TSPulseRegressor(), np.arange(3).astype(kind), 3)


def test_weights_of_absent_classes_are_ignored_but_not_a_dict_without_any():
    classes, codes = np.array([0, 2]), np.array([0, 1, 1])
    assert class_weights({0: 3, 1: 9}, classes, codes, np.ones(3)).tolist() == [3, 1]
    for weights in ({7: 3}, {"0": 3}, {0: np.nan}, {0: 1e200}):
        with pytest.raises(ValueError, match="expected finite numbers above 0"):
            class_weights(weights, classes, codes, np.ones(3))


def test_weights_so_large_that_their_sum_may_be_infinite_are_refused():
    with pytest.raises(ValueError, match="expected at most 1e\\+100"):
        check_weights([1, 1e200], 2)
