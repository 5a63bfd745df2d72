"""Blend the candidates for a missing value, with weights fitted at hidden points.

Near a known point of a smooth series, interpolation is hard to beat. Far inside a gap, only the
network and other periods know the shape. The weights therefore depend on the channel and on the
distances to the nearest known points on both sides. They are not negative and add up to one, so a
fill lies among its candidates.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..series import Floats, Integers, Neighbors

__all__ = [
    "CANDIDATES",
    "DISTANCE_GROUP",
    "N_DISTANCES",
    "N_GAP_BINS",
    "POINT_WEIGHTS",
    "PRIOR_POINTS",
    "blend",
    "error_products",
    "fit_convex_weights",
    "fit_weights",
    "gap_bins",
    "ridge_by_bin",
    "time_head_weights",
]

CANDIDATES = ("time", "frequency", "anchored", "seasonal", "anchored seasonal", "cubic", "linear")
PRIOR_POINTS = 20.0  # number of points that a prior counts as
_EDGES = np.array([2, 3, 5, 9, 17, 33, 65, 129, 257])  # of the bins of a distance [steps]
N_DISTANCES = len(_EDGES) + 1
_N_TWO_SIDED = N_DISTANCES**2
N_GAP_BINS = _N_TWO_SIDED + N_DISTANCES
# Bins with the same distance to the nearest known point, on both sides or on one side only.
DISTANCE_GROUP = np.append(
    np.arange(_N_TWO_SIDED) // N_DISTANCES, N_DISTANCES + np.arange(N_DISTANCES)
)
# A gap has about as many points in a bin as the bin is wide. They count as the square root.
POINT_WEIGHTS = 1 / np.sqrt(np.diff([1, *_EDGES, 2 * _EDGES[-1]]))[DISTANCE_GROUP % N_DISTANCES]
_NETWORK_REACH = 7  # groups of distances for which the network is the prior
_TIME_HEAD, _SEASONAL, _ANCHORED_SEASONAL, _LINE = np.eye(len(CANDIDATES))[[0, 3, 4, 6]]
_NOT_SEASONAL = np.array([0, 1, 2, 5, 6])
# Without and with other periods: within reach of the network, and beyond, on both sides and one.
_PRIORS = (_TIME_HEAD, _LINE, _LINE), (_TIME_HEAD, _ANCHORED_SEASONAL, _SEASONAL)
_N_NEAR_PRIOR, _N_FAR_PRIOR = 1.0, 2.0  # points that these priors count as
_PARENT_POINTS = 5.0  # that the evidence of all channels, or of a whole group, counts as
_ENOUGH_POINTS = 100.0  # to need hardly any other evidence
_LEAST_FALL = 1 / 16  # of a squared error at half the distance, as that of a line across a curve
_NEAR_ONE = 1e4  # weight of the condition that weights add up to one


def gap_bins(neighbors: Neighbors) -> Integers:
    """Return the bin of each point, from its distances to the known points on both sides.

    Bins are numbered from 0 to ``N_GAP_BINS - 1``. The last ones are for points before the first
    or after the last known point.
    """
    near, far = (np.digitize(distance, _EDGES) for distance in neighbors.distances())
    is_one_sided = neighbors.before == neighbors.after
    bins: Integers = np.where(is_one_sided, _N_TWO_SIDED + near, near * N_DISTANCES + far)
    return bins


def time_head_weights(n_channels: int) -> Floats:
    """Return the weights of the network's time head alone."""
    return np.tile(_TIME_HEAD, (n_channels, 2, N_GAP_BINS, 1))


def error_products(errors: Floats, bins: Integers) -> Floats:
    """Sum the products of the errors of candidates ``(n_points, n_candidates)``, in each bin.

    The shape is ``(2, n_bins, n_candidates + 1, n_candidates + 1)``: points without other periods
    first, then those with them. The last row and column hold sums, the corner the number of points.
    Each point counts as less than one, since errors of neighbours are alike.
    """
    extended = np.column_stack([errors, np.ones(len(errors))])
    is_complete = ~np.isnan(errors).any(1)
    parts = [(np.nan_to_num(extended)[rows], bins[rows]) for rows in (~is_complete, is_complete)]
    return np.stack([_products_by_bin(*part) for part in parts])


def _products_by_bin(rows: Floats, bins: Integers) -> Floats:
    order = np.argsort(bins, kind="stable")
    ends = np.searchsorted(bins[order], np.arange(1, N_GAP_BINS))
    sums = np.stack([one.T @ one for one in np.split(rows[order], ends)])
    return sums * POINT_WEIGHTS[:, None, None] ** 2


def fit_weights(products: Floats) -> Floats:
    """Fit weights ``(n_channels, 2, n_bins, n_candidates)`` to the products of each channel.

    The first ones are for points that no other period has a value for; other points are weak
    evidence for them. The evidence of a bin is completed by that of all bins at the same distance
    to the nearest known point, this by that of all channels, and this by that of smaller distances.
    """
    weights = np.zeros((*products.shape[:3], len(CANDIDATES)))
    for kind, chosen in enumerate((_NOT_SEASONAL, np.arange(len(CANDIDATES)))):
        parts = np.append(chosen, len(CANDIDATES))
        own = products[:, kind]
        if kind == 0:
            own = _completed(own, products[:, 1])
        own = own[..., parts[:, None], parts]
        priors = [prior[chosen] for prior in _PRIORS[kind]]
        weights[:, kind][..., chosen] = fit_convex_weights(own, priors, [-3, -2])
    return weights


def fit_convex_weights(products: Floats, priors: Sequence[Floats], narrowing: list[int]) -> Floats:
    """Fit the weights ``(n_channels, n_bins, n_candidates)`` of one kind of points.

    There are three priors: near known points, far from those on both sides, and on one side.
    """
    products = _with_finer(products, narrowing)
    members = [np.flatnonzero(group == DISTANCE_GROUP) for group in range(2 * N_DISTANCES)]
    groups = np.stack([products[:, bins].sum(1) for bins in members], 1)
    weights, common = np.empty((*products.shape[:2], len(priors[0]))), groups[0, 0] * 0
    for group in range(groups.shape[1]):
        is_one_sided, distance = divmod(group, N_DISTANCES)
        if is_one_sided:
            common = _as_points(common) + _as_points(groups[:, distance].sum(0))
        common = groups[:, group].sum(0) + _as_points(common)
        is_near = distance < _NETWORK_REACH
        prior = priors[0] if is_near else priors[1 + is_one_sided]
        n_prior = _N_NEAR_PRIOR if is_near else _N_FAR_PRIOR
        prior = _least_error(common, prior, n_prior)
        for channel in range(len(products)):
            parent = groups[channel, group] + _as_points(common)
            expected = _least_error(parent, prior, n_prior)
            for one in members[group]:
                evidence = products[channel, one] + _as_points(parent)
                weights[channel, one] = _least_error(evidence, expected, n_prior)
    return weights


def _with_finer(products: Floats, narrowing: list[int]) -> Floats:
    """Complete the evidence of gaps that are finer than any hidden one.

    If every fifth point is known, no hidden point is nearer than five steps to a known one. A fine
    gap then has the evidence of one that is twice as wide on both sides. The errors of narrowing
    candidates fall as between coarser gaps.
    """
    completed = products.copy()
    shape = (-1, N_DISTANCES, N_DISTANCES, *products.shape[2:])
    for one in completed[:, :_N_TWO_SIDED].reshape(shape):
        enough = np.flatnonzero(one[..., -1, -1].sum(1) >= PRIOR_POINTS)
        for near in range(enough[0] - 1, -1, -1) if len(enough) else ():
            coarser = np.concatenate([one[near + 1, 1:], one[near + 1, -1:]])
            fall = np.ones(products.shape[-1])
            fall[narrowing] = _fall(one[near + 1 : near + 3].sum(1))[narrowing]
            one[near] = _completed(one[near], coarser * np.outer(fall, fall))
    return completed


def _fall(products: Floats) -> Floats:
    """Return the ratio of the errors of each candidate at two distances, at most 1."""
    squares = np.diagonal(products, axis1=1, axis2=2)
    mean = squares / squares[:, -1:].clip(np.finfo(np.float64).tiny)
    ratios = np.divide(mean[0], mean[-1], out=np.ones(mean.shape[1]), where=mean[-1] > 0)
    return np.sqrt(ratios.clip(_LEAST_FALL, 1))


def _completed(products: Floats, others: Floats) -> Floats:
    """Add other evidence: as many points as are missing to enough, and always a few."""
    lacking = (_ENOUGH_POINTS - products[..., -1:, -1:]).clip(_PARENT_POINTS)
    return products + others * (lacking / others[..., -1:, -1:].clip(lacking))


def _as_points(products: Floats) -> Floats:
    """Scale evidence down to that of a few points."""
    scaled: Floats = products * (_PARENT_POINTS / products[..., -1:, -1:].clip(_PARENT_POINTS))
    return scaled


def _least_error(products: Floats, prior: Floats, n_prior: float) -> Floats:
    """Return the convex weights with the least squared error, near a prior if evidence is weak."""
    from scipy.optimize import nnls

    squares, n_points = products[:-1, :-1], products[-1, -1]
    scale = prior @ squares @ prior
    if n_points == 0 or scale <= np.finfo(np.float64).eps * np.trace(squares):
        return prior
    squares = squares / scale
    penalty = n_prior / n_points
    upper = np.linalg.cholesky(squares + penalty * np.eye(len(prior))).T
    target = np.linalg.solve(upper.T, penalty * prior)
    scale = _NEAR_ONE * np.sqrt(np.trace(squares))
    weights: Floats = nnls(
        np.vstack([upper, np.full(len(prior), scale)]), np.append(target, scale)
    )[0]
    return weights / weights.sum()


def blend(candidates: Floats, bins: Integers, weights: Floats) -> Floats:
    """Return the weighted sum of the candidates of each point, ``(n_points,)``.

    The weights ``(2, n_bins, n_candidates)`` are those of one channel. Candidates from other
    periods are NaN where these have no value.
    """
    is_complete = ~np.isnan(candidates).any(1)
    own = weights[is_complete.astype(int), bins]
    return np.einsum("nk,nk->n", np.nan_to_num(candidates), own)


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
