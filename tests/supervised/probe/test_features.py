"""Columns of the probe: their groups, sampled values, scaling."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.supervised.levels import RobustLevelScaler, level_features
from sktspulse.supervised.probe import features as module
from sktspulse.supervised.probe.features import (
    FeatureScaler,
    Layout,
    n_sampled_points,
    sampled_values,
)


def draw_panel(n_series=4, n_channels=2, n_timepoints=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_series, n_channels, n_timepoints)).cumsum(axis=-1)


LAYOUTS = [
    Layout(4, 0, (), 0, 2),
    Layout(0, 3, (), 2, 2),
    Layout(0, 0, (), 0, 2),
    Layout(2, 3, (1, 2), 2, 4),
    Layout(0, 0, (3,), 0, 6, 1),
]


def name_columns(layout):
    kinds = ("embedded", "kernel", "value", "level", "duration")
    counts = (layout.n_embedded, layout.n_kernels, *layout[3:])
    names = [[kind] * n for kind, n in zip(kinds, counts, strict=True)]
    names[2:2] = [[f"transformed {i}"] * n for i, n in enumerate(layout.n_transformed)]
    return np.concatenate(names)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_kind_is_a_group_but_levels_and_duration_are_one_and_go_with_embeddings(layout):
    names = name_columns(layout)
    assert layout.n_features == len(names)
    groups = [names[group].tolist() for group in layout.groups()]
    levels = names[-layout.n_levels - layout.n_durations :].tolist()
    first = [["embedded"] * layout.n_embedded + levels] if layout.n_embedded else []
    others = dict.fromkeys(names[layout.n_embedded : len(names) - len(levels)])
    assert groups == [*first, levels, *([k] * np.sum(names == k) for k in others)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_columns_split_by_kind_are_all_columns(layout):
    rows = np.arange(2.0 * layout.n_features).reshape(2, -1)
    parts = layout.split(rows)
    assert len(parts) == 5 + len(layout.n_transformed)
    np.testing.assert_array_equal(np.hstack(parts), rows)
    n_levels = layout.n_levels + layout.n_durations
    np.testing.assert_array_equal(layout.levels_of(rows), rows[:, -n_levels:])


@pytest.mark.parametrize(
    ("n_channels", "n_timepoints", "n_points"),
    [(1, 30, 30), (1, 900, 512), (16, 600, 512), (32, 600, 256), (5000, 9, 2), (5000, 1, 1)],
)
def test_all_values_are_features_unless_there_are_many(n_channels, n_timepoints, n_points):
    panel = [np.zeros((n_channels, n)) for n in (1, n_timepoints)]
    assert n_sampled_points(panel) == n_points


@pytest.mark.parametrize("n_timepoints", [2, 7, 12])
def test_values_of_short_series_are_interpolated_from_the_first_to_the_last(n_timepoints):
    panel = draw_panel(2, 3, n_timepoints)
    found = sampled_values(panel, 12).reshape(2, 3, 12)
    np.testing.assert_allclose(found[..., [0, -1]], panel[..., [0, -1]])
    places = np.linspace(0, n_timepoints - 1, 12)
    for series, rows in zip(panel, found, strict=True):
        expected = [np.interp(places, np.arange(n_timepoints), one) for one in series]
        np.testing.assert_allclose(rows, expected, atol=1e-9)


def test_values_of_long_series_are_averages():
    panel = draw_panel(2, 3, 36)
    panel[0, 0, 1] = np.nan
    expected = np.nanmean(panel.reshape(2, 3, 12, 3), axis=3)
    np.testing.assert_allclose(sampled_values(panel, 12), expected.reshape(2, -1))


@pytest.mark.parametrize("n_points", [2, 20, 64])
def test_values_depend_neither_on_units_nor_on_an_outlier(n_points):
    X = draw_panel(20, 2)
    X[0], X[1, 1, 3:5] = 1e12, np.nan
    factor, shift = np.array([[1e-6], [1e8]]), np.array([[-1e4], [1e9]])
    found = []
    for panel in (X, factor * X + shift):
        levels = RobustLevelScaler.fit(level_features(panel), np.ones(20))
        found.append(module._scale_values(sampled_values(panel, n_points), levels))
    np.testing.assert_allclose(*found, atol=1e-4)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= module._MAX_DISTANCE
    assert 0.1 < np.std(found[0][2:]) < 3


def test_columns_that_vary_by_rounding_alone_are_ignored():
    X = np.random.default_rng(0).normal(size=(10, 8))
    X[:, 1] = 3 + 1e-7 * X[:, 1]
    X[:, 5:] = [0, 1, 3] + 1e-7 * X[:, 5:]
    scaled = FeatureScaler.fit(X, np.ones(10), Layout(3, 2, (), 0, 2))(X)
    assert not scaled[:, [1, 5, 6, 7]].any()
    assert scaled[:, [0, 2, 3, 4]].all()


@pytest.mark.parametrize("unit", [1e-20, 1.0, 1e20])
def test_columns_of_a_transformer_have_rounding_of_their_own(unit):
    X = np.random.default_rng(0).normal(size=(10, 5))
    X[:, 1], X[:, 3] = 3 + 1e-12 * X[:, 1], 1  # levels have scales of at least 0
    layout = Layout(0, 0, (2,), 0, 2)
    scaled = FeatureScaler.fit(X * [unit, unit, 1, 1, 1], np.ones(10), layout)
    rows = scaled(X * [unit, unit, 1, 1, 1])
    np.testing.assert_allclose(rows[:, 0], (X[:, 0] - X[:, 0].mean()) / X[:, 0].std())
    assert not rows[:, 1].any()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_scaled_features_of_each_kind_have_mean_0_and_a_mean_squared_norm(layout):
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(12, layout.n_features)), rng.integers(1, 4, 12)
    levels = layout.split(X)[-2]
    levels[:, layout.n_levels // 2 :] = np.abs(levels[:, layout.n_levels // 2 :])  # scales
    rows = np.repeat(FeatureScaler.fit(X, weights, layout)(X), weights, axis=0)
    np.testing.assert_allclose(rows.mean(0), 0, atol=1e-9)
    *others, moments, duration = (np.square(part).sum(1) for part in layout.split(rows))
    np.testing.assert_allclose([part.mean() for part in others if part.any()], 1)
    np.testing.assert_allclose([moments.mean(), duration.mean()], 0.1)
