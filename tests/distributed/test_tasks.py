"""Answers for a table are those for each recording, and an error names the recording."""

from __future__ import annotations

import numpy as np
import pytest
from device_tables import ROLES, fitted, panel, series, table
from estimator_cases import checkpoint

from sktspulse import TSPulseAnomalyDetector, TSPulseImputer, TSPulseRegressor
from sktspulse.distributed import PartitionFunction, load_detectors

TASKS = ("embed", "predict", "predict_proba", "score_anomalies", "impute")
mixed = table().sample(frac=1, random_state=0)


@pytest.mark.parametrize("task", ["embed", "predict_proba"])
def test_features_are_those_of_the_panel(task):
    found = PartitionFunction(task, fitted(task), **ROLES)(mixed).set_index("pump")
    X, names = panel(mixed)
    model = fitted(task)
    expected = model.transform(X) if task == "embed" else model.predict_proba(X)
    np.testing.assert_allclose(found.loc[names], expected, rtol=0, atol=1e-6)


def test_labels_are_those_of_the_panel():
    found = PartitionFunction("predict", fitted("predict"), **ROLES)(mixed)
    X, names = panel(mixed)
    assert found["pump"].tolist() == names
    assert found["prediction"].tolist() == fitted("predict").predict(X).tolist()


def test_numbers_may_be_several():
    X, _ = panel(table())
    y = np.arange(24.0).reshape(12, 2)
    model = TSPulseRegressor(members=["network"], checkpoint=checkpoint()).fit(X * 3, y)
    found = PartitionFunction("predict", model, **ROLES)(table())
    np.testing.assert_allclose(found[["prediction0", "prediction1"]], model.predict(X))
    model.fit(X * 3, y[:, 0])
    found = PartitionFunction("predict", model, **ROLES)(table())
    np.testing.assert_allclose(found["prediction"], model.predict(X))


def test_scores_are_those_of_each_recording_in_the_order_of_the_table():
    found = PartitionFunction("score_anomalies", fitted("score"), **ROLES)(mixed)
    assert found.index.equals(mixed.index)
    assert found[["pump", "hour"]].equals(mixed[["pump", "hour"]])
    for pump in ("p0", "p1"):
        expected = fitted("score").score_samples(series(mixed, pump))
        own = found[found["pump"] == pump].set_index("hour")["score"].sort_index()
        np.testing.assert_allclose(own, expected)


def test_known_values_and_other_columns_stay_when_gaps_are_filled():
    frame = mixed.assign(place="north")
    function = PartitionFunction("impute", fitted("impute"), **ROLES, columns=["flow", "heat"])
    found = function(frame)
    known = frame["flow"].notna()
    assert found["flow"].notna().all()
    assert found[known].equals(frame[known])
    assert found["heat"].dtype == np.float32
    own = found[found["pump"] == "p1"].set_index("hour")["flow"].sort_index()
    expected = fitted("impute").transform(series(frame, "p1"))["flow"]
    np.testing.assert_allclose(own, expected)


@pytest.mark.parametrize("task", TASKS)
def test_an_error_names_the_recording(task):
    frame = table()
    frame.loc[frame.index[frame["pump"] == "p2"][5], "heat"] = np.inf
    with pytest.raises(RuntimeError, match=r"pump='p2': .*inf"):
        PartitionFunction(task, fitted(task), **ROLES)(frame)


@pytest.mark.parametrize("task", [*TASKS, "fit_detector"])
def test_no_rows_have_the_columns_of_some(task):
    estimator = TSPulseAnomalyDetector("variation") if task == "fit_detector" else fitted(task)
    function = PartitionFunction(task, estimator, **ROLES)
    found, empty = function(table()), function.empty(table())
    assert len(empty) == 0
    assert list(found.columns) == list(empty.columns)
    numbers = found.select_dtypes("number")
    assert numbers.dtypes.equals(empty[numbers.columns].dtypes)


def test_rows_cannot_be_inserted():
    model = TSPulseImputer(blend=False, freq="h", stride=32, checkpoint=checkpoint())
    model.fit(series(table(), "p2"))
    with pytest.raises(ValueError, match="freq is 'h', but the rows of a large table"):
        PartitionFunction("impute", model, **ROLES)(table())


def test_each_device_may_have_a_detector():
    detector = TSPulseAnomalyDetector(smoothing=8, checkpoint=checkpoint())
    fits = PartitionFunction("fit_detector", detector, **ROLES)(mixed)
    detectors = load_detectors(fits, by="pump")
    assert not hasattr(detector, "offset_")
    found = PartitionFunction("score_anomalies", detectors, **ROLES)(mixed)
    own = found[found["pump"] == "p3"].set_index("hour")["score"].sort_index()
    X = series(mixed, "p3")
    np.testing.assert_allclose(own, detector.fit(X).score_samples(X))
    del detectors["p3"]
    with pytest.raises(RuntimeError, match="pump='p3': There are 3 detectors, but none for it"):
        PartitionFunction("score_anomalies", detectors, **ROLES)(mixed)
