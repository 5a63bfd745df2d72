"""Columns of the probe: their groups, sampled values, scaling."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.supervised.levels import RobustLevelScaler, level_features
from sktspulse.supervised.probe import features as module
from sktspulse.supervised.probe.features import FeatureScaler, Layout, sampled_values
from sktspulse.supervised.probe.representations import REPRESENTATIONS, SMOOTH_REPRESENTATIONS


def draw_panel(n_series=4, n_channels=2, n_timepoints=40, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_series, n_channels, n_timepoints)).cumsum(axis=-1)


@pytest.mark.parametrize("windowing", ["resample", "sliding"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_groups_of_columns(windowing, n):
    used = REPRESENTATIONS[windowing][:n]
    names = [f"{one.__name__} {i}" for one in used for i in range(2)]
    names = np.array([*names, "value", "level", "level", "level"])
    groups = [set(names[g]) for g in Layout(n, 2 * n, 1, 3).groups(windowing)]
    every, levels, *others = groups
    assert every == set(names) - {"value"}
    assert levels == {"level"}
    smooth = {f"{r.__name__} {i}" for r in used if r in SMOOTH_REPRESENTATIONS for i in range(2)}
    assert (smooth in others) == (n > 1)
    assert {"value"} in others
    assert ({"unchanged 0", "unchanged 1"} in others) == ("unchanged 0" in names)
    without = Layout(n, 2 * n, 0, 3).groups(windowing)
    assert len(without) == 2 + (n > 1)


@pytest.mark.parametrize(("n_channels", "n_points"), [(1, 64), (32, 64), (64, 32), (5000, 2)])
def test_values_are_sampled_from_the_first_to_the_last(n_channels, n_points):
    panel = [draw_panel(1, n_channels, n)[0] for n in (30, 200)]
    values = sampled_values(panel).reshape(2, n_channels, n_points)
    for series, found in zip(panel, values, strict=True):
        np.testing.assert_allclose(found[:, [0, -1]], series[:, [0, -1]])
        places = np.linspace(0, series.shape[1] - 1, n_points)
        expected = [np.interp(places, np.arange(series.shape[1]), one) for one in series]
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_values_depend_neither_on_units_nor_on_an_outlier():
    X = draw_panel(20, 2)
    X[0], X[1, 1, 3:5] = 1e12, np.nan
    factor, shift = np.array([[1e-6], [1e8]]), np.array([[-1e4], [1e9]])
    found = []
    for panel in (X, factor * X + shift):
        levels = RobustLevelScaler.fit(level_features(panel), np.ones(20))
        found.append(module._scale_values(sampled_values(panel), levels))
    np.testing.assert_allclose(*found, atol=1e-4)
    assert np.isfinite(found).all()
    assert np.abs(found).max() <= module._MAX_DISTANCE
    assert 0.1 < np.std(found[0][2:]) < 3


def test_columns_that_vary_by_rounding_alone_are_ignored():
    X = np.random.default_rng(0).normal(size=(10, 6))
    X[:, 1] = 3 + 1e-7 * X[:, 1]
    X[:, 4:] = [0, 1] + 1e-7 * X[:, 4:]
    scaled = FeatureScaler.fit(X, np.ones(10), Layout(1, 4, 0, 2))(X)
    assert not scaled[:, [1, 4, 5]].any()
    assert scaled[:, [0, 2, 3]].all()
