"""Grown decision trees as a few arrays, and their votes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ...network import side_by_side
from ...series import Flags, Floats, Indices, Integers, Values

__all__ = ["Forest"]

_BLOCK_ROWS = 4096
_BLOCK_WALKS = 1 << 15  # of one row through one tree, taken at once: the cache of a core holds them
_STEPS = 4  # of all walks before those at a leaf are left out


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
        votes = np.zeros((len(X), self.values.shape[1]))
        for first in range(0, len(X), _BLOCK_ROWS):
            rows = slice(first, first + _BLOCK_ROWS)
            answers = self._answers(X[rows])
            for tree, answer in enumerate(answers):
                votes[rows] += answer if counted is None else counted[tree, rows, None] * answer
        return votes

    def _answers(self, X: Values) -> Iterator[Floats]:
        """Yield the answer of each tree, ``(n_samples, n_outputs)``."""
        walk = _Walk.prepare(self, X)
        step = max(1, _BLOCK_WALKS // len(X))
        blocks = [self.roots[i : i + step] for i in range(0, len(self), step)]
        apply: Any = map if len(blocks) == 1 else side_by_side
        for leaves in apply(walk.leaves, blocks):
            yield from self.values.take(leaves, axis=0)


class _Walk(NamedTuple):
    """Samples and nodes, in types that are quick to look up. A leaf leads to itself."""

    n_samples: int
    columns: Values  # (n_features * n_samples,)
    starts: Indices  # (n_nodes,), of the column that a node looks at
    thresholds: Values
    right: Indices
    leaf_numbers: Indices

    @classmethod
    def prepare(cls, forest: Forest, X: Values) -> Self:
        """Look up what does not depend on the tree."""
        is_leaf = forest.right == 0
        starts = forest.features.astype(np.intp) * len(X)
        thresholds = np.where(is_leaf, np.float32(np.nan), forest.thresholds)  # to the right
        right = np.where(is_leaf, np.arange(len(is_leaf)), forest.right)
        return cls(len(X), X.T.ravel(), starts, thresholds, right, np.cumsum(is_leaf) - 1)

    def leaves(self, roots: Integers) -> Indices:
        """Return the number of the leaf of each sample, ``(n_trees, n_samples)``."""
        nodes = np.repeat(roots.astype(np.intp), self.n_samples)
        samples = np.tile(np.arange(self.n_samples), len(roots))
        found, walks = nodes.copy(), np.arange(len(nodes))
        while len(walks):
            for _ in range(_STEPS):
                nodes = self._step(nodes, samples)
            found[walks] = nodes
            going = np.flatnonzero(_take(self.right, nodes) != nodes)
            walks, nodes, samples = (_take(part, going) for part in (walks, nodes, samples))
        return self.leaf_numbers[found].reshape(len(roots), -1)

    def _step(self, nodes: Indices, samples: Indices) -> Indices:
        seen = _take(self.columns, _take(self.starts, nodes) + samples)
        goes_left = seen <= _take(self.thresholds, nodes)
        return np.where(goes_left, nodes + 1, _take(self.right, nodes))


def _take(array: NDArray[Any], indices: Indices) -> NDArray[Any]:
    """Look up indices that are known to be inside, which is quicker than to check them."""
    return array.take(indices, mode="clip")


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
