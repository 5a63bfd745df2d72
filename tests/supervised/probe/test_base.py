"""What describes a series to the heads, and what makes no difference to it."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse import TSPulseClassifier, TSPulseRegressor, TSPulseTransformer
from sktspulse.base.clock import TimeBudget
from sktspulse.network.checkpoints import load_checkpoint
from sktspulse.supervised import strategies
from sktspulse.supervised.probe import base, features
from sktspulse.supervised.probe.features import (
    Layout,
    Levels,
    _quantile,
    _Scaling,
    levels_of,
    values_of,
)
from sktspulse.supervised.probe.representations import FORMS, SMOOTH_FORMS, paced
from sktspulse.supervised.probe.samples import Rows

CHECKPOINT = "tspulse-p8"
NETWORK = load_checkpoint(CHECKPOINT)


def draw_panel(n_series=4, n_channels=2, n_timepoints=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_series, n_channels, n_timepoints)).cumsum(axis=-1)


def extract(X, n_forms=None, clock=None, **parameters):
    model = TSPulseClassifier(checkpoint=CHECKPOINT, **parameters)
    n_forms = len(FORMS[model.length]) if n_forms is None else n_forms
    return model._extract(NETWORK, model._check(X, NETWORK, reset=True), n_forms, clock)[0]


def embed(X):
    return TSPulseTransformer(checkpoint=CHECKPOINT).fit_transform(X)


# --------------------------------------------------------------------------- features


@pytest.mark.parametrize(("length", "forms"), FORMS.items())
def test_features_are_embeddings_of_each_form_then_levels(length, forms):
    X = draw_panel()
    features = extract(X, length=length)
    n_forms = len(forms)
    assert features.shape == (4, n_forms * 480 + 4)
    for form, found in zip(forms, np.split(features[:, :-4], n_forms, axis=1), strict=True):
        windowing = "resample" if length == "resample" else "sliding"
        model = TSPulseTransformer(checkpoint=CHECKPOINT, windowing=windowing)
        np.testing.assert_array_equal(found, model.fit_transform(np.stack(list(map(form, X)))))
    np.testing.assert_allclose(features[:, -4:-2], X.mean(-1))
    np.testing.assert_allclose(features[:, -2:], X.std(-1))


def test_of_many_channels_mean_and_deviation_are_kept(monkeypatch):
    monkeypatch.setattr(base, "_MAX_CONCATENATED", 2)
    X = draw_panel(3, 3, 20)
    features = extract(X)
    apart = embed(np.stack(list(map(paced, X)))).reshape(3, 3, 240)
    assert features.shape == (3, len(FORMS["resample"]) * 2 * 240 + 6)
    np.testing.assert_allclose(features[:, :240], apart.mean(1), atol=1e-5)
    np.testing.assert_allclose(features[:, 240:480], apart.std(1), atol=1e-5)


@pytest.mark.parametrize("length", ["resample", "window"])
def test_a_series_does_not_depend_on_its_block(length, monkeypatch):
    X = [draw_panel(1, 2, n)[0] for n in (40, 600, 9, 513, 40)]
    expected = extract(X, length=length)
    monkeypatch.setattr(base, "_BLOCK_ROWS", 5)
    np.testing.assert_allclose(extract(X, length=length), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n_forms", [1, 2, 7])
def test_the_first_forms_alone_are_read_if_so_many_are_asked_for(n_forms):
    X = draw_panel()
    few, every = extract(X, n_forms), extract(X)
    assert few.shape == (4, n_forms * 480 + 4)
    np.testing.assert_array_equal(few[:, :-4], every[:, : n_forms * 480])
    np.testing.assert_array_equal(few[:, -4:], every[:, -4:])


@pytest.mark.parametrize(("seconds", "n_forms"), [(0.0, 1), (1e6, 7)])
def test_one_form_is_read_even_if_the_clock_allows_for_none(seconds, n_forms):
    assert extract(draw_panel(), clock=TimeBudget(seconds)).shape == (4, n_forms * 480 + 4)


@pytest.mark.parametrize(("n_series", "n_forms"), [(3, 7), (6, 4), (8, 3), (30, 1)])
def test_of_more_series_fewer_forms_are_read_to_stay_within_the_time(
    n_series, n_forms, monkeypatch
):
    monkeypatch.setattr(strategies, "_READ_A_SECOND", 0.8)  # 48 in a minute; a series has two
    X, y = draw_panel(n_series), np.arange(n_series) % 2
    model = TSPulseClassifier(checkpoint=CHECKPOINT).fit(X, y)
    assert model.n_forms_ == n_forms
    assert model.predict(X).shape == y.shape


@pytest.mark.parametrize("length", ["resample", "window"])
@pytest.mark.parametrize("n_forms", [1, 2, 3])
def test_groups_of_columns(length, n_forms):
    forms = FORMS[length][:n_forms]
    names = [f"{form.__name__} {i}" for form in forms for i in range(2)]
    names = np.array([*names, "value", "level", "level", "level"])
    groups = [set(names[g]) for g in Layout(n_forms, 2 * n_forms, 1, 3).groups(length)]
    every, levels, *others = groups
    assert every == set(names) - {"value"}
    assert levels == {"level"}
    smooth = {f"{form.__name__} {i}" for form in forms if form in SMOOTH_FORMS for i in range(2)}
    assert (smooth in others) == (n_forms > 1)
    assert {"value"} in others
    assert ({"unchanged 0", "unchanged 1"} in others) == ("unchanged 0" in names)
    without = Layout(n_forms, 2 * n_forms, 0, 3).groups(length)
    assert len(without) == 2 + (n_forms > 1)


# --------------------------------------------------------------------------- values


@pytest.mark.parametrize(("n_channels", "n_points"), [(1, 64), (32, 64), (64, 32), (5000, 2)])
def test_values_are_read_from_the_first_to_the_last(n_channels, n_points):
    panel = [draw_panel(1, n_channels, n)[0] for n in (30, 200)]
    values = values_of(panel).reshape(2, n_channels, n_points)
    for series, found in zip(panel, values, strict=True):
        np.testing.assert_allclose(found[:, [0, -1]], series[:, [0, -1]])
        places = np.linspace(0, series.shape[1] - 1, n_points)
        expected = [np.interp(places, np.arange(series.shape[1]), one) for one in series]
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_values_do_not_depend_on_units_nor_on_one_series_far_out():
    X = draw_panel(20, 2)
    X[0], X[1, 1, 3:5] = 1e12, np.nan
    factor, shift = np.array([[1e-6], [1e8]]), np.array([[-1e4], [1e9]])
    found = []
    for panel in (X, factor * X + shift):
        levels = Levels.of(levels_of(panel), np.ones(20))
        found.append(levels.scale(values_of(panel)))
    np.testing.assert_allclose(*found, atol=1e-4)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= features._FARTHEST
    assert 0.1 < np.std(found[0][2:]) < 3


def test_a_single_value_can_be_asked_for():
    X = draw_panel(60, 2)
    y = X[:, 1, -1] + 100
    model = TSPulseRegressor(checkpoint=CHECKPOINT).fit(X[:40], y[:40])
    assert model.score(X[40:], y[40:]) > 0.9


# --------------------------------------------------------------------------- levels


def test_levels_of_constant_and_empty_channels():
    X = np.stack([[np.full(8, 3.0), np.full(8, np.nan), np.arange(8.0)]])
    np.testing.assert_allclose(levels_of(X), [[3, np.nan, 3.5, 0, np.nan, np.sqrt(5.25)]])


def test_levels_do_not_depend_on_the_units_of_channels():
    X = draw_panel(20, 3) + np.random.default_rng(0).normal(size=(20, 3, 1))
    X[0, 0], X[1, 1], X[2, 2] = np.nan, 4.0, 1e9
    factor, shift = np.array([[1e-6], [5], [1e8]]), np.array([[3], [-1e4], [1e9]])
    panels = [levels_of(X), levels_of(factor * X + shift)]
    one, other = (Levels.of(levels, np.ones(20))(levels) for levels in panels)
    np.testing.assert_allclose(one, other, atol=1e-6)
    assert np.isfinite(one).all()


@pytest.mark.parametrize("q", [0.25, 0.5, 0.75])
def test_weighted_quantiles_are_those_of_repeated_values(q):
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=15), rng.integers(0, 4, 15)
    repeated = np.repeat(values, weights)
    expected = np.quantile(repeated, q, method="inverted_cdf")
    assert _quantile(values, weights.astype(float), q) == expected
    gappy = np.append(values, np.nan)
    assert _quantile(gappy, np.append(weights, 9.0), q) == expected


# --------------------------------------------------------------------------- scaling


def scale(features, n_levels):
    rows = Rows(features, np.zeros(len(features)), np.ones(len(features)))
    layout = Layout(1, features.shape[1] - n_levels, 0, n_levels)
    return _Scaling.of(rows, layout)(features)


def test_features_have_mean_0_and_a_usual_length():
    X = draw_panel(12, 2)
    scaled = scale(extract(X), 4)
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(np.square(scaled[:, :-4]).sum(1).mean(), 1)
    np.testing.assert_allclose(np.square(scaled[:, -4:]).sum(1).mean(), 0.1)


def test_what_does_not_vary_but_for_rounding_is_ignored():
    features = np.random.default_rng(0).normal(size=(10, 6))
    features[:, 1] = 3 + 1e-7 * features[:, 1]
    features[:, 4:] = [0, 1] + 1e-7 * features[:, 4:]
    scaled = scale(features, 2)
    assert not scaled[:, [1, 4, 5]].any()
    assert scaled[:, [0, 2, 3]].all()
