"""Representations of a series that the probe embeds, such as its differences.

A representation maps series, ``(..., n_channels, n_timepoints)`` with NaN where missing, to series
with as many channels. None depends on level and unit of a channel.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...network import standardize
from ...series import Floats, Values

__all__ = [
    "REPRESENTATIONS",
    "Representation",
    "count_representations",
    "cumulative_sums",
    "differences",
    "time_warped",
    "unchanged",
]

Representation = Callable[[Values], Values]

_ROUNDING = 1e-5  # range of differences, relative to the scale, that rounding alone can cause
_REST = 1.0  # speed of warped time at rest, relative to the mean speed


def unchanged(series: Values) -> Values:
    """Return the series itself."""
    return series


def differences(series: Values) -> Values:
    """Return differences of consecutive points of the standardised series: fast detail."""
    z = np.diff(standardize(series).values)
    span = np.ptp(np.nan_to_num(z), axis=-1, keepdims=True)
    return np.where(span > _ROUNDING, z, z * 0)


def cumulative_sums(series: Values) -> Values:
    """Return cumulative sums of the standardised series: of accelerations the velocities.

    A missing value adds nothing and stays missing.
    """
    z = standardize(series).values
    return np.where(np.isnan(z), np.nan, np.nan_to_num(z).cumsum(-1))


def time_warped(series: Values) -> Values:
    """Standardise, and resample along a time that passes faster where the series changes more.

    Half of that time is distributed evenly, half by the distance the channels move together.
    Pauses shrink, bursts widen, and events that start at different times align.
    """
    z = standardize(series).values
    steps = np.nan_to_num(np.diff(z))
    distance = np.sqrt(np.square(steps).sum(-2, keepdims=True))
    speed = distance + _REST * distance.mean(-1, keepdims=True)
    time = np.insert(speed.cumsum(-1), 0, 0, axis=-1)  # (..., 1, n_timepoints)
    warped = _interpolate(z, _even_places(time))
    return np.where(distance.any(-1, keepdims=True), warped, series)


def _even_places(time: Floats) -> Floats:
    """Return where, as fractional indices, evenly spaced times are."""
    places = np.arange(time.shape[-1])
    even = places * (time[..., -1:] / places[-1])  # np.linspace lets rows depend on each other
    even[..., -1] = time[..., -1]
    rows = zip(*(part.reshape(-1, len(places)) for part in (even, time)), strict=True)
    return np.reshape([np.interp(at, known, places) for at, known in rows], time.shape)


def _interpolate(series: Values, places: Floats) -> Values:
    """Interpolate linearly; next to a missing value, take the nearest value."""
    left = np.minimum(places.astype(np.int64), series.shape[-1] - 2)
    fraction = places - left
    before, after = (np.take_along_axis(series, at, -1) for at in (left, left + 1))
    nearest = np.where(fraction > 0.5, after, before)
    between = before + fraction * (after - before)
    return np.where(np.isnan(between), nearest, between)


def time_warped_sums(series: Values) -> Values:
    """Return cumulative sums along warped time."""
    return time_warped(cumulative_sums(series))


# Most useful first: of a large panel only the first ones are embedded.
REPRESENTATIONS: dict[str, tuple[Representation, ...]] = {
    # Warping makes sense only for a series that is a single event.
    "resample": (time_warped, differences, cumulative_sums, time_warped_sums),
    "sliding": (differences, unchanged, cumulative_sums),
}
_N_OF_ONE_CHANNEL = 3  # more tell nothing new unless channels move together


def count_representations(windowing: str, n_channels: int) -> int:
    """Return how many representations are worth their time."""
    n_available = len(REPRESENTATIONS[windowing])
    return min(n_available, _N_OF_ONE_CHANNEL) if n_channels == 1 else n_available
