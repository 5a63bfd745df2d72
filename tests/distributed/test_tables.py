"""Lazy answers of Dask are those of one table in memory, however it is partitioned."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from device_tables import ROLES, fitted, table

from sktspulse import TSPulseAnomalyDetector
from sktspulse.distributed import (
    PartitionFunction,
    embed,
    fit_detectors,
    impute,
    predict,
    score_anomalies,
)

dd = pytest.importorskip("dask.dataframe")
FUNCTIONS = {"embed": embed, "predict": predict, "score_anomalies": score_anomalies}
FUNCTIONS |= {"impute": impute}


@pytest.fixture(autouse=True)
def one_thread():
    import dask

    with dask.config.set(scheduler="synchronous"):
        yield


def by_device(found: pd.DataFrame) -> pd.DataFrame:
    keys = [name for name in ("pump", "hour") if name in found]
    return found.sort_values(keys).reset_index(drop=True)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    found, expected = by_device(found), by_device(expected)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=0, atol=1e-6)


@pytest.mark.parametrize("task", FUNCTIONS)
@pytest.mark.parametrize("partitions", ["any", "whole"])
def test_answers_do_not_depend_on_the_partitions(task, partitions):
    frame = table()
    expected = PartitionFunction(task, fitted(task), **ROLES)(frame)
    lazy = dd.from_pandas(frame, npartitions=5)
    if partitions == "whole":
        lazy = dd.concat([dd.from_pandas(one, npartitions=1) for _, one in frame.groupby("pump")])
    found = FUNCTIONS[task](lazy, fitted(task), **ROLES, partitions=partitions)
    assert isinstance(found, dd.DataFrame)
    computed = found.compute()
    assert_same(computed, expected)
    assert computed.dtypes.to_dict() == found.dtypes.to_dict()


def test_index_and_divisions_of_rows_stay():
    lazy = dd.from_pandas(table((120,)), npartitions=1)
    found = score_anomalies(lazy, fitted("score"), **ROLES, partitions="whole")
    assert found.divisions == lazy.divisions
    assert found.compute().index.equals(table((120,)).index)
    assert not embed(lazy, fitted("embed"), **ROLES).known_divisions


def test_nothing_is_computed_before_it_is_asked_for():
    def fail(part: pd.DataFrame) -> pd.DataFrame:
        raise AssertionError

    lazy = dd.from_pandas(table(), npartitions=2)
    lazy = lazy.map_partitions(fail, meta=lazy._meta)
    for task, function in FUNCTIONS.items():
        function(lazy, fitted(task), **ROLES)


def test_probabilities_have_a_column_for_each_class():
    lazy = dd.from_pandas(table(), npartitions=1)
    found = predict(lazy, fitted("predict"), **ROLES, method="predict_proba").compute()
    assert list(found.columns) == ["pump", "probability_high", "probability_low"]
    np.testing.assert_allclose(found.iloc[:, 1:].sum(axis=1), 1)


def test_detectors_are_fitted_to_devices():
    lazy = dd.from_pandas(table(), npartitions=3)
    detector = TSPulseAnomalyDetector("variation")
    found = fit_detectors(lazy, detector, **ROLES).compute()
    expected = PartitionFunction("fit_detector", detector, **ROLES)(table())
    assert_same(found, expected)


def test_an_error_names_partition_and_device():
    frame = table()
    frame.loc[frame.index[frame["pump"] == "p2"][5], "heat"] = np.inf
    parts = [dd.from_pandas(one, npartitions=1) for _, one in frame.groupby("pump")]
    found = embed(dd.concat(parts), fitted("embed"), **ROLES, partitions="whole")
    with pytest.raises(RuntimeError, match=r"Partition 2: pump='p2': .*inf"):
        found.compute()


def test_rows_are_not_shuffled_without_a_time():
    lazy = dd.from_pandas(table().drop(columns="hour"), npartitions=2)
    with pytest.raises(ValueError, match="time is None, but shuffling changes the order"):
        embed(lazy, fitted("embed"), by="pump")
    with pytest.raises(ValueError, match="partitions is 'all', expected"):
        embed(lazy, fitted("embed"), by="pump", partitions="all")
    found = embed(lazy, fitted("embed"), by="pump", partitions="whole")
    assert len(found.compute()) == 5  # a pump in two partitions counts as two, as documented
