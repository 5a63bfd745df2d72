"""Runs of consecutive time points."""

from __future__ import annotations

import numpy as np

from .types import Flags, Indices

__all__ = ["runs"]


def runs(flags: Flags) -> Indices:
    """Return start and end of each run of flagged points, in order: ``(n_runs, 2)``.

    The end is exclusive: ``flags[start:end]`` is the run.
    """
    return np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
