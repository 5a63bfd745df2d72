"""Series in the forms that the probe shows the network: numpy in, numpy out.

A form is a function of one series, ``(n_channels, n_timepoints)`` with NaN where missing, and gives
a series of as many channels. None depends on level and unit of a channel.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...network import standardize
from ...series import Values

__all__ = ["FORMS", "SMOOTH_FORMS", "Form", "changes", "paced", "sums", "unchanged"]

Form = Callable[[Values], Values]

_ROUNDING = 1e-5  # change from point to point, over the scale, that rounding can make
_REST = 1.0  # pace at rest, in mean paces: what is left of the time that nothing happens in


def unchanged(series: Values) -> Values:
    """Return the series itself."""
    return series


def changes(series: Values) -> Values:
    """Return the differences from point to point, which show fast detail.

    Parameters
    ----------
    series : ndarray of shape (n_channels, n_timepoints)
        The series.

    Returns
    -------
    ndarray of shape (n_channels, n_timepoints - 1)
        Of each channel, measured by its deviation; 0 where only rounding differs.
    """
    found = np.diff(standardize(series).values)
    span = np.ptp(np.nan_to_num(found), axis=-1, keepdims=True)
    return np.where(span > _ROUNDING, found, found * 0)


def sums(series: Values) -> Values:
    """Return running sums about the mean: of accelerations the speeds, of steps the way.

    Parameters
    ----------
    series : ndarray of shape (n_channels, n_timepoints)
        The series.

    Returns
    -------
    ndarray of shape (n_channels, n_timepoints)
        The sums; a missing value adds nothing and is missing.
    """
    z = standardize(series).values
    return np.where(np.isnan(z), np.nan, np.nan_to_num(z).cumsum(-1))


def paced(series: Values) -> Values:
    """Let time pass by what happens in all channels together rather than by the clock.

    Half of the time is shared out evenly, the other half by how far the channels move, so
    that pauses shrink, bursts widen, and events that begin at other times line up.

    Parameters
    ----------
    series : ndarray of shape (n_channels, n_timepoints)
        The series.

    Returns
    -------
    ndarray of shape (n_channels, n_timepoints)
        The series at other points, evenly spaced in that time.
    """
    steps = np.nan_to_num(np.diff(standardize(series).values))
    way = np.sqrt(np.square(steps).sum(0))
    if not way.any():
        return series
    clock = np.append(0, np.cumsum(way + _REST * way.mean()))
    even = np.linspace(0, clock[-1], len(clock))
    return _read_between(series, np.interp(even, clock, np.arange(len(clock))))


def _read_between(series: Values, places: NDArray[np.float64]) -> Values:
    """Interpolate linearly; beside a missing value take the nearer one."""
    left = np.minimum(places.astype(np.int64), series.shape[1] - 2)
    share = places - left
    before, after = series[:, left], series[:, left + 1]
    nearer = np.where(share > 0.5, after, before)
    between = before + share * (after - before)
    return np.where(np.isnan(between), nearer, between)


def _part_of_changes(first: float, last: float) -> Form:
    """Make a form of the changes within a part of the series, two at least."""

    def part(series: Values) -> Values:
        found = changes(series)
        n = found.shape[1]
        start = min(int(first * n), max(0, n - 2))
        return found[:, start : max(int(last * n), start + 2)]

    return part


def paced_sums(series: Values) -> Values:
    """Return running sums at their own pace."""
    return paced(sums(series))


# The form of most worth first, so that of many series the first ones are enough.
FORMS: dict[str, tuple[Form, ...]] = {
    # Pace and halves make sense of a series only that is one event from first to last point.
    "resample": (
        paced,
        changes,
        sums,
        unchanged,
        _part_of_changes(0.0, 0.5),
        _part_of_changes(0.5, 1.0),
        paced_sums,
    ),
    "window": (changes, unchanged, sums),
}
# As smooth as the series, or smoother.
SMOOTH_FORMS = frozenset({unchanged, sums, paced, paced_sums})
