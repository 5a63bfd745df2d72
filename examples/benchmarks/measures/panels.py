"""Univariate classification sets: series as they are, and all of one length."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sktspulse._windows import resample, standardize

LENGTH = 512  # time points, as many as the network reads


class Part(NamedTuple):
    """The train or the test part of a set: series of any length, and their classes."""

    series: list[np.ndarray]
    labels: np.ndarray


def paths(data: Path) -> list[Path]:
    found = sorted((data / "eval" / "ucr").glob("*.npz"))
    if not found:
        raise FileNotFoundError(f"No sets in {data / 'eval' / 'ucr'}. Give their folder as --data.")
    return found


def load(path: Path, part: str) -> Part:
    with np.load(path) as archive:
        series = [trimmed(one.astype(np.float64)) for one in archive[f"X_{part}"]]
        return Part(series, archive[f"y_{part}"])


def trimmed(series: np.ndarray) -> np.ndarray:
    """Cut the padding off both ends, and bridge inner gaps by straight lines."""
    known = np.flatnonzero(~np.isnan(series))
    return np.interp(np.arange(known[0], known[-1] + 1), known, series[known])


def stacked(series: Iterable[np.ndarray], length: int = LENGTH) -> np.ndarray:
    """Bring all to one length, mean 0 and variance 1: ``(n_series, length)``."""
    return standardize(np.stack([resample(one, length) for one in series])).values
