"""Members of classifier and regressor: each alone, all together, and none that is unknown."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import FunctionTransformer

from sktspulse import TSPulseClassifier, TSPulseRegressor

NAMES = "network", "kernels", "quantiles"
SETS = [*((name,) for name in NAMES), NAMES]
KINDS = pytest.mark.parametrize("kind", [TSPulseClassifier, TSPulseRegressor])
MEMBERS = pytest.mark.parametrize("members", SETS, ids="-".join)


@pytest.fixture
def new(checkpoint, few_trees):
    """Return a function that makes an estimator that answers at once."""

    def make(kind, members=NAMES, **options):
        return kind(checkpoint=checkpoint, members=members, **options)

    return make


MODELS = {}


@pytest.fixture
def fitted(new):
    """Return a function that fits once, for tests that leave the model as it is."""

    def find(kind, members=NAMES):
        if (kind, members) not in MODELS:
            MODELS[kind, members] = new(kind, members).fit(*draw_panel())
        return MODELS[kind, members]

    return find


def draw_panel(n_series=24, n_channels=2, n_timepoints=50, seed=0):
    """Draw waves in noise that are faster, and more noisy, in one class than in the other."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_series) % 2
    time, phase = np.linspace(0, 6, n_timepoints), rng.uniform(0, 6, (n_series, n_channels, 1))
    waves = np.sin((1 + 2 * y[:, None, None]) * time + phase)
    return waves + (0.1 + 0.2 * y[:, None, None]) * rng.normal(size=waves.shape), y


def decide(model, X):
    return getattr(model, "decision_function", model.predict)(X)


# --------------------------------------------------------------------------- alone and together


@KINDS
@MEMBERS
def test_each_member_alone_and_all_together_tell_waves_apart(new, kind, members):
    X, y = draw_panel(60)
    model = new(kind, members).fit(X[:40], y[:40])
    assert model.score(X[40:], y[40:]) > (0.8 if kind is TSPulseClassifier else 0.4)
    assert model.n_representations_ == 4 * ("network" in members)


@KINDS
@MEMBERS
def test_members_have_parts_of_their_own(fitted, kind, members):
    probe = fitted(kind, members)._model
    assert (probe.trees is not None) == ("quantiles" in members)
    assert (probe.extractor.kernels is not None) == ("kernels" in members)
    layout = probe.scaler.layout
    assert (layout.n_embedded > 0) == ("network" in members)
    assert (layout.n_kernels > 0) == ("kernels" in members)


@KINDS
@MEMBERS
def test_clones_and_pickles_answer_the_same(fitted, kind, members):
    X, y = draw_panel()
    model = fitted(kind, members)
    for twin in (clone(model).fit(X, y), pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert twin.get_params()["members"] == members
        np.testing.assert_array_equal(decide(twin, X), decide(model, X))


@KINDS
def test_neither_order_nor_repetition_of_members_matters(new, fitted, kind):
    X, y = draw_panel()
    expected = decide(fitted(kind), X)
    for members in (NAMES[::-1], [*NAMES, "kernels"]):
        np.testing.assert_array_equal(decide(new(kind, members).fit(X, y), X), expected)


@KINDS
@MEMBERS
def test_members_are_searched(new, kind, members):
    X, y = draw_panel(24)
    grid = {"members": [members, ("kernels", FunctionTransformer(np.ptp, kw_args={"axis": -1}))]}
    search = GridSearchCV(new(kind), grid, cv=2).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_params_["members"] in grid["members"]
    assert search.predict(X).shape == (24,)


@KINDS
def test_without_network_there_is_no_progress_to_show(new, kind, capsys):
    X, y = draw_panel()
    model = new(kind, ["kernels"], verbose=1).fit(X, y)
    np.testing.assert_array_equal(decide(model, X), decide(new(kind, ["kernels"]).fit(X, y), X))
    assert "%" not in capsys.readouterr().err


# --------------------------------------------------------------------------- what changes nothing


@KINDS
@MEMBERS
def test_weights_are_repetition_and_order_is_nothing_to_the_bit(new, kind, members):
    X, y = draw_panel(30)
    weights = np.random.default_rng(0).integers(0, 4, 30)
    order = np.random.default_rng(1).permutation(np.repeat(np.arange(30), weights))
    weighted = new(kind, members).fit(X, y, sample_weight=weights)
    repeated = new(kind, members).fit(X[order], y[order])
    np.testing.assert_array_equal(decide(weighted, X), decide(repeated, X))


@KINDS
@MEMBERS
def test_an_answer_does_not_depend_on_the_other_series(new, kind, members):
    X, y = draw_panel()
    X = [one[:, : 20 + i % 9] for i, one in enumerate(X)]
    model = new(kind, members).fit(X, y)
    together = decide(model, X)
    alone = np.hstack([decide(model, [one]) for one in X])
    np.testing.assert_allclose(alone, together, atol=1e-5 * np.abs(together).max())


@KINDS
@MEMBERS
def test_units_and_levels_of_channels_do_not_matter(new, fitted, kind, members):
    X, y = draw_panel()
    other = X * [[1024.0], [1]] + [[0], [0.5]]
    expected = decide(fitted(kind, members), X)
    found = decide(new(kind, members).fit(other, y), other)
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())


@MEMBERS
def test_the_unit_of_the_target_does_not_matter(new, members):
    X, y = draw_panel()
    y = y + 0.3 * X[:, 0, 0]
    answers = [
        new(TSPulseRegressor, members).fit(X, unit * y).predict(X) / unit for unit in (1, -3.7e9)
    ]
    np.testing.assert_allclose(*answers, rtol=1e-6, atol=1e-6)


@KINDS
@MEMBERS
def test_the_number_of_threads_does_not_matter(new, kind, members):
    X, y = draw_panel()
    n_before, answers = torch.get_num_threads(), []
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            answers.append(decide(new(kind, members).fit(X, y), X))
    finally:
        torch.set_num_threads(n_before)
    np.testing.assert_allclose(*answers, atol=1e-5 * np.abs(answers[0]).max())


@KINDS
def test_the_order_of_channels_does_not_matter_to_the_network(new, kind):
    # Kernels read sums of drawn channels, and trees draw features by their place.
    X, y = draw_panel(n_channels=3)
    X[:, 1] += 2 * y[:, None]
    answers = [
        decide(new(kind, ["network"]).fit(X[:, order], y), X[:, order])
        for order in ([0, 1, 2], [2, 0, 1])
    ]
    np.testing.assert_allclose(*answers, atol=1e-3 * np.abs(answers[0]).max())


# --------------------------------------------------------------------------- odd panels


@pytest.mark.filterwarnings("ignore:X is read as:UserWarning")
@KINDS
@MEMBERS
@pytest.mark.parametrize("n_timepoints", [2, 3, 9])
def test_short_series_are_taken(new, kind, members, n_timepoints):
    X, y = draw_panel(12, n_timepoints=n_timepoints)
    assert np.isfinite(decide(new(kind, members).fit(X, y), X)).all()


@KINDS
@MEMBERS
def test_missing_values_constants_and_unequal_lengths_are_taken(new, kind, members):
    X, y = draw_panel(20)
    X[::3, 0, 10:30] = np.nan
    X[0], X[1], X[2, 1] = np.nan, 5.0, np.nan
    X = [one[:, : 8 + 2 * i] for i, one in enumerate(X)]
    assert np.isfinite(decide(new(kind, members).fit(X, y), X)).all()


@MEMBERS
def test_a_series_of_each_class_is_enough(new, members):
    X, _ = draw_panel(4)
    X = X + 3 * np.arange(4)[:, None, None]
    model = new(TSPulseClassifier, members).fit(X, [0, 1, 2, 3])
    p = model.predict_proba(X)
    np.testing.assert_allclose(p.sum(1), 1)
    np.testing.assert_array_equal(p.argmax(1), [0, 1, 2, 3])
    assert model.temperature_ == 1


@MEMBERS
@pytest.mark.parametrize("windowing", ["resample", "sliding"])
def test_classes_that_differ_in_duration_alone_are_told_apart(new, members, windowing):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 80)
    lengths = rng.integers(40, 70, 80) + 40 * y
    X = [np.sin(np.linspace(0, 6, n))[None] + 0.1 * rng.normal(size=(1, n)) for n in lengths]
    model = new(TSPulseClassifier, members, windowing=windowing).fit(X[:50], y[:50])
    assert model.score(X[50:], y[50:]) > 0.9
    model = new(TSPulseRegressor, members, windowing=windowing).fit(X[:50], lengths[:50])
    assert model.score(X[50:], lengths[50:]) > 0.8


# --------------------------------------------------------------------------- time


@KINDS
@MEMBERS
def test_without_time_a_warning_is_raised_and_answers_are_given(new, kind, members):
    X, y = draw_panel()
    with pytest.warns(ConvergenceWarning, match="longer than max_time=0 seconds") as caught:
        model = new(kind, members, max_time=0).fit(X, y)
    assert [one.filename for one in caught] == [__file__]
    assert np.isfinite(decide(model, X)).all()


@KINDS
@pytest.mark.parametrize("max_time", [None, 1e6])
def test_with_enough_time_there_is_no_warning_and_no_difference(new, fitted, kind, max_time):
    X, y = draw_panel()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = decide(new(kind, max_time=max_time).fit(X, y), X)
    np.testing.assert_array_equal(found, decide(fitted(kind), X))


# --------------------------------------------------------------------------- what is refused


class FitOnly:
    """Fit, but transform nothing."""

    def fit(self, X):
        return self


@KINDS
@pytest.mark.parametrize(
    ("members", "message"),
    [
        ((), r"members is \(\), expected one or more of \['kernels', 'network', 'quantiles'\]"),
        ([], r"members is \[\], expected"),
        (["nets"], r"members is \['nets'\], expected .* fit and transform"),
        (["network", "trees"], "expected one or more of"),
        (["network", None], "expected one or more of"),
        (["network", ("kernels",)], "expected one or more of"),
        ([FitOnly()], "fit and transform"),
        ("network", "The 'members' parameter"),
        ({"network"}, "The 'members' parameter"),
        (None, "The 'members' parameter"),
    ],
)
def test_unknown_members_are_refused_and_leave_the_estimator_alone(new, kind, members, message):
    X, y = draw_panel(10)
    with pytest.raises(ValueError, match=message):
        new(kind, members).fit(X, y)
    model = new(kind).fit(X, y)
    expected = decide(model, X)
    model.set_params(members=members)
    before = str(vars(model))
    with pytest.raises(ValueError, match=message):
        model.fit(X[::-1], y)
    assert str(vars(model)) == before
    np.testing.assert_array_equal(decide(model, X), expected)


@KINDS
def test_a_class_in_place_of_a_transformer_is_refused(new, kind):
    X, y = draw_panel(10)
    with pytest.raises(
        (TypeError, ValueError), match=r"members is|instance of .* instead of a class"
    ):
        new(kind, [FunctionTransformer]).fit(X, y)


@KINDS
def test_a_transformer_that_fails_leaves_the_estimator_alone(new, kind):
    X, y = draw_panel(10)

    def fail(X):
        raise RuntimeError("no features today")

    model = new(kind).fit(X, y)
    expected = decide(model, X)
    model.set_params(members=["network", FunctionTransformer(fail)])
    with pytest.raises(RuntimeError, match="no features today"):
        model.fit(X[::-1], y)
    np.testing.assert_array_equal(decide(model, X), expected)
