"""Features along the directions that rows vary in: numpy in, numpy out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import Any, NamedTuple, Self

import numpy as np

from ...series import Integers, Values

__all__ = ["MAX_RANK", "Columns", "Rotation", "Rows", "as_set", "distinct"]

MAX_RANK = 1000  # directions of features that are kept


class Rotation(NamedTuple):
    """Features along directions at right angles; distances and products stay the same.

    Of more directions than ``max_rank``, those that rows vary in most are kept.
    """

    features: Values  # (n_rows, rank)
    basis: Values  # (n_features, rank)

    @classmethod
    def of(cls, features: Values, max_rank: int = MAX_RANK) -> Self:
        """Rotate features to the directions that rows vary in, from the least to the most."""
        n_rows, n_features = features.shape
        if n_rows <= n_features:
            values, vectors = _directions(features @ features.T, max_rank)
            lengths = np.sqrt(values)
            return cls(vectors * lengths, features.T @ (vectors / lengths))
        _, vectors = _directions(features.T @ features, max_rank)
        return cls(features @ vectors, vectors)

    def back(self, coefficients: Values) -> Values:
        """Turn coefficients of the rotated features into those of the features."""
        turned: Values = coefficients @ self.basis.T
        return turned


def _directions(products: Values, max_rank: int) -> tuple[Values, Values]:
    """Return the greatest eigenvalues, above rounding, and their vectors."""
    values, vectors = np.linalg.eigh(products)
    kept = values > len(values) * np.finfo(np.float64).eps * values[-1]
    return values[kept][-max_rank:], vectors[:, kept][:, -max_rank:]


def _never() -> bool:
    return False


Columns = slice | Integers
_ALL: Sequence[Columns] = (slice(None),)  # one group: all features


class Rows(NamedTuple):
    """Different rows in an order that does not depend on how they came."""

    features: Values  # (n_rows, n_features)
    targets: Any  # (n_rows,) classes from 0, or (n_rows, n_outputs)
    weights: Values  # (n_rows,) above 0

    def take(self, places: Any) -> Rows:
        """Return some of them."""
        return Rows(self.features[places], self.targets[places], self.weights[places])


def as_set(features: Values, targets: Any, weights: Values) -> Rows:
    """Join equal rows, drop those of weight 0, and sort by hash.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
        Numbers.
    targets : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        What belongs to each row; rows are equal if this is equal, too.
    weights : ndarray of shape (n_rows,)
        At least 0.

    Returns
    -------
    Rows
        The rows that are left; their weights are sums.
    """
    chosen, sums = distinct(features, targets, weights)
    return Rows(features[chosen], targets[chosen], sums)


def distinct(things: Any, targets: Any, weights: Values) -> tuple[Integers, Values]:
    """Choose different things of weight above 0, as ``as_set`` does, of whatever shape.

    Parameters
    ----------
    things : sequence of ndarray
        Rows, or series.
    targets : ndarray of shape (n_things,) or (n_things, n_outputs)
        What belongs to each; things are equal if this is equal, too.
    weights : ndarray of shape (n_things,)
        At least 0.

    Returns
    -------
    chosen : ndarray of shape (n_chosen,)
        Their places.
    sums : ndarray of shape (n_chosen,)
        Their weights, each the sum over all that are equal.
    """
    kept = np.flatnonzero(weights > 0)
    keys = np.array([_digest(things[i]) + _digest(targets[i]) for i in kept])
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    return kept[first], np.bincount(place, weights[kept]).astype(np.float64)


def _digest(row: Any) -> str:
    return hashlib.blake2b(np.ascontiguousarray(row).tobytes(), digest_size=16).hexdigest()


def _in_time(groups: Sequence[Columns], is_late: Callable[[], bool]) -> Iterator[Columns]:
    """Yield the first group, and the others as long as there is time."""
    yield groups[0]
    yield from takewhile(lambda _: not is_late(), groups[1:])


def _spread(parts: list[Values], groups: Sequence[Columns], n_features: int) -> Values:
    """Add coefficients of groups up to those of all features."""
    sums = np.zeros((len(parts[0]), n_features))
    for part, group in zip(parts, groups, strict=False):  # the last ones were begun too late
        sums[:, group] += part
    return sums
