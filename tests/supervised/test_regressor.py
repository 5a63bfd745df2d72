"""Regression: what makes no difference, what the answers are worth, what is refused."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from sktspulse import TSLens, TSPulseRegressor


@pytest.fixture
def tiny(checkpoint, few_trees):
    """Give an estimator that answers at once."""
    return TSPulseRegressor(checkpoint=checkpoint, batch_size=8)


@pytest.fixture
def whole(checkpoint):
    """Give an estimator with all its trees."""
    return TSPulseRegressor(checkpoint=checkpoint, batch_size=8)


def draw_panel(n_series=30, n_timepoints=60, seed=0):
    """Draw waves in noise; the target is the number of cycles."""
    rng = np.random.default_rng(seed)
    y = rng.uniform(2, 8, n_series)
    time = np.linspace(0, 2 * np.pi, n_timepoints)
    phase = rng.uniform(0, 6, (n_series, 2, 1))
    noise = 0.1 * rng.normal(size=(n_series, 2, n_timepoints))
    return np.sin(y[:, None, None] * time + phase) + noise, y


def assert_same(one, other, X):
    np.testing.assert_array_equal(one.predict(X), other.predict(X))


# --------------------------------------------------------------------------- what changes nothing


def test_weights_are_repetition_and_order_is_nothing_to_the_bit(tiny):
    X, y = draw_panel()
    weights = np.random.default_rng(0).integers(0, 4, 30)
    order = np.random.default_rng(1).permutation(np.repeat(np.arange(30), weights))
    weighted = clone(tiny).fit(X, y, sample_weight=weights)
    assert_same(weighted, clone(tiny).fit(X[order], y[order]), X)


@pytest.mark.parametrize("windowing", ["resample", "sliding"])
def test_an_answer_does_not_depend_on_the_other_series(tiny, windowing):
    X, y = draw_panel()
    model = clone(tiny).set_params(windowing=windowing).fit(X, y)
    together = model.predict(X)
    alone = np.hstack([model.predict(one[None]) for one in X])
    np.testing.assert_allclose(alone, together, rtol=1e-5)
    np.testing.assert_allclose(model.predict(X[::-1]), together[::-1], rtol=1e-5)


@pytest.mark.parametrize(("factor", "shift"), [(1e-9, 0), (-1e6, 3), (2, 1e4)])
def test_predictions_follow_the_unit_of_the_target(tiny, factor, shift):
    X, y = draw_panel()
    answer = clone(tiny).fit(X, factor * y + shift).predict(X)
    expected = factor * clone(tiny).fit(X, y).predict(X) + shift
    np.testing.assert_allclose(answer, expected, rtol=1e-6)


@pytest.mark.parametrize(("factor", "shift"), [(1e-6, 0), (1e6, 3), (5, -100)])
def test_units_of_channels_do_not_matter(tiny, factor, shift):
    X, y = draw_panel()
    other = X * [[factor], [1]] + [[shift], [0]]
    one, two = clone(tiny).fit(X, y), clone(tiny).fit(other, y)
    np.testing.assert_allclose(one.predict(X), two.predict(other), atol=0.05)


def test_outputs_do_not_depend_on_each_other(tiny):
    X, y = draw_panel()
    tiny.set_params(members=["network", "kernels"])  # a tree has one structure for all outputs
    outputs = np.column_stack([y, y**2, np.ones(30)])
    together = clone(tiny).fit(X, outputs)
    assert together.alpha_.shape == (3,)
    assert together.predict(X).shape == (30, 3)
    for i in range(3):
        alone = clone(tiny).fit(X, outputs[:, i]).predict(X)
        np.testing.assert_allclose(together.predict(X)[:, i], alone, rtol=1e-5)
    column = clone(tiny).fit(X, y[:, None])
    assert column.predict(X).shape == (30, 1)


def test_the_container_does_not_matter(tiny):
    X, y = draw_panel()
    X = X[:, :1]
    model = clone(tiny).fit(X, y)
    for other in (X[:, 0], X.tolist(), list(X), list(X[:, 0]), pd.DataFrame(X[:, 0])):
        assert_same(model, clone(tiny).fit(other, pd.Series(y)), X)


# --------------------------------------------------------------------------- what it is worth


def test_the_number_of_cycles_is_found_where_raw_values_tell_nothing():
    X, y = draw_panel(80)
    assert TSPulseRegressor().fit(X[:60], y[:60]).score(X[60:], y[60:]) > 0.8


@pytest.mark.parametrize("what", ["level", "scale"])
def test_level_and_scale_are_found(tiny, what):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(80, 2, 40)), rng.uniform(1, 4, 80)
    X[:, 0] = X[:, 0] + 3 * y[:, None] if what == "level" else X[:, 0] * y[:, None]
    assert clone(tiny).fit(X[:60], y[:60]).score(X[60:], y[60:]) > 0.6


def test_noise_is_answered_with_the_mean(tiny):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 1, 40)), rng.normal(size=60)
    assert clone(tiny).fit(X, y).predict(X).std() < 0.5


def test_missing_values_constants_and_unequal_lengths_are_taken(tiny):
    X, y = draw_panel(12)
    X[::3, 0, 10:30] = np.nan
    X[0], X[1], X[2, 1] = np.nan, 5.0, np.nan
    X = [one[:, : 8 + 2 * i] for i, one in enumerate(X)]
    for windowing in ("resample", "sliding"):
        model = clone(tiny).set_params(windowing=windowing).fit(X, y)
        assert np.isfinite(model.predict(X)).all()


def test_one_series_repeated_gives_its_target(tiny):
    X, _ = draw_panel(1)
    model = clone(tiny).fit(X.repeat(3, axis=0), [2.0, 2.0, 2.0])
    assert model.predict(draw_panel(2, seed=1)[0]).tolist() == [2, 2]


# --------------------------------------------------------------------------- errors


def test_the_deviation_is_that_of_errors_on_new_series(tiny):
    rng = np.random.default_rng(0)
    X, y = draw_panel(300)
    y = y + 2 * rng.normal(size=300)
    model = clone(tiny).fit(X[:100], y[:100])
    predicted, std = model.predict(X[100:], return_std=True)
    np.testing.assert_array_equal(predicted, model.predict(X[100:]))
    assert std.shape == (200,)
    assert len(set(std)) == 1
    errors = np.sqrt(np.mean(np.square(y[100:] - predicted)))
    assert std[0] == pytest.approx(errors, rel=0.2)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_deviations_have_the_shape_and_the_unit_of_the_targets(tiny, n_outputs):
    X, y = draw_panel()
    units = np.array([1024.0, 2.0**-30])[:n_outputs]
    y = np.column_stack([y, y**2])[:, :n_outputs]
    _, expected = clone(tiny).fit(X, y).predict(X[:7], return_std=True)
    predicted, std = clone(tiny).fit(X, y * units).predict(X[:7], return_std=True)
    assert std.shape == predicted.shape == (7, n_outputs)
    assert (std > 0).all()
    np.testing.assert_allclose(std, expected * units, rtol=1e-9)


def test_fine_tuning_gives_no_deviation(tiny):
    X, y = draw_panel(8)
    model = clone(tiny).set_params(strategy=TSLens(max_epochs=1)).fit(X, y)
    assert model.predict(X).shape == (8,)
    with pytest.raises(ValueError, match="return_std=True needs the probe"):
        model.predict(X, return_std=True)


# --------------------------------------------------------------------------- with scikit-learn


@pytest.mark.parametrize("as_list", [False, True])
def test_panels_go_through_searches(tiny, as_list):
    X, y = draw_panel()
    X = [one[:, : 30 + i % 5] for i, one in enumerate(X)] if as_list else X
    assert np.isfinite(cross_val_score(tiny, X, y, cv=3)).all()
    search = GridSearchCV(tiny, {"windowing": ["resample", "sliding"]}, cv=2, n_jobs=2).fit(X, y)
    assert search.predict(X).shape == (30,)


def test_weights_are_routed(tiny):
    X, y = draw_panel()
    weights = np.random.default_rng(0).integers(1, 4, 30)
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(clone(tiny).set_fit_request(sample_weight=True))
        model.fit(X, y, sample_weight=weights)
    assert_same(model, clone(tiny).fit(X, y, sample_weight=weights), X)


@pytest.mark.parametrize(
    ("members", "n_bytes"),
    [
        (["network"], 20_000),
        (["kernels"], 200_000),
        (["quantiles"], 1_000_000),
        (["network", "kernels", "quantiles"], 1_200_000),
    ],
)
def test_pickles_are_small_and_answer_the_same(whole, members, n_bytes):
    X, y = draw_panel()
    model = clone(whole).set_params(members=members).fit(X, y)
    content = pickle.dumps(model)
    assert len(content) < n_bytes
    assert_same(pickle.loads(content), model, X)


# --------------------------------------------------------------------------- what is refused

GOOD_X, GOOD_Y = draw_panel(6)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (GOOD_X, GOOD_Y[:5], "y has 5 entries, but X has 6 series. Pass one entry for each series"),
        (GOOD_X, [1, 2, 3, 4, 5, np.nan], "y contains NaN.*Pass finite numbers"),
        (GOOD_X, [1, 2, 3, 4, 5, np.inf], "y contains infinity.*Pass finite numbers"),
        (GOOD_X, list("abcdef"), "y cannot be used as targets.*Pass finite numbers"),
        (GOOD_X, None, "requires y to be passed, but the target y is None"),
        (np.full((6, 2, 40), np.inf), GOOD_Y, "X contains infinity"),
        (GOOD_X[..., :1], GOOD_Y, "length 1, but TSPulseRegressor needs at least 2"),
    ],
)
def test_bad_panels_and_targets_are_refused(tiny, X, y, message):
    with pytest.raises(ValueError, match=message):
        clone(tiny).fit(X, y)


@pytest.mark.parametrize("weights", [[1, 1, 1, 1, 1, -2], [0] * 6])
def test_bad_weights_are_refused(tiny, weights):
    with pytest.raises(ValueError, match=r"sample_weight has .*, expected numbers of at least 0"):
        clone(tiny).fit(GOOD_X, GOOD_Y, sample_weight=weights)


def test_other_channels_than_fitted_are_refused(tiny):
    model = clone(tiny).fit(GOOD_X, GOOD_Y)
    with pytest.raises(ValueError, match="X has 1 channels, but TSPulseRegressor was fitted"):
        model.predict(GOOD_X[:, :1])


def test_a_failed_fit_forgets_nothing(tiny):
    model = clone(tiny).fit(GOOD_X, GOOD_Y)
    before = copy.deepcopy(vars(model))
    with pytest.raises(ValueError, match="expected"):
        model.fit(np.full((6, 3, 40), np.inf), GOOD_Y)
    assert str(vars(model)) == str(before)
