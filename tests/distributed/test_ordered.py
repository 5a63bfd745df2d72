"""Partitions in order of time are scored as if nothing were cut."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from device_tables import ROLES, fitted, series, table
from estimator_cases import checkpoint

from sktspulse import TSPulseAnomalyDetector
from sktspulse.distributed import PartitionFunction, score_anomalies

dd = pytest.importorskip("dask.dataframe")
LENGTHS = (1700, 1500, 40)


def cut(frame: pd.DataFrame, edges: list[str]) -> list[pd.DataFrame]:
    """Cut a table at moments, and mix the rows of each part."""
    bins = np.searchsorted(pd.to_datetime(edges), frame["hour"], side="right")
    return [
        frame[bins == number].sample(frac=1, random_state=0) for number in range(len(edges) + 1)
    ]


@pytest.fixture(autouse=True)
def one_thread():
    import dask

    with dask.config.set(scheduler="synchronous"):
        yield


def test_scores_are_those_of_recordings_in_one_piece():
    frame = table(LENGTHS)
    frame.loc[300:1100, ["flow", "heat"]] = np.nan
    frame.loc[1430:1450, "flow"] *= 30
    detector = TSPulseAnomalyDetector(("time", "variation"), smoothing=4, checkpoint=checkpoint())
    detector.fit(series(table(), "p2"))
    detectors = {f"p{i}": detector for i in range(3)}
    expected = PartitionFunction("score_anomalies", detectors, **ROLES)(frame)
    parts = cut(frame, ["2026-01-02", "2026-03-01"])
    lazy = dd.concat([dd.from_pandas(part, npartitions=1, sort=False) for part in parts])
    found = score_anomalies(lazy, detectors, **ROLES, partitions="ordered")
    assert found.npartitions == 3
    computed = found.compute()
    assert computed.index.tolist() == [row for part in parts for row in part.index]
    computed = computed.sort_index()
    assert computed["pump"].tolist() == expected["pump"].tolist()
    assert computed["hour"].tolist() == expected["hour"].tolist()
    np.testing.assert_allclose(computed["score"], expected["score"], rtol=0, atol=1e-6)
    assert (expected["score"] < -1).any()


def test_partitions_in_another_order_are_refused():
    parts = cut(table(LENGTHS), ["2026-03-01"])[::-1]
    lazy = dd.concat([dd.from_pandas(part, npartitions=1, sort=False) for part in parts])
    found = score_anomalies(lazy, fitted("score"), **ROLES, partitions="ordered")
    with pytest.raises(RuntimeError, match=r"Partition .: pump='p.': A later partition has earl"):
        found.compute()


def test_an_error_names_partition_and_device():
    frame = table(LENGTHS)
    frame.loc[frame.index[frame["pump"] == "p1"][1450], "heat"] = np.inf
    parts = cut(frame, ["2026-02-01"])
    lazy = dd.concat([dd.from_pandas(part, npartitions=1, sort=False) for part in parts])
    found = score_anomalies(lazy, fitted("score"), **ROLES, partitions="ordered")
    with pytest.raises(RuntimeError, match=r"Partition 1: pump='p1': .*inf"):
        found.compute()
