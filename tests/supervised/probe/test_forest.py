"""Forests answer as scikit-learn's trees do, and arrays that are none are refused."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from sklearn.tree import ExtraTreeClassifier, ExtraTreeRegressor

from sktspulse.supervised.probe import forest as module
from sktspulse.supervised.probe.forest import Forest

N_FEATURES = 7


def draw(n, seed=0):
    """Draw features, some of which have few values, so that there are ties at thresholds."""
    X = np.random.default_rng(seed).normal(size=(n, N_FEATURES)) * 10
    X[:, ::2] = X[:, ::2].round() / 3
    return X.astype(np.float32)


def grow(kind, n_trees=9, n=60):
    X, rng = draw(n), np.random.default_rng(1)
    if kind == "classes":
        trees = [ExtraTreeClassifier(random_state=seed) for seed in range(n_trees)]
        return [tree.fit(X, rng.integers(3, size=n)) for tree in trees]
    y = X[:, : {"number": 1, "numbers": 2}[kind]] + rng.normal(size=(n, 1))
    trees = [ExtraTreeRegressor(random_state=seed, max_depth=1 + seed) for seed in range(n_trees)]
    return [tree.fit(X, y) for tree in trees]


KINDS = pytest.mark.parametrize("kind", ["classes", "number", "numbers"])


def naive(trees, X):
    """Return what each tree says, ``(n_trees, n_samples, n_outputs)``."""
    return np.stack([tree.tree_.predict(X).reshape(len(X), -1) for tree in trees])


@KINDS
@pytest.mark.parametrize("n", [1, 3, 60])
def test_votes_are_those_of_the_trees_to_the_bit(kind, n):
    trees, X = grow(kind), draw(n, seed=2)
    expected = sum(naive(trees, X))
    np.testing.assert_array_equal(Forest.from_trees(trees).votes(X), expected)


@KINDS
def test_only_some_trees_are_counted(kind):
    trees, X = grow(kind), draw(20, seed=2)
    counted = np.random.default_rng(3).random((len(trees), len(X))) < 0.5
    expected = sum(counted[:, :, None] * naive(trees, X))
    np.testing.assert_array_equal(Forest.from_trees(trees).votes(X, counted), expected)


def test_values_at_a_threshold_go_where_the_trees_send_them():
    trees = grow("number")
    forest = Forest.from_trees(trees)
    near = [np.nextafter(forest.thresholds, np.float32(x)) for x in (-np.inf, np.inf)]
    column = np.concatenate([forest.thresholds, *near])
    X = np.repeat(column[:, None], N_FEATURES, axis=1)
    np.testing.assert_array_equal(forest.votes(X), sum(naive(trees, X)))


def test_the_answer_to_a_sample_does_not_depend_on_the_others(monkeypatch):
    forest, X = Forest.from_trees(grow("classes")), draw(50, seed=2)
    together = forest.votes(X)
    np.testing.assert_array_equal(np.concatenate([forest.votes(row[None]) for row in X]), together)
    monkeypatch.setattr(module, "_BLOCK_ROWS", 7)
    monkeypatch.setattr(module, "_BLOCK_WALKS", 20)
    np.testing.assert_array_equal(forest.votes(X), together)


def test_a_stump_answers():
    X = np.zeros((2, N_FEATURES), np.float32)
    forest = Forest.from_trees([ExtraTreeRegressor().fit(X, [1.0, 3.0])])
    np.testing.assert_array_equal(forest.votes(X), [[2], [2]])


def test_arrays_take_a_third_of_the_bytes():
    trees = grow("classes", n=500)
    assert 3 * len(pickle.dumps(Forest.from_trees(trees))) < len(pickle.dumps(trees))


def test_other_features_are_refused():
    with pytest.raises(ValueError, match="The trees have 7 features, but X has 6"):
        Forest.from_trees(grow("number")).votes(draw(3)[:, 1:])


def changed(name, place, value):
    forest = Forest.from_trees(grow("number"))
    array = getattr(forest, name).copy()
    array[place] = value
    return {name: array}


@pytest.mark.parametrize(
    "changes",
    [
        changed("right", 0, 1),  # both children are the same
        changed("right", 0, -1),
        changed("right", 0, 10**6),
        changed("right", 0, 0),  # there is one leaf too many
        changed("features", 0, N_FEATURES),
        changed("features", 0, -1),
        changed("roots", 0, 1),
        changed("roots", 1, 0),
        changed("roots", -1, 10**6),
        {"roots": np.array([], np.int32)},
        {"roots": np.zeros((1, 1), np.int32)},
        {"thresholds": np.zeros(3)},
        {"values": np.zeros(3)},
        {"n_features": 1},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_arrays_that_are_no_trees_are_refused(changes):
    with pytest.raises(ValueError, match="do not form trees"):
        replace(Forest.from_trees(grow("number")), **changes)


def test_no_walk_leaves_its_tree():
    forest = Forest.from_trees(grow("classes"))
    right = forest.right.copy()
    right[forest.roots[0]] = forest.roots[1]  # the next tree
    with pytest.raises(ValueError, match="do not form trees"):
        replace(forest, right=right)


def test_nodes_in_another_order_are_refused():
    trees = grow("classes", n_trees=1)
    limited = ExtraTreeClassifier(max_leaf_nodes=9, random_state=0).fit(draw(60), np.arange(60) % 3)
    with pytest.raises(ValueError, match="depth-first order"):
        Forest.from_trees([*trees, limited])
