"""Estimate the period of a channel, and fill gaps from the same phase of other periods."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..series import Flags, Floats, Neighbors, Values, interpolate_linear

__all__ = ["seasonal_fill", "seasonal_period"]

_MIN_PERIOD = 3  # steps
_MIN_CYCLES = 3  # periods in the longest series
_MIN_PROMINENCE = 0.2  # of a peak of the autocorrelation, above the valley before it
_MIN_RELATIVE_HEIGHT = 0.6  # of a peak, relative to the highest, to be taken for the period
_SEARCH_FRACTION = 0.2  # of the period to each side, where the exact one is searched
_MIN_COVERAGE = 0.9  # known points of a whole period, relative to the median
_N_AVERAGED = 4  # periods to each side
_N_SEARCHED = 400  # periods to each side where none of the nearest ones has the phase


def seasonal_period(rows: Sequence[Values]) -> int:
    """Estimate the common period of some series [time steps] from their autocorrelation.

    Each series is ``(n_timepoints_i,)``, with NaN where missing. Without a period, return 0.
    """
    longest = max(map(len, rows))
    size = 2 ** int(np.ceil(np.log2(2 * longest)))
    products, pairs = np.zeros((2, size // 2 + 1))
    for row in rows:
        known = ~np.isnan(row)
        centred = np.where(known, row - row[known].mean() if known.any() else row, 0)
        products += np.abs(np.fft.rfft(centred, size)) ** 2
        pairs += np.abs(np.fft.rfft(known, size)) ** 2
    n_lags = longest // _MIN_CYCLES + 1
    sums, counts = (np.fft.irfft(power)[:n_lags] for power in (products, pairs))
    correlation = sums / counts.round().clip(1)
    if len(correlation) <= _MIN_PERIOD or correlation[0] <= 0:
        return 0
    return _first_high_peak(correlation / correlation[0])


def _first_high_peak(correlation: Values) -> int:
    """Return the lag of the first high peak; 0 if there is none."""
    valley = np.minimum.accumulate(correlation)
    inner = correlation[1:-1]
    is_peak = (inner >= correlation[:-2]) & (inner > correlation[2:])
    is_peak &= (inner - valley[1:-1] > _MIN_PROMINENCE) & (inner > _MIN_PROMINENCE)
    lags = 1 + np.flatnonzero(is_peak)
    lags = lags[lags >= _MIN_PERIOD]
    if not len(lags):
        return 0
    heights = correlation[lags]
    lag = lags[heights >= _MIN_RELATIVE_HEIGHT * heights.max()][0]
    reach = int(_SEARCH_FRACTION * lag)
    nearby = range(lag - reach, min(lag + reach + 1, len(correlation)))
    # At the exact period, its multiples are peaks too.
    return max(nearby, key=lambda period: float(correlation[period::period].mean()))


def seasonal_fill(rows: Values, wanted: Flags, period: int) -> Floats:
    """Return the mean of the same phase in the nearest periods, for the wanted points.

    The mean is taken about the local level, a moving average over one period, or over more where
    less is known. NaN where no period has the phase, and in rows ``(n_rows, n_timepoints)`` with
    fewer known points than half a period.
    """
    level = _moving_average(rows, period)
    deviations = rows - level
    row, time = np.nonzero(wanted)
    sums, weights = np.zeros((2, len(row)))
    pending = np.arange(len(row))
    for k in range(1, min(_N_SEARCHED, rows.shape[1] // period) + 1):
        # Beyond the nearest periods, continue only where nothing was found.
        pending = pending if k <= _N_AVERAGED else pending[weights[pending] == 0]
        for place in (time[pending] - k * period, time[pending] + k * period):
            inside = (place >= 0) & (place < rows.shape[1])
            value = deviations[row[pending], place.clip(0, rows.shape[1] - 1)]
            found = inside & ~np.isnan(value)
            sums[pending[found]] += value[found] / k
            weights[pending[found]] += 1 / k
        if k >= _N_AVERAGED and not len(pending):
            break
    average = np.divide(sums, weights, out=np.full(len(row), np.nan), where=weights > 0)
    return average + level[row, time]


def _moving_average(rows: Values, period: int) -> Floats:
    """Average over whole periods around each point; NaN in rows with too few known values.

    The window is doubled until it typically holds half a period of known values.
    """
    known = ~np.isnan(rows)
    values = np.where(known, rows, 0)
    level = np.full(rows.shape, np.nan)
    pending, width = np.arange(len(rows)), period
    while len(pending) and width <= 2 * rows.shape[1]:
        counts = _moving_sum(known[pending], width)
        typical = _median_of_positive(counts)
        is_enough = 2 * typical >= period
        done, counts = pending[is_enough], counts[is_enough]
        # The mean over a fraction of a period differs from that of a whole one.
        is_whole = counts >= _MIN_COVERAGE * typical[is_enough, None]
        means = _moving_sum(values[done], width) / counts.clip(1)
        level[done] = interpolate_linear(means, Neighbors.from_mask(is_whole))
        pending, width = pending[~is_enough], 2 * width
    return level


def _median_of_positive(counts: Floats) -> Floats:
    """Return the lower median of the positive counts of each row; 0 if there is none."""
    ordered, n_zero = np.sort(counts, axis=1), (counts <= 0).sum(1)
    middle = ((n_zero + counts.shape[1] - 1) // 2).clip(0, counts.shape[1] - 1)
    return ordered[np.arange(len(counts)), middle]


def _moving_sum(values: Values | Flags, width: int) -> Floats:
    """Sum over a centred window, cut off at both ends of the series."""
    before, n_timepoints = width // 2, values.shape[1]
    total = np.pad(values.astype(np.float64), ((0, 0), (1, 0))).cumsum(1)
    place = np.arange(n_timepoints)
    start, stop = (place - before).clip(0), (place - before + width).clip(None, n_timepoints)
    return total[:, stop] - total[:, start]
