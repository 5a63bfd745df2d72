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


def naive_share(residuals, weights):
    """Try shares of the first of two models that predict one target."""
    tried = np.linspace(0, 1, 1001)
    losses = [
        weights @ np.square(a * residuals[0] + (1 - a) * residuals[1])
        + ridge._EVENNESS * ((a - 0.5) ** 2 + (0.5 - a) ** 2)
        for a in tried
    ]
    return tried[np.argmin(losses)]


@pytest.mark.parametrize("n", [3, 30, 3000])
def test_shares_of_ridge_models_have_the_least_penalised_error_on_rows_left_out(n):
    rng = np.random.default_rng(0)
    residuals, weights = list(rng.normal(size=(2, n, 4))), rng.uniform(0.5, 2, n)
    residuals[1][:, 3] = 2 * residuals[0][:, 3]
    shares = ridge._best_shares(residuals, weights)
    np.testing.assert_allclose(shares.sum(0), 1)
    expected = [naive_share([one[:, k] for one in residuals], weights) for k in range(4)]
    np.testing.assert_allclose(shares[0], expected, atol=1e-3)


@pytest.mark.parametrize(("n", "least", "most"), [(3, 0.5, 0.7), (3000, 0.98, 1)])
def test_shares_of_ridge_models_are_even_only_if_there_are_few_samples(n, least, most):
    residuals = np.random.default_rng(0).normal(size=(2, n, 1)) * [[[0.1]], [[1.0]]]
    good, bad = ridge._best_shares(list(residuals), np.ones(n))[:, 0]
    assert least <= good <= most
    assert good + bad == pytest.approx(1)


def test_the_deviation_is_that_of_predictions_without_the_sample():
    rng = np.random.default_rng(0)
    features, _ = draw_rows(60, 10)
    targets = features @ rng.normal(size=(10, 2)) * [1, 100] + rng.normal(size=(60, 2)) * [0.5, 7]
    head = RidgeHead.fit(as_samples(features, targets, np.ones(60)))
    errors = [
        targets[i] - naive_prediction(features, targets, i, head.alpha) for i in range(len(targets))
    ]
    np.testing.assert_allclose(head.deviation, np.sqrt(np.mean(np.square(errors), 0)), rtol=1e-6)


def naive_prediction(features, targets, i, alpha):
    """Leave out a sample; the scale of targets is that of all samples."""
    kept = np.arange(len(features)) != i
    model = Ridge(alpha).fit(features[kept], targets[kept])
    return model.predict(features[[i]])[0]


def test_the_deviation_counts_answers_in_units_of_the_targets():
    rng = np.random.default_rng(0)
    targets = 50 + 10 * rng.normal(size=(400, 1))
    answers = targets + 2 * rng.normal(size=(400, 1))
    samples = Samples(rng.normal(size=(400, 3)) / 2, targets, np.ones(400))
    head = RidgeHead.fit(samples, answers=answers)
    assert head.deviation[0] == pytest.approx(2, rel=0.1)
    assert head.share[0] == pytest.approx(1, abs=0.1)
