"""Estimate the period of a series."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .outliers import find_wild
from .types import Flags, Floats, Values

__all__ = ["moving_sum", "seasonal_period"]

_MIN_PERIOD = 3  # steps
_MIN_CYCLES = 3  # periods in the longest series
_MIN_PROMINENCE = 0.2  # of a peak of the autocorrelation, above 0 and the valley before it
_MIN_ERRORS = 0.3  # its standard errors, which the height of a peak must exceed as well
_SMOOTHING_RATIO = 4  # of the widths of the moving averages that are subtracted
_MAX_EXCESS = 1.15  # unexplained variance of a shorter period, relative to a longer one
_NEGLIGIBLE = 0.02  # fraction of the variance that does not matter
_SEARCH_FRACTION = 0.1  # of a period to each side, where the exact one is searched
_N_MULTIPLES = 4  # of a period that are looked at for that


def seasonal_period(rows: Sequence[Values]) -> int:
    """Estimate the common period of some series [time steps].

    Each series is ``(n_timepoints_i,)``, with NaN where missing. Of several periods, the one with
    the highest autocorrelation is returned: a week if weekends differ, else a day. Fill values
    and spikes are ignored. Without a period, or with fewer than three, return 0.
    """
    rows = [np.where(find_wild(row), np.nan, row).astype(np.float64) for row in rows]
    # An exact division, so that neither squares nor their sums overflow or vanish.
    peak = max(float(np.abs(row[~np.isnan(row)]).max(initial=0)) for row in rows)
    rows = [np.ldexp(row, -np.frexp(peak)[1]) for row in rows]
    width = max(map(len, rows)) // _MIN_CYCLES
    # If slow changes hide the period, a moving average over less time removes them.
    while width >= _MIN_PERIOD:
        period = _best_lag(*_autocorrelation(rows, width), width)
        if period:
            return period
        width //= _SMOOTHING_RATIO
    return 0


def _level(row: Values, width: int) -> Floats:
    """Average over a moving window, continued as a straight line where it would be cut off."""
    known, time = np.flatnonzero(~np.isnan(row)), np.arange(len(row))
    whole = time[width // 2 : len(row) - width + width // 2 + 1]
    if len(known) == 0 or len(whole) <= width:
        return np.full(len(row), row[known].mean() if len(known) else 0.0)
    level = moving_sum(np.interp(time, known, row[known]), width) / width
    slope, intercept = np.polyfit(whole, level[whole], 1)
    outside = np.delete(time, whole)
    level[outside] = intercept + slope * outside
    return level


def _autocorrelation(rows: Sequence[Values], width: int) -> tuple[Floats, Floats]:
    """Return the autocorrelation of deviations from a moving average, and its standard error.

    Both are given for lags up to two widths. Pairs are counted as independent if a period apart.
    """
    from scipy.interpolate import make_interp_spline

    longest = max(map(len, rows))
    size = 2 ** int(np.ceil(np.log2(2 * longest)))
    lags = np.arange(min(2 * width + 2, longest))
    powers, fourth = np.zeros((3, size // 2 + 1)), 0.0
    for row in rows:
        known = ~np.isnan(row)
        deviations = np.where(known, row - _level(row, width), 0)
        squares = np.square(deviations)
        ones, first, second = (np.fft.rfft(x, size) for x in (known, deviations, squares))
        # The mean of the two squares of each pair normalises the products: at most 1.
        powers += np.abs(first) ** 2, (ones * second.conj()).real, np.abs(ones) ** 2
        fourth += np.square(squares).sum()
    products, totals, pairs = (np.fft.irfft(power)[lags] for power in powers)
    is_enough = totals > _NEGLIGIBLE * totals[0]
    is_enough[0] = True
    # If every fifth value is known, there are no pairs at the lags between.
    found = lags[is_enough]
    each = products[found] / totals[found].clip(np.finfo(np.float64).tiny)
    correlation = make_interp_spline(found, each, k=min(3, len(found) - 1))(lags)
    correlation[lags > found[-1]], correlation[found] = 0, each
    pairs = np.interp(lags, found, pairs[found], right=0)
    # Fewer values count if some are much larger than others.
    n_effective = totals[0] ** 2 / (fourth or 1) * pairs / pairs[0].clip(1)
    return correlation, np.sqrt(lags / pairs.clip(1)) + 3 / np.sqrt(n_effective.clip(1))


def moving_sum(values: Values | Flags, width: int) -> Floats:
    """Sum ``(..., n_timepoints)`` over a centred window, cut off at both ends of the series."""
    before, n_timepoints = width // 2, values.shape[-1]
    padding = [(0, 0)] * (values.ndim - 1) + [(1, 0)]
    total = np.pad(values.astype(np.float64), padding).cumsum(-1)
    place = np.arange(n_timepoints)
    start, stop = (place - before).clip(0), (place - before + width).clip(None, n_timepoints)
    difference: Floats = total[..., stop] - total[..., start]
    return difference


def _best_lag(correlation: Floats, standard_error: Floats, max_lag: int) -> int:
    """Return the shortest lag that explains about as much as the best; 0 if there is none."""
    heights = correlation - _MIN_ERRORS * standard_error
    peaks = [lag for lag in _peaks(correlation[: max_lag + 2]) if _is_repeated(heights, lag)]
    if not peaks:
        return 0
    tolerance = _MAX_EXCESS * (1 + standard_error[peaks[0]])
    unexplained = 1 - correlation[peaks] + _NEGLIGIBLE
    first = peaks[int((unexplained <= tolerance * unexplained.min()).argmax())]
    hill = correlation[first : min(first + first // 4, max_lag) + 1]
    lag = first + int(hill.argmax())
    reach = int(_SEARCH_FRACTION * lag)
    nearby = range(max(lag - reach, 2), min(lag + reach, max_lag) + 1)
    # At the exact period, its multiples are peaks too.
    return max(nearby, key=lambda period: float(correlation[period::period][:_N_MULTIPLES].mean()))


def _peaks(correlation: Floats) -> list[int]:
    """Return the lags of local maxima that are much higher than the valley before."""
    inner, valley = correlation[1:-1], np.minimum.accumulate(correlation)[1:-1]
    is_peak = (inner >= correlation[:-2]) & (inner > correlation[2:])
    is_peak &= inner - valley > _MIN_PROMINENCE
    return [int(lag) for lag in 1 + np.flatnonzero(is_peak) if lag >= _MIN_PERIOD]


def _is_repeated(heights: Floats, lag: int) -> bool:
    """Return whether there is a high peak here and at twice the lag: a random walk has none."""
    second, reach = 2 * lag, lag // 8
    top = heights[second - reach : second + reach + 1].max(initial=-1)
    valley = heights[lag:second].min(initial=1)
    return min(heights[lag], top) > _MIN_PROMINENCE and top - valley > _MIN_PROMINENCE
