"""Trees: who votes for whom, what the votes add up to, and how many trees there are."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
import torch
from sklearn.tree import ExtraTreeClassifier, ExtraTreeRegressor

from sktspulse.supervised.probe import trees as module
from sktspulse.supervised.probe.quantiles import QuantileBank
from sktspulse.supervised.probe.shapes import standard_shapes
from sktspulse.supervised.probe.trees import Trees
from sktspulse.supervised.samples import Samples


def draw_samples(y, seed=0):
    """Draw series whose noise grows with the target, and levels that tell nothing."""
    rng = np.random.default_rng(seed)
    size = np.asarray(y, float).reshape(len(y), -1)[:, :1, None]
    X = np.sin(np.linspace(0, 6, 20)) + size * rng.normal(size=(len(y), 2, 20))
    return Samples(list(X), np.asarray(y), rng.uniform(0.5, 2, len(y))), rng.normal(
        size=(len(y), 3)
    )


def draw_targets(kind, n=18):
    rng = np.random.default_rng(1)
    if kind in (2, 3, 5):
        return np.arange(n) % kind
    return rng.uniform(0, 2, (n, 2 if kind == "targets" else 1))


TARGETS = pytest.mark.parametrize("kind", [2, 3, 5, "target", "targets"])


# --------------------------------------------------------------------------- the slow twin


def naive(samples, levels):
    """Return the answers to samples by trees that have not seen them, and to all by all."""
    shapes = standard_shapes(samples.X)
    X = np.hstack([QuantileBank.fit(shapes)(shapes), levels]).astype(np.float32)
    n_trees = module._count_trees(samples._replace(X=X))
    parts = [module._choose(seed, samples._replace(X=X)) for seed in range(n_trees)]
    votes = [naive_votes(seed, seen, X, samples) for seed, seen in enumerate(parts)]
    unseen, every = [], []
    for i in range(len(X)):
        apart = [vote[i] for vote, seen in zip(votes, parts, strict=True) if not seen[i]]
        together = [vote[i] for vote in votes]
        unseen.append(naive_answer(apart or together, samples.y))
        every.append(naive_answer(together, samples.y))
    return np.array(unseen), np.array(every)


def naive_votes(seed, seen, X, samples):
    weights = [w if one else 0.0 for w, one in zip(samples.weights, seen, strict=True)]
    if samples.y.ndim == 1:
        tree = ExtraTreeClassifier(criterion="entropy", max_features=0.1, random_state=seed)
        return tree.fit(X, samples.y, weights).predict_proba(X)
    mean = np.average(samples.y, axis=0, weights=samples.weights)
    deviation = np.sqrt(np.average((samples.y - mean) ** 2, axis=0, weights=samples.weights))
    tree = ExtraTreeRegressor(max_features=0.1, random_state=seed)
    tree.fit(X, ((samples.y - mean) / deviation).round(6), weights)
    return mean + deviation * tree.predict(X).reshape(len(X), -1)


def naive_answer(votes, y):
    if y.ndim == 2:
        return sum(votes) / len(votes)
    n_classes = len(votes[0])
    logits = [
        math.log((sum(vote[k] for vote in votes) + 0.5 / n_classes) / (len(votes) + 0.5))
        for k in range(n_classes)
    ]
    return [logits[1] - logits[0]] if n_classes == 2 else logits


@pytest.mark.usefixtures("few_trees")
@TARGETS
def test_answers_equal_a_loop(kind):
    samples, levels = draw_samples(draw_targets(kind))
    trees, answers = Trees.fit(samples, levels)
    unseen, every = naive(samples, levels)
    np.testing.assert_allclose(answers, unseen, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(trees(samples.X, levels), every, rtol=1e-9, atol=1e-9)
    assert answers.shape == (18, {2: 1, 3: 3, 5: 5, "target": 1, "targets": 2}[kind])


@pytest.mark.usefixtures("few_trees")
@TARGETS
def test_samples_that_all_trees_have_seen_are_answered_by_all(kind, monkeypatch):
    choose = module._choose
    monkeypatch.setattr(module, "_choose", lambda *args: choose(*args) | (np.arange(18) < 4))
    samples, levels = draw_samples(draw_targets(kind))
    trees, answers = Trees.fit(samples, levels)
    np.testing.assert_allclose(answers, naive(samples, levels)[0], rtol=1e-9, atol=1e-9)
    every = trees(samples.X, levels)
    np.testing.assert_allclose(answers[:4], every[:4], rtol=1e-9, atol=1e-9)
    assert not np.allclose(answers[4:], every[4:])


# --------------------------------------------------------------------------- what changes nothing


@pytest.mark.usefixtures("few_trees")
@TARGETS
@pytest.mark.parametrize("n_threads", [1, 2])
def test_trees_are_the_same_again_with_any_number_of_threads(kind, n_threads):
    samples, levels = draw_samples(draw_targets(kind))
    trees, answers = Trees.fit(samples, levels)
    n_before = torch.get_num_threads()
    try:
        torch.set_num_threads(n_threads)
        again, same_answers = Trees.fit(samples, levels)
    finally:
        torch.set_num_threads(n_before)
    np.testing.assert_array_equal(same_answers, answers)
    np.testing.assert_array_equal(again(samples.X, levels), trees(samples.X, levels))


def test_pickled_trees_answer_the_same():
    samples, levels = draw_samples(draw_targets(3))
    trees, _ = Trees.fit(samples, levels)
    twin = pickle.loads(pickle.dumps(trees))
    np.testing.assert_array_equal(twin(samples.X, levels), trees(samples.X, levels))


def test_targets_of_equal_size_are_answered_alike_in_any_unit():
    y = draw_targets("target")
    samples, levels = draw_samples(y)
    _, expected = Trees.fit(samples, levels)
    _, found = Trees.fit(samples._replace(y=1024 * y), levels)
    np.testing.assert_array_equal(found, 1024 * expected)


# --------------------------------------------------------------------------- what it is worth


def test_answers_of_trees_that_have_not_seen_a_sample_do_not_give_away_its_label():
    rng = np.random.default_rng(0)
    samples, levels = draw_samples(rng.permutation(np.arange(60) % 2))
    noise = samples._replace(X=list(rng.normal(size=(60, 1, 20))))
    trees, answers = Trees.fit(noise, levels)
    is_right = [(one[:, 0] > 0) == noise.y for one in (answers, trees(noise.X, levels))]
    assert is_right[0].mean() < 0.75
    assert is_right[1].mean() > 0.95


def test_answers_are_right_where_targets_can_be_seen():
    samples, levels = draw_samples(3 * (np.arange(60) % 2))
    samples = samples._replace(y=np.arange(60) % 2)
    assert ((Trees.fit(samples, levels)[1][:, 0] > 0) == samples.y).mean() > 0.9
    samples, levels = draw_samples(np.linspace(0, 2, 60)[:, None])
    assert np.corrcoef(Trees.fit(samples, levels)[1][:, 0], samples.y[:, 0])[0, 1] > 0.85


def test_levels_are_features():
    samples, levels = draw_samples(np.ones(60, int))
    y = np.arange(60) % 2
    _, answers = Trees.fit(
        samples._replace(y=y), np.repeat(y[:, None], 40, 1) + 0.1 * levels[:, :1]
    )
    assert ((answers[:, 0] > 0) == y).mean() > 0.9


# --------------------------------------------------------------------------- few and many samples


@pytest.mark.parametrize("y", [[0, 1], [0, 1, 2], [[1.0], [3.0]], [[2.0]]])
def test_a_sample_of_each_kind_is_enough(y):
    samples, levels = draw_samples(y)
    trees, answers = Trees.fit(samples, levels)
    assert np.isfinite(answers).all()
    assert np.isfinite(trees(samples.X, levels)).all()


def test_of_two_samples_each_is_answered_with_the_target_of_the_other():
    samples, levels = draw_samples([[1.0], [3.0]])
    np.testing.assert_allclose(Trees.fit(samples, levels)[1], [[3], [1]], rtol=1e-6)


@pytest.mark.parametrize(("n", "n_seen"), [(1, 1), (2, 1), (3, 2), (300, 240), (9000, 4000)])
def test_a_tree_sees_four_of_five_samples_but_no_more_than_4_million_values(n, n_seen):
    samples = Samples(np.zeros((n, 1000)), np.zeros(n, int), np.ones(n))
    parts = [module._choose(seed, samples) for seed in range(5)]
    assert [part.sum() for part in parts] == 5 * [n_seen]
    assert n < 3 or len({part.tobytes() for part in parts}) > 1


@pytest.mark.parametrize(
    ("n", "n_classes", "n_trees"), [(10, 2, 200), (300, 2, 200), (3000, 2, 200), (9000, 60, 50)]
)
def test_trees_are_as_many_as_memory_allows(n, n_classes, n_trees):
    samples = Samples(np.zeros((n, 1)), np.arange(n) % n_classes, np.ones(n))
    assert module._count_trees(samples) == n_trees


@pytest.mark.parametrize("n_outputs", [1, 2, 12, 25])
def test_trees_take_no_more_bytes_than_are_allowed(n_outputs, monkeypatch):
    monkeypatch.setattr(module, "_MAX_BYTES", 1_300_000)
    samples, levels = draw_samples(np.random.default_rng(0).uniform(size=(60, n_outputs)))
    trees, _ = Trees.fit(samples, levels)
    assert 50 <= len(trees.grown) <= 200
    states = [tree.tree_.__getstate__() for tree in trees.grown]
    assert sum(state["nodes"].nbytes + state["values"].nbytes for state in states) <= 1_300_000
