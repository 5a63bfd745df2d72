"""Classification: what makes no difference, what the answers are worth, what is refused."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from sktspulse import TSPulseClassifier, TSPulseImputer
from sktspulse.datasets import make_labelled_panel


@pytest.fixture
def tiny(checkpoint, few_trees):
    """Give an estimator that answers at once."""
    return TSPulseClassifier(checkpoint=checkpoint, batch_size=8)


@pytest.fixture
def whole(checkpoint):
    """Give an estimator with all its trees."""
    return TSPulseClassifier(checkpoint=checkpoint, batch_size=8)


def draw_panel(n_series=30, n_classes=3, n_channels=2, n_timepoints=40, seed=0):
    return make_labelled_panel(
        n_series, n_timepoints, n_classes, n_channels=n_channels, random_state=seed
    )


def assert_same(one, other, X):
    np.testing.assert_array_equal(one.decision_function(X), other.decision_function(X))


# --------------------------------------------------------------------------- what changes nothing


def test_weights_are_repetition_and_order_is_nothing_to_the_bit(tiny):
    X, y = draw_panel()
    weights = np.random.default_rng(0).integers(0, 4, 30)
    order = np.random.default_rng(1).permutation(np.repeat(np.arange(30), weights))
    weighted = clone(tiny).fit(X, y, sample_weight=weights)
    assert_same(weighted, clone(tiny).fit(X[order], y[order]), X)
    np.testing.assert_array_equal(weighted.classes_, np.unique(y[order]))


def test_series_of_weight_0_bring_no_class(tiny):
    X, y = draw_panel()
    model = clone(tiny).fit(X, y, sample_weight=(y != 1).astype(float))
    assert model.classes_.tolist() == [0, 2]
    assert model.predict_proba(X).shape == (30, 2)


@pytest.mark.parametrize("windowing", ["resample", "sliding"])
def test_an_answer_does_not_depend_on_the_other_series(tiny, windowing):
    X, y = draw_panel(n_timepoints=100)
    model = clone(tiny).set_params(windowing=windowing).fit(X, y)
    together = model.decision_function(X)
    alone = np.vstack([model.decision_function(one[None]) for one in X])
    atol = 1e-5 * np.abs(together).max()
    np.testing.assert_allclose(together, alone, atol=atol)
    np.testing.assert_allclose(model.decision_function(X[::-1]), together[::-1], atol=atol)


@pytest.mark.parametrize("labels", [["b", "c", "a"], [30, -1, 7], [True, False]])
def test_names_of_classes_do_not_matter(tiny, labels):
    X, y = draw_panel(n_classes=len(labels))
    model, renamed = clone(tiny).fit(X, y), clone(tiny).fit(X, np.array(labels)[y])
    np.testing.assert_array_equal(renamed.predict(X), np.array(labels)[model.predict(X)])
    place = np.argsort(labels)
    np.testing.assert_allclose(
        renamed.predict_proba(X), model.predict_proba(X)[:, place], atol=0.01
    )


@pytest.mark.parametrize(("factor", "shift"), [(1e-6, 0), (1e6, 3), (5, -100)])
def test_units_of_channels_do_not_matter(tiny, factor, shift):
    X, y = draw_panel()
    X += np.random.default_rng(0).normal(size=(30, 2, 1))
    other = X * [[factor], [1]] + [[shift], [0]]
    one, two = clone(tiny).fit(X, y), clone(tiny).fit(other, y)
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(other), atol=0.02)


def test_the_container_does_not_matter(tiny):
    X, y = draw_panel(n_channels=1)
    model = clone(tiny).fit(X, y)
    for other in (X[:, 0], X.tolist(), list(X), list(X[:, 0]), pd.DataFrame(X[:, 0])):
        assert_same(model, clone(tiny).fit(other, y.tolist()), X)


def test_fitting_again_forgets_the_first_fit(tiny):
    X, y = draw_panel()
    model = clone(tiny).fit(*draw_panel(n_classes=5, n_channels=1))
    assert_same(model.fit(X, y), clone(tiny).fit(X, y), X)


# --------------------------------------------------------------------------- what it is worth


def test_classes_that_differ_in_shape_are_told_apart():
    X, y = draw_panel(90, 6, 1, 200)
    model = TSPulseClassifier().fit(X[:60], y[:60])
    assert model.score(X[60:], y[60:]) > 0.8


@pytest.mark.parametrize("what", ["level", "scale"])
def test_classes_that_differ_in_level_or_scale_alone_are_told_apart(tiny, what):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2, 40)), np.arange(60) % 3
    X[:, 0] = X[:, 0] + 2 * y[:, None] if what == "level" else X[:, 0] * 4.0 ** y[:, None]
    model = clone(tiny).fit(X[:40], y[:40])
    assert model.score(X[40:], y[40:]) > 0.9


def test_probabilities_are_calibrated(tiny):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 600)
    X = rng.normal(size=(600, 1, 40)) + (y - 0.5)[:, None, None] + rng.normal(size=(600, 1, 1))
    model = clone(tiny).fit(X[:200], y[:200])
    p = model.predict_proba(X[200:])
    np.testing.assert_allclose(p.sum(1), 1)
    np.testing.assert_array_equal(model.classes_[p.argmax(1)], model.predict(X[200:]))
    right = p.argmax(1) == y[200:]
    assert abs(p.max(1).mean() - right.mean()) < 0.07


def test_noise_gives_probabilities_near_the_shares_of_classes():
    X, _ = draw_panel(100)
    y = np.random.default_rng(0).random(100) < 0.3
    p = TSPulseClassifier().fit(X, y).predict_proba(draw_panel(50, seed=1)[0])
    assert abs(p[:, 1].mean() - 0.3) < 0.15
    assert p.max() < 0.95


@pytest.mark.parametrize("counts", [(1, 1), (1, 5), (4, 4, 4), (1, 1, 2, 8)])
def test_a_dozen_series_and_single_members_are_enough(tiny, counts):
    y = np.repeat(np.arange(len(counts)), counts)
    X = np.random.default_rng(0).normal(size=(len(y), 2, 40)) + 3 * y[:, None, None]
    model = clone(tiny).fit(X, y)
    assert set(model.predict(X)) <= set(y)
    assert np.isfinite(model.predict_proba(X)).all()
    assert model.temperature_ == 1 or max(counts) > 1


def test_class_weights_are_weights_of_series(tiny):
    X, y = draw_panel(30)
    y = np.minimum(y, 1)
    weights = {0: 4.0, 1: 1.0}
    by_class = clone(tiny).set_params(class_weight=weights).fit(X, y)
    by_series = clone(tiny).fit(X, y, sample_weight=np.where(y == 0, 4, 1))
    assert_same(by_class, by_series, X)
    balanced = clone(tiny).set_params(class_weight="balanced").fit(X, y)
    explicit = clone(tiny).set_params(class_weight={0: 1.5, 1: 0.75}).fit(X, y)
    assert_same(balanced, explicit, X)


def test_balance_counts_the_weights_of_series(tiny):
    X, y = draw_panel(30, 2)
    weights = np.random.default_rng(0).integers(0, 4, 30)
    model = clone(tiny).set_params(class_weight="balanced")
    repeated = np.repeat(np.arange(30), weights)
    twin = clone(model).fit(X[repeated], y[repeated])
    assert_same(clone(model).fit(X, y, sample_weight=weights), twin, X)


def test_missing_values_constants_and_unequal_lengths_are_taken(tiny):
    X, y = draw_panel(20, 2, n_timepoints=60)
    X[::3, 0, 10:30] = np.nan
    X[0], X[1], X[2, 1] = np.nan, 5.0, np.nan
    X = [one[:, : 8 + 2 * i] for i, one in enumerate(X)]
    for windowing in ("resample", "sliding"):
        model = clone(tiny).set_params(windowing=windowing).fit(X, y)
        assert np.isfinite(model.predict_proba(X)).all()


@pytest.mark.filterwarnings("ignore:X is read as:UserWarning")
def test_hundreds_of_channels_are_taken(tiny):
    X, y = draw_panel(12, 2, 300, 16)
    model = clone(tiny).fit(X, y)
    assert model.score(X, y) > 0.8
    assert len(pickle.dumps(model)) < 250_000


# --------------------------------------------------------------------------- with scikit-learn


@pytest.mark.parametrize("as_list", [False, True])
def test_panels_go_through_searches_and_ensembles(tiny, as_list):
    X, y = draw_panel(36)
    X = [one[:, : 30 + i % 5] for i, one in enumerate(X)] if as_list else X
    assert cross_val_score(tiny, X, y, cv=3).mean() > 0.4
    grid = {"windowing": ["resample", "sliding"]}
    search = GridSearchCV(tiny, grid, cv=2, n_jobs=2).fit(X, y)
    assert search.predict_proba(X).shape == (36, 3)


def test_panels_go_through_meta_estimators(tiny):
    X, y = draw_panel(36)
    pair = [("a", clone(tiny)), ("b", clone(tiny).set_params(class_weight="balanced"))]
    for model in (
        CalibratedClassifierCV(clone(tiny), cv=2),
        VotingClassifier(pair, voting="soft"),
        StackingClassifier(pair, LogisticRegression(), cv=2),
        make_pipeline(TSPulseImputer(layout="panel"), clone(tiny)),
    ):
        assert model.fit(X, y).predict(X).shape == (36,)


def test_weights_are_routed(tiny):
    X, y = draw_panel(24)
    weights = np.random.default_rng(0).integers(1, 4, 24)
    with sklearn.config_context(enable_metadata_routing=True):
        step = clone(tiny).set_fit_request(sample_weight=True)
        model = make_pipeline(step).fit(X, y, sample_weight=weights)
    assert_same(model, clone(tiny).fit(X, y, sample_weight=weights), X)


@pytest.mark.parametrize(
    ("members", "n_bytes"),
    [
        (["network"], 10_000),
        (["kernels"], 200_000),
        (["quantiles"], 400_000),
        (["network", "kernels", "quantiles"], 600_000),
    ],
)
def test_pickles_are_small_and_answer_the_same(whole, members, n_bytes):
    X, y = draw_panel()
    model = clone(whole).set_params(members=members).fit(X, y)
    content = pickle.dumps(model)
    assert len(content) < n_bytes
    assert_same(pickle.loads(content), model, X)


# --------------------------------------------------------------------------- what is refused

GOOD_X, GOOD_Y = draw_panel(6, 2)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (GOOD_X, np.zeros(6), r"y has one class, \[0.0\].*expected two or more. Add"),
        (GOOD_X, GOOD_Y[:5], "y has 5 entries, but X has 6 series. Pass one entry for each series"),
        (GOOD_X, [0, 1, 0, 1, 0, np.nan], "Input y contains NaN.* none missing"),
        (GOOD_X, ["a", "b", None, "a", "b", "a"], "y cannot be used as labels"),
        (GOOD_X, np.linspace(0, 1, 6), "Unknown label type: continuous.*TSPulseRegressor"),
        (GOOD_X, None, "requires y to be passed, but the target y is None"),
        (GOOD_X, np.eye(6), "y should be a 1d array"),
        (np.full((6, 2, 40), np.inf), GOOD_Y, "X contains infinity"),
        (GOOD_X[..., :1], GOOD_Y, "length 1, but TSPulseClassifier needs at least 2"),
    ],
)
def test_bad_panels_and_labels_are_refused(tiny, X, y, message):
    with pytest.raises(ValueError, match=message):
        clone(tiny).fit(X, y)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 1, 1, 1, 1, -2], "sample_weight has -2, expected numbers of at least 0"),
        ([0] * 6, "sample_weight has only zeros"),
        ([1, 1, 1, 1, 1, np.nan], "NaN"),
        ([1, 1], "sample_weight"),
    ],
)
def test_bad_weights_are_refused(tiny, weights, message):
    with pytest.raises(ValueError, match=message):
        clone(tiny).fit(GOOD_X, GOOD_Y, sample_weight=weights)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"strategy": "finetune"}, "The 'strategy' parameter of TSPulseClassifier must be"),
        ({"windowing": 512}, "The 'windowing' parameter of TSPulseClassifier must be"),
        ({"max_time": -1}, "The 'max_time' parameter"),
        ({"random_state": "a"}, "The 'random_state' parameter"),
        ({"class_weight": "even"}, "The 'class_weight' parameter"),
        ({"class_weight": {0: -1}}, r"class_weight is .*expected finite numbers above 0"),
        ({"class_weight": {9: 1}}, r"class_weight is .*among \[0, 1\]"),
        ({"checkpoint": "tspulse-p9"}, "tspulse-p8"),
    ],
)
def test_bad_parameters_are_refused_when_fitting(tiny, parameters, message):
    model = clone(tiny).set_params(**parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(GOOD_X, GOOD_Y)
    assert not [name for name in vars(model) if name.endswith("_")]


def test_other_channels_than_fitted_are_refused(tiny):
    model = clone(tiny).fit(GOOD_X, GOOD_Y)
    with pytest.raises(ValueError, match="X has 1 channels, but TSPulseClassifier was fitted"):
        model.predict(GOOD_X[:, :1])


def test_a_failed_fit_forgets_nothing(tiny):
    model = clone(tiny).fit(GOOD_X, GOOD_Y)
    before = copy.deepcopy(vars(model))
    for X, y in ((np.full((6, 3, 40), np.inf), GOOD_Y), (GOOD_X[:, :1], np.zeros(6))):
        with pytest.raises(ValueError, match="expected"):
            model.fit(X, y)
    assert str(vars(model)) == str(before)
