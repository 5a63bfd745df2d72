"""Relations between channels: regression on the others, and clusters of joint states."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..series import Flags, Floats, Values
from .smoothing import known_medians, moving_mean

__all__ = ["STATES_REACH", "ChannelRegression", "StateClusters", "joint_distance"]

_MIN_RIDGE = 0.005  # relative to the variance of a channel, which is 1
_MAX_REGRESSOR = 8.0  # standard deviations; larger values are clipped before the regression

_N_CLUSTERS = 20
_STATE_LENGTH = 8  # points that a state is averaged over
_MIN_KNOWN = 0.75  # of these
_MAX_POINTS = 5000  # points that are clustered, evenly spaced over the recording
_N_FOLDS = 4
_EDGE = 0.01  # fraction of the points on either side that may lie outside the range of a channel
_MAX_RANGES = 4.0  # ranges from the middle of a channel; states are clipped there
_MAX_NEW = 16  # points at which another value of a constant channel is news
_NEWS_LENGTH = 448  # points up to each one, among which they are counted
STATES_REACH = _STATE_LENGTH + _NEWS_LENGTH  # points around one, on which its state depends


class ChannelRegression(NamedTuple):
    """Ridge regression of every channel on the others at the same time."""

    covariance: Floats  # (C, C), with the ridge
    ridge: float
    constant: Flags  # (C,)

    @classmethod
    def fit(cls, scaled: Floats) -> Self:
        """Fit to scaled channels ``(C, T)``, NaN where missing."""
        known = _clip(scaled)
        n_channels, n_timepoints = known.shape
        # With few points for many channels, a weaker penalty would overfit.
        ridge = max(_MIN_RIDGE, n_channels / n_timepoints)
        pairs = np.isfinite(scaled).astype(np.float64)
        # Values that are missing do not weaken the relations of the others.
        counts = np.maximum(pairs @ pairs.T, 1)
        share = np.sqrt(np.outer(np.diag(counts), np.diag(counts))) / n_timepoints
        covariance = known @ known.T / n_timepoints / np.maximum(share, 1 / n_timepoints)
        constant = np.logical_not(known.any(1))
        return cls(covariance + ridge * np.eye(n_channels), ridge, constant)

    def errors(self, scaled: Floats) -> Floats:
        """Return the squared errors ``(C, T)`` of all channels, NaN where one is missing.

        Missing channels are no regressors. Errors are scaled to the variance with all of them.
        """
        known = np.isfinite(scaled)
        variances = self._inverse(np.ones(len(scaled), bool))[1]
        errors = np.full(scaled.shape, np.nan)
        patterns, which = np.unique(known, axis=1, return_inverse=True)
        for number, pattern in enumerate(patterns.T):
            points = np.flatnonzero(which == number)
            weights, own = self._inverse(pattern)
            deviations = weights @ _clip(scaled[pattern][:, points])
            factors = np.divide(variances[pattern], own, out=np.ones(len(own)), where=own > 0)
            errors[np.ix_(pattern, points)] = np.square(deviations) * factors[:, None]
        return errors

    def _inverse(self, chosen: Flags) -> tuple[Floats, Floats]:
        """Return weights that map chosen channels to their errors, and the errors' variances."""
        # All regressions at once: the rows of the inverse, divided by its diagonal.
        inverse = np.linalg.inv(self.covariance[np.ix_(chosen, chosen)])
        weights = inverse / np.diag(inverse)[:, None]
        constant = self.constant[chosen]
        weights = np.where(np.logical_or.outer(constant, constant), 0.0, weights)
        # Errors of close relations are much smaller than the ridge, which is no part of them.
        squares = np.square(weights) * self.ridge
        moments = weights @ self.covariance[np.ix_(chosen, chosen)] * weights
        return weights, np.maximum((moments - squares).sum(1), 0)


def _clip(scaled: Floats) -> Floats:
    """Limit the influence of single points; without missing values, which become 0."""
    return np.clip(np.nan_to_num(scaled), -_MAX_REGRESSOR, _MAX_REGRESSOR)


class StateClusters(NamedTuple):
    """Clusters of the joint states of all channels.

    Channels are divided by their range. Divided by its standard deviation, a command that is
    rarely given would outweigh all others.
    """

    middles: Floats  # (C,) [standard deviations]
    ranges: Floats  # (C,) [standard deviations]
    constant: Flags  # (C,)
    centers: Floats  # (n_clusters, C) [ranges]
    trailing: bool  # whether a state is averaged over the last points or over those around it

    @classmethod
    def fit(cls, scaled: Floats, trailing: bool) -> Self:
        """Fit to scaled channels ``(C, T)``, NaN where missing."""
        edges = np.array([_edges(channel) for channel in scaled])
        middles, ranges = edges.mean(1), edges[:, 1] - edges[:, 0]
        constant = ranges == 0
        ranges = np.where(constant, 1, ranges)
        states = _states(scaled, middles, ranges, trailing)
        return cls(middles, ranges, constant, _cluster(states), trailing)

    def distances(self, scaled: Floats) -> Floats:
        """Return the distance of each channel from the nearest state [ranges]: ``(C, T)``."""
        return _distances(self._states(scaled), self.centers)

    def cross_validated_distances(self, scaled: Floats) -> Floats:
        """Return the distances of the training recording, each quarter from the other three.

        Training states are closer to their own clusters than later states will be.
        """
        from sklearn.model_selection import KFold

        states = self._states(scaled)
        folds = KFold(_N_FOLDS).split(states.T)
        held_out = [
            _distances(states[:, test], _cluster(states[:, train])) for train, test in folds
        ]
        return np.concatenate(held_out, axis=1)

    def _states(self, scaled: Floats) -> Floats:
        states = _states(scaled, self.middles, self.ranges, self.trailing)
        for channel in np.flatnonzero(self.constant):
            _forget_old_news(states[channel])
        return states


def joint_distance(distances: Floats) -> Floats:
    """Return the Euclidean norm over channels, NaN where no channel is known."""
    norm = np.sqrt(np.square(np.nan_to_num(distances)).sum(0))
    return np.where(np.isnan(distances).all(0), np.nan, norm)


def _states(scaled: Floats, middles: Floats, ranges: Floats, trailing: bool) -> Floats:
    states = (scaled - middles[:, None]) / ranges[:, None]
    np.clip(states, -_MAX_RANGES, _MAX_RANGES, out=states)
    for row in states:
        row[:] = _typical(row, trailing)
    return states


def _forget_old_news(state: Floats) -> None:
    """Set a channel, constant in the training recording, to its usual value once others recur."""
    new = (np.nan_to_num(state) != 0).astype(np.float64)
    count = _NEWS_LENGTH * moving_mean(new, _NEWS_LENGTH, trailing=True)
    state[count > _MAX_NEW] = 0


def _typical(row: Floats, trailing: bool) -> Floats:
    """Return the median around each point, or up to it; NaN where it or too much is missing."""
    before = _STATE_LENGTH - 1 if trailing else _STATE_LENGTH // 2
    padded = np.pad(row, (before, _STATE_LENGTH - 1 - before), mode="edge")
    windows = sliding_window_view(padded, _STATE_LENGTH).T
    low, high = known_medians(windows)
    known = np.isfinite(row) & (np.isfinite(windows).mean(0) >= _MIN_KNOWN)
    return np.where(known, (low + high) / 2, np.nan)


def _cluster(states: Floats) -> Floats:
    """Return k-means centers, started from evenly spaced points so that they are reproducible."""
    from sklearn.cluster import KMeans

    points = np.nan_to_num(states).T
    points = points[:: -(-len(points) // _MAX_POINTS)]
    start = np.unique(points[:: -(-len(points) // _N_CLUSTERS)], axis=0)
    return KMeans(len(start), init=start, n_init=1, random_state=0).fit(points).cluster_centers_


def _distances(states: Floats, centers: Floats) -> Floats:
    """Return the distances from the center that is nearest in the known channels."""
    known = np.isfinite(states)
    squares = np.square(centers) @ known - 2 * centers @ np.where(known, states, 0)
    return np.abs(states - centers[squares.argmin(0)].T)


def _edges(channel: Values) -> tuple[float, float]:
    """Return the outer quantiles of a channel, or all of its range if they coincide."""
    known = channel[np.isfinite(channel)]
    if not len(known):
        return 0.0, 0.0
    low, high = np.quantile(known, (_EDGE, 1 - _EDGE))
    return (low, high) if high > low else (known.min(), known.max())
