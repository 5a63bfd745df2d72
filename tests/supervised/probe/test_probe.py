"""The sum of models on features and trees."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer

from sktspulse import TSPulseClassifier, TSPulseRegressor
from sktspulse.supervised.probe.extraction import NetworkReader

KINDS = pytest.mark.parametrize("kind", [TSPulseClassifier, TSPulseRegressor])


def draw_panel(n_series=40, n_channels=2, n_timepoints=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_series, n_channels, n_timepoints)).cumsum(axis=-1)


def decide(model, X):
    return getattr(model, "decision_function", model.predict)(X)


def mean_and_range(X):
    return np.stack([X.mean(-1), np.ptp(X, axis=-1)], axis=-1)


def size_of_steps(X):
    """Return what is hard to see in a sum of waves of any size."""
    return np.log(np.square(np.diff(X, n=3)).mean(-1))


@KINDS
def test_outputs_are_shares_of_linear_models_and_trees(kind, network, checkpoint):
    X, y = draw_panel(), np.arange(40) % 2
    X[y == 1] += np.random.default_rng(0).normal(size=(20, 2, 40))
    model = kind(checkpoint=checkpoint).fit(X, y)
    probe = model._model
    features, layout = probe.extractor(NetworkReader(network, 32, None), list(X))
    rows = probe.scaler(features)
    votes = probe.trees(list(X), layout.levels_of(rows))
    expected = rows @ probe.head.coefficients.T + probe.head.intercept + probe.head.share * votes
    assert np.max(probe.head.share) > 0
    outputs = probe.outputs(network, list(X), 32, None)
    np.testing.assert_allclose(outputs, expected)


def test_a_single_value_can_be_the_target():
    X = draw_panel(60, 2)
    y = X[:, 1, -1] + 100
    model = TSPulseRegressor(checkpoint="tspulse-p8").fit(X[:40], y[:40])
    assert model.score(X[40:], y[40:]) > 0.9


# --------------------------------------------------------------------------- transformers


def draw_steps(n_series, seed=0):
    """Draw noise of several sizes on walks that hide them; the target is the size."""
    rng = np.random.default_rng(seed)
    y = rng.uniform(0, 1, n_series)
    walks = 40 * rng.normal(size=(n_series, 1, 60)).cumsum(-1).cumsum(-1)
    return walks + rng.normal(size=(n_series, 1, 60)) * 10 ** (2 * y[:, None, None]), y


def test_a_transformer_that_sees_the_target_improves_the_answer(checkpoint):
    X, y = draw_steps(90)
    members = ("network",)
    alone = TSPulseRegressor(checkpoint=checkpoint, members=members).fit(X[:60], y[:60])
    members = ("network", FunctionTransformer(size_of_steps))
    both = TSPulseRegressor(checkpoint=checkpoint, members=members).fit(X[:60], y[:60])
    assert both.score(X[60:], y[60:]) > 0.6
    assert both.score(X[60:], y[60:]) > alone.score(X[60:], y[60:]) + 0.3


@KINDS
def test_a_transformer_alone_is_enough(kind, checkpoint):
    X, y = draw_panel(60), np.arange(60) % 2
    X = X + 30 * y[:, None, None]
    transformer = FunctionTransformer(mean_and_range)
    model = kind(checkpoint=checkpoint, members=[transformer]).fit(X[:40], y[:40])
    assert model.score(X[40:], y[40:]) > 0.8
    assert model.n_representations_ == 0


@KINDS
def test_the_unit_of_what_a_transformer_gives_does_not_matter(kind, checkpoint):
    X, y = draw_panel(), np.arange(40) % 2
    answers = [
        decide(kind(checkpoint=checkpoint, members=[FunctionTransformer(function)]).fit(X, y), X)
        for function in (mean_and_range, lambda X: 1e9 * mean_and_range(X))
    ]
    np.testing.assert_allclose(*answers, rtol=1e-4, atol=1e-6)


@KINDS
def test_useless_features_do_little_harm(kind, checkpoint):
    X, y = draw_panel(120), np.arange(120) % 2
    X = X + 30 * y[:, None, None]
    noise = FunctionTransformer(lambda X: np.random.default_rng(0).normal(size=(len(X), 50)))
    model = kind(checkpoint=checkpoint, members=["network", noise]).fit(X[:80], y[:80])
    assert model.score(X[80:], y[80:]) > 0.8


@KINDS
def test_features_that_are_missing_are_refused_in_fit_and_in_predict(kind, checkpoint):
    X, y = draw_panel(), np.arange(40) % 2
    members = ("network", FunctionTransformer(np.log))
    model = kind(checkpoint=checkpoint, members=members)
    positive = np.exp(X)
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(ValueError, match=r"FunctionTransformer gave .*SimpleImputer"),
    ):
        model.fit(X, y)
    assert not hasattr(model, "_model")
    model.fit(positive, y)
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(ValueError, match=r"FunctionTransformer gave .*SimpleImputer"),
    ):
        model.predict(X)
