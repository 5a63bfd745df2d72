"""Fill gaps from the same phase of other periods."""

from __future__ import annotations

import numpy as np

from ..series import Flags, Floats, Neighbors, Values, interpolate_linear, moving_sum

__all__ = ["seasonal_fill"]

_MIN_COVERAGE = 0.9  # known points of a whole period, relative to the median
_MIN_PROFILE_COVERAGE = 0.5  # the same, after the profile of the period is subtracted
_N_AVERAGED = 4  # periods to each side
_N_SEARCHED = 400  # periods to each side where none of the nearest ones has the phase


def seasonal_fill(rows: Values, wanted: Flags, period: int) -> Floats:
    """Return the mean of the same phase in the nearest periods, ``(n_rows, n_timepoints)``.

    The mean is taken about the local level, a moving average over one period, or over more where
    less is known. The point itself is left out. NaN where not wanted, where no period has the
    phase, and in rows with fewer known points than half a period.
    """
    level = _level(rows, period)
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
    filled = np.full(rows.shape, np.nan)
    average = np.divide(sums, weights, out=np.full(len(row), np.nan), where=weights > 0)
    filled[row, time] = average + level[row, time]
    return filled


def _level(rows: Values, period: int) -> Floats:
    """Average over about a period around each point; NaN in rows with too few known values.

    The mean profile of a period is subtracted first, so that it matters little which part of a
    period is known.
    """
    first = rows - _moving_average(rows, period, _MIN_COVERAGE)
    profile = np.full(rows.shape, np.nan)
    for phase in range(period):
        same = first[:, phase::period]
        known = ~np.isnan(same)
        total = np.sum(same, 1, where=known, keepdims=True)
        profile[:, phase::period] = total / np.maximum(known.sum(1, keepdims=True), 1)
    return _moving_average(rows - profile, period, _MIN_PROFILE_COVERAGE)


def _moving_average(rows: Values, period: int, min_coverage: float) -> Floats:
    """Average over a window; interpolate where much less is known than usual.

    The window is a period long, or twice, four times, ... as long, so that it typically holds half
    a period of known values.
    """
    known = ~np.isnan(rows)
    values = np.where(known, rows, 0)
    level = np.full(rows.shape, np.nan)
    pending, width = np.arange(len(rows)), period
    while len(pending) and width <= 2 * rows.shape[1]:
        counts = moving_sum(known[pending], width)
        typical = _median_of_positive(counts)
        is_enough = 2 * typical >= period
        done, counts = pending[is_enough], counts[is_enough]
        is_whole = counts >= min_coverage * typical[is_enough, None]
        means = moving_sum(values[done], width) / counts.clip(1)
        level[done] = interpolate_linear(means, Neighbors.from_mask(is_whole))
        pending, width = pending[~is_enough], 2 * width
    return level


def _median_of_positive(counts: Floats) -> Floats:
    """Return the lower median of the positive counts of each row; 0 if there is none."""
    ordered, n_zero = np.sort(counts, axis=1), (counts <= 0).sum(1)
    middle = ((n_zero + counts.shape[1] - 1) // 2).clip(0, counts.shape[1] - 1)
    return ordered[np.arange(len(counts)), middle]
