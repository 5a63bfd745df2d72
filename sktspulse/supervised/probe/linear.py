"""What both linear models share: principal directions, and groups of features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from ...series import Indices, Values

__all__ = ["ALL_FEATURES", "MAX_RANK", "Columns", "Rotation", "add_up"]

MAX_RANK = 1000  # principal directions that are kept

Columns = slice | Indices
ALL_FEATURES: Sequence[Columns] = (slice(None),)


class Rotation(NamedTuple):
    """Features along their principal directions; inner products stay the same."""

    features: Values  # (n_rows, rank)
    basis: Values  # (n_features, rank)

    @classmethod
    def fit(cls, features: Values, max_rank: int = MAX_RANK) -> Self:
        """Rotate features; of more than ``max_rank`` directions, keep the longest."""
        n_rows, n_features = features.shape
        if n_rows <= n_features:
            values, vectors = _eigenvectors(features @ features.T, max_rank)
            lengths = np.sqrt(values)
            return cls(vectors * lengths, features.T @ (vectors / lengths))
        _, vectors = _eigenvectors(features.T @ features, max_rank)
        return cls(features @ vectors, vectors)

    def rotate_back(self, coefficients: Values) -> Values:
        """Turn coefficients of the rotated features into those of the original ones."""
        return np.asarray(coefficients @ self.basis.T)


def _eigenvectors(products: Values, max_rank: int) -> tuple[Values, Values]:
    """Return the largest eigenvalues above rounding, ascending, and their vectors."""
    values, vectors = np.linalg.eigh(products)
    kept = values > len(values) * np.finfo(np.float64).eps * values[-1]
    return values[kept][-max_rank:], vectors[:, kept][:, -max_rank:]


def add_up(parts: list[Values], groups: Sequence[Columns], n_features: int) -> Values:
    """Add the coefficients of groups up to coefficients of all features."""
    sums = np.zeros((len(parts[0]), n_features))
    for part, group in zip(parts, groups, strict=True):
        sums[:, group] += part
    return sums
