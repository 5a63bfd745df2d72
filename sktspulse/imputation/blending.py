"""Blend the candidates for a missing value, with weights fitted at hidden points.

Near a known point of a smooth series, interpolation is hard to beat. Far inside a gap, only the
network and other periods know the shape. The weights therefore depend on the channel and on the
distances to the nearest known points on both sides.
"""

from __future__ import annotations

import numpy as np

from ..series import Floats, Integers

__all__ = [
    "CANDIDATES",
    "N_FARTHER_BINS",
    "N_GAP_BINS",
    "PRIOR_POINTS",
    "blend",
    "fit_weights",
    "gap_bins",
    "ridge_by_bin",
    "time_head_weights",
]

CANDIDATES = ("time", "frequency", "seasonal", "cubic", "linear")
PRIOR_POINTS = 20.0  # number of points that a prior counts as
_NEARER_EDGES = np.array([2, 3, 5, 9, 17, 33])  # of the bins of the nearer distance [steps]
_FARTHER_EDGES = np.array([2, 3, 5, 9, 17, 33, 65])
N_FARTHER_BINS = len(_FARTHER_EDGES) + 1
N_GAP_BINS = (len(_NEARER_EDGES) + 1) * N_FARTHER_BINS
_PRIOR_WEIGHTS = np.array([0.35, 0.35, 0.0, 0.0, 0.3])  # of a channel without hidden points


def gap_bins(nearer: Integers, farther: Integers) -> Integers:
    """Return the bin of each point, from its distances to the known points on both sides [steps].

    Bins are numbered from 0 to ``N_GAP_BINS - 1``. The number divided by ``N_FARTHER_BINS`` is
    the bin of the nearer distance.
    """
    near, far = np.digitize(nearer, _NEARER_EDGES), np.digitize(farther, _FARTHER_EDGES)
    return near * N_FARTHER_BINS + far


def time_head_weights(n_channels: int) -> Floats:
    """Return weights ``(n_channels, n_bins, 5)`` that use the network's time head alone."""
    return np.tile(np.eye(len(CANDIDATES))[0], (n_channels, N_GAP_BINS, 1))


def fit_weights(candidates: Floats, truth: Floats, bins: Integers) -> Floats:
    """Fit the weights ``(n_bins, 5)`` of one channel to candidates ``(n_points, 5)``.

    The weights of a bin sum to one, so a constant added to the series is added to the result.
    """
    line = candidates[:, -1:]
    differences = candidates[:, :-1] - line
    weights = ridge_by_bin(differences, truth - line[:, 0], bins, N_GAP_BINS, _PRIOR_WEIGHTS[:-1])
    return np.column_stack([weights, 1 - weights.sum(1)])


def blend(candidates: Floats, bins: Integers, weights: Floats) -> Floats:
    """Return the weighted sum of the candidates of each point, ``(n_points,)``."""
    return np.einsum("nk,nk->n", candidates, weights[bins])


def ridge_by_bin(X: Floats, y: Floats, bins: Integers, n_bins: int, prior: Floats) -> Floats:
    """Return the ridge coefficients of each bin, ``(n_bins, n_features)``.

    The coefficients of a bin are shrunk towards those of all points, and these towards ``prior``.
    """
    centre = _ridge(X, y, prior)
    order = np.argsort(bins, kind="stable")
    ends = np.searchsorted(bins[order], np.arange(1, n_bins))
    return np.stack([_ridge(X[points], y[points], centre) for points in np.split(order, ends)])


def _ridge(X: Floats, y: Floats, prior: Floats) -> Floats:
    """Solve least squares with a penalty on the distance to ``prior``."""
    if not len(y):
        return prior
    penalty = PRIOR_POINTS * max(X.var(), np.finfo(np.float64).tiny)
    gram = X.T @ X + penalty * np.eye(X.shape[1])
    return prior + np.linalg.solve(gram, X.T @ (y - X @ prior))
