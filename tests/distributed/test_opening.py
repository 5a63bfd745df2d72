"""Tables come from Dask, from parquet and from Arrow."""

from __future__ import annotations

import sys

import pandas as pd
import pytest
from device_tables import ROLES, fitted, table

from sktspulse.distributed import PartitionFunction, embed, score_anomalies
from sktspulse.distributed.opening import open_table
from sktspulse.distributed.recordings import Roles

dd = pytest.importorskip("dask.dataframe")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("parquet")
    table().to_parquet(path, partition_cols=["pump"])
    return path


@pytest.fixture(autouse=True)
def one_thread():
    import dask

    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.mark.parametrize("kind", ["path", "string", "arrow"])
def test_partitioned_parquet_is_read(folder, kind):
    import pyarrow.dataset

    data = {"path": folder, "string": str(folder)}.get(kind)
    data = pyarrow.dataset.dataset(folder, partitioning="hive") if data is None else data
    found = score_anomalies(data, fitted("score"), **ROLES, partitions="whole")
    assert found.npartitions == 4
    found = found.compute().astype({"pump": str}).sort_values(["pump", "hour"])
    expected = PartitionFunction("score_anomalies", fitted("score"), **ROLES)(table())
    assert abs(found["score"].to_numpy() - expected["score"].to_numpy()).max() < 1e-6
    assert found["pump"].tolist() == expected["pump"].tolist()


def test_a_whole_file_is_read(tmp_path):
    table().to_parquet(tmp_path / "all.parquet")
    found = embed(tmp_path / "all.parquet", fitted("embed"), **ROLES).compute()
    assert sorted(found["pump"]) == ["p0", "p1", "p2", "p3"]


def test_device_or_time_may_be_the_index():
    lazy = dd.from_pandas(table().set_index("pump"), npartitions=2)
    found = open_table(lazy, Roles("pump", "hour", None))
    assert list(found.columns) == ["pump", "hour", "flow", "heat"]


def test_other_data_are_refused():
    with pytest.raises(TypeError, match="data is of type DataFrame, expected a Dask data frame"):
        open_table(pd.DataFrame({"a": [1]}), Roles("a", None, None))
    with pytest.raises(ValueError, match="must be names of columns"):
        open_table(dd.from_pandas(table(), npartitions=1), Roles("device", "hour", None))


def test_dask_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask.dataframe", None)
    with pytest.raises(ImportError, match=r"needs dask. Install the extra 'distributed'"):
        open_table("table.parquet", Roles("a", None, None))
