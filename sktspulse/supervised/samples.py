"""Labelled samples, series or feature vectors, as one value."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np

from ..series import Floats

__all__ = ["Samples", "merge_duplicates"]


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
    """Merge equal samples, drop those of weight 0, and sort by hash.

    The result depends neither on the order of the samples nor on whether one is repeated or
    has an integer weight.
    """
    kept = np.flatnonzero(samples.weights > 0)
    keys = np.array([_digest(samples.X[i]) + _digest(samples.y[i]) for i in kept])
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    sums = np.bincount(place, samples.weights[kept]).astype(np.float64)
    return samples.take(kept[first])._replace(weights=sums)


def _digest(values: Any) -> str:
    return hashlib.blake2b(np.ascontiguousarray(values).tobytes(), digest_size=16).hexdigest()
