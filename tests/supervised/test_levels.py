"""Level and scale of channels as features."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.supervised.levels import (
    ColumnScaler,
    RobustLevelScaler,
    _quantile,
    level_features,
    relative,
)


def test_levels_of_constant_and_empty_channels():
    X = np.stack([[np.full(8, 3.0), np.full(8, np.nan), np.arange(8.0)]])
    np.testing.assert_allclose(level_features(X), [[3, np.nan, 3.5, 0, np.nan, np.sqrt(5.25)]])


def test_levels_do_not_depend_on_the_units_of_channels():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 3, 40)).cumsum(axis=-1) + rng.normal(size=(20, 3, 1))
    X[0, 0], X[1, 1], X[2, 2] = np.nan, 4.0, 1e9
    factor, shift = np.array([[1e-6], [5], [1e8]]), np.array([[3], [-1e4], [1e9]])
    panels = [level_features(X), level_features(factor * X + shift)]
    one, other = (RobustLevelScaler.fit(levels, np.ones(20))(levels) for levels in panels)
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


@pytest.mark.parametrize("squared_norm", [None, 0.1])
def test_columns_have_mean_0_and_variance_1_or_rows_a_norm(squared_norm):
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(30, 4)) * [1, 5, 0, 1e3] + 7, rng.integers(1, 4, 30)
    scaler = ColumnScaler.fit(X, weights.astype(float), 1e-3, squared_norm)
    scaled = scaler(np.repeat(X, weights, axis=0))
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-9)
    assert not scaled[:, 2].any()
    variance = 1 if squared_norm is None else squared_norm / 3
    np.testing.assert_allclose(scaled[:, [0, 1, 3]].var(0), variance)


def test_distances_in_units_are_finite_and_keep_their_sign():
    largest = np.finfo(np.float64).max
    found = relative(np.array([largest, -largest, 4.0, -4.0]), 0.0, np.array([1e-9, 1e-9, 2, 2]))
    np.testing.assert_array_equal(np.isfinite(found), True)
    assert found[0] == -found[1] > 1e100
    np.testing.assert_array_equal(found[2:], [0.5, -0.5])
