"""Grown decision trees as a few arrays, and their votes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from ...network import side_by_side
from ...series import Flags, Floats, Indices, Integers, Values

__all__ = ["Forest"]

_BLOCK_ROWS = 1024
_BLOCK_WALKS = 1 << 15  # of one row through one tree, taken at once: the cache of a core holds them


@dataclass(frozen=True, eq=False)
class Forest:
    """The nodes of all trees, one after the other, each followed by its child on the left.

    Beside scikit-learn's trees, arrays take a quarter of the bytes, and belong to no version.
    """

    roots: Integers  # (n_trees,), first node of each tree
    right: Integers  # (n_nodes,), child on the right; 0 for a leaf
    features: Integers  # (n_nodes,), column that a node looks at
    thresholds: Values  # (n_nodes,), greatest value that goes to the left
    values: Floats  # (n_leaves, n_outputs), share of each class, or mean of each target
    n_features: int

    def __post_init__(self) -> None:
        """Reject arrays in which a walk would not end at a leaf, as a file may hold any."""
        if not (_has_sizes(self) and _has_ends(self)):
            raise ValueError("The nodes of its trees do not form trees.")

    @classmethod
    def from_trees(cls, trees: Sequence[Any]) -> Self:
        """Take from fitted trees of scikit-learn what answers need."""
        nodes = [tree.tree_ for tree in trees]
        roots = np.cumsum([0, *(one.node_count for one in nodes)])[:-1]
        pairs = list(zip(nodes, roots, strict=True))
        right = np.concatenate([_right_children(one, root) for one, root in pairs])
        is_leaf = right == 0
        features = np.concatenate([one.feature for one in nodes])
        values = np.concatenate([one.value.reshape(one.node_count, -1) for one in nodes])
        return cls(
            roots.astype(np.int32),
            right.astype(np.int32),
            np.where(is_leaf, 0, features).astype(np.int32),
            _rounded_down(np.concatenate([one.threshold for one in nodes])),
            values[is_leaf],
            int(nodes[0].n_features),
        )

    def __len__(self) -> int:
        return len(self.roots)

    def votes(self, X: Values, counted: Flags | None = None) -> Floats:
        """Add up the answers of the trees, or of those ``counted``, ``(n_trees, n_samples)``."""
        if X.shape[1] != self.n_features:
            raise ValueError(f"The trees have {self.n_features} features, but X has {X.shape[1]}.")
        if counted is None:
            counted = np.ones((len(self), len(X)), bool)
        blocks = [slice(first, first + _BLOCK_ROWS) for first in range(0, len(X), _BLOCK_ROWS)]
        parts = side_by_side(lambda rows: self._votes(X[rows], counted[:, rows]), blocks)
        return np.concatenate([np.zeros((0, self.values.shape[1])), *parts])

    def _votes(self, X: Values, counted: Flags) -> Floats:
        votes = np.zeros((len(X), self.values.shape[1]))
        for flags, answer in zip(counted, self._answers(X), strict=True):
            votes += flags[:, None] * answer
        return votes

    def _answers(self, X: Values) -> Iterator[Floats]:
        """Yield the answer of each tree, ``(n_samples, n_outputs)``."""
        walk = _Walk.prepare(self, X)
        step = max(1, _BLOCK_WALKS // len(X))
        for first in range(0, len(self), step):
            leaves = walk.leaves(self.roots[first : first + step])
            yield from self.values.take(leaves, axis=0)


class _Walk(NamedTuple):
    """Samples and nodes, in types that are quick to look up."""

    n_samples: int
    columns: Values  # (n_features * n_samples,)
    starts: Indices  # (n_nodes,), of the column that a node looks at
    thresholds: Values
    right: Indices
    leaf_numbers: Indices

    @classmethod
    def prepare(cls, forest: Forest, X: Values) -> Self:
        right = forest.right.astype(np.intp)
        starts = forest.features.astype(np.intp) * len(X)
        numbers = np.cumsum(right == 0) - 1
        return cls(len(X), X.T.ravel(), starts, forest.thresholds, right, numbers)

    def leaves(self, roots: Integers) -> Indices:
        """Return the number of the leaf of each sample, ``(n_trees, n_samples)``."""
        nodes = np.repeat(roots.astype(np.intp), self.n_samples)
        found = np.empty_like(nodes)
        walks = np.arange(len(nodes))  # those that are not at a leaf yet
        samples = walks % self.n_samples
        while len(walks):
            right = self.right.take(nodes)
            at_leaf = right == 0
            if at_leaf.any():
                found[walks[at_leaf]] = nodes[at_leaf]
                going = np.flatnonzero(~at_leaf)
                walks, samples, nodes, right = (
                    part.take(going) for part in (walks, samples, nodes, right)
                )
            seen = self.columns.take(self.starts.take(nodes) + samples)
            nodes = np.where(seen <= self.thresholds.take(nodes), nodes + 1, right)
        return self.leaf_numbers[found].reshape(len(roots), -1)


def _has_sizes(forest: Forest) -> bool:
    """Return whether the sizes of the arrays fit each other."""
    n_nodes = len(forest.right)
    n_leaves = np.count_nonzero(np.equal(forest.right, 0))
    found = [one.shape for one in (forest.right, forest.features, forest.thresholds)]
    return (
        found == 3 * [(n_nodes,)]
        and forest.roots.ndim == 1
        and forest.values.ndim == 2
        and len(forest.values) == n_leaves
    )


def _has_ends(forest: Forest) -> bool:
    """Return whether every walk goes forward inside its tree, so that it ends at a leaf."""
    n_nodes, inner = len(forest.right), np.flatnonzero(forest.right)
    bounds = np.append(forest.roots, n_nodes)
    sizes = np.diff(bounds)
    if bounds[0] != 0 or not (sizes > 0).all():
        return False
    ends = np.repeat(bounds[1:], sizes)[inner]
    right, features = forest.right[inner], forest.features
    goes_on = ((right > inner + 1) & (right < ends)).all()
    return bool(goes_on and ((features >= 0) & (features < forest.n_features)).all())


def _right_children(tree: Any, root: int) -> Integers:
    """Return the numbers of the children on the right; those on the left must come next."""
    right = tree.children_right
    following = np.arange(1, tree.node_count + 1)
    if (tree.children_left != np.where(right < 0, right, following)).any():
        raise ValueError("The nodes of the tree are not in depth-first order.")
    return np.where(right < 0, 0, right + root)


def _rounded_down(thresholds: Values) -> Values:
    """Return the greatest numbers in single precision that are not above the thresholds.

    They part values in single precision as the thresholds do.
    """
    rounded = thresholds.astype(np.float32)
    lower = np.nextafter(rounded, np.float32(-np.inf))
    return np.where(rounded > thresholds, lower, rounded)
