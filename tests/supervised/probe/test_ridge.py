"""Ridge regression: strengths and shares have the least leave-one-out error."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from sktspulse.supervised.probe import ridge
from sktspulse.supervised.probe.ridge import RidgeHead
from sktspulse.supervised.samples import Samples, merge_duplicates


def draw_rows(n=40, n_features=6, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % n_classes)
    features = rng.normal(size=(n, n_features)) + rng.normal(size=(n_classes, n_features))[y]
    return features / np.sqrt(n_features), y


def as_samples(features, y, weights):
    return merge_duplicates(Samples(features, y, weights))


@pytest.mark.parametrize("n_features", [6, 60])
def test_the_ridge_strength_has_the_least_error_on_rows_left_out_one_by_one(n_features):
    features, _ = draw_rows(25, n_features)
    rng = np.random.default_rng(3)
    targets = 7 + 3 * (features[:, :1] + 0.3 * rng.normal(size=(25, 1)))
    rows = as_samples(features, targets, rng.uniform(0.5, 2, 25))
    z = rows.y[:, 0] - np.average(rows.y[:, 0], weights=rows.weights)
    errors = []
    for alpha in ridge._ALPHA_GRID:
        total = 0.0
        for i in range(25):
            kept = np.arange(25) != i
            model = Ridge(alpha).fit(rows.X[kept], z[kept], rows.weights[kept])
            total += rows.weights[i] * (model.predict(rows.X[[i]])[0] - z[i]) ** 2
        errors.append(total)
    head = RidgeHead.fit(rows)
    assert head.alpha[0] == pytest.approx(ridge._ALPHA_GRID[np.argmin(errors)])
    model = Ridge(head.alpha[0]).fit(*rows)
    np.testing.assert_allclose(head.coefficients, np.atleast_2d(model.coef_), atol=1e-8)
    np.testing.assert_allclose(head.intercept, model.intercept_, atol=1e-8)


def test_each_output_has_a_strength_and_a_unit_of_its_own():
    features, _ = draw_rows(60, 20)
    rng = np.random.default_rng(0)
    clear = features @ rng.normal(size=20)
    targets = np.column_stack([1e6 * clear - 3e7, rng.normal(size=60)])
    head = RidgeHead.fit(as_samples(features, targets, np.ones(60)))
    assert head.alpha[0] < head.alpha[1]
    alone = RidgeHead.fit(as_samples(features, targets[:, :1], np.ones(60)))
    np.testing.assert_allclose(head.coefficients[0], alone.coefficients[0], rtol=1e-6)
    answer = features @ head.coefficients[0] + head.intercept[0]
    np.testing.assert_allclose(answer, targets[:, 0], rtol=0.01)


def test_one_row_gives_a_constant():
    head = RidgeHead.fit(as_samples(np.ones((3, 2)), np.full((3, 1), 5.0), np.ones(3)))
    assert head.intercept == 5
    assert not head.coefficients.any()


def test_shares_of_ridge_models_have_the_least_error_on_rows_left_out():
    rng = np.random.default_rng(0)
    residuals, weights = list(rng.normal(size=(2, 30, 4))), rng.uniform(0.5, 2, 30)
    residuals[1][:, 3] = 2 * residuals[0][:, 3]
    shares = ridge._best_shares(residuals, weights)
    np.testing.assert_allclose(shares.sum(0), 1)
    np.testing.assert_allclose(shares[:, 3], [1, 0])
    tried = np.linspace(0, 1, 1001)
    errors = [weights @ np.square(a * residuals[0] + (1 - a) * residuals[1]) for a in tried]
    np.testing.assert_allclose(shares[0], tried[np.argmin(errors, axis=0)], atol=1e-3)
