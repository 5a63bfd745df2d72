"""Fill gaps from the same phase of other periods: the period is found, the level follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..series import Neighbours, Values, linear

__all__ = ["find_period", "seasonal"]

_SHORTEST = 3  # steps of a period
_CYCLES = 3  # periods the longest series must hold
_LEAST_RISE = 0.2  # of the autocorrelation, from the valley before a peak to that peak
_ALIKE = 0.6  # share of the highest peak at which a shorter period is preferred
_NEAR = 0.2  # share of a period in which the exact one is looked for
_WHOLE = 0.9  # share of the usual number of known points with which a period is whole
_NEAREST = 4  # periods to each side that are averaged
_FARTHEST = 400  # periods to each side that are looked at


def find_period(rows: Sequence[Values]) -> int:
    """Find the time after which series repeat.

    Parameters
    ----------
    rows : sequence of ndarray of shape (n_timepoints_i,)
        Series of one channel, NaN where missing.

    Returns
    -------
    int
        Period [time steps]; 0 if there is none.
    """
    longest = max(map(len, rows))
    size = 2 ** int(np.ceil(np.log2(2 * longest)))
    products, pairs = np.zeros((2, size // 2 + 1))
    for row in rows:
        known = ~np.isnan(row)
        centred = np.where(known, row - row[known].mean() if known.any() else row, 0)
        products += np.abs(np.fft.rfft(centred, size)) ** 2
        pairs += np.abs(np.fft.rfft(known, size)) ** 2
    n_lags = longest // _CYCLES + 1
    sums, counts = (np.fft.irfft(power)[:n_lags] for power in (products, pairs))
    correlation = sums / counts.round().clip(1)
    if len(correlation) <= _SHORTEST or correlation[0] <= 0:
        return 0
    return _first_peak(correlation / correlation[0])


def _first_peak(correlation: Values) -> int:
    """Return the lag of the first of the high peaks; 0 if there is none."""
    valley = np.minimum.accumulate(correlation)
    inner = correlation[1:-1]
    is_peak = (inner >= correlation[:-2]) & (inner > correlation[2:])
    is_peak &= (inner - valley[1:-1] > _LEAST_RISE) & (inner > _LEAST_RISE)
    lags = 1 + np.flatnonzero(is_peak)
    lags = lags[lags >= _SHORTEST]
    if not len(lags):
        return 0
    heights = correlation[lags]
    about = lags[heights >= _ALIKE * heights.max()][0]
    near = range(about - int(_NEAR * about), min(about + int(_NEAR * about) + 1, len(correlation)))
    # The true period also fits when it is repeated.
    return max(near, key=lambda lag: float(correlation[lag::lag].mean()))


def seasonal(rows: Values, wanted: NDArray[np.bool_], period: int) -> NDArray[np.float64]:
    """Average the same phase of the nearest periods, around the level of the place.

    Parameters
    ----------
    rows : ndarray of shape (n_series, n_timepoints)
        Series, NaN where missing, any known value in each.
    wanted : ndarray of bool, of the same shape
        Points asked for.
    period : int
        Period [time steps], at least 1.

    Returns
    -------
    ndarray of shape (n_wanted,)
        Values of the points in row-major order. The level is the mean over a period, or
        over more where less is known, and a line where that is missing. NaN where no
        period has the phase, and in series with fewer known points than half a period.
    """
    level = _level(rows, period)
    shape = rows - level
    row, time = np.nonzero(wanted)
    sums, weights = np.zeros((2, len(row)))
    left = np.arange(len(row))
    for k in range(1, min(_FARTHEST, rows.shape[1] // period) + 1):
        # Beyond the nearest periods only points that found none go on.
        left = left if k <= _NEAREST else left[weights[left] == 0]
        for place in (time[left] - k * period, time[left] + k * period):
            inside = (place >= 0) & (place < rows.shape[1])
            value = shape[row[left], place.clip(0, rows.shape[1] - 1)]
            found = inside & ~np.isnan(value)
            sums[left[found]] += value[found] / k
            weights[left[found]] += 1 / k
        if k >= _NEAREST and not len(left):
            break
    average = np.divide(sums, weights, out=np.full(len(row), np.nan), where=weights > 0)
    return average + level[row, time]


def _level(rows: Values, period: int) -> NDArray[np.float64]:
    """Return the mean over whole periods around each point; NaN in rows that show too little.

    Over more periods the less is known, so that some half a period is in every mean.
    """
    known = ~np.isnan(rows)
    values = np.where(known, rows, 0)
    level = np.full(rows.shape, np.nan)
    left, width = np.arange(len(rows)), period
    while len(left) and width <= 2 * rows.shape[1]:
        counts = _boxed(known[left], width)
        usual = _median_of_positive(counts)
        firm = 2 * usual >= period
        done, counts = left[firm], counts[firm]
        # A part of a period has another mean than the whole.
        enough = counts >= _WHOLE * usual[firm, None]
        means = _boxed(values[done], width) / counts.clip(1)
        level[done] = linear(means, Neighbours.of(enough))
        left, width = left[~firm], 2 * width
    return level


def _median_of_positive(counts: Values) -> NDArray[np.float64]:
    """Return the lower median of the positive counts of each row; 0 if there is none."""
    ordered, n_zero = np.sort(counts, axis=1), (counts <= 0).sum(1)
    middle = ((n_zero + counts.shape[1] - 1) // 2).clip(0, counts.shape[1] - 1)
    return ordered[np.arange(len(counts)), middle]


def _boxed(values: NDArray[Any], width: int) -> NDArray[np.float64]:
    """Sum over the window of a width around each point, as far as there is one."""
    before, n_timepoints = width // 2, values.shape[1]
    total = np.pad(values.astype(np.float64), ((0, 0), (1, 0))).cumsum(1)
    place = np.arange(n_timepoints)
    start, stop = (place - before).clip(0), (place - before + width).clip(None, n_timepoints)
    return total[:, stop] - total[:, start]
