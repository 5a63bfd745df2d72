"""Panels and recordings are read as estimators read them."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse import TSPulseAnomalyDetector, TSPulseTransformer
from sktspulse.onnx.inputs import InputRules
from sktspulse.series import check_panel, check_series

FLAT = InputRules("TSPulseTransformer", 40, 1, 2)
DEEP = InputRules("TSPulseTransformer", 2, 2, 2)
ONE = InputRules("TSPulseTransformer", 1, 1, 2)
RECORDING = InputRules("TSPulseAnomalyDetector", 2, 2, 8)
RNG = np.random.default_rng(0)


def fitted(rules, cls=TSPulseTransformer):
    estimator = cls()
    estimator.n_features_in_, estimator.n_channels_in_ = rules.n_features, rules.n_channels
    return estimator


def outcome(function):
    """Return the answer, or the error."""
    try:
        return function()
    except (TypeError, ValueError) as error:
        return str(error)


def masked():
    array = np.ma.array(RNG.normal(size=(3, 2, 40)))
    array[1, 0, 5] = np.ma.masked
    return array


def padded():
    array = RNG.normal(size=(3, 2, 40))
    array[1, :, 30:] = np.nan
    return array


PANELS = {
    "array": RNG.normal(size=(3, 2, 40)),
    "single": RNG.normal(size=(3, 2, 40)).astype(np.float32),
    "integers": RNG.integers(0, 9, (3, 2, 40)),
    "half": RNG.normal(size=(3, 2, 40)).astype(np.float16),
    "booleans": RNG.random((3, 2, 40)) < 0.5,
    "masked": masked(),
    "padded": padded(),
    "list": [RNG.normal(size=(2, n)) for n in (40, 30)],
    "types": [RNG.normal(size=(2, 40)).astype(t) for t in (np.float32, np.float64)],
    "nested": RNG.normal(size=(3, 2, 40)).tolist(),
    "object array": np.array([RNG.normal(size=(2, n)) for n in (9, 8)] + [None], object)[:2],
    "objects": np.array([[[1, None, 3.0, 4], [1, 2, 3, 4]]], object),
    "flat": RNG.normal(size=(3, 40)),
    "flat, other length": RNG.normal(size=(3, 41)),
    "rows": [RNG.normal(size=40), RNG.normal(size=30)],
    "one channel": RNG.normal(size=(3, 1, 40)),
    "three channels": RNG.normal(size=(3, 3, 40)),
    "unequal channels": [RNG.normal(size=(c, 40)) for c in (2, 1)],
    "short": RNG.normal(size=(3, 2, 1)),
    "short flat": RNG.normal(size=(3, 1)),
    "one axis": RNG.normal(size=40),
    "four axes": RNG.normal(size=(1, 3, 2, 40)),
    "infinite": np.where(np.arange(40) == 7, np.inf, np.zeros((3, 2, 40))),
}


@pytest.mark.filterwarnings("ignore:X is read as")
@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize("rules", [FLAT, DEEP, ONE], ids=["flat", "deep", "one"])
def test_panels_are_read_as_by_the_estimator(name, rules):
    X = PANELS[name]
    expected = outcome(lambda: check_panel(fitted(rules), X, reset=False, min_timepoints=2))
    found = outcome(lambda: rules.read_panel(X))
    assert type(found) is type(expected)
    if isinstance(expected, str):
        assert found == expected
        return
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


RECORDINGS = {
    "array": RNG.normal(size=(40, 2)),
    "single": RNG.normal(size=(40, 2)).astype(np.float32),
    "list": RNG.normal(size=(40, 2)).tolist(),
    "gaps": np.where(RNG.random((40, 2)) < 0.3, np.nan, 1.0),
    "one channel": RNG.normal(size=(40, 1)),
    "one axis": RNG.normal(size=40),
    "list with one axis": RNG.normal(size=40).tolist(),
    "panel": RNG.normal(size=(3, 2, 40)),
    "short": RNG.normal(size=(7, 2)),
    "infinite": np.where(np.arange(40)[:, None] == 7, -np.inf, np.zeros((40, 2))),
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_recordings_are_read_as_by_the_estimator(name):
    X, estimator = RECORDINGS[name], fitted(RECORDING, TSPulseAnomalyDetector)
    expected = outcome(lambda: check_series(estimator, X, reset=False, min_timepoints=8)[0])
    found = outcome(lambda: RECORDING.read_recording(X))
    assert type(found) is type(expected)
    if isinstance(expected, str):
        assert found == expected
    else:
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype


@pytest.mark.parametrize("X", [PANELS["array"], PANELS["list"], PANELS["flat"], PANELS["rows"]])
def test_answers_go_back_to_the_container(X):
    rules = DEEP if np.ndim(X[0]) == 2 else ONE
    panel, restore = rules.read_restorable_panel(X)
    restored = restore(panel)
    assert type(restored) is type(X)
    for one, other in zip(restored, X, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    "X", [np.array([["a", "b"]]), np.zeros((2, 9), "M8[s]"), np.ones((2, 9), complex)]
)
def test_what_is_no_number_is_refused(X):
    with pytest.raises(ValueError, match="X cannot be read as numbers"):
        ONE.read_panel(X)


@pytest.mark.parametrize("X", [np.zeros((0, 2, 40)), []])
def test_no_series_are_refused(X):
    with pytest.raises(ValueError, match="X has shape"):
        DEEP.read_panel(X)


def test_series_that_are_no_numbers_are_named():
    with pytest.raises(ValueError, match="Series 1 of X cannot be read as numbers"):
        ONE.read_panel([np.zeros(9), np.array(["a"] * 9)])
