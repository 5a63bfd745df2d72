"""Features along the directions that rows vary in: numpy in, numpy out."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_RANK", "Rotation"]

Floats = NDArray[np.floating[Any]]
MAX_RANK = 1000  # directions of features that are kept


class Rotation(NamedTuple):
    """Features along directions at right angles; distances and products stay the same.

    Of more directions than ``max_rank``, those that rows vary in most are kept.
    """

    features: Floats  # (n_rows, rank)
    basis: Floats  # (n_features, rank)

    @classmethod
    def of(cls, features: Floats, max_rank: int = MAX_RANK) -> Self:
        """Rotate features to the directions that rows vary in, from the least to the most."""
        n_rows, n_features = features.shape
        if n_rows <= n_features:
            values, vectors = _directions(features @ features.T, max_rank)
            lengths = np.sqrt(values)
            return cls(vectors * lengths, features.T @ (vectors / lengths))
        _, vectors = _directions(features.T @ features, max_rank)
        return cls(features @ vectors, vectors)

    def back(self, coefficients: Floats) -> Floats:
        """Turn coefficients of the rotated features into those of the features."""
        turned: Floats = coefficients @ self.basis.T
        return turned


def _directions(products: Floats, max_rank: int) -> tuple[Floats, Floats]:
    """Return the greatest eigenvalues, above rounding, and their vectors."""
    values, vectors = np.linalg.eigh(products)
    kept = values > len(values) * np.finfo(np.float64).eps * values[-1]
    return values[kept][-max_rank:], vectors[:, kept][:, -max_rank:]
