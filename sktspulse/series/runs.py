"""Runs of consecutive time points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .types import Flags, Indices

__all__ = ["anomalies", "runs"]


def runs(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Find the stretches of points that are all flagged.

    Parameters
    ----------
    flags : ndarray of bool, shape (n_timepoints,)
        What is flagged.

    Returns
    -------
    ndarray of shape (n_runs, 2), int64
        First point of every stretch and the one after its last, in order.
    """
    edges = np.flatnonzero(np.diff(np.pad(flags, 1).astype(np.int8)))
    return edges.reshape(-1, 2).astype(np.int64)


def anomalies(flags: Flags) -> tuple[Indices, Indices]:
    """Find the runs of points that are flagged.

    Parameters
    ----------
    flags : ndarray of bool, shape (n_timepoints,)
        What is flagged.

    Returns
    -------
    first, last : ndarray of int, shape (n_runs,)
        First and last point of each run.
    """
    steps = np.diff(flags.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1
