"""Two worker processes: one that dies, one partition that fails, a network that is not there."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from device_tables import ROLES, fitted, table
from estimator_cases import checkpoint

from sktspulse import TSPulseTransformer
from sktspulse.distributed import PartitionFunction, embed, score_anomalies, write_partitions

dd = pytest.importorskip("dask.dataframe")
LENGTHS = (40,) * 12


def slowly(number: int, folder: str) -> pd.DataFrame:
    """Make one device of a table, and say in a file which process did it."""
    time.sleep(0.1)
    with (Path(folder) / "log").open("a") as file:
        file.write(f"{number} {os.getpid()}\n")
    frame = table(LENGTHS)
    return frame[frame["pump"] == f"p{number}"]


def lazy(folder: Path):
    return dd.from_map(slowly, range(len(LENGTHS)), folder=str(folder), meta=table((8,)).iloc[:0])


def log(folder: Path) -> list[str]:
    path = folder / "log"
    return path.read_text().splitlines() if path.exists() else []


def test_scores_of_a_cluster_are_those_of_one_process(client):
    frame = table()
    expected = PartitionFunction("score_anomalies", fitted("score"), **ROLES)(frame)
    found = score_anomalies(dd.from_pandas(frame, npartitions=4), fitted("score"), **ROLES)
    found = found.compute().sort_index()
    np.testing.assert_allclose(found["score"], expected["score"], rtol=0, atol=1e-6)


def count_loads() -> int:
    from sktspulse.network import checkpoints

    return checkpoints._load.cache_info().misses


@pytest.mark.nightly
def test_a_network_is_loaded_once_a_worker(processes, tmp_path):
    embed(lazy(tmp_path), fitted("embed"), **ROLES, partitions="whole").compute()
    before = processes.run(count_loads)
    score_anomalies(lazy(tmp_path), fitted("score"), **ROLES, partitions="whole").compute()
    assert processes.run(count_loads) == before
    assert max(before.values()) <= 1


@pytest.mark.nightly
def test_work_of_a_worker_that_dies_is_done_again(processes, tmp_path):
    def kill() -> None:
        while not log(tmp_path):
            time.sleep(0.01)
        os.kill(int(log(tmp_path)[0].split()[1]), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    lost = embed(lazy(tmp_path), fitted("embed"), **ROLES, partitions="whole")
    assert write_partitions(lost, tmp_path / "out") == len(LENGTHS)
    killer.join()
    processes.wait_for_workers(2)
    found = pd.read_parquet(tmp_path / "out")
    expected = PartitionFunction("embed", fitted("embed"), **ROLES)(table(LENGTHS))
    assert sorted(found["pump"]) == sorted(expected["pump"])
    found, expected = (one.set_index("pump").sort_index() for one in (found, expected))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert len(list((tmp_path / "out").glob("part.*"))) == len(LENGTHS)


def test_a_partition_that_fails_stops_no_other(client, tmp_path):
    def poison(part: pd.DataFrame) -> pd.DataFrame:
        return part.assign(heat=part["heat"].where(part["pump"] != "p7", np.inf))

    whole = lazy(tmp_path)
    bad = embed(whole.map_partitions(poison), fitted("embed"), **ROLES, partitions="whole")
    with pytest.raises(RuntimeError, match=r"1 of 12 partitions failed.*Partition 7: pump='p7'"):
        write_partitions(bad, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").glob("part.*")}
    assert names == {f"part.{number:05d}.parquet" for number in range(12) if number != 7}
    again = embed(whole, fitted("embed"), **ROLES, partitions="whole")
    before = len(log(tmp_path))
    assert write_partitions(again, tmp_path / "out") == 1
    assert [line.split()[0] for line in log(tmp_path)[before:]] == ["7"]


@pytest.mark.nightly
def test_a_worker_without_the_network_says_so(processes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(checkpoint(), "own.safetensors")
    transformer = TSPulseTransformer(checkpoint="own.safetensors").fit(np.zeros((1, 2, 64)))
    found = embed(lazy(tmp_path), transformer, **ROLES, partitions="whole")
    with pytest.raises(RuntimeError, match=r"The worker on '.*' cannot load .*own.safetensors"):
        found.compute()


N_DEVICES, N_POINTS, N_PARTITIONS = 5, 1_000_000, 170  # 20 GB of three columns of 8 bytes


def long_recordings(number: int) -> pd.DataFrame:
    """Make five devices of a million points."""
    rng = np.random.default_rng(number)
    names = np.repeat(np.arange(N_DEVICES) + N_DEVICES * number, N_POINTS)
    hours = np.tile(np.arange(N_POINTS), N_DEVICES)
    return pd.DataFrame({"pump": names, "hour": hours, "flow": rng.normal(size=len(names))})


def peak_of_process() -> float:
    """Return the most memory that a worker had since it started [GB]."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024e-9


@pytest.mark.nightly
def test_ten_times_the_memory_of_workers_passes_through_them():
    from dask.distributed import Client, LocalCluster

    local = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    settings = {"n_workers": 2, "threads_per_worker": 1, "memory_limit": "2GB", **local}
    with LocalCluster(**settings) as cluster, Client(cluster) as client:
        meta = pd.DataFrame({"pump": [0], "hour": [0], "flow": [0.0]})
        data = dd.from_map(long_recordings, range(N_PARTITIONS), meta=meta)
        transformer = TSPulseTransformer(checkpoint=checkpoint()).fit(np.zeros((1, 1, 64)))
        found = embed(data, transformer, **ROLES, partitions="whole").compute()
        peaks = client.run(peak_of_process)
    assert sorted(found["pump"]) == list(range(N_DEVICES * N_PARTITIONS))
    assert max(peaks.values()) < 1.8, peaks  # a worker that had more would have been killed
