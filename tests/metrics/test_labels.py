from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sktspulse.metrics.labels import (
    check_labels_and_predictions,
    check_labels_and_scores,
    check_values,
)

Y = np.array([0, 1, 1, 0])


@pytest.mark.parametrize(
    "values",
    [[1, 2.5], (1, 2.5), np.float32([1, 2.5]), np.array([[1], [2.5]]), pd.Series([1, 2.5])],
    ids=["list", "tuple", "float32", "column", "pandas"],
)
def test_values_become_one_float_per_point(values):
    checked = check_values(values, "x")
    assert checked.dtype == np.float64
    np.testing.assert_array_equal(checked, [1, 2.5])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1, 2], [3, 4]], r"1d array, got an array of shape \(2, 2\)"),
        ([[[1.0]]], "dim 3"),
        ([], "0 sample"),
        ([0, np.nan], "Input x contains NaN"),
        ([np.inf, 0], "Input x contains infinity"),
        (np.ma.array([0.0, 1.0], mask=[0, 1]), "Input x contains NaN"),
        (np.arange(2).astype("M8[D]"), "x holds dates"),
        (["high", "low"], "could not convert string to float"),
    ],
)
def test_values_of_another_kind_raise(values, message):
    with pytest.raises(ValueError, match=message):
        check_values(values, "x")


@pytest.mark.parametrize("kind", [bool, int, float, list])
def test_labels_of_every_type_become_flags(kind):
    labels = Y.tolist() if kind is list else Y.astype(kind)
    flags, scores = check_labels_and_scores(labels, [4, 3, 2, 1])
    assert flags.dtype == bool
    np.testing.assert_array_equal(flags, Y == 1)
    np.testing.assert_array_equal(scores, [4, 3, 2, 1])


@pytest.mark.parametrize("pos_label", [1, -1])
def test_predictions_follow_the_label_of_anomalies(pos_label):
    values = Y if pos_label == 1 else 1 - 2 * Y
    flags, predicted = check_labels_and_predictions(values, values[::-1], pos_label)
    np.testing.assert_array_equal(flags, Y == 1)
    np.testing.assert_array_equal(predicted, Y[::-1] == 1)


def test_predictions_may_be_normal_everywhere_and_labels_anomalous_everywhere():
    flags, predicted = check_labels_and_predictions([1, 1], [0, 0], 1)
    assert flags.all()
    assert not predicted.any()


@pytest.mark.parametrize("check", [check_labels_and_scores, check_labels_and_predictions])
def test_arguments_are_not_modified(check):
    labels, others = Y.copy(), Y[::-1].astype(float)
    flags, _ = check(labels, others, *([1] if check is check_labels_and_predictions else []))
    flags[:] = False
    np.testing.assert_array_equal(labels, Y)
