"""Moving averages of signals with gaps."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..series import Floats

__all__ = ["choose_lengths", "smooth", "window_means"]

_LENGTHS = (8, 32, 96, 256)  # one patch, up to more than the 96 points of the published method
_MIN_WINDOWS = 4  # of the longest length in the training recording, to see how averages vary


def choose_lengths(smoothing: Literal["auto"] | int, n_timepoints: int) -> tuple[int, ...]:
    """Choose the lengths of the moving averages for a training recording [time points]."""
    if smoothing != "auto":
        return (int(smoothing),)
    longest = max(_LENGTHS[0], n_timepoints // _MIN_WINDOWS)
    return tuple(sorted({min(length, longest) for length in _LENGTHS}))


def smooth(signal: Floats, length: int, *, trailing: bool = False) -> Floats:
    """Average the known values in a window around each point, or ending at it if trailing.

    Averages of fewer points vary more and would stand out. At the ends of the series, centred
    windows are therefore shifted inwards, and a trailing average is NaN until half of its window
    is there. NaN also marks windows without a known value.
    """
    if not np.isfinite(signal).any():
        return np.full(len(signal), np.nan)
    if not trailing:
        length = min(length, len(signal))
        means = window_means(signal, length)
        return np.pad(means, (length // 2, (length - 1) // 2), mode="edge")
    means = window_means(np.pad(signal, (length - 1, 0), constant_values=np.nan), length)
    means[: (length - 1) // 2] = np.nan
    return means


def window_means(signal: Floats, length: int, step: int = 1) -> Floats:
    """Average the known values of every window, NaN where there are none: ``(n_windows,)``."""
    known = np.isfinite(signal)
    # A running sum would carry the rounding of a large value to points far away.
    sums = sliding_window_view(np.where(known, signal, 0), length)[::step].sum(-1)
    total = np.cumsum(np.pad(known, (1, 0)), dtype=np.int64)
    count = (total[length:] - total[:-length])[::step]
    return np.divide(sums, count, out=np.full_like(sums, np.nan), where=count > 0)
