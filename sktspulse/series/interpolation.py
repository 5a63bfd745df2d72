"""Interpolate gaps from the nearest known points, vectorised over series."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from .types import Flags, Floats, Indices, Values

__all__ = ["Neighbors", "interpolate_cubic", "interpolate_linear"]


class Neighbors(NamedTuple):
    """The known points around each point: arrays of shape (n_series, n_timepoints).

    If there is no known point on one side, the nearest one on the other side is
    repeated, so that extrapolation is constant.
    """

    before: Indices  # nearest known point at or before each point
    after: Indices  # nearest known point at or after each point
    before2: Indices  # next known point before ``before``
    after2: Indices  # next known point after ``after``

    @classmethod
    def from_mask(cls, known: Flags) -> Self:
        """Find the neighbours; every row of the mask needs a known point."""
        n = known.shape[-1]
        places = np.arange(n)
        before = np.maximum.accumulate(np.where(known, places, -1), -1)
        after = np.minimum.accumulate(np.where(known, places, n)[..., ::-1], -1)[..., ::-1]
        before2 = _look_up(before, before - 1, -1)
        after2 = _look_up(after, after + 1, n)
        before, after = np.where(before < 0, after, before), np.where(after >= n, before, after)
        before2 = np.where(before2 < 0, before, before2)
        return cls(before, after, before2, np.where(after2 >= n, after, after2))

    def distances(self) -> tuple[Indices, Indices]:
        """Return the distances to the nearer and to the farther known side [steps]."""
        places = np.arange(self.before.shape[-1])
        left, right = np.abs(places - self.before), np.abs(self.after - places)
        return np.minimum(left, right), np.maximum(left, right)


def _look_up(table: Indices, places: Indices, default: int) -> Indices:
    inside = (places >= 0) & (places < table.shape[-1])
    found = np.take_along_axis(table, np.where(inside, places, 0), -1)
    return np.where(inside, found, default)


def interpolate_linear(x: Values, neighbors: Neighbors) -> Values:
    """Interpolate each gap with a straight line, and extrapolate with constants.

    ``x`` has shape ``(n_series, n_timepoints)``; values at unknown points are ignored.
    """
    # Halves of the largest numbers have a finite difference.
    left, right = (np.take_along_axis(x, at, -1) / 2 for at in (neighbors.before, neighbors.after))
    return 2 * (left + (right - left) * _relative_position(neighbors))


def interpolate_cubic(x: Values, neighbors: Neighbors) -> Values:
    """Interpolate each gap with a cubic Hermite spline, and extrapolate with constants.

    The slope at a known point is that of the parabola through it and its two known
    neighbours, which on a regular grid gives the Catmull-Rom spline. ``x`` has shape
    ``(n_series, n_timepoints)``; values at unknown points are ignored.
    """
    at = (neighbors.before2, neighbors.before, neighbors.after, neighbors.after2)
    y = [np.take_along_axis(x, place, -1) for place in at]
    steps = [at[i + 1] - at[i] for i in range(3)]
    slopes = [(y[i + 1] - y[i]) / np.maximum(steps[i], 1) for i in range(3)]
    start = _parabola_slope(slopes[0], slopes[1], steps[0], steps[1]) * steps[1]
    end = _parabola_slope(slopes[2], slopes[1], steps[2], steps[1]) * steps[1]
    t = _relative_position(neighbors)
    rise = y[2] - y[1]
    curvature = t * (1 - t) * ((1 - t) * (start - rise) - t * (end - rise))
    return y[1] + rise * t + curvature


def _relative_position(neighbors: Neighbors) -> Floats:
    """Return the position of each point within its gap, from 0 to 1."""
    places = np.arange(neighbors.before.shape[-1])
    width = np.maximum(neighbors.after - neighbors.before, 1)
    return np.clip((places - neighbors.before) / width, 0, 1)


def _parabola_slope(
    outer: Values, inner: Values, outer_step: Indices, inner_step: Indices
) -> Values:
    """Average the slopes on both sides of a point, weighted by the step on the other side."""
    total = np.maximum(outer_step + inner_step, 1)
    average = (outer * inner_step + inner * outer_step) / total
    return np.where(outer_step > 0, average, inner)
