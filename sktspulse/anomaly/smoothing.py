"""Robust moving averages of signals with gaps."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..series import Floats

__all__ = [
    "MAX_SPAN",
    "N_BLOCKS",
    "BlockMedians",
    "block_medians",
    "choose_lengths",
    "known_medians",
    "moving_mean",
    "window_means",
]

_LENGTHS = (1, 8, 32, 96, 256)  # a point, a patch, up to half a window of the network
_MIN_WINDOWS = 4  # of the longest length in the training recording, to see how averages vary
N_BLOCKS = 8  # that a window is divided into
MAX_SPAN = 4  # of a window with missing values, relative to one without


def choose_lengths(smoothing: Literal["auto"] | int, n_timepoints: int) -> tuple[int, ...]:
    """Choose the lengths of the windows for a training recording [time points]."""
    if smoothing != "auto":
        return (int(smoothing),)
    longest = max(_LENGTHS[1], n_timepoints // _MIN_WINDOWS)
    return tuple(sorted({min(length, longest) for length in _LENGTHS}))


class BlockMedians(NamedTuple):
    """Medians of the means of eight blocks of known values around each point.

    A window is unusual only if half of it is. A few wild values do not matter, and an unusual
    segment does not spread to its neighbours.
    """

    low: Floats  # (T,), lower median; NaN where there are too few known values
    high: Floats  # (T,), upper median


def block_medians(
    signal: Floats,
    length: int,
    *,
    trailing: bool = False,
    cuts: tuple[bool, bool] = (False, False),
) -> BlockMedians:
    """Compute the medians of a signal ``(T,)`` over known values around each point, or up to it.

    A window has the same number of known values everywhere, and is at most four times as long. At
    the ends of the series, windows around a point are shifted inwards, but not where the signal is
    cut from a longer one.
    """
    size = max(1, length // N_BLOCKS)
    length = length // size * size
    places = np.flatnonzero(np.isfinite(signal))
    medians = np.full((2, len(signal)), np.nan)
    n_windows = len(places) - length + 1
    if n_windows > 0:
        means = _moving_means(signal[places], size)
        blocks = np.stack([means[start : start + n_windows] for start in range(0, length, size)])
        found = np.stack(known_medians(blocks))
        found[:, places[length - 1 :] - places[:n_windows] >= MAX_SPAN * length] = np.nan
        n_before = length - 1 if trailing else length // 2
        centers = places[n_before : n_before + n_windows]
        medians[:, centers] = found
        if not (trailing or cuts[0]):
            medians[:, places[:n_before]] = found[:, :1]
        if not (trailing or cuts[1]):
            medians[:, places[n_before + n_windows :]] = found[:, -1:]
    return BlockMedians(*medians)


def known_medians(rows: Floats) -> tuple[Floats, Floats]:
    """Return the lower and the upper median of the known values of each column."""
    ordered = np.sort(rows, axis=0)  # NaN comes last
    count = np.isfinite(ordered).sum(0)
    low, high = (np.maximum(count - 1, 0) // 2, np.minimum(count // 2, len(rows) - 1))
    places = np.stack([low, high])
    lower, upper = np.take_along_axis(ordered, places, axis=0)
    return lower, upper


def moving_mean(values: Floats, length: int, *, trailing: bool) -> Floats:
    """Average values ``(T,)`` around each point, or up to it; 0 beyond the ends."""
    before = length - 1 if trailing else length // 2
    padded = np.pad(values, (before, length - 1 - before))
    return _moving_means(padded, length)


def window_means(signal: Floats, length: int, step: int = 1) -> Floats:
    """Average the known values of every window, NaN where there are none: ``(n_windows,)``."""
    known = np.isfinite(signal)
    # A running sum would carry the rounding of a large value to points far away.
    sums = sliding_window_view(np.where(known, signal, 0), length)[::step].sum(-1)
    total = np.cumsum(np.pad(known, (1, 0)), dtype=np.int64)
    count = (total[length:] - total[:-length])[::step]
    return np.divide(sums, count, out=np.full_like(sums, np.nan), where=count > 0)


def _moving_means(values: Floats, length: int) -> Floats:
    # A running sum would carry the rounding of a large value to points far away.
    return values if length == 1 else sliding_window_view(values, length).mean(-1)
