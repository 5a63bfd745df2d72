"""Bring channels, and the errors of heads at them, to scales learned from what is usual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..network import standardize
from ..series import Floats
from .smoothing import smooth

__all__ = ["ChannelScale", "HeadScale", "Tail", "bent", "threshold"]

_FARTHEST = 1e6  # deviations that count, so that squares stay finite
_ROUNDING = 1e-6  # share of its value that a channel that stood still may move unnoticed

_SHARES_BELOW = np.arange(10) / 10
_RARITY = -np.log1p(-_SHARES_BELOW)  # minus the logarithm of the share above
_MEDIAN = 5
_BLOCK = 1 << 16  # points looked up at once, to bound the memory
_LEAST_STEP = 1e-3  # squared errors below it, 0.03 deviations of the channel, are all alike
_LEAST_MOVE = 1e-4  # squared moves below it, 0.01 deviations of the channel, are all alike
_RARE = 1e-4  # share that the tail of a usual recording has beyond the usual threshold
_ENOUGH = 10  # points above a threshold that it is read from, rather than from the tail
_TWO_SIDED = ("level", "variation")
_CLEAR = 3.0  # above it, a channel is clearly unusual: rarer than one point in twenty
_EXTREME = 6.0  # above it, so is what one length says; a long one must not outvote the others


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


class Tail(NamedTuple):
    """How rare values are: by rank up to the 0.9 quantile of those learned, then exponentially.

    The exponential goes through the median and the 0.9 quantile, so that up to a tenth of
    the values may be anomalies, however far off.
    """

    knots: Floats  # (10,), quantiles at 0, 0.1, ..., 0.9
    step: float  # beyond the last of them, by which the share above falls to 1 / e

    @classmethod
    def learn(cls, values: Floats) -> Self:
        """Learn what is usual.

        Parameters
        ----------
        values : ndarray of shape (n_timepoints,)
            Values, high where unusual; NaN where unknown.

        Returns
        -------
        Tail
            What was learned; of nothing known, as of values that are all 0.
        """
        known = values[np.isfinite(values)]
        if not len(known):
            known = np.zeros(1)
        knots = np.quantile(known, _SHARES_BELOW)
        step = float((knots[-1] - knots[_MEDIAN]) / (_RARITY[-1] - _RARITY[_MEDIAN]))
        return cls(knots, max(step, _LEAST_STEP))

    def __call__(self, values: Floats) -> Floats:
        """Tell how rare values are.

        Parameters
        ----------
        values : ndarray of shape (n_timepoints,)
            Values; NaN where unknown.

        Returns
        -------
        ndarray of shape (n_timepoints,)
            Minus the logarithm of the share of values that are as high; 0 where unknown.
        """
        rarities = np.empty(len(values))
        for start in range(0, len(values), _BLOCK):
            block = slice(start, start + _BLOCK)
            rarities[block] = self._rarities(values[block])
        return rarities

    def _rarities(self, values: Floats) -> Floats:
        above = np.searchsorted(self.knots, values, side="left")
        low, high = (np.clip(above + step, 0, len(self.knots) - 1) for step in (-1, 0))
        width = self.knots[high] - self.knots[low]
        with np.errstate(invalid="ignore"):
            way = np.where(width > 0, (values - self.knots[low]) / np.where(width > 0, width, 1), 1)
            inside = _RARITY[low] + (_RARITY[high] - _RARITY[low]) * way
            beyond = _RARITY[-1] + (values - self.knots[-1]) / self.step
        return np.nan_to_num(np.where(above < len(self.knots), inside, beyond))

    def threshold(self, share: float) -> float:
        """Return the value that a share below a tenth is above, however small.

        Parameters
        ----------
        share : float
            Share of the values, in (0, 0.1].

        Returns
        -------
        float
            The value, beyond all that were learned if the share is small enough.
        """
        return float(self.knots[-1] + (-np.log(share) - _RARITY[-1]) * self.step)


def threshold(scores: Floats, contamination: str | float) -> float:
    """Choose the score from which on points are outliers.

    Parameters
    ----------
    scores : ndarray of shape (n_timepoints,)
        Scores of a recording, high where unusual.
    contamination : "auto" or float
        Share of its points that are outliers. One of which there are fewer than ten is
        read from the tail.

    Returns
    -------
    float
        The score.
    """
    tail = Tail.learn(scores)
    if contamination == "auto":
        return min(tail.threshold(_RARE), float(np.quantile(scores, 1 - 10 * _RARE)))
    share = float(contamination)
    if share * len(scores) >= _ENOUGH or share > 1 - _SHARES_BELOW[-1]:
        return float(np.quantile(scores, 1 - share))
    return tail.threshold(share)


def bent(rarity: Floats, most: float = _EXTREME) -> Floats:
    """Let what is above some rarity grow with its logarithm only.

    Parameters
    ----------
    rarity : ndarray
        Minus the logarithm of the share of points that are as unusual.
    most : float, default=6
        Where it begins to bend.

    Returns
    -------
    ndarray
        The same up to ``most``, less beyond.
    """
    return np.minimum(rarity, most) + most * np.log(np.maximum(rarity / most, 1))


class HeadScale(NamedTuple):
    """What is usual for one head at one channel, at L lengths of smoothing."""

    lengths: Sequence[int]  # (L,) [time points]
    trailing: bool
    head: str
    centers: Sequence[float]  # (L,), medians, from which some heads may be off on either side
    tails: Sequence[Tail]  # (L,)

    @classmethod
    def learn(cls, lengths: Sequence[int], trailing: bool, head: str, signal: Floats) -> Self:
        """Learn from a recording that is mostly normal.

        Parameters
        ----------
        lengths : sequence of int
            Points to average over; what is said at each is averaged.
        trailing : bool
            Whether to average over points before each rather than around it.
        head : str
            Name of the head.
        signal : ndarray of shape (n_timepoints,)
            What the head says of each point; NaN where unknown.

        Returns
        -------
        HeadScale
            What was learned.
        """
        centers, tails = [], []
        for length in lengths:
            smoothed = _smoothed(head, signal, length, trailing)
            known = smoothed[np.isfinite(smoothed)]
            if not len(known):
                known = _smoothed(head, np.zeros(1), 1, trailing)
            centers.append(float(np.median(known)))
            tails.append(Tail.learn(_distance(smoothed, head, centers[-1])))
        return cls(lengths, trailing, head, centers, tails)

    def __call__(self, signal: Floats) -> Floats:
        """Score what the head says of the same channel.

        Parameters
        ----------
        signal : ndarray of shape (n_timepoints,)
            What the head says of each point; NaN where unknown.

        Returns
        -------
        ndarray of shape (n_timepoints,)
            Minus the logarithm of the share of points in ``fit`` that are as unusual, up
            to 3; beyond, it grows with the logarithm only, as does what each length says
            beyond 6. 0 where nothing is known.
        """
        total = np.zeros(len(signal))
        for length, center, tail in zip(self.lengths, self.centers, self.tails, strict=True):
            smoothed = _smoothed(self.head, signal, length, self.trailing)
            total += bent(tail(_distance(smoothed, self.head, center)))
        return bent(total / len(self.lengths), _CLEAR)


def _smoothed(head: str, signal: Floats, length: int, trailing: bool) -> Floats:
    smoothed = smooth(signal, length, trailing=trailing)
    return np.log(smoothed + _LEAST_MOVE) if head == "variation" else smoothed


def _distance(smoothed: Floats, head: str, center: float) -> Floats:
    return np.abs(smoothed - center) if head in _TWO_SIDED else smoothed
