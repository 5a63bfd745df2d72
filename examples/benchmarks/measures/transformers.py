"""Loads and oil temperature of electricity transformers, as published."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

N_CHANNELS = 7  # six loads, and the temperature of the oil


def table(data: Path, name: str) -> np.ndarray:
    """Read ``(n_timepoints, 7)`` [input units] of ``"ETTh1"`` or ``"ETTm1"``."""
    with gzip.open(data / "eval" / "ltsf" / f"{name}.csv.gz", "rt") as file:
        return np.loadtxt(file, delimiter=",", skiprows=1, usecols=range(1, N_CHANNELS + 1))
