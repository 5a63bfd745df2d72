"""Heads: rows are a set, and strengths are chosen on rows that were held out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression, Ridge

from sktspulse.supervised.probe import logistic, ridge
from sktspulse.supervised.probe.logistic import LogisticHead
from sktspulse.supervised.probe.ridge import RidgeHead
from sktspulse.supervised.probe.samples import Rotation, as_set

HEADS = pytest.mark.parametrize("head", [LogisticHead, RidgeHead])


def draw_rows(n=40, n_features=6, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % n_classes)
    features = rng.normal(size=(n, n_features)) + rng.normal(size=(n_classes, n_features))[y]
    return features / np.sqrt(n_features), y


def targets_for(head, y):
    return y if head is LogisticHead else np.column_stack([y, y**2]).astype(float)


def fit(head, features, y, weights=None):
    weights = np.ones(len(features)) if weights is None else weights
    return head().fit(as_set(features, targets_for(head, y), weights))


def assert_same(one, other):
    np.testing.assert_array_equal(one.coefficients, other.coefficients)
    np.testing.assert_array_equal(one.intercept, other.intercept)


# --------------------------------------------------------------------------- sets


def test_equal_rows_are_joined_and_rows_of_no_weight_dropped():
    features = np.array([[1.0, 2], [3, 4], [1, 2], [1, 2], [5, 6]])
    rows = as_set(features, np.array([0, 1, 0, 1, 0]), np.array([1.0, 2, 3, 4, 0]))
    found = {
        (*row, int(target)): weight
        for row, target, weight in zip(rows.features.tolist(), *rows[1:], strict=True)
    }
    assert found == {(1, 2, 0): 4, (3, 4, 1): 2, (1, 2, 1): 4}


@HEADS
@pytest.mark.parametrize("n_features", [6, 60])
def test_weights_are_repetition_and_order_is_nothing_to_the_bit(head, n_features):
    features, y = draw_rows(n_features=n_features)
    weights = np.random.default_rng(1).integers(0, 4, len(y))
    order = np.random.default_rng(2).permutation(np.repeat(np.arange(len(y)), weights))
    weighted = fit(head, features, y, weights.astype(float))
    assert_same(fit(head, features[order], y[order]), weighted)


# --------------------------------------------------------------------------- rotation


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (5, 5), (1, 4)])
def test_rotation_keeps_products_and_turns_coefficients_back(shape):
    features = np.random.default_rng(0).normal(size=shape)
    features[:, -1] = features[:, 0]
    rotation = Rotation.of(features)
    assert rotation.features.shape[1] <= min(shape)
    products = features @ features.T
    np.testing.assert_allclose(rotation.features @ rotation.features.T, products, atol=1e-12)
    coefficients = np.random.default_rng(1).normal(size=(2, rotation.features.shape[1]))
    answer = features @ rotation.back(coefficients).T
    np.testing.assert_allclose(answer, rotation.features @ coefficients.T, atol=1e-12)


@pytest.mark.parametrize("shape", [(40, 20), (20, 40)])
def test_of_many_directions_the_longest_are_kept(shape):
    features = np.random.default_rng(0).normal(size=shape)
    left, values, _ = np.linalg.svd(features, full_matrices=False)
    rotation = Rotation.of(features, 5)
    assert rotation.features.shape == (shape[0], 5)
    products = (left[:, :5] * values[:5] ** 2) @ left[:, :5].T
    np.testing.assert_allclose(rotation.features @ rotation.features.T, products, atol=1e-9)
    coefficients = np.random.default_rng(1).normal(size=(2, 5))
    answer = features @ rotation.back(coefficients).T
    np.testing.assert_allclose(answer, rotation.features @ coefficients.T, atol=1e-9)


@pytest.mark.parametrize(
    ("n_rows", "n_classes", "rank"), [(200, 3, 1000), (5000, 10, 400), (10**6, 9, 300)]
)
def test_the_more_rows_and_classes_the_fewer_directions_are_kept(n_rows, n_classes, rank):
    assert logistic._rank(np.arange(n_rows) % n_classes) == rank


# --------------------------------------------------------------------------- classes


def naive_choice(features, y, weights):
    """Loop over strengths, folds and temperatures; return the best C and temperature."""
    order = np.argsort(features.sum(axis=1))
    features, y, weights = features[order], y[order], weights[order]
    folds = logistic._folds(y)
    best = (np.inf, None, None)
    for C in logistic._C_GRID:
        logits, place = [], []
        for fold in range(5):
            shown = folds != fold
            model = LogisticRegression(C=C, tol=1e-8, max_iter=10_000)
            model.fit(features[shown], y[shown], weights[shown])
            logits.append(features[~shown] @ model.coef_.T + model.intercept_)
            place.append(np.flatnonzero(~shown))
        logits, place = np.vstack(logits), np.concatenate(place)
        for log_temperature in np.linspace(-1, 1, 401):
            logs = log_softmax(logits / np.exp(log_temperature), axis=1)
            loss = -(weights[place] * logs[np.arange(len(place)), y[place]]).sum()
            best = min(best, (loss + log_temperature**2, C, np.exp(log_temperature)))
    return best[1:]


def test_strength_and_temperature_have_the_least_loss_on_held_out_rows():
    features, y = draw_rows(60)
    rows = as_set(features, y, np.random.default_rng(0).uniform(0.5, 2, 60))
    C, temperature = naive_choice(*rows)
    head = LogisticHead().fit(rows)
    assert pytest.approx(C) == head.C
    assert head.temperature == pytest.approx(temperature, rel=0.02)
    model = LogisticRegression(C=C, tol=1e-8, max_iter=10_000).fit(*rows)
    np.testing.assert_allclose(head.coefficients * head.temperature, model.coef_, atol=0.02)


def test_noise_is_held_back_more_than_what_tells_classes_apart():
    features, y = draw_rows(90)
    shuffled = np.random.default_rng(0).permutation(y)
    noise, signal = fit(LogisticHead, features, shuffled), fit(LogisticHead, features, y)
    assert 4 * np.abs(noise.coefficients).max() < np.abs(signal.coefficients).max()


@pytest.mark.parametrize("counts", [(1, 1), (1, 1, 1), (2, 1), (2, 2), (1, 6, 2), (30, 1)])
def test_classes_of_one_or_two_rows_are_enough(counts):
    y = np.repeat(np.arange(len(counts)), counts)
    features = np.random.default_rng(0).normal(size=(len(y), 4)) + 3 * np.eye(4)[y]
    head = fit(LogisticHead, features, y)
    assert np.isfinite(head.coefficients).all()
    answer = features @ head.coefficients.T + head.intercept
    codes = answer[:, 0] > 0 if len(counts) == 2 else answer.argmax(1)
    np.testing.assert_array_equal(codes, y)


@pytest.mark.parametrize("n", [4, 12, 100])
def test_folds_share_out_every_class_and_never_hold_out_all_of_one(n):
    y = np.sort(np.random.default_rng(n).integers(0, 5, n))
    folds = logistic._folds(y)
    for label in np.unique(y):
        sizes = np.bincount(folds[y == label] + 1, minlength=6)[1:]
        assert sizes.sum() == (y == label).sum() * ((y == label).sum() > 1)
        assert sizes.max() - sizes.min() <= 1
    assert logistic._n_held_out(folds) in (0, 5)


def test_names_of_classes_make_no_difference_to_folds():
    y = np.random.default_rng(0).integers(0, 4, 50)
    np.testing.assert_array_equal(logistic._folds(np.array([2, 0, 3, 1])[y]), logistic._folds(y))


def test_of_many_rows_one_fold_is_held_out():
    folds = logistic._folds(np.arange(6000) % 3)
    assert logistic._n_held_out(folds) == 1
    assert logistic._n_held_out(folds[:3000]) == 2


# --------------------------------------------------------------------------- groups

GROUPS = (slice(None), slice(-2, None))


def draw_drowned(n=60, seed=0):
    """Draw rows of one number that tells the class, one that does not, and noise before them."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % 3)
    noise = rng.normal(size=(n, 80)) / np.sqrt(80)
    telling = np.column_stack([rng.normal(size=n), y - 1 + 0.1 * rng.normal(size=n)])
    return np.hstack([noise, telling / np.sqrt(2)]), y


@HEADS
@pytest.mark.parametrize("seed", range(3))
def test_a_group_of_few_numbers_is_not_drowned(head, seed):
    features, y = draw_drowned(160, seed)
    rows = as_set(features[:60], targets_for(head, y[:60]), np.ones(60))
    model = head().fit(rows, GROUPS)
    answer = features[60:] @ model.coefficients.T + model.intercept
    told = answer.argmax(1) if head is LogisticHead else answer[:, 0].round()
    assert (told == y[60:]).mean() > 0.97


def test_a_single_group_is_all_features():
    features, y = draw_rows()
    rows = as_set(features, y, np.ones(len(y)))
    assert_same(LogisticHead().fit(rows), LogisticHead().fit(rows, [slice(0, 6)]))


def test_shares_of_logistic_models_have_the_least_loss_on_held_out_rows():
    features, y = draw_rows(60, 8)
    rows = as_set(features, y, np.random.default_rng(0).uniform(0.5, 2, 60))
    rows = rows.take(np.argsort(rows.features.sum(1)))
    held = logistic._held_out(rows.targets)
    parts = [rows._replace(features=rows.features[:, g]) for g in (slice(0, 5), slice(3, 8))]
    models = [logistic._Tempered.of(part, held) for part in parts]
    place = np.concatenate([np.flatnonzero(h) for h in held])
    best = (np.inf, 0.0, 0.0)
    for one in np.linspace(0, 1.5, 76):
        for other in np.linspace(0, 1.5, 76):
            logs = log_softmax(one * models[0].logits + other * models[1].logits, axis=1)
            loss = -(rows.weights[place] * logs[np.arange(60), rows.targets[place]]).sum()
            best = min(best, (loss + (one + other - 1) ** 2, one, other))
    shares = logistic._log_linear_shares(models, rows, held)
    np.testing.assert_allclose(shares, best[1:], atol=0.02)
    head = LogisticHead().fit(rows, (slice(0, 5), slice(3, 8)))
    sums = sum(
        share / model.temperature * (part.features @ model.coefficients.T + model.intercept)
        for share, model, part in zip(shares, models, parts, strict=True)
    )
    answer = rows.features @ head.coefficients.T + head.intercept
    np.testing.assert_allclose(answer, sums, atol=1e-9)


def test_shares_of_ridge_models_have_the_least_error_on_rows_left_out():
    rng = np.random.default_rng(0)
    residuals, weights = list(rng.normal(size=(2, 30, 4))), rng.uniform(0.5, 2, 30)
    residuals[1][:, 3] = 2 * residuals[0][:, 3]
    shares = ridge._linear_shares(residuals, weights)
    np.testing.assert_allclose(shares.sum(0), 1)
    np.testing.assert_allclose(shares[:, 3], [1, 0])
    tried = np.linspace(0, 1, 1001)
    errors = [weights @ np.square(a * residuals[0] + (1 - a) * residuals[1]) for a in tried]
    np.testing.assert_allclose(shares[0], tried[np.argmin(errors, axis=0)], atol=1e-3)


@HEADS
def test_when_it_is_late_the_first_group_alone_is_fitted(head):
    features, y = draw_rows()
    rows = as_set(features, targets_for(head, y), np.ones(len(y)))
    groups = (slice(2, 5), slice(0, 2))
    late = head().fit(rows, groups, lambda: True)
    assert not late.coefficients[:, [0, 1, 5]].any()
    assert late.coefficients[:, 2:5].any()
    assert head().fit(rows, groups).coefficients[:, :2].any()


def test_when_it_is_late_no_strength_is_looked_for():
    features, y = draw_rows(60)
    rows = as_set(features, y, np.ones(60))
    checks = iter([False, True, True, True])
    hurried = LogisticHead().fit(rows, is_late=lambda: next(checks))
    assert pytest.approx(logistic._C_GRID[0]) == hurried.C
    assert pytest.approx(logistic._C_BLIND) == LogisticHead().fit(rows, is_late=lambda: True).C
    assert LogisticHead().fit(rows).C not in (hurried.C, logistic._C_BLIND)


# --------------------------------------------------------------------------- numbers


@pytest.mark.parametrize("n_features", [6, 60])
def test_the_ridge_strength_has_the_least_error_on_rows_left_out_one_by_one(n_features):
    features, _ = draw_rows(25, n_features)
    rng = np.random.default_rng(3)
    targets = 7 + 3 * (features[:, :1] + 0.3 * rng.normal(size=(25, 1)))
    rows = as_set(features, targets, rng.uniform(0.5, 2, 25))
    z = rows.targets[:, 0] - np.average(rows.targets[:, 0], weights=rows.weights)
    errors = []
    for alpha in ridge._ALPHA_GRID:
        total = 0.0
        for i in range(25):
            kept = np.arange(25) != i
            model = Ridge(alpha).fit(rows.features[kept], z[kept], rows.weights[kept])
            total += rows.weights[i] * (model.predict(rows.features[[i]])[0] - z[i]) ** 2
        errors.append(total)
    head = RidgeHead().fit(rows)
    assert head.alpha[0] == pytest.approx(ridge._ALPHA_GRID[np.argmin(errors)])
    model = Ridge(head.alpha[0]).fit(*rows)
    np.testing.assert_allclose(head.coefficients, np.atleast_2d(model.coef_), atol=1e-8)
    np.testing.assert_allclose(head.intercept, model.intercept_, atol=1e-8)


def test_each_output_has_a_strength_and_a_unit_of_its_own():
    features, _ = draw_rows(60, 20)
    rng = np.random.default_rng(0)
    clear = features @ rng.normal(size=20)
    targets = np.column_stack([1e6 * clear - 3e7, rng.normal(size=60)])
    head = RidgeHead().fit(as_set(features, targets, np.ones(60)))
    assert head.alpha[0] < head.alpha[1]
    alone = RidgeHead().fit(as_set(features, targets[:, :1], np.ones(60)))
    np.testing.assert_allclose(head.coefficients[0], alone.coefficients[0], rtol=1e-6)
    answer = features @ head.coefficients[0] + head.intercept[0]
    np.testing.assert_allclose(answer, targets[:, 0], rtol=0.01)


def test_one_row_gives_a_constant():
    head = RidgeHead().fit(as_set(np.ones((3, 2)), np.full((3, 1), 5.0), np.ones(3)))
    assert head.intercept == 5
    assert not head.coefficients.any()
