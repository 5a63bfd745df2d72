"""Series of one shape side by side, as NumPy takes less time for one array than for many."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

import numpy as np

from .types import Panel, Values

__all__ = ["stacks"]

_MAX_VALUES = 1 << 16  # they stay in the cache of a core
_MAX_ROWS = 1024  # channels of series, as short ones may become longer


def stacks(panel: Panel) -> Iterator[Values]:
    """Yield series that follow each other and have one shape and type, in blocks.

    A block is ``(n_series, n_channels, n_timepoints)``.
    """
    for _, alike in groupby(panel, key=lambda series: (series.shape, series.dtype)):
        series = list(alike)
        n_channels, n_timepoints = series[0].shape
        step = max(1, min(_MAX_ROWS, _MAX_VALUES // n_timepoints) // n_channels)
        for first in range(0, len(series), step):
            yield np.stack(series[first : first + step])
