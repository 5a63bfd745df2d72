"""Logistic regression: strength, temperature and shares are chosen on held-out samples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from sktspulse.supervised.probe import logistic
from sktspulse.supervised.probe.logistic import LogisticHead
from sktspulse.supervised.samples import Samples, merge_duplicates


def draw_rows(n=40, n_features=6, n_classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % n_classes)
    features = rng.normal(size=(n, n_features)) + rng.normal(size=(n_classes, n_features))[y]
    return features / np.sqrt(n_features), y


def as_samples(features, y, weights):
    return merge_duplicates(Samples(features, y, weights))


def fit(head, features, y):
    return head.fit(as_samples(features, y, np.ones(len(y))))


@pytest.mark.parametrize(
    ("n_rows", "n_classes", "rank"), [(200, 3, 1000), (5000, 10, 400), (10**6, 9, 300)]
)
def test_the_more_rows_and_classes_the_fewer_directions_are_kept(n_rows, n_classes, rank):
    assert logistic._rank(np.arange(n_rows) % n_classes) == rank


def naive_choice(features, y, weights):
    """Loop over strengths, folds and temperatures; return the best C and temperature."""
    folds = logistic._assign_folds(y)
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
    rows = as_samples(features, y, np.random.default_rng(0).uniform(0.5, 2, 60))
    C, temperature = naive_choice(*rows)
    head = LogisticHead.fit(rows)
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
    folds = logistic._assign_folds(y)
    for label in np.unique(y):
        sizes = np.bincount(folds[y == label] + 1, minlength=6)[1:]
        assert sizes.sum() == (y == label).sum() * ((y == label).sum() > 1)
        assert sizes.max() - sizes.min() <= 1
    assert logistic._count_folds(folds) in (0, 5)


def test_names_of_classes_make_no_difference_to_folds():
    y = np.random.default_rng(0).integers(0, 4, 50)
    np.testing.assert_array_equal(
        logistic._assign_folds(np.array([2, 0, 3, 1])[y]), logistic._assign_folds(y)
    )


def test_of_many_rows_one_fold_is_held_out():
    folds = logistic._assign_folds(np.arange(6000) % 3)
    assert logistic._count_folds(folds) == 1
    assert logistic._count_folds(folds[:3000]) == 2


def test_shares_of_logistic_models_have_the_least_loss_on_held_out_rows():
    features, y = draw_rows(60, 8)
    rows = as_samples(features, y, np.random.default_rng(0).uniform(0.5, 2, 60))
    rows = rows.take(np.argsort(rows.X.sum(1)))
    held = logistic._held_out(rows.y)
    parts = [rows._replace(X=rows.X[:, g]) for g in (slice(0, 5), slice(3, 8))]
    models = [logistic._Tempered.fit(part, held) for part in parts]
    place = np.concatenate([np.flatnonzero(h) for h in held])
    best = (np.inf, 0.0, 0.0)
    for one in np.linspace(0, 1.5, 76):
        for other in np.linspace(0, 1.5, 76):
            logs = log_softmax(one * models[0].logits + other * models[1].logits, axis=1)
            loss = -(rows.weights[place] * logs[np.arange(60), rows.y[place]]).sum()
            loss += (one + other - 1) ** 2 + logistic._EVENNESS * (one - other) ** 2 / 2
            best = min(best, (loss, one, other))
    shares = logistic._best_shares(models, rows, held)
    np.testing.assert_allclose(shares, best[1:], atol=0.02)
    head = LogisticHead.fit(rows, (slice(0, 5), slice(3, 8)))
    sums = sum(
        share / model.temperature * (part.X @ model.coefficients.T + model.intercept)
        for share, model, part in zip(shares, models, parts, strict=True)
    )
    answer = rows.X @ head.coefficients.T + head.intercept
    np.testing.assert_allclose(answer, sums, atol=1e-9)


def test_when_it_is_late_no_strength_is_looked_for():
    features, y = draw_rows(60)
    rows = as_samples(features, y, np.ones(60))
    checks = iter([False])
    hurried = LogisticHead.fit(rows, is_late=lambda: next(checks, True))
    assert pytest.approx(logistic._C_GRID[0]) == hurried.C
    assert pytest.approx(logistic._DEFAULT_C) == LogisticHead.fit(rows, is_late=lambda: True).C
    assert LogisticHead.fit(rows).C not in (hurried.C, logistic._DEFAULT_C)


@pytest.mark.parametrize("n_checks", range(6))
@pytest.mark.parametrize("with_answers", [False, True])
def test_it_may_become_late_at_any_time(n_checks, with_answers):
    features, y = draw_rows()
    answers = 4.0 * np.eye(3)[y] if with_answers else None
    checks = iter([False] * n_checks)
    rows = Samples(features, y, np.ones(len(y)))
    groups = (slice(0, 6), slice(2, 5))
    head = LogisticHead.fit(rows, groups, answers, is_late=lambda: next(checks, True))
    outputs = features @ head.coefficients.T + head.intercept
    assert ((outputs + head.share * (4 * np.eye(3)[y] * with_answers)).argmax(1) == y).mean() > 0.7


def test_features_that_tell_nothing_leave_the_shares_of_the_classes():
    y = np.array([0] * 30 + [1] * 20 + [2] * 10)
    head = LogisticHead.fit(Samples(np.zeros((60, 4)), y, np.ones(60)))
    assert not head.coefficients.any()
    odds = np.exp(head.intercept - head.intercept[0])
    np.testing.assert_allclose(odds, [1, 2 / 3, 1 / 3], rtol=0.1)


@pytest.mark.parametrize("n_classes", [2, 3, 8])
@pytest.mark.parametrize("C", [0.1, 10.0, 1e4])
def test_a_warm_start_reaches_the_minimum_of_a_cold_one(n_classes, C):
    features, y = draw_rows(80, 30, n_classes)
    rows = Samples(features * np.geomspace(1, 1e-3, 30), y, np.ones(80))
    weights = np.stack([np.ones(80), np.arange(80) % 3], axis=1)
    models = logistic._Logistics.start(rows, 2)
    for strength in (1.0, 1e3, C):
        models = models.fitted(rows, weights, strength)
    for i, weight in enumerate(weights.T):
        twin = LogisticRegression(C=C, tol=1e-10, max_iter=100_000)
        expected = twin.fit(rows.X, rows.y, weight).predict_proba(rows.X)
        found = softmax(models.logits(rows.X)[:, i], axis=1)
        np.testing.assert_allclose(found, expected, atol=5e-3)


def test_many_classes_with_few_samples_raise_no_warning():
    features, y = draw_rows(48, n_classes=24)
    head = fit(LogisticHead, features, y)
    assert head.coefficients.shape == (24, 6)


@pytest.mark.parametrize(("n", "least", "most"), [(6, 0.1, 0.5), (1200, -1e-9, 0.05)])
def test_shares_are_even_only_if_there_are_few_samples(n, least, most):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    logits = 2 * np.eye(3)[y] + rng.normal(size=(n, 3)), rng.normal(size=(n, 3))
    models = [logistic._Tempered(1.0, 1.0, z, np.zeros((3, 0)), np.zeros(3)) for z in logits]
    samples = Samples(np.zeros((n, 0)), y, np.ones(n))
    good, bad = logistic._best_shares(models, samples, [np.ones(n, bool)])
    assert least <= bad / good <= most


@pytest.mark.parametrize("n_classes", [2, 4])
def test_answers_are_read_as_logits_at_their_own_temperature(n_classes):
    rng = np.random.default_rng(0)
    y = np.arange(2000) % n_classes
    logits = 3 * np.eye(n_classes)[y] + rng.normal(size=(2000, n_classes))
    answers = logits[:, 1:] - logits[:, :1] if n_classes == 2 else logits
    rows, groups = Samples(np.zeros((2000, 3)), y, np.ones(2000)), (slice(None),)
    one, other = (LogisticHead.fit(rows, groups, factor * answers) for factor in (1, 3))
    assert other.share == pytest.approx(one.share / 3, rel=0.02)
