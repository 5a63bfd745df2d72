"""What is told about a recording is what the estimators answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from estimator_cases import CASES, checkpoint
from reporting.findings import findings
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sktspulse import TSPulseAnomalyDetector, TSPulseImputer
from sktspulse.reporting import examine
from sktspulse.series import Container

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


def positions(index):
    found = findings(len(index))
    frame = pd.DataFrame(found.values, index)
    return found._replace(container=Container(frame)).positions()


def test_places_on_the_axis_of_time():
    assert findings(9).positions()[1] == "row"
    places, label = positions(pd.date_range("2025-01-01", periods=30, freq="h", tz="Asia/Tokyo"))
    assert places[0] == np.datetime64("2025-01-01")
    assert label == "time"
    assert positions(pd.period_range("2025-01", periods=30, freq="M"))[0].dtype.kind == "M"
    places, label = positions(pd.timedelta_range("0s", periods=30, freq="min"))
    assert (places[1], label) == (60, "time [s]")
    places, label = positions(pd.timedelta_range("0s", periods=30, freq="h"))
    assert (places[1], label) == (1, "time [h]")
    assert positions(pd.Index([f"row {i}" for i in range(30)]))[1] == "row"
    assert positions(pd.Index(np.arange(30) / 2))[0][1] == 0.5
