"""Logistic regression: the minimum is scikit-learn's, wherever the search begins."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression

from sktspulse.supervised.probe.logistic import Logistic
from sktspulse.supervised.probe.samples import Rotation


def draw(n_classes, n=80, n_features=30, seed=0):
    """Draw rows of very unequal directions, at right angles, with weights."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % n_classes)
    features = rng.normal(size=(n, n_features)) + rng.normal(size=(n_classes, n_features))[y]
    features *= np.geomspace(1, 1e-3, n_features)
    return Rotation.of(features - features.mean(0)).features, y, rng.uniform(0.5, 2, n)


def log_odds(model, features):
    logits = model.logits(features)
    return logits - logits[:, :1]


@pytest.mark.parametrize("n_classes", [2, 3, 8])
@pytest.mark.parametrize("C", [0.1, 10.0, 1e4])
def test_the_minimum_is_that_of_a_slower_search(n_classes, C):
    rows = draw(n_classes)
    twin = LogisticRegression(C=C, tol=1e-10, max_iter=100_000).fit(*rows)
    found = rows[0] @ twin.coef_.T + twin.intercept_
    found = np.hstack([np.zeros_like(found), found]) if n_classes == 2 else found
    expected = found - found[:, :1]
    atol = 1e-2 * np.abs(expected).max()
    np.testing.assert_allclose(log_odds(Logistic(*rows).fit(C), rows[0]), expected, atol=atol)


def test_the_way_to_a_strength_makes_no_difference():
    rows = draw(4)
    straight, around = Logistic(*rows).fit(10.0), Logistic(*rows)
    for C in (0.1, 1.0, 1e3, 10.0):
        around.fit(C)
    expected = log_odds(straight, rows[0])
    np.testing.assert_allclose(log_odds(around, rows[0]), expected, atol=2e-3 * expected.max())


@pytest.mark.parametrize("n_classes", [2, 4])
def test_slopes_are_those_of_the_loss(n_classes):
    features, y, weights = draw(n_classes)
    model = Logistic(features, y, weights)
    rng = np.random.default_rng(1)
    point = [rng.normal(size=part.shape) for part in (model.coefficients, model.intercept)]
    model.coefficients, model.intercept = point
    value, slopes = model._loss(*point)
    likelihoods = log_softmax(model.logits(features), axis=1)[np.arange(len(y)), y]
    assert value == pytest.approx(-weights @ likelihoods)
    step = 1e-6
    for place in [(0, 0), (-1, 3)]:
        moved = point[0].copy()
        moved[place] += step
        assert (model._loss(moved, point[1])[0] - value) / step == pytest.approx(
            slopes[place], rel=1e-3
        )
    assert (model._loss(point[0], point[1] + step)[0] - value) / step == pytest.approx(
        slopes[:, -1].sum(), rel=1e-3, abs=1e-4
    )


def test_nothing_to_tell_classes_by_leaves_their_shares():
    model = Logistic(np.empty((6, 0)), np.array([0, 0, 0, 1, 1, 2]), np.ones(6)).fit(1.0)
    odds = np.exp(log_odds(model, np.empty((1, 0))))[0]
    np.testing.assert_allclose(odds, [1, 2 / 3, 1 / 3], rtol=1e-3)
