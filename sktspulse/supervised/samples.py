"""Labelled samples, series or feature vectors, as one value."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np

from ..network import standardize
from ..series import Floats, Indices, Values, stacks
from .levels import RobustLevelScaler, level_features

__all__ = ["Samples", "merge_duplicates", "moments"]


class Samples(NamedTuple):
    """Series or feature vectors with their targets and weights."""

    X: Any  # list of series, or (n_samples, n_features)
    y: Any  # (n_samples,) class codes from 0, or (n_samples, n_outputs)
    weights: Floats  # (n_samples,)

    def take(self, chosen: Any) -> Samples:
        """Return the samples that indices or a mask choose."""
        indices = np.arange(len(self.y))[chosen]
        X = [self.X[i] for i in indices] if isinstance(self.X, list) else self.X[indices]
        return Samples(X, self.y[indices], self.weights[indices])


def merge_duplicates(samples: Samples) -> Samples:
    """Merge equal samples, drop those of weight 0, and sort.

    The result depends neither on the order of the samples nor on whether one is repeated or
    has an integer weight. Up to rounding, the order of the result depends neither on the units
    and levels of channels, nor on the type of the numbers.
    """
    kept = np.flatnonzero(samples.weights > 0)
    keys = np.array([_digest(samples.X[i]) + _digest(samples.y[i]) for i in kept])
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    sums = np.bincount(place, samples.weights[kept]).astype(np.float64)
    merged = samples.take(kept[first])._replace(weights=sums)
    return merged.take(_order(merged))


def _order(samples: Samples) -> Indices:
    """Sort by a projection of shapes and relative levels, which change of units leaves alone."""
    panel = [np.atleast_2d(one) for one in samples.X]
    levels = level_features(panel)
    relative = RobustLevelScaler.fit(levels, samples.weights)(levels)
    projections = np.concatenate([_projections(block) for block in stacks(panel)]) + relative.sum(1)
    targets = samples.y.reshape(len(panel), -1).T
    # What has one projection differs in levels alone, which do not vary much, or in targets.
    return np.lexsort((*targets, (np.nan_to_num(levels) / levels.shape[1]).sum(1), projections))


def _projections(panel: Values) -> Floats:
    z = np.nan_to_num(standardize(panel).values).sum(1)
    wave = np.cos(np.arange(z.shape[1]))
    return np.array([row @ wave for row in z]) / np.sqrt(len(wave))


def _digest(values: Any) -> str:
    return hashlib.blake2b(np.ascontiguousarray(values).tobytes(), digest_size=16).hexdigest()


def moments(values: Values, weights: Values) -> tuple[Values, Values]:
    """Return weighted mean and standard deviation of columns, 1 instead of 0."""
    shares = weights / weights.sum()
    loc = shares @ values
    scale = np.sqrt(shares @ np.square(values - loc))
    return loc, np.where(scale > 0, scale, 1)
