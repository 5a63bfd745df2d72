"""Processes that run a task whenever told to, and one that keeps a core busy meanwhile."""

from __future__ import annotations

import os
import resource
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

__all__ = ["Spinner", "Turn", "Worker", "median_seconds", "work"]

N_WARM_UP = 3
LEAST_SECONDS = 0.02  # that a measurement takes


class Turn(NamedTuple):
    """What one run of a task took."""

    seconds: float
    processor: float  # seconds of all threads


class Worker:
    """A process that runs one task of one side whenever told to."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.process.stdout.readline()  # once it is ready nothing runs until it is told to

    def __call__(self) -> Turn:
        """Run the task once."""
        self.process.stdin.write("\n")
        return Turn(*map(float, self.process.stdout.readline().split()))

    def close(self) -> float:
        """Return the most memory it had [bytes]."""
        answer, _ = self.process.communicate()
        return float(answer)


def work(run: Callable[[], object], n_warm_up: int = N_WARM_UP) -> None:
    """Run the task once for each line that comes in, and answer with what it took."""
    for _ in range(n_warm_up):
        run()
    print("ready", flush=True)
    for _ in sys.stdin:
        started, before = time.perf_counter(), time.process_time()
        run()
        print(time.perf_counter() - started, time.process_time() - before, flush=True)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


class Spinner:
    """A process that spins on a core while ``running``."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        os.kill(self.process.pid, signal.SIGSTOP)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Spin while this lasts."""
        os.kill(self.process.pid, signal.SIGCONT)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGSTOP)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def median_seconds(runs: Sequence[Callable[[], object]], n_turns: int = 15) -> list[float]:
    """Return the median time of each run; they take turns, each of which repeats short ones."""
    counts = [1 + int(LEAST_SECONDS / seconds_of(run, 1)) for run in runs]
    turns = [
        [seconds_of(run, n) for run, n in zip(runs, counts, strict=True)] for _ in range(n_turns)
    ]
    return [statistics.median(taken) for taken in zip(*turns, strict=True)]


def seconds_of(run: Callable[[], object], n_runs: int) -> float:
    started = time.perf_counter()
    for _ in range(n_runs):
        run()
    return (time.perf_counter() - started) / n_runs
