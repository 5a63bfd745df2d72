"""Calibration of channels and of head signals on a recording that is mostly normal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Self

import numpy as np

from ..network import standardize
from ..series import Flags, Floats, Values
from .smoothing import N_BLOCKS, BlockMedians, block_medians, moving_mean

__all__ = [
    "N_RECENT",
    "ChannelScale",
    "HeadCalibration",
    "peak_level",
    "scores_of_changes",
    "threshold",
    "usual_range",
]

_MAX_DEVIATION = 1e6  # standard deviations; values are clipped so that their squares stay finite
_ROUNDING = 1e-6  # relative change of a constant channel that counts as rounding
_TRIMMED = 0.005  # of the values, on each side, that do not count for the range of a channel
_MIN_TRIMMED = 2  # values
_MIN_TRIMMABLE = 20  # values of a channel, for any to be trimmed

_LINEAR_HEADS = ("level", "states")  # signals of others are squares
_MANY = 200  # independent values, whose 0.99 quantile is used
_MIN_STEEPNESS = 0.2  # of the tail, relative to that of few values
_MIN_SCALE = 0.1  # of the tail, relative to the standard deviation of all but extreme values
_N_STEPS = 2.0  # of quantised averages, that are not anomalous
_N_DEVIATIONS = 3.0  # of averages of independent values, that are not anomalous
_LEAST, _LEAST_LOG = 1e-4, 0.3  # distances from the median that are not anomalous
_LEVEL_MARGIN = 2.0  # of these distances, as levels change more than all else
_TINY = 1e-9

_TWO_SIDED_LENGTH = 32  # from here on, too little variation is unusual as well
_FLOOR = 0.01  # added to averages before the logarithm, relative to a high quantile
_FLOOR_QUANTILE = 0.9
_N_PEAKS = 20  # parts of the training recording whose highest values are compared
_MIN_PART = 8  # points of such a part
_N_RECURRING = 3  # of these parts, in which what recurs is normal
_N_QUARTERS = 4
_RATE = 1e-4  # of normal points beyond the distance at which averages are anomalous
N_RECENT = 512  # rows, after which a change that persists is no longer anomalous
_PERSISTENCE = 2.5  # relative to their usual score, of rows that are anomalous among them
_MIN_STUCK, _STUCK = 8, 2.0  # rows, and times the most repeats in fit, of a channel that is stuck
_LEAST_SCORE = 0.3  # of normal rows
_AUTO_FRACTION = 1e-3  # of normal points, that the automatic threshold bounds


class ChannelScale(NamedTuple):
    """Mean and standard deviation of one channel, without regard to extreme values."""

    loc: float  # [input units]
    scale: float  # [input units]; 0 for a constant channel, infinite without a known value

    @classmethod
    def fit(cls, values: Values) -> Self:
        """Fit to the values ``(T,)`` of a channel, NaN where missing."""
        known = values[np.isfinite(values)]
        if not len(known):
            return cls(0.0, np.inf)
        standardized = standardize(_clip_extremes(known)[None])
        if not standardized.values.any():
            return cls(2 * float(np.median(known / 2)), 0.0)
        return cls(float(standardized.loc[0, 0]), float(standardized.scale[0, 0]))

    def __call__(self, values: Values) -> Floats:
        """Standardise values ``(T,)``; for a constant channel, return the sign of each change."""
        with np.errstate(over="ignore"):
            deviations = values.astype(np.float64) - self.loc
            if self.scale > 0:
                return np.clip(deviations / self.scale, -_MAX_DEVIATION, _MAX_DEVIATION)
        unchanged = np.abs(deviations) <= _ROUNDING * abs(self.loc)
        return np.where(unchanged, 0.0, np.sign(deviations))


def _clip_extremes(values: Values) -> Values:
    """Clip known values that are further outside of the others than these are wide."""
    if len(values) < _MIN_TRIMMABLE:
        return values
    ordered = np.sort(values)
    trimmed = max(_MIN_TRIMMED, int(_TRIMMED * len(values)))
    low, high = ordered[trimmed], ordered[-1 - trimmed]
    with np.errstate(over="ignore"):
        margin = high - low
        return np.clip(values, low - margin, high + margin) if margin > 0 else values


def peak_level(values: Floats, rate: float = _RATE) -> float:
    """Return the level that normal values ``(T,)`` exceed in peaks at a rate per time point.

    The peaks of consecutive parts follow a Gumbel distribution, fitted to their median and upper
    quartile. What recurs in three of twenty parts is normal as well, so at most two of them may
    contain anomalies. NaN marks unknown values.
    """
    n_parts = int(np.clip(len(values) // _MIN_PART, 1, _N_PEAKS))
    size = len(values) // n_parts
    parts = values[: n_parts * size].reshape(n_parts, size)
    peaks = np.fmax.reduce(parts, axis=1)
    peaks = peaks[np.isfinite(peaks)]
    if not len(peaks):
        return 0.0
    middle, upper = np.quantile(peaks, (0.5, 0.75))
    median, quartile = (-np.log(-np.log(share)) for share in (0.5, 0.75))
    spread = (upper - middle) / (quartile - median)
    level = float(middle + spread * (-np.log(rate * size) - median))
    if len(peaks) < _N_PEAKS:
        return level
    return max(level, float(np.sort(peaks)[-_N_RECURRING]))


def tail_distance(values: Floats, n_independent: float) -> float:
    """Return how far from their median known normal values rarely are, from an exponential tail.

    Its scale comes from the median and the 0.9 quantile, so up to a tenth of the values may be
    anomalies of any size. With many values, the 0.99 quantile may make it smaller. With few, the
    distance is that of the Lomax distribution, which allows for the uncertainty of the scale.
    """
    middle, high, highest = np.quantile(values, (0.5, 0.9, 0.99))
    scale = (high - middle) / np.log(5)
    if n_independent >= _MANY:
        scale = min(scale, max((highest - high) / np.log(10), _MIN_STEEPNESS * scale))
    scale = max(scale, _MIN_SCALE * _spread(values))
    surprise, n_values = -np.log(10 * _RATE), max(2.0, n_independent / 2)
    return float(high - middle + scale * n_values * np.expm1(surprise / n_values))


def usual_range(values: Floats) -> tuple[float, float]:
    """Return the range that normal values ``(T,)`` rarely leave."""
    known = values[np.isfinite(values)]
    n_independent = _count_crossings(known)
    middle, above = _usual_distance(values, n_independent)
    _, below = _usual_distance(-values, n_independent)
    return middle - below, middle + above


def _usual_distance(values: Floats, n_independent: float) -> tuple[float, float]:
    """Return the median, and how far above it normal values ``(T,)`` rarely are."""
    known = values[np.isfinite(values)]
    middle = float(np.median(known))
    return middle, max(peak_level(values) - middle, tail_distance(known, n_independent))


def _spread(values: Floats) -> float:
    """Return the standard deviation about the median, with extreme values at the peak level."""
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0
    deviations = np.abs(known - np.median(known))
    highest = peak_level(np.abs(values - np.median(known)))
    return float(np.sqrt(np.square(np.minimum(deviations, highest)).mean()))


class LengthCalibration(NamedTuple):
    """Normal averages of one head over one length: their median, and distances rarely exceeded."""

    head: str
    floor: float  # added to averages before the logarithm
    # Of averages, and for two-sided heads of their negatives or negative logarithms:
    middles: Sequence[float]
    distances: Sequence[float]  # from there, at which they are anomalous

    @classmethod
    def fit(
        cls, head: str, length: int, medians: BlockMedians, least: float, step: float = 0.0
    ) -> Self:
        """Fit to averages ``(T,)``, of which smaller distances than ``least`` are no anomaly.

        The averages of quantised values are multiples of a step, of which one more is none.
        """
        known = medians.high[np.isfinite(medians.high)]
        if not len(known):
            return cls(head, 1.0, (), ())
        floor = _FLOOR * float(np.sqrt(np.quantile(np.abs(known), _FLOOR_QUANTILE))) + _TINY
        n_independent = min(len(known) / length, _count_crossings(known))
        is_two_sided = head == "level" or (head == "variation" and length >= _TWO_SIDED_LENGTH)
        middles: list[float] = []
        distances: list[float] = []
        for values in islice(_sides(head, floor, medians), 1 + is_two_sided):
            middle, distance = _usual_distance(values, n_independent)
            is_linear = head == "level" or not middles
            smallest = max(least, _one_more(head, values, step) - middle)
            if not is_linear:
                smallest = _LEAST_LOG
            margin = _LEVEL_MARGIN if head == "level" else 1.0
            middles.append(middle)
            distances.append(margin * max(distance, smallest) + _drift(values))
        return cls(head, floor, middles, distances)

    def __call__(self, medians: BlockMedians) -> Floats:
        """Score averages ``(T,)``: 0 or more, rarely over 1 where normal, 0 where unknown."""
        highest = np.zeros(len(medians.low))
        sides = _sides(self.head, self.floor, medians)
        for middle, distance, values in zip(self.middles, self.distances, sides, strict=False):
            highest = np.fmax(highest, (values - middle) / distance)
        return highest


def _one_more(head: str, values: Floats, step: float) -> float:
    """Return what averages, rarely exceeded, are with one more step of the block means."""
    high = float(np.nanquantile(values, _FLOOR_QUANTILE))
    more = high + step if head in _LINEAR_HEADS else np.sqrt(np.square(high) + step)
    return float(more * (1 + _ROUNDING))


def _step(signal: Floats) -> float:
    """Return the smallest size of a signal ``(T,)`` that is not rounding, 0 if there is none."""
    sizes = np.abs(signal[np.isfinite(signal)])
    sizes = sizes[sizes > _ROUNDING * sizes.max(initial=0)]
    return float(sizes.min()) if len(sizes) else 0.0


def _drift(values: Floats) -> float:
    """Return the range of the medians of consecutive quarters, which may go on later."""
    quarters = [part[np.isfinite(part)] for part in np.array_split(values, _N_QUARTERS)]
    medians = [np.median(part) for part in quarters if len(part)]
    return float(np.ptp(medians))


def _count_crossings(values: Floats) -> int:
    """Count how often values ``(T,)`` cross their median; slow changes make them dependent."""
    above = values > np.median(values)
    return int((above[1:] != above[:-1]).sum())


def _sides(head: str, floor: float, medians: BlockMedians) -> Iterator[Floats]:
    """Yield averages that are large where they are too large, and where they are too small."""
    is_linear = head in _LINEAR_HEADS
    yield medians.low if is_linear else np.sqrt(medians.low)
    yield -medians.high if is_linear else -np.log(np.sqrt(medians.high) + floor)


class HeadCalibration(NamedTuple):
    """Normal signals of one head on one channel, averaged over L lengths."""

    lengths: Sequence[int]  # (L,) [time points]
    trailing: bool
    averages: Sequence[LengthCalibration]  # (L,)
    n_stuck: int  # rows without a change, after which a channel is stuck

    @classmethod
    def fit(cls, head: str, signal: Floats, lengths: Sequence[int], trailing: bool) -> Self:
        """Fit to a signal ``(T,)``, NaN where unknown."""
        points = next(_sides(head, 1.0, BlockMedians(signal, signal)))
        spread = _spread(points)
        averages = []
        for length in lengths:
            medians = block_medians(signal, length, trailing=trailing)
            # Averages of independent values vary by at least that much.
            least = max(_LEAST, _N_DEVIATIONS * spread / np.sqrt(length))
            step = _N_STEPS * _step(signal) / max(1, length // N_BLOCKS)
            averages.append(LengthCalibration.fit(head, length, medians, least, step))
        n_stuck = max(_MIN_STUCK, int(_STUCK * _most_repeats(signal)))
        return cls(lengths, trailing, averages, n_stuck)

    def __call__(self, signal: Floats, cuts: tuple[bool, bool] = (False, False)) -> Floats:
        """Score a signal ``(T,)`` by the most unusual of its averages; 0 where unknown.

        It may be cut from a longer one, at either end.
        """
        highest = np.zeros(len(signal))
        for length, average in zip(self.lengths, self.averages, strict=True):
            medians = block_medians(signal, length, trailing=self.trailing, cuts=cuts)
            highest = np.maximum(highest, average(medians))
        return np.where(np.isnan(signal), 0, highest)

    def is_stuck(self, signal: Floats) -> Flags:
        """Return where a signal ``(T,)`` of changes has long been zero, far longer than in fit.

        At least half of those rows must be known. Channels that rarely change are never stuck.
        """
        n_rows = self.n_stuck
        if n_rows > N_RECENT:
            return np.zeros(len(signal), bool)
        sums = [np.cumsum(np.pad(flags, (n_rows, 0))) for flags in (signal == 0, signal > 0)]
        n_zero, n_changes = (total[n_rows:] - total[:-n_rows] for total in sums)
        return (n_changes == 0) & (2 * n_zero >= n_rows)


def _most_repeats(signal: Floats) -> int:
    """Return how many known values of a signal ``(T,)`` are zero between two that are not."""
    n_zero = np.cumsum(signal == 0)
    return int(np.diff(n_zero[signal > 0], prepend=0, append=n_zero[-1:]).max(initial=0))


def scores_of_changes(scores: Floats) -> Floats:
    """Lower scores over 1 to 1, where the scores ``(T,)`` up to a row are similarly high.

    A change is anomalous when it happens. What persists is the new normal, and what stands out
    from it is anomalous.
    """
    logs = np.log(np.maximum(scores, _LEAST_SCORE) / _LEAST_SCORE)
    usual = _LEAST_SCORE * np.exp(moving_mean(logs, N_RECENT, trailing=True))
    return np.where(scores > np.maximum(1, _PERSISTENCE * usual), scores, np.minimum(scores, 1))


def threshold(scores: Floats, contamination: str | float) -> float:
    """Choose the score above which points are outliers; normal points rarely exceed 1.

    The contamination is the fraction of outliers among the training scores. One of at least 0.001
    never raises fewer alarms than "auto", and a smaller one never more.
    """
    if contamination == "auto":
        return 1.0
    fraction = float(contamination)
    quantile = float(np.quantile(scores, 1 - fraction))
    return min(quantile, 1.0) if fraction >= _AUTO_FRACTION else max(quantile, 1.0)
