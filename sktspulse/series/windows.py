"""Resample series, take windows of them, and average overlapping windows.

Time is the last axis, NaN is missing, and inputs are not changed.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .types import Floats, Indices, Values

__all__ = ["Stitcher", "downsample", "resample", "take_windows", "window_starts"]

Scalar = TypeVar("Scalar", bound=np.generic)


def resample(panel: Values, length: int) -> Values:
    """Interpolate series linearly to another length.

    The first and the last time point stay where they are; the new ones lie evenly
    between them. A single time point is repeated.

    Parameters
    ----------
    panel : ndarray of shape (..., n_timepoints)
        Values; NaN where missing.
    length : int
        New number of time points, at least 1.

    Returns
    -------
    ndarray of shape (..., length)
        A copy, of the same dtype. Between a known and a missing point, a new point takes
        the nearer of the two, the earlier in a tie, so that missing points do not spread.
    """
    n_timepoints = panel.shape[-1]
    if n_timepoints == length:
        return panel.copy()
    # In integers, points that coincide with old ones have no rounding error.
    n_steps = max(length - 1, 1)
    left, remainder = np.divmod(np.arange(length) * (n_timepoints - 1), n_steps)
    fraction = (remainder / n_steps).astype(panel.dtype)
    before, after = panel[..., left], panel[..., np.minimum(left + 1, n_timepoints - 1)]
    between = before * (1 - fraction) + after * fraction
    nearer = np.where(2 * remainder <= n_steps, before, after)
    return np.where(np.isnan(between) | (remainder == 0), nearer, between)


def downsample(panel: Values, length: int) -> Values:
    """Average blocks of time points of series that are longer than wanted.

    A block has ``n_timepoints / length`` time points. One at the border of two blocks counts
    in both, each with its share.

    Parameters
    ----------
    panel : ndarray of shape (..., n_timepoints)
        Values; NaN where missing.
    length : int
        Number of blocks, at least 1.

    Returns
    -------
    ndarray of shape (..., min(n_timepoints, length))
        Averages of the known values of each block, of the same dtype, NaN if none is known;
        the panel itself if it is not longer.
    """
    n_timepoints = panel.shape[-1]
    if n_timepoints <= length:
        return panel
    places, units = np.divmod(np.arange(length + 1) * n_timepoints, length)
    starts, ends = places[:-1], np.minimum(places[1:], n_timepoints - 1)
    before, after = units[:-1] / length, units[1:] / length  # shares of the neighbouring blocks

    def add_up(values: Floats) -> Floats:
        sums = np.add.reduceat(values, starts, axis=-1)
        return np.asarray(sums - before * values[..., starts] + after * values[..., ends])

    known = ~np.isnan(panel)
    weight = known * (0.5 * length / n_timepoints)  # so small that no sum overflows
    sums, weights = add_up(np.where(known, panel, 0) * weight), add_up(weight)
    with np.errstate(over="ignore"):
        means = np.divide(sums, weights, where=weights > 0, out=np.zeros_like(sums))
    # Rounding must not give a constant any noise, nor exceed the largest float.
    border = np.where(after > 0, panel[..., ends], np.nan)
    lowest = np.fmin(np.fmin.reduceat(panel, starts, axis=-1), border)
    highest = np.fmax(np.fmax.reduceat(panel, starts, axis=-1), border)
    return means.clip(lowest, highest).astype(panel.dtype)


def window_starts(n_timepoints: int, length: int, stride: int) -> Indices:
    """Return where windows start so that they cover all time points.

    The first starts at 0. The last ends with the series, so its distance from the one
    before may be less than the stride.

    Parameters
    ----------
    n_timepoints : int
        Length of the series, at least ``length``.
    length : int
        Length of a window.
    stride : int
        Distance between windows, at most ``length``.

    Returns
    -------
    ndarray of int, shape (n_windows,)
        First time points, ascending.
    """
    last = n_timepoints - length
    return np.append(np.arange(0, last, stride, dtype=np.intp), np.intp(last))


def take_windows(series: NDArray[Scalar], starts: Indices, length: int) -> NDArray[Scalar]:
    """Copy windows of a series ``(n_channels, n_timepoints)``, one for each start.

    Returns ``(n_windows, n_channels, length)``.
    """
    windows = sliding_window_view(series, length, axis=-1)  # (C, n_starts, length)
    return np.ascontiguousarray(windows[:, starts].swapaxes(0, 1))


class Stitcher:
    """Weighted average of overlapping windows at each time point.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    n_timepoints : int
        Length of the series.
    length : int
        Length of a window.
    taper : bool
        Whether the weights fall linearly from the middle of a window to its ends, where
        they stay above 0. Otherwise they are equal.
    """

    def __init__(self, n_channels: int, n_timepoints: int, length: int, taper: bool) -> None:
        ramp = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1))
        self._taper = ramp / ramp.max() if taper else np.ones(length)
        self._sums = np.zeros((n_channels, n_timepoints))
        self._weights = np.zeros((n_channels, n_timepoints))

    def add(self, starts: Indices, windows: Values, weight: Values | None = None) -> None:
        """Add windows.

        Parameters
        ----------
        starts : ndarray of int, shape (n_windows,)
            First time points of the windows.
        windows : ndarray of shape (n_windows, n_channels, length)
            Finite values.
        weight : ndarray broadcastable to (n_windows, n_channels, length), default=None
            Weights that multiply those of the taper. None means 1.
        """
        weights = self._taper if weight is None else self._taper * weight
        weights = np.broadcast_to(weights, windows.shape)
        for start, window, factor in zip(starts, windows, weights, strict=True):
            covered = slice(start, start + window.shape[-1])
            self._sums[:, covered] += window * factor
            self._weights[:, covered] += factor

    def mean(self) -> Floats:
        """Return the averages ``(n_channels, n_timepoints)``, NaN where the weights are 0."""
        empty = np.full_like(self._sums, np.nan)
        return np.divide(self._sums, self._weights, out=empty, where=self._weights > 0)
