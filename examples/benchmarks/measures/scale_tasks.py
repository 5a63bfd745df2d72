"""Recordings in files of parquet, and their embeddings by a plain loop and by a cluster of Dask."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from .speed_workers import Turn

__all__ = ["N_POINTS", "Cluster", "embed_plainly", "make_files"]

N_POINTS = 1_000  # of a recording
N_PER_FILE = 100  # recordings, at all sizes, so that a worker has the same work at once
KEYS = {"by": "pump", "time": "second"}


def make_files(n_recordings: int, folder: Path) -> Path:
    """Write recordings with one channel of noise, unless they are there."""
    folder = folder / f"{n_recordings}-recordings"
    folder.mkdir(parents=True, exist_ok=True)
    for first in range(0, n_recordings, N_PER_FILE):
        path = folder / f"{first:06d}.parquet"
        if not path.exists():
            names = [f"pump {first + i:06d}" for i in range(N_PER_FILE)]
            flow = np.random.default_rng(first).normal(size=N_PER_FILE * N_POINTS)
            table = {
                "pump": np.repeat(names, N_POINTS),
                "second": np.tile(np.arange(N_POINTS), N_PER_FILE),
                "flow": flow,
            }
            draft = path.with_suffix(".draft")
            pd.DataFrame(table).to_parquet(draft)
            draft.replace(path)
    return folder


def new_transformer() -> object:
    import torch

    from sktspulse import TSPulseTransformer

    torch.set_num_threads(1)
    return TSPulseTransformer(n_jobs=1).fit(np.zeros((1, 1, N_POINTS)))


def embed_plainly(folder: Path) -> pd.DataFrame:
    """Embed what is in the files, one after the other, as a script without an engine does."""
    transformer = new_transformer()
    answers = []
    for path in sorted(folder.glob("*.parquet")):
        table = pd.read_parquet(path).sort_values(["pump", "second"])
        panel = table["flow"].to_numpy().reshape(-1, 1, N_POINTS)
        answers.append(pd.DataFrame(transformer.transform(panel), index=table["pump"].unique()))
    return pd.concat(answers)


class Cluster:
    """Worker processes of Dask, with one thread each, that embed what is in a folder."""

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start the workers, and let each load the network."""
        from dask.distributed import Client, LocalCluster

        settings = {"n_workers": self.n_workers, "threads_per_worker": 1, "dashboard_address": ":0"}
        with LocalCluster(**settings) as cluster, Client(cluster) as self.client:
            self.client.run(new_transformer)
            yield

    def embed(self, folder: Path) -> Turn:
        """Return how long it takes; the processor time is that of the workers."""
        from sktspulse.distributed import embed

        transformer = new_transformer()
        before = sum(self.client.run(time.process_time).values())
        started = time.perf_counter()
        found = embed(folder, transformer, **KEYS, partitions="whole").compute()
        seconds = time.perf_counter() - started
        assert found["pump"].is_unique  # noqa: S101
        return Turn(seconds, sum(self.client.run(time.process_time).values()) - before)

    def peak(self) -> float:
        """Return the most memory that a worker had since it started [bytes]."""
        return max(self.client.run(peak_of_process).values())


def peak_of_process() -> float:
    # What getrusage says is never less than the peak of the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
