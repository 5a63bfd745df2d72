"""Find wild values: fill values such as -9999 that were left in the data, and lone spikes."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .types import Flags, Values

__all__ = ["find_wild"]

_TAILS = (0.1, 0.02, 0.004)  # of the values, on each side; the first that leaves a range is used
_GLOBAL_RANGES = 10.0  # a value so many ranges beyond the quantiles is wild
_LOCAL_RANGES = 2.5  # the same, for the distance to the running median
_N_MEDIAN = 7  # known values that the running median is taken over


def find_wild(row: Values) -> Flags:
    """Flag values of one series, NaN where missing, that are far from all others or spikes.

    A value is far if it lies ten times the range of the middle 80 % outside of it. A spike is
    at most three time points long and differs from the running median of seven known values by
    far more than others do. A rise, a step or a burst is not flagged.
    """
    known = np.flatnonzero(~np.isnan(row))
    values = row[known].astype(np.float64)
    wild = np.zeros(len(row), bool)
    if len(values) <= _N_MEDIAN:
        return wild
    far = _is_outside(values, _GLOBAL_RANGES)
    wild[known[far]] = True
    known, values = known[~far], values[~far]
    if len(values) > _N_MEDIAN:
        padded = np.pad(values, _N_MEDIAN // 2, mode="reflect", reflect_type="odd")
        medians = np.median(sliding_window_view(padded, _N_MEDIAN), axis=-1)
        wild[known[_is_outside(values - medians, _LOCAL_RANGES)]] = True
    return wild


def _is_outside(values: Values, n_ranges: float) -> Flags:
    """Return which values lie so many ranges beyond the quantiles."""
    for tail in _TAILS:
        low, high = np.quantile(values, [tail, 1 - tail])
        if high > low:
            break
    reach = n_ranges * (high - low) + 8 * np.spacing(max(abs(low), abs(high)))
    return (values < low - reach) | (values > high + reach)
