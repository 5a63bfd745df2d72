"""What the channels of a recording tell together: how one follows from others, and usual states."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from ..series import Floats
from .smoothing import smooth

__all__ = ["Coupling", "States"]

_LEAST_RIDGE = 0.005  # added to the variance of every channel, which is 1
_FARTHEST = 50.0  # deviations of a channel that count where others are guessed from it

_N_STATES = 20
_STATE_LENGTH = 8  # points that a state is the average of
_N_LEARNED = 5000  # points that states are learned from, evenly over the recording
_N_PARTS = 4  # of a recording, each of which is measured from the states of the others
_EDGE = 0.01  # share of the points on either side that may lie out of the range of a channel
_OUTSIDE = 4.0  # ranges from the middle that count


class Coupling(NamedTuple):
    """How each channel follows from the others at the same time: ridge regression."""

    weights: Floats  # (C, C), what makes errors of values; 0 for channels that stood still

    @classmethod
    def learn(cls, moves: Floats, still: NDArray[np.bool_]) -> Self:
        """Learn from channels in their deviations, some of which stood still.

        Parameters
        ----------
        moves : ndarray of shape (n_channels, n_timepoints)
            Channels; NaN where missing.
        still : ndarray of bool, shape (n_channels,)
            Channels that nothing can be learned from.

        Returns
        -------
        Coupling
            What was learned.
        """
        known = _known(moves)
        n_channels, n_timepoints = known.shape
        # The shorter the recording for its channels, the more they would seem to follow.
        ridge = max(_LEAST_RIDGE, n_channels / n_timepoints)
        products = known @ known.T / n_timepoints
        # The regressions of all channels at once: rows of the inverse, over its diagonal.
        inverse = np.linalg.inv(products + ridge * np.eye(n_channels))
        weights = inverse / np.diag(inverse)[:, None]
        return cls(np.where(still | still[:, None], 0.0, weights))

    def errors(self, channel: int, moves: Floats) -> Floats:
        """Square what the other channels do not tell of one.

        Parameters
        ----------
        channel : int
            Which one.
        moves : ndarray of shape (n_channels, n_timepoints)
            Channels in their deviations; NaN where missing.

        Returns
        -------
        ndarray of shape (n_timepoints,)
            Squared errors; NaN where the channel is missing.
        """
        errors = np.square(self.weights[channel] @ _known(moves))
        return np.where(np.isnan(moves[channel]), np.nan, errors)


def _known(moves: Floats) -> Floats:
    """Limit what single points can do, and take what is missing as the mean."""
    return np.clip(np.nan_to_num(moves), -_FARTHEST, _FARTHEST)


class States(NamedTuple):
    """Usual states of all channels at once, and how far others are from the nearest."""

    middles: Floats  # (C,) [deviations]
    ranges: Floats  # (C,), what of a channel is a unit of distance [deviations]
    centers: Floats  # (n_states, C) [ranges]
    trailing: bool

    @classmethod
    def learn(cls, moves: Floats, trailing: bool) -> Self:
        """Learn from channels in their deviations.

        Channels count by their range, as by its deviation a command that is rarely given
        would count more than all others.

        Parameters
        ----------
        moves : ndarray of shape (n_channels, n_timepoints)
            Channels; NaN where missing.
        trailing : bool
            Whether a state is made of the last points rather than of those around.

        Returns
        -------
        States
            What was learned.
        """
        edges = np.array([_edges(channel) for channel in moves])
        ranges = edges[:, 1] - edges[:, 0]
        middles, ranges = edges.mean(1), np.where(ranges > 0, ranges, 1)
        unlearned = cls(middles, ranges, np.empty((0, 0)), trailing)
        return unlearned._centered(unlearned._states(moves))

    def usual_distances(self, moves: Floats) -> Floats:
        """Measure the recording that was learned, as if it had not been.

        What was learned is nearer than all that comes later will be. So each quarter is
        measured from the states of the other three.

        Parameters
        ----------
        moves : ndarray of shape (n_channels, n_timepoints)
            The channels given to ``learn``.

        Returns
        -------
        ndarray of shape (n_channels, n_timepoints)
            Distances [ranges of the channel]; NaN where nothing is known.
        """
        states = self._states(moves)
        parts = np.array_split(states, _N_PARTS, axis=1)
        others = [np.concatenate(parts[:k] + parts[k + 1 :], axis=1) for k in range(_N_PARTS)]
        pairs = zip(parts, others, strict=True)
        return np.concatenate([self._centered(rest)._from(part) for part, rest in pairs], axis=1)

    def distances(self, moves: Floats) -> Floats:
        """Measure how far every channel is from the state that is nearest in all.

        Parameters
        ----------
        moves : ndarray of shape (n_channels, n_timepoints)
            Channels in their deviations; NaN where missing.

        Returns
        -------
        ndarray of shape (n_channels, n_timepoints)
            Distances [ranges of the channel]; NaN where nothing is known.
        """
        return self._from(self._states(moves))

    def _from(self, states: Floats) -> Floats:
        known = np.nan_to_num(states)
        squares = np.square(self.centers).sum(1)[:, None] - 2 * self.centers @ known
        return np.abs(states - self.centers[squares.argmin(0)].T)

    def _centered(self, states: Floats) -> Self:
        """Take the means of clusters as usual, of which the first are evenly spaced in time."""
        points = np.nan_to_num(states).T
        points = points[:: -(-len(points) // _N_LEARNED)]
        first = np.unique(points[:: -(-len(points) // _N_STATES)], axis=0)
        means = KMeans(len(first), init=first, n_init=1, random_state=0).fit(points)
        return self._replace(centers=means.cluster_centers_)

    def _states(self, moves: Floats) -> Floats:
        places = (moves - self.middles[:, None]) / self.ranges[:, None]
        np.clip(places, -_OUTSIDE, _OUTSIDE, out=places)
        for row in places:
            row[:] = smooth(row, _STATE_LENGTH, trailing=self.trailing)
        return places


def _edges(channel: NDArray[Any]) -> tuple[float, float]:
    """Return what a channel rarely leaves, or all it took if that is one value."""
    known = channel[np.isfinite(channel)]
    if not len(known):
        return 0.0, 0.0
    low, high = np.quantile(known, (_EDGE, 1 - _EDGE))
    return (low, high) if high > low else (known.min(), known.max())
