"""Find wild values: fill values such as -9999 that were left in the data, and lone spikes."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .types import Flags, Floats, Values

__all__ = ["find_wild"]

_TAILS = (0.1, 0.02, 0.004)  # of the values, on each side; the first that leaves a range is used
_FAR = 10.0  # ranges from the quantiles
_SPIKE = 2.5  # ranges from the quantiles of the distances to the running median
_MIN_SPIKE = 2.0  # ranges of the values from the running median
_ROUNDING = 8.0  # units in the last place
_N_MEDIAN = 7  # known values that the running median is taken over


def find_wild(row: Values) -> Flags:
    """Flag values of one series, NaN where missing, that are far from all others or spikes.

    A value is far if it lies ten times the range of the middle 80 % outside of it. A spike is at
    most three time points long; it differs from the running median of seven known values by twice
    that range, and by far more than others do. A rise, a step or a burst is not flagged.
    """
    known = np.flatnonzero(~np.isnan(row))
    values = row[known].astype(np.float64)
    wild = np.zeros(len(row), bool)
    if len(values) <= _N_MEDIAN:
        return wild
    values = np.ldexp(values, -np.frexp(np.abs(values).max())[1])  # exactly, so that none overflows
    low, high = _range(values)
    reach = _FAR * (high - low) + _ROUNDING * np.spacing(max(abs(low), abs(high)))
    far = (values < low - reach) | (values > high + reach)
    wild[known[far]] = True
    known, values = known[~far], values[~far]
    if len(values) > _N_MEDIAN:
        distances = values - np.median(sliding_window_view(_continued(values), _N_MEDIAN), axis=-1)
        lowest, highest = _range(distances)
        reach = _SPIKE * (highest - lowest)
        is_spike = (distances < lowest - reach) | (distances > highest + reach)
        wild[known[is_spike & (np.abs(distances) > _MIN_SPIKE * (high - low))]] = True
    return wild


def _continued(values: Floats) -> Floats:
    """Continue at both ends, reflected about the medians of three, as the ends may be spikes."""
    n_ends, n_more = 3, _N_MEDIAN // 2
    first, last = np.median(values[:n_ends]), np.median(values[-n_ends:])
    before, after = values[n_ends:][:n_more][::-1], values[:-n_ends][-n_more:][::-1]
    return np.concatenate([2 * first - before, values, 2 * last - after])


def _range(values: Values) -> tuple[float, float]:
    """Return the quantiles of the first tails that differ."""
    for tail in _TAILS:
        low, high = np.quantile(values, [tail, 1 - tail])
        if high > low:
            break
    return low, high
