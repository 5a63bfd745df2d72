"""Bringing series of any length to windows of one length, and back: numpy in, numpy out.

Time is the last axis everywhere, NaN is missing, and nothing given is changed.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .types import Indices, Values

__all__ = ["Stitcher", "resample", "take_windows", "window_starts"]

Scalar = TypeVar("Scalar", bound=np.generic)


def resample(panel: Values, length: int) -> Values:
    """Interpolate series linearly onto a time axis of another length.

    First and last time points stay where they are; the new ones lie evenly between
    them. So ``resample(resample(x, m), n)`` gives x of length n back if ``m - 1`` is a
    multiple of ``n - 1``, and for any m if x is a straight line.

    Parameters
    ----------
    panel : ndarray of shape (..., n_timepoints)
        Values; NaN where missing.
    length : int
        New number of time points, at least 1.

    Returns
    -------
    ndarray of shape (..., length)
        A copy, of the same dtype. A new point between a known and a missing one takes
        the nearer of the two, the earlier if both are as near, so that single missing
        points do not spread. A single time point is repeated.
    """
    n_timepoints = panel.shape[-1]
    if n_timepoints == length:
        return panel.copy()
    # Integers keep points that coincide with old ones free of rounding.
    n_steps = max(length - 1, 1)
    left, part = np.divmod(np.arange(length) * (n_timepoints - 1), n_steps)
    share = (part / n_steps).astype(panel.dtype)
    before, after = panel[..., left], panel[..., np.minimum(left + 1, n_timepoints - 1)]
    between = before * (1 - share) + after * share
    nearer = np.where(2 * part <= n_steps, before, after)
    return np.where(np.isnan(between) | (part == 0), nearer, between)


def window_starts(n_timepoints: int, length: int, stride: int) -> Indices:
    """Place windows on a series so that every time point lies in one at least.

    Parameters
    ----------
    n_timepoints : int
        Length of the series [time points], not less than ``length``.
    length : int
        Length of a window [time points].
    stride : int
        Steps from a window to the next [time points], at most ``length``.

    Returns
    -------
    ndarray of shape (n_windows,), int64
        First time points, ascending. The first is 0; the last window ends with the
        series, so it may begin less than a stride after the one before.
    """
    last = n_timepoints - length
    return np.append(np.arange(0, last, stride, dtype=np.int64), np.int64(last))


def take_windows(series: NDArray[Scalar], starts: Indices, length: int) -> NDArray[Scalar]:
    """Cut windows out of one series.

    Parameters
    ----------
    series : ndarray of shape (n_channels, n_timepoints)
        The series, or anything else that has a value for each of its points.
    starts : ndarray of shape (n_windows,)
        First time points.
    length : int
        Length of a window [time points].

    Returns
    -------
    ndarray of shape (n_windows, n_channels, length)
        A copy of these windows alone.
    """
    windows = sliding_window_view(series, length, axis=-1)  # (C, n_starts, length)
    return np.ascontiguousarray(windows[:, starts].swapaxes(0, 1))


class Stitcher:
    """Lay windows over each other and average them.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    n_timepoints : int
        Length of the series [time points].
    length : int
        Length of a window [time points].
    taper : bool
        Whether the middle of a window counts more than its ends, falling off in
        straight lines that stay above 0; otherwise all its points count the same.
    """

    def __init__(self, n_channels: int, n_timepoints: int, length: int, taper: bool) -> None:
        ramp = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1))
        self._profile = ramp / ramp.max() if taper else np.ones(length)
        self._sums = np.zeros((n_channels, n_timepoints))
        self._weights = np.zeros((n_channels, n_timepoints))

    def add(self, starts: Indices, windows: Values, weight: Values | None = None) -> None:
        """Add windows to those laid already.

        Parameters
        ----------
        starts : ndarray of shape (n_windows,)
            Time points of the series at which the windows begin.
        windows : ndarray of shape (n_windows, n_channels, length)
            Finite values.
        weight : ndarray broadcastable to (n_windows, n_channels, length), default=None
            How much each value counts, besides its place in the window. None counts
            all as 1.
        """
        weights = self._profile if weight is None else self._profile * weight
        weights = np.broadcast_to(weights, windows.shape)
        for start, window, share in zip(starts, windows, weights, strict=True):
            covered = slice(start, start + window.shape[-1])
            self._sums[:, covered] += window * share
            self._weights[:, covered] += share

    def mean(self) -> NDArray[np.float64]:
        """Return the weighted average at every time point.

        Returns
        -------
        ndarray of shape (n_channels, n_timepoints)
            The average; NaN where nothing with a positive weight was laid.
        """
        covered = self._weights > 0
        return np.divide(
            self._sums, self._weights, out=np.full_like(self._sums, np.nan), where=covered
        )
