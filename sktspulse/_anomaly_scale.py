"""Bring channels, and the errors of heads at them, to scales learned from what is usual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ._windows import standardize

__all__ = ["ChannelScale", "ErrorScale", "runs", "smooth"]

Floats = NDArray[np.float64]

_FARTHEST = 1e6  # deviations that count, so that squares stay finite
_ROUNDING = 1e-6  # share of its value that a channel that stood still may move unnoticed

_UPPER = 0.9  # quantile that a spread reaches up to: a tenth of the fitted points may be anomalies
_LEAST_SPREAD = 1e-3  # squared errors below it, 0.03 deviations of the channel, are all alike
# A channel that stood still in fit has no spread: with this, a single step off scores about 7,
# and a lasting one 100.
_SPREAD_OF_STILL = 0.01


def smooth(errors: Floats, length: int) -> Floats:
    """Average over the known errors among ``length`` points around each point.

    Parameters
    ----------
    errors : ndarray of shape (n_timepoints,)
        Errors; NaN where unknown.
    length : int
        Points averaged over, fewer at both ends; of an even number, the odd one out is
        before the point.

    Returns
    -------
    ndarray of shape (n_timepoints,)
        Averages; NaN where none of the points is known.
    """
    around = (length // 2, (length - 1) // 2)
    known = np.isfinite(errors)
    # No running sum, whose rounding would carry a large error on to points far away.
    sums = sliding_window_view(np.pad(np.where(known, errors, 0), around), length).sum(-1)
    total = np.cumsum(np.pad(known, (around[0] + 1, around[1])), dtype=np.int64)
    count = total[length:] - total[:-length]
    return np.divide(sums, count, out=np.full_like(sums, np.nan), where=count > 0)


class ChannelScale(NamedTuple):
    """Mean and deviation of one channel."""

    loc: float  # [input units]
    scale: float  # [input units]; 0 if it stood still, infinite if nothing was known

    @classmethod
    def learn(cls, values: NDArray[np.floating[Any]]) -> Self:
        """Learn from the values ``(T,)`` of a channel, NaN where missing.

        Parameters
        ----------
        values : ndarray of shape (n_timepoints,)
            The channel.

        Returns
        -------
        ChannelScale
            What was learned.
        """
        known = values[np.isfinite(values)]
        if not len(known):
            return cls(0.0, np.inf)
        scaled = standardize(values[None])
        if not scaled.values[0, np.isfinite(values)].any():
            return cls(float(known[0]), 0.0)
        return cls(float(scaled.loc[0, 0]), float(scaled.scale[0, 0]))

    def __call__(self, values: NDArray[np.floating[Any]]) -> Floats:
        """Measure a channel in its deviations; without any, tell only which way it moved.

        Parameters
        ----------
        values : ndarray of shape (n_timepoints,)
            The channel, NaN where missing.

        Returns
        -------
        ndarray of shape (n_timepoints,)
            Distances from the mean, NaN where missing.
        """
        with np.errstate(over="ignore"):
            moves = values.astype(np.float64) - self.loc
            if self.scale > 0:
                return np.clip(moves / self.scale, -_FARTHEST, _FARTHEST)
        still = np.abs(moves) <= _ROUNDING * abs(self.loc)
        return np.where(still, 0.0, np.sign(moves))


class ErrorScale(NamedTuple):
    """What is usual for the heads at one channel: H heads, L lengths of smoothing."""

    lengths: Sequence[int]  # (L,) [time points]
    loc: Floats  # (H, L), median of the smoothed errors
    spread: Floats  # (H, L), from there to their upper quantile
    weights: Floats  # (H,), at most 1

    @classmethod
    def learn(cls, errors: Floats, lengths: Sequence[int], *, weigh: bool) -> Self:
        """Learn from the errors ``(H, T)`` at a recording that is mostly normal.

        Parameters
        ----------
        errors : ndarray of shape (n_heads, n_timepoints)
            Squared errors [squared deviations of the channel]; NaN where unknown.
        lengths : sequence of int
            Points to average over; the scores of all lengths are averaged.
        weigh : bool
            Whether a head counts the less the worse it knows the series: by the ratio of
            the median error of the best head to its own.

        Returns
        -------
        ErrorScale
            What was learned.
        """
        shape = (len(errors), len(lengths))
        loc, spread = np.zeros(shape), np.full(shape, _SPREAD_OF_STILL)
        for place in np.ndindex(shape):
            smoothed = smooth(errors[place[0]], lengths[place[1]])
            known = smoothed[np.isfinite(smoothed)]
            if known.any():
                loc[place], upper = np.quantile(known, (0.5, _UPPER))
                spread[place] = max(upper - loc[place], _LEAST_SPREAD)
        usual = loc.mean(1) + _LEAST_SPREAD
        weights = usual.min() / usual if weigh else np.ones(len(errors))
        return cls(lengths, loc, spread, weights)

    def __call__(self, errors: Floats) -> Floats:
        """Score the errors ``(H, T)`` of the same channel.

        Parameters
        ----------
        errors : ndarray of shape (n_heads, n_timepoints)
            Squared errors; NaN where unknown.

        Returns
        -------
        ndarray of shape (n_heads, n_timepoints)
            Weighted distances above the usual error [spreads]; 0 where nothing is known.
        """
        scores = np.zeros(errors.shape)
        for head, row in enumerate(errors):
            for place, length in enumerate(self.lengths):
                distance = smooth(row, length) - self.loc[head, place]
                scores[head] += np.nan_to_num(distance / self.spread[head, place])
            scores[head] *= self.weights[head] / len(self.lengths)
        return scores


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
