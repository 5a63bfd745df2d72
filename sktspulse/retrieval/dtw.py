"""Dynamic time warping between a query and many series at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..network import standardize
from ..series import Floats, Integers, Neighbors, Panel, Values, interpolate_linear, resample

__all__ = ["dtw_distances", "pick_series", "warped_distances"]


def pick_series(series: Any, numbers: Integers, check: Callable[[Any], Panel]) -> dict[int, Values]:
    """Validate those of some series that are needed, and return them by number."""
    needed = np.unique(numbers).tolist()
    if needed and needed[-1] >= len(series):
        raise ValueError(
            f"series holds {len(series)} series, but an id belongs to number {needed[-1]}. Pass "
            "all that were indexed, in order of arrival."
        )
    if isinstance(series, np.ndarray):
        return dict(zip(needed, check(series[needed]), strict=True))
    if isinstance(series, list):
        return dict(zip(needed, check([series[number] for number in needed]), strict=True))
    panel = check(series)
    return {number: panel[number] for number in needed}


def warped_distances(
    query: Values, others: Sequence[Values], max_warp: float, normalize: bool
) -> Floats:
    """Return the distances between a series and others of any length, ``(n,)``."""
    parts = [_warpable(part, query.shape[1], normalize) for part in (query, *others)]
    return dtw_distances(parts[0], np.stack(parts[1:]), max_warp)


def dtw_distances(query: Floats, others: Floats, max_warp: float) -> Floats:
    """Return the distances between a series and others after warping.

    Parameters
    ----------
    query : ndarray of shape (n_channels, n_timepoints)
        A series without missing values.
    others : ndarray of shape (n, n_channels, n_timepoints)
        Others of the same length.
    max_warp : float
        Largest shift of a time point, as a fraction of the length (the band of Sakoe and
        Chiba); 0 is the Euclidean distance.

    Returns
    -------
    ndarray of shape (n,)
        Root of the least sum of squared differences along a path that warps all channels
        together.
    """
    n_timepoints = query.shape[1]
    band = int(max_warp * n_timepoints)
    # Sums of squares at the cells (i, j) of a diagonal i + j, by i; nothing lies outside.
    before = np.full((len(others), n_timepoints + 1), np.inf)
    before[:, 0] = 0
    last = np.full_like(before, np.inf)
    for diagonal in range(2, 2 * n_timepoints + 1):
        first = max(1, diagonal - n_timepoints, -(-(diagonal - band) // 2))
        i = np.arange(first, min(n_timepoints, diagonal - 1, (diagonal + band) // 2) + 1)
        costs = np.square(query[:, i - 1] - others[:, :, diagonal - i - 1]).sum(1)
        steps = np.minimum(np.minimum(last[:, i - 1], last[:, i]), before[:, i - 1])
        before, last = last, np.full_like(last, np.inf)
        last[:, i] = costs + steps
    return np.sqrt(last[:, -1])


def _warpable(series: Values, length: int, normalize: bool) -> Floats:
    """Return a series of some length, gaps bridged by lines, standardised if wanted.

    A channel without a value is 0.
    """
    observed = ~np.isnan(series)
    filled, known = np.zeros(series.shape), observed.any(1)
    around = Neighbors.from_mask(observed[known])
    filled[known] = interpolate_linear(series[known].astype(np.float64), around)
    resampled = resample(filled, length)
    return np.asarray(standardize(resampled).values if normalize else resampled, np.float64)
