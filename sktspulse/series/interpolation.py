"""Fill gaps from the nearest known points alone: vectorised over series, numpy in, numpy out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .types import Values

__all__ = ["Neighbours", "cubic", "linear"]


@dataclass(frozen=True)
class Neighbours:
    """Hold, for every point of each series, the known points around it.

    A side without a known point repeats the nearest one of the other side, so that
    interpolation becomes a constant beyond the ends.

    Parameters
    ----------
    before, after : ndarray of int, of shape (n_series, n_timepoints)
        Nearest known place at or before a point, and at or after it.
    before2, after2 : ndarray of int, of shape (n_series, n_timepoints)
        The known places next to those, outwards.
    """

    before: NDArray[np.int64]
    after: NDArray[np.int64]
    before2: NDArray[np.int64]
    after2: NDArray[np.int64]

    @classmethod
    def of(cls, known: NDArray[np.bool_]) -> Neighbours:
        """Find the neighbours under a mask, True where known, any known point per row."""
        places = np.arange(known.shape[-1])
        before = np.maximum.accumulate(np.where(known, places, -1), -1)
        after = _accumulate_back(np.where(known, places, known.shape[-1]))
        before2 = _shifted(before, before, -1, -1)
        after2 = _shifted(after, after, 1, known.shape[-1])
        n = known.shape[-1]
        before, after = np.where(before < 0, after, before), np.where(after >= n, before, after)
        return cls(
            before,
            after,
            np.where(before2 < 0, before, before2),
            np.where(after2 >= n, after, after2),
        )

    def distances(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the distance to the nearer and to the farther of the two sides [steps]."""
        places = np.arange(self.before.shape[-1])
        left, right = np.abs(places - self.before), np.abs(self.after - places)
        return np.minimum(left, right), np.maximum(left, right)


def _accumulate_back(places: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.minimum.accumulate(places[..., ::-1], -1)[..., ::-1]


def _shifted(
    lookup: NDArray[np.int64], at: NDArray[np.int64], step: int, missing: int
) -> NDArray[np.int64]:
    """Look up the neighbour of the place one step beyond ``at``; ``missing`` beyond the ends."""
    place = at + step
    inside = (place >= 0) & (place < lookup.shape[-1])
    found = np.take_along_axis(lookup, np.where(inside, place, 0), -1)
    return np.where(inside, found, missing)


def linear(x: Values, neighbours: Neighbours) -> Values:
    """Draw a straight line between the known points on either side of each gap.

    Parameters
    ----------
    x : ndarray of shape (n_series, n_timepoints)
        Values; those at unknown points are not read.
    neighbours : Neighbours
        The known points around each point.

    Returns
    -------
    ndarray of shape (n_series, n_timepoints)
        Values at known points, lines between them, constants beyond the ends.
    """
    left, right = (np.take_along_axis(x, at, -1) for at in (neighbours.before, neighbours.after))
    return left + (right - left) * _position(neighbours)


def cubic(x: Values, neighbours: Neighbours) -> Values:
    """Draw a cubic through each gap whose slopes continue the known points around it.

    The slope at a known point is that of the parabola through it and its two known
    neighbours, which on a regular grid is the Catmull-Rom spline.

    Parameters
    ----------
    x : ndarray of shape (n_series, n_timepoints)
        Values; those at unknown points are not read.
    neighbours : Neighbours
        The known points around each point.

    Returns
    -------
    ndarray of shape (n_series, n_timepoints)
        Values at known points, cubics between them, constants beyond the ends.
    """
    at = (neighbours.before2, neighbours.before, neighbours.after, neighbours.after2)
    y = [np.take_along_axis(x, place, -1) for place in at]
    width = at[2] - at[1]
    chords = [_slope(y[i + 1] - y[i], at[i + 1] - at[i]) for i in range(3)]
    start = _parabola_slope(chords[0], chords[1], at[1] - at[0], width) * width
    end = _parabola_slope(chords[2], chords[1], at[3] - at[2], width) * width
    t = _position(neighbours)
    rise = y[2] - y[1]
    bend = t * (1 - t) * ((1 - t) * (start - rise) - t * (end - rise))
    return y[1] + rise * t + bend


def _position(neighbours: Neighbours) -> NDArray[np.float64]:
    """Return how far along its gap each point lies, from 0 to 1."""
    places = np.arange(neighbours.before.shape[-1])
    width = np.maximum(neighbours.after - neighbours.before, 1)
    return np.clip((places - neighbours.before) / width, 0, 1)


def _slope(rise: Values, run: NDArray[np.int64]) -> Values:
    return rise / np.maximum(run, 1)


def _parabola_slope(
    outer: Values, inner: Values, outer_run: NDArray[np.int64], inner_run: NDArray[np.int64]
) -> Values:
    """Weigh the slopes on both sides of a point by the other side's width."""
    total = np.maximum(outer_run + inner_run, 1)
    weighed = (outer * inner_run + inner * outer_run) / total
    return np.where(outer_run > 0, weighed, inner)
