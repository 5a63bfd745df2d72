"""What both linear models share: principal directions, groups of features, invariances."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.supervised.probe.linear import Rotation, add_up
from sktspulse.supervised.probe.logistic import LogisticHead
from sktspulse.supervised.probe.ridge import RidgeHead
from sktspulse.supervised.samples import Samples, merge_duplicates

HEADS = pytest.mark.parametrize("head", [LogisticHead, RidgeHead])


def draw_rows(n=40, n_features=6, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % n_classes)
    features = rng.normal(size=(n, n_features)) + rng.normal(size=(n_classes, n_features))[y]
    return features / np.sqrt(n_features), y


def as_samples(features, y, weights):
    return merge_duplicates(Samples(features, y, weights))


def targets_for(head, y):
    return y if head is LogisticHead else np.column_stack([y, y**2]).astype(float)


def fit(head, features, y, weights=None):
    weights = np.ones(len(features)) if weights is None else weights
    return head.fit(as_samples(features, targets_for(head, y), weights))


def assert_same(one, other):
    np.testing.assert_array_equal(one.coefficients, other.coefficients)
    np.testing.assert_array_equal(one.intercept, other.intercept)


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (5, 5), (1, 4)])
def test_rotation_keeps_products_and_turns_coefficients_back(shape):
    features = np.random.default_rng(0).normal(size=shape)
    features[:, -1] = features[:, 0]
    rotation = Rotation.fit(features)
    assert rotation.features.shape[1] <= min(shape)
    products = features @ features.T
    np.testing.assert_allclose(rotation.features @ rotation.features.T, products, atol=1e-12)
    coefficients = np.random.default_rng(1).normal(size=(2, rotation.features.shape[1]))
    answer = features @ rotation.rotate_back(coefficients).T
    np.testing.assert_allclose(answer, rotation.features @ coefficients.T, atol=1e-12)


@pytest.mark.parametrize("shape", [(40, 20), (20, 40)])
def test_of_many_directions_the_longest_are_kept(shape):
    features = np.random.default_rng(0).normal(size=shape)
    left, values, _ = np.linalg.svd(features, full_matrices=False)
    rotation = Rotation.fit(features, 5)
    assert rotation.features.shape == (shape[0], 5)
    products = (left[:, :5] * values[:5] ** 2) @ left[:, :5].T
    np.testing.assert_allclose(rotation.features @ rotation.features.T, products, atol=1e-9)
    coefficients = np.random.default_rng(1).normal(size=(2, 5))
    answer = features @ rotation.rotate_back(coefficients).T
    np.testing.assert_allclose(answer, rotation.features @ coefficients.T, atol=1e-9)


def test_coefficients_of_groups_add_up():
    parts = [np.array([[1.0, 2]]), np.array([[10.0, 20]])]
    groups = [np.array([0, 2]), slice(2, 4)]
    np.testing.assert_array_equal(add_up(parts, groups, 4), [[1, 0, 12, 20]])


# --------------------------------------------------------------------------- both models


@HEADS
@pytest.mark.parametrize("n_features", [6, 60])
def test_weights_are_repetition_and_the_order_has_no_effect(head, n_features):
    features, y = draw_rows(n_features=n_features)
    weights = np.random.default_rng(1).integers(0, 4, len(y))
    order = np.random.default_rng(2).permutation(np.repeat(np.arange(len(y)), weights))
    weighted = fit(head, features, y, weights.astype(float))
    assert_same(fit(head, features[order], y[order]), weighted)


GROUPS = (slice(None), slice(-2, None))


def draw_hidden_signal(n=60, seed=0):
    """Draw rows of one number that tells the class, one that does not, and noise before them."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 3)
    noise = rng.normal(size=(n, 80)) / np.sqrt(80)
    telling = np.column_stack([rng.normal(size=n), y - 1 + 0.1 * rng.normal(size=n)])
    return np.hstack([noise, telling / np.sqrt(2)]), y


@HEADS
@pytest.mark.parametrize("seed", range(3))
def test_a_small_group_is_not_outweighed(head, seed):
    features, y = draw_hidden_signal(160, seed)
    rows = as_samples(features[:60], targets_for(head, y[:60]), np.ones(60))
    model = head.fit(rows, GROUPS)
    answer = features[60:] @ model.coefficients.T + model.intercept
    predicted = answer.argmax(1) if head is LogisticHead else answer[:, 0].round()
    assert (predicted == y[60:]).mean() > 0.97


def test_a_single_group_is_all_features():
    features, y = draw_rows()
    rows = as_samples(features, y, np.ones(len(y)))
    assert_same(LogisticHead.fit(rows), LogisticHead.fit(rows, [slice(0, 6)]))


# --------------------------------------------------------------------------- answers of trees


def draw_answers(head, y, noise, seed=0):
    """Draw answers that follow the targets under noise: logits or numbers."""
    rng = np.random.default_rng(seed)
    targets = 4.0 * np.eye(3)[y] if head is LogisticHead else targets_for(head, y)
    return targets + noise * rng.normal(size=targets.shape)


def fit_with_answers(head, features, y, answers):
    """Fit to samples that are already in order."""
    rows = Samples(features, targets_for(head, y), np.ones(len(y)))
    return head.fit(rows, answers=answers)


@HEADS
def test_useless_answers_have_next_to_no_share(head):
    features, y = draw_rows(300, 6)
    answers = np.random.default_rng(0).normal(size=draw_answers(head, y, 0).shape)
    model = fit_with_answers(head, features, y, answers)
    outputs = features @ model.coefficients.T
    assert (model.share * answers).std() < 0.05 * outputs.std()
    without = fit_with_answers(head, features, y, None)
    np.testing.assert_allclose(model.coefficients, without.coefficients, atol=0.1)
    assert not np.any(without.share)


@HEADS
def test_right_answers_outweigh_useless_features(head):
    _, y = draw_rows(300)
    features = np.random.default_rng(1).normal(size=(300, 6)) / np.sqrt(6)
    answers = draw_answers(head, y, 0.1)
    model = fit_with_answers(head, features, y, answers)
    outputs = features @ model.coefficients.T + model.intercept + model.share * answers
    if head is LogisticHead:
        assert (outputs.argmax(1) == y).all()
    else:
        np.testing.assert_allclose(model.share, 1, atol=0.1)
        np.testing.assert_allclose(outputs, targets_for(head, y), atol=0.7)


@HEADS
def test_useful_answers_and_features_share(head):
    features, y = draw_rows(300, 6)
    shares = [
        np.max(fit_with_answers(head, features, y, draw_answers(head, y, noise)).share)
        for noise in (1.0, 4.0, 16.0)
    ]
    assert shares[0] > shares[1] > shares[2] > 0


@HEADS
def test_answers_of_two_classes_or_one_target_are_one_column(head):
    features, y = draw_rows(60, 6, 2)
    answers = 2.0 * y[:, None] - 1
    targets = y if head is LogisticHead else y[:, None].astype(float)
    model = head.fit(Samples(features, targets, np.ones(60)), answers=answers)
    assert model.coefficients.shape == (1, 6)
    assert np.shape(model.share) in ((), (1,))
    assert np.max(model.share) > 0


@HEADS
def test_where_nothing_can_be_held_out_answers_have_a_share_and_all_is_finite(head):
    features, y = draw_rows(3)
    answers = draw_answers(head, np.sort(y), 0)
    model = fit_with_answers(head, features[np.argsort(y)], np.arange(3), answers)
    for part in model:
        assert np.isfinite(part).all()
    assert np.max(model.share) > 0.1
