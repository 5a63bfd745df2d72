"""Runs of consecutive time points."""

from __future__ import annotations

import numpy as np

from .types import Flags, Indices

__all__ = ["runs"]


def runs(flags: Flags) -> Indices:
    """Find the runs of consecutive flagged points.

    Parameters
    ----------
    flags : ndarray of bool, shape (n_timepoints,)
        Which points are flagged.

    Returns
    -------
    ndarray of int, shape (n_runs, 2)
        Start and end of each run in order of time. The end is exclusive:
        ``flags[start:end]`` is the run.
    """
    return np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
