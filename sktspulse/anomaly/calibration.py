"""Calibration of channels and of head signals on a recording that is mostly normal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from ..network import standardize
from ..series import Floats, Values
from .smoothing import smooth

__all__ = ["ChannelScale", "HeadCalibration", "TailProbability", "log_compress", "threshold"]

_MAX_DEVIATION = 1e6  # standard deviations; values are clipped so that their squares stay finite
_ROUNDING = 1e-6  # relative change of a constant channel that counts as rounding

_QUANTILES = np.arange(10) / 10
_NEGATIVE_LOG_TAIL = -np.log1p(-_QUANTILES)
_MEDIAN = 5
_BLOCK = 1 << 16  # points looked up at once, to bound memory
_MIN_SCALE = 1e-3  # of the exponential tail, in squared standard deviations of the channel
_MIN_SQUARED_STEP = 1e-4  # added before the logarithm: steps of 0.01 standard deviations
_AUTO_FRACTION = 1e-4  # tail probability at the automatic threshold
_MIN_OUTLIERS = 10  # fewer outliers than this, and the threshold comes from the fitted tail
_TWO_SIDED = ("level", "variation")  # heads whose signals are anomalous on either side
_LINEAR_SCORE = 3.0  # a mean score above this, exceeded by one point in twenty, is compressed
_LINEAR_LENGTH_SCORE = 6.0  # the same for each length, so that a long one does not dominate


class ChannelScale(NamedTuple):
    """Mean and standard deviation of one channel."""

    loc: float  # [input units]
    scale: float  # [input units]; 0 for a constant channel, infinite without a known value

    @classmethod
    def fit(cls, values: Values) -> Self:
        """Fit to the values ``(T,)`` of a channel, NaN where missing."""
        known = np.isfinite(values)
        if not known.any():
            return cls(0.0, np.inf)
        standardized = standardize(values[None])
        if not standardized.values[0, known].any():
            return cls(float(values[known][0]), 0.0)
        return cls(float(standardized.loc[0, 0]), float(standardized.scale[0, 0]))

    def __call__(self, values: Values) -> Floats:
        """Standardise values ``(T,)``; for a constant channel, return the sign of each change."""
        with np.errstate(over="ignore"):
            deviations = values.astype(np.float64) - self.loc
            if self.scale > 0:
                return np.clip(deviations / self.scale, -_MAX_DEVIATION, _MAX_DEVIATION)
        unchanged = np.abs(deviations) <= _ROUNDING * abs(self.loc)
        return np.where(unchanged, 0.0, np.sign(deviations))


class TailProbability(NamedTuple):
    """Upper tail probabilities: empirical up to the 0.9 quantile, exponential above.

    The exponential is the one through the median and the 0.9 quantile, so up to a tenth of the
    training values may be anomalies of any size.
    """

    knots: Floats  # (10,), quantiles at 0, 0.1, ..., 0.9
    scale: float  # of the exponential: the distance over which the probability falls to 1 / e

    @classmethod
    def fit(cls, values: Floats) -> Self:
        """Fit to values ``(T,)``, NaN where unknown; without a known value, as to zeros."""
        known = values[np.isfinite(values)]
        knots = np.quantile(known if len(known) else np.zeros(1), _QUANTILES)
        span = _NEGATIVE_LOG_TAIL[-1] - _NEGATIVE_LOG_TAIL[_MEDIAN]
        return cls(knots, max(float((knots[-1] - knots[_MEDIAN]) / span), _MIN_SCALE))

    def __call__(self, values: Floats) -> Floats:
        """Return the negative log tail probability of values ``(T,)``, 0 where unknown."""
        scores = np.empty(len(values))
        for start in range(0, len(values), _BLOCK):
            block = slice(start, start + _BLOCK)
            scores[block] = self._negative_log(values[block])
        return scores

    def _negative_log(self, values: Floats) -> Floats:
        above = np.searchsorted(self.knots, values, side="left")
        low, high = (np.clip(above + step, 0, len(self.knots) - 1) for step in (-1, 0))
        width = self.knots[high] - self.knots[low]
        with np.errstate(invalid="ignore"):
            part = np.where(
                width > 0, (values - self.knots[low]) / np.where(width > 0, width, 1), 1
            )
            rise = _NEGATIVE_LOG_TAIL[high] - _NEGATIVE_LOG_TAIL[low]
            inside = _NEGATIVE_LOG_TAIL[low] + rise * part
            beyond = _NEGATIVE_LOG_TAIL[-1] + (values - self.knots[-1]) / self.scale
        return np.nan_to_num(np.where(above < len(self.knots), inside, beyond))

    def value_at(self, probability: float) -> float:
        """Return the value with a tail probability of at most 0.1."""
        return float(self.knots[-1] + (-np.log(probability) - _NEGATIVE_LOG_TAIL[-1]) * self.scale)


def threshold(scores: Floats, contamination: str | float) -> float:
    """Choose the score above which points are outliers.

    The contamination is the fraction of outliers. If it amounts to fewer than ten points, the
    threshold comes from the tail fitted to the scores. "auto" takes the lower of the value at a
    tail probability of 0.0001 and the 0.999 quantile.
    """
    tail = TailProbability.fit(scores)
    if contamination == "auto":
        return min(
            tail.value_at(_AUTO_FRACTION), float(np.quantile(scores, 1 - 10 * _AUTO_FRACTION))
        )
    fraction = float(contamination)
    if fraction * len(scores) >= _MIN_OUTLIERS or fraction > 1 - _QUANTILES[-1]:
        return float(np.quantile(scores, 1 - fraction))
    return tail.value_at(fraction)


def log_compress(scores: Floats, limit: float = _LINEAR_LENGTH_SCORE) -> Floats:
    """Keep scores up to a limit, and let them grow with their logarithm above it."""
    return np.minimum(scores, limit) + limit * np.log(np.maximum(scores / limit, 1))


class HeadCalibration(NamedTuple):
    """Normal signals of one head on one channel, smoothed over L lengths."""

    head: str
    lengths: Sequence[int]  # (L,) [time points]
    trailing: bool
    centers: Sequence[float]  # (L,), medians
    tails: Sequence[TailProbability]  # (L,), of the signals or of their distance from the median

    @classmethod
    def fit(cls, head: str, signal: Floats, lengths: Sequence[int], trailing: bool) -> Self:
        """Fit to a signal ``(T,)``, NaN where unknown."""
        centers, tails = [], []
        for length in lengths:
            smoothed = _smooth(head, signal, length, trailing)
            known = smoothed[np.isfinite(smoothed)]
            if not len(known):
                known = _smooth(head, np.zeros(1), 1, trailing)
            centers.append(float(np.median(known)))
            tails.append(TailProbability.fit(_deviation(head, smoothed, centers[-1])))
        return cls(head, lengths, trailing, centers, tails)

    def __call__(self, signal: Floats) -> Floats:
        """Score a signal ``(T,)``: the negative log tail probability, compressed, 0 if unknown."""
        total = np.zeros(len(signal))
        for length, center, tail in zip(self.lengths, self.centers, self.tails, strict=True):
            smoothed = _smooth(self.head, signal, length, self.trailing)
            total += log_compress(tail(_deviation(self.head, smoothed, center)))
        return log_compress(total / len(self.lengths), _LINEAR_SCORE)


def _smooth(head: str, signal: Floats, length: int, trailing: bool) -> Floats:
    smoothed = smooth(signal, length, trailing=trailing)
    return np.log(smoothed + _MIN_SQUARED_STEP) if head == "variation" else smoothed


def _deviation(head: str, smoothed: Floats, center: float) -> Floats:
    return np.abs(smoothed - center) if head in _TWO_SIDED else smoothed
