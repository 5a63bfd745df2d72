"""Filled series, and how far off the filled values are at points that were hidden."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..series import Flags, Floats, Indices
from .blending import N_GAP_BINS, PRIOR_POINTS

__all__ = ["Filled", "HiddenWindows", "by_gap_bin", "error_variances"]


class Filled(NamedTuple):
    """Series after filling; all arrays have the shape ``(n, n_channels, n_timepoints)``."""

    values: Floats
    is_filled: Flags
    gap_bins: NDArray[np.int8]  # N_GAP_BINS where a channel has no known value
    head_difference: NDArray[np.float32]  # squared difference of the two reconstructions


class HiddenWindows(NamedTuple):
    """Windows whose known points were hidden in part and then filled."""

    truth: Floats  # (n, n_channels, n_timepoints), NaN where missing in the data
    filled: Filled
    fold: Indices  # (n,), from 0 to N_FOLDS - 1

    @property
    def is_hidden(self) -> Flags:
        """Points that were filled and have a known value."""
        return self.filled.is_filled & ~np.isnan(self.truth)

    @property
    def errors(self) -> Floats:
        """Errors at hidden points; NaN elsewhere."""
        return np.where(self.is_hidden, self.filled.values - self.truth, np.nan)

    def take(self, rows: Flags | slice) -> HiddenWindows:
        """Return some of the windows."""
        values, is_filled, gap_bins, difference = self.filled
        filled = Filled(values[rows], is_filled[rows], gap_bins[rows], difference[rows])
        return HiddenWindows(self.truth[rows], filled, self.fold[rows])


def by_gap_bin(table: Floats, bins: NDArray[np.int8]) -> Floats:
    """Look up ``(n_channels, n_bins + 1)`` at bins of shape ``(n, n_channels, n_timepoints)``."""
    return table[np.arange(len(table))[:, None], bins]


def error_variances(windows: HiddenWindows) -> Floats:
    """Return the mean squared error of each gap bin, ``(n_channels, N_GAP_BINS + 1)``.

    It is shrunk towards that of the channel. It is 1 for a channel without hidden points, and in
    the last bin, that of series without a known value.
    """
    is_hidden, all_squares = windows.is_hidden, np.square(windows.errors)
    variances = np.ones((is_hidden.shape[1], N_GAP_BINS + 1))
    for channel in np.flatnonzero(is_hidden.any((0, 2))):
        inside = is_hidden[:, channel]
        squares, bins = all_squares[:, channel][inside], windows.filled.gap_bins[:, channel][inside]
        counts, sums = (np.bincount(bins, w, N_GAP_BINS) for w in (None, squares))
        prior = PRIOR_POINTS * squares.mean()
        variances[channel, :-1] = (sums + prior) / (counts + PRIOR_POINTS)
    return variances
