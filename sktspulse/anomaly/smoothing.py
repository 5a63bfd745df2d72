"""Moving averages of what a head finds, and how long they are."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..series import Floats

__all__ = ["averages", "choose_lengths", "smooth"]

_LENGTHS = (8, 32, 96, 256)  # a patch, what the published procedure averages over, around them
_LEAST_TIMES = 4  # how often the longest goes into what is fitted, to tell how averages vary


def choose_lengths(smoothing: Literal["auto"] | int, n_timepoints: int) -> tuple[int, ...]:
    """Choose what to average over.

    Parameters
    ----------
    smoothing : "auto" or int
        What was asked for [time points].
    n_timepoints : int
        Length of the recording to learn from.

    Returns
    -------
    tuple of int
        Lengths of moving averages [time points].
    """
    if smoothing != "auto":
        return (int(smoothing),)
    most = max(_LENGTHS[0], n_timepoints // _LEAST_TIMES)
    return tuple(sorted({min(length, most) for length in _LENGTHS}))


def smooth(signal: Floats, length: int, *, trailing: bool = False) -> Floats:
    """Average over the known values among ``length`` points around each point.

    Averages of fewer points vary more, and would stand out among the others. So they are
    not moved across the ends of the series, and those that look back wait until half of
    their points are there.

    Parameters
    ----------
    signal : ndarray of shape (n_timepoints,)
        Values; NaN where unknown.
    length : int
        Points averaged over; of an even number, the odd one out is before the point. Near
        the ends, the first or last ``length`` points count; all, if they are fewer.
    trailing : bool, default=False
        Whether to average over the point and those before it instead.

    Returns
    -------
    ndarray of shape (n_timepoints,)
        Averages; NaN where none of the points is known.
    """
    if not np.isfinite(signal).any():
        return np.full(len(signal), np.nan)
    if not trailing:
        length = min(length, len(signal))
        smoothed = averages(signal, length)
        return np.pad(smoothed, (length // 2, (length - 1) // 2), mode="edge")
    smoothed = averages(np.pad(signal, (length - 1, 0), constant_values=np.nan), length)
    smoothed[: (length - 1) // 2] = np.nan
    return smoothed


def averages(signal: Floats, length: int, step: int = 1) -> Floats:
    """Average over the known values of windows that lie inside.

    Parameters
    ----------
    signal : ndarray of shape (n_timepoints,)
        Values; NaN where unknown.
    length : int
        Points in a window, at most ``n_timepoints``.
    step : int, default=1
        Points from a window to the next.

    Returns
    -------
    ndarray of shape (n_windows,)
        Averages; NaN where none of the points is known.
    """
    known = np.isfinite(signal)
    # No running sum, whose rounding would carry a large value on to points far away.
    sums = sliding_window_view(np.where(known, signal, 0), length)[::step].sum(-1)
    total = np.cumsum(np.pad(known, (1, 0)), dtype=np.int64)
    count = (total[length:] - total[:-length])[::step]
    return np.divide(sums, count, out=np.full_like(sums, np.nan), where=count > 0)
