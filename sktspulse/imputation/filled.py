"""Filled series, and how far off the filled values are at points that were hidden."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..series import Flags, Floats, Indices
from .blending import DISTANCE_GROUP, N_GAP_BINS, POINT_WEIGHTS, PRIOR_POINTS, blend
from .candidates import Candidates

__all__ = ["Filled", "HiddenWindows", "by_gap_bin", "error_variances", "fill_channel", "stack"]


_MAX_GROWTH = 2.0  # of the error variance when the distance doubles, as in a random walk
_TINY = 1e-30


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

    def take(self, rows: Flags | Indices | slice) -> HiddenWindows:
        """Return some of the windows."""
        values, is_filled, gap_bins, difference = self.filled
        filled = Filled(values[rows], is_filled[rows], gap_bins[rows], difference[rows])
        return HiddenWindows(self.truth[rows], filled, self.fold[rows])


def by_gap_bin(table: Floats, bins: NDArray[np.int8]) -> Floats:
    """Look up ``(n_channels, n_bins + 1)`` at bins of shape ``(n, n_channels, n_timepoints)``."""
    return table[np.arange(len(table))[:, None], bins]


def error_variances(windows: HiddenWindows) -> Floats:
    """Return the mean squared error of each gap bin, ``(n_channels, N_GAP_BINS + 1)``.

    With few points it is shrunk towards that of all bins at the same distance to the nearest known
    point, and this towards what smaller distances suggest. It is 1 for a channel without hidden
    points, and in the last bin, that of series without a known value.
    """
    is_hidden, all_squares = windows.is_hidden, np.square(windows.errors)
    variances = np.ones((is_hidden.shape[1], N_GAP_BINS + 1))
    for channel in np.flatnonzero(is_hidden.any((0, 2))):
        inside = is_hidden[:, channel]
        squares, bins = all_squares[:, channel][inside], windows.filled.gap_bins[:, channel][inside]
        counts, sums = (np.bincount(bins, w, N_GAP_BINS) * POINT_WEIGHTS for w in (None, squares))
        expected = _variances_by_distance(counts, sums)[DISTANCE_GROUP]
        variances[channel, :-1] = (sums + PRIOR_POINTS * expected) / (counts + PRIOR_POINTS)
    return variances


def _variances_by_distance(counts: Floats, sums: Floats) -> Floats:
    """Return the mean squared error of each group of bins; it grows as at smaller distances."""
    counts, sums = (
        np.bincount(DISTANCE_GROUP, part).astype(np.float64).reshape(2, -1)
        for part in (counts, sums)
    )
    variances = np.empty_like(sums)
    seen = counts > 0
    last = before = (sums[seen] / counts[seen])[0]  # at the shortest distance
    for place in np.ndindex(sums.shape):
        if place == (1, 0):  # from the longest to the shortest distance, on one side only
            last = before = variances[0, 0]
        expected = last * np.clip(last / max(before, _TINY), 1, _MAX_GROWTH)
        total = sums[place] + PRIOR_POINTS * expected
        before, last = last, total / (counts[place] + PRIOR_POINTS)
        variances[place] = last
    return variances.ravel()


def fill_channel(rows: Floats, wanted: Flags, candidates: Candidates, weights: Floats) -> Filled:
    """Blend the candidates of one channel, ``(n, n_timepoints)``."""
    place = candidates.row, candidates.time
    # Without a known value: the mean of the channel, which is 0 after scaling.
    values, bins = np.where(wanted, 0, rows), np.where(wanted, N_GAP_BINS, 0).astype(np.int8)
    values[place] = blend(candidates.values, candidates.gap_bins, weights)
    bins[place] = candidates.gap_bins
    difference = np.zeros(rows.shape, np.float32)
    difference[place] = np.square(candidates.values[:, 0] - candidates.values[:, 1])
    return Filled(values, wanted, bins, difference)


def stack(channels: list[Filled]) -> Filled:
    """Join the channels."""
    return Filled(*(np.stack(parts, axis=1) for parts in zip(*channels, strict=True)))
