"""Classification sets: series as they are, and all of one length."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sktspulse.network import standardize
from sktspulse.series import resample

LENGTH = 512  # time points, as many as the network reads


class Part(NamedTuple):
    """The train or the test part of a set: series of any length, and their classes."""

    series: list[np.ndarray]
    labels: np.ndarray


def paths(data: Path, collection: str = "ucr") -> list[Path]:
    folder = data / "eval" / collection
    found = sorted(folder.glob("*.npz"))
    if not found:
        raise FileNotFoundError(f"No sets in {folder}. Give the folder above eval as --data.")
    return found


def load(path: Path, part: str) -> Part:
    with np.load(path) as archive:
        series = [trimmed(one.astype(np.float64)) for one in archive[f"X_{part}"]]
        return Part(series, archive[f"y_{part}"])


def trimmed(series: np.ndarray) -> np.ndarray:
    """Cut the padding off both ends, and bridge inner gaps of channels by straight lines."""
    if series.ndim == 1:
        return trimmed(series[None])[0]
    known = np.flatnonzero(~np.isnan(series).all(axis=0))
    return np.stack([bridged(channel[known[0] : known[-1] + 1]) for channel in series])


def bridged(channel: np.ndarray) -> np.ndarray:
    known = np.flatnonzero(~np.isnan(channel))
    return np.interp(np.arange(len(channel)), known, channel[known])


def stacked(series: Iterable[np.ndarray], length: int = LENGTH) -> np.ndarray:
    """Bring all to one length, mean 0 and variance 1: ``(n_series, length)``."""
    return standardize(np.stack([resample(one, length) for one in series])).values
