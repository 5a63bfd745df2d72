"""What is told about a recording is what the estimators answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from estimator_cases import CASES, checkpoint
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sktspulse import TSPulseAnomalyDetector, TSPulseImputer
from sktspulse.reporting import examine

QUICK = {"checkpoint": checkpoint()}
X = CASES["imputer"].data()
X[100:110, 1] += 9


@pytest.fixture
def detector():
    return TSPulseAnomalyDetector(**QUICK)


@pytest.fixture
def imputer():
    return TSPulseImputer(random_state=0, **QUICK)


def test_answers_are_those_of_the_estimators(detector, imputer):
    found = examine(X, detector, imputer)
    assert found.is_own_normal
    for one in (detector, imputer):  # copies were fitted
        with pytest.raises(NotFittedError):
            check_is_fitted(one)
    np.testing.assert_array_equal(found.filled, imputer.fit_transform(X))
    np.testing.assert_array_equal(found.scores, detector.fit(X).score_samples(X))
    np.testing.assert_array_equal(found.segments, detector.predict_segments(X))
    assert found.n_anomalies == (detector.predict(X) < 0).sum()
    assert sum(gap.n_rows for gap in found.gaps) == np.isnan(X).sum()
    assert not np.isnan(found.values[found.gaps[0].end, found.gaps[0].channel])


def test_estimators_that_are_fitted_are_used(detector, imputer):
    detector.fit(X[:80]), imputer.fit(X)
    before = dict(vars(imputer.set_output(transform="pandas")))
    found = examine(X, detector, imputer)
    assert not found.is_own_normal
    np.testing.assert_array_equal(found.scores, detector.score_samples(X))
    assert vars(imputer) == before


def test_missing_rows_are_inserted(detector, imputer):
    stamps = pd.date_range("2025-01-01", periods=len(X), freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame(X, stamps, ["a", "b"]).drop(stamps[[50, 51]])
    found = examine(frame, detector, imputer.set_params(freq="h"))
    assert found.values.shape == X.shape
    assert np.isnan(found.values[50:52]).all()
    assert found.label(51) == str(stamps[51])
    assert found.names == ["a", "b"]


@pytest.mark.parametrize("library", [pd, pl])
def test_data_frames(detector, imputer, library):
    frame = library.DataFrame({"a": X[:, 0].astype(np.float32), "b": X[:, 1]})
    found = examine(frame, detector, imputer)
    assert found.names == ["a", "b"]
    assert found.label(3) == "3"
    assert found.filled.dtype == found.values.dtype == np.float64


def test_panels_are_refused(detector, imputer):
    with pytest.raises(ValueError, match=r"imputer takes panels.*layout='series'"):
        examine(X, detector, imputer.set_params(layout="panel"))
    with pytest.raises(ValueError, match="X has shape"):
        examine(np.zeros((2, 2, 50)), detector, TSPulseImputer(**QUICK))
