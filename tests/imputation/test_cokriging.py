"""Co-kriging takes the shape of a gap from other channels, as far as they are correlated."""

from __future__ import annotations

import naive_kriging
import numpy as np
import pytest

from sktspulse.imputation import cokriging
from sktspulse.imputation.cokriging import CoKriging

SPAN, STRIDE = cokriging._SPAN, cokriging._STRIDE


def coupled(n_channels=3, n_timepoints=400, noise=0.1, seed=0):
    """Channels that are one random walk, each with a factor and a little noise."""
    rng = np.random.default_rng(seed)
    walk = np.zeros(n_timepoints)
    for t in range(1, n_timepoints):
        walk[t] = 0.9 * walk[t - 1] + rng.normal()
    factors = np.array([1.0, -2.0, 0.5, 1.5, 1.0, -1.0, 2.0, 1.0, 0.7, -0.3])[:n_channels, None]
    rows = factors * walk + noise * rng.normal(size=(n_channels, n_timepoints))
    return rows / rows.std(1, keepdims=True)


def gappy(rows, seed=0, fraction=0.2, error=0.5):
    """Hide points; return values with errors, and the variances of these."""
    rng = np.random.default_rng(seed)
    hidden = rng.random(rows.shape) < fraction
    noise = np.where(hidden, error**2, 0.0)
    return np.where(hidden, rows + error * rng.normal(size=rows.shape), rows), noise


def fitted(rows, errors=None):
    """Fit one recording; errors are uncorrelated unless given."""
    if errors is None:
        errors = np.random.default_rng(9).normal(size=(200, len(rows), SPAN))
    return CoKriging.fit([rows[None]], errors)


def levels(n_channels):
    return cokriging._LEVEL_VARIANCE * np.kron(np.eye(n_channels), np.ones((SPAN, SPAN)))


def test_covariances_are_those_of_a_loop():
    panels = [np.stack([coupled(2, 60, seed=seed) for seed in range(2)]), coupled(2, 40)[None]]
    panels[0][np.random.default_rng(0).random(panels[0].shape) < 0.2] = np.nan
    panels.append(np.zeros((1, 2, SPAN - 1)))
    (group,) = CoKriging.fit(panels, np.full((1, 2, SPAN), np.nan)).groups
    expected = naive_kriging.covariance(panels, SPAN)
    values, vectors = np.linalg.eigh(expected)
    expected = (vectors * values.clip(0)) @ vectors.T
    np.testing.assert_allclose(group.covariance, expected, atol=1e-5)
    np.testing.assert_allclose(group.error_correlation, np.eye(2 * SPAN))  # none are known


def test_error_correlations_are_those_of_a_loop():
    windows = np.stack([coupled(2, SPAN + 3, seed=seed) for seed in range(30)])
    windows[np.random.default_rng(0).random(windows.shape) < 0.4] = np.nan
    (group,) = fitted(coupled(2), windows).groups
    np.testing.assert_allclose(
        group.error_correlation, naive_kriging.correlation(windows, SPAN), atol=1e-4
    )


@pytest.mark.parametrize("n_timepoints", [SPAN, SPAN + 1, 75])
def test_estimates_are_those_of_a_loop(n_timepoints):
    rows = coupled(3, n_timepoints)
    values, noise = gappy(rows)
    errors = np.stack([coupled(3, SPAN, seed=seed) for seed in range(20)])
    kriging = fitted(rows, errors)
    (group,) = kriging.groups
    model = group.covariance + levels(3), group.error_correlation, kriging.noise_variance
    means, variances = naive_kriging.krige(*model, values, noise, SPAN, STRIDE)
    np.testing.assert_allclose(kriging(values[None], noise[None])[0], means, atol=1e-7)
    np.testing.assert_allclose(
        kriging.variances(values[None], noise[None])[0], variances, atol=1e-7
    )


def test_estimates_are_nearer_to_the_truth():
    rows = coupled()
    values, noise = gappy(rows)
    estimates = fitted(rows)(values[None], noise[None])[0]
    hidden = noise > 0
    before, after = ((given - rows)[hidden].std() for given in (values, estimates))
    assert after < 0.4 * before
    np.testing.assert_array_equal(estimates[~hidden], rows[~hidden])


def test_levels_are_free():
    rows = coupled()
    values, noise = gappy(rows)
    kriging = fitted(rows)
    raised = 3 * np.arange(3.0)[:, None]
    expected = kriging(values[None], noise[None]) + raised
    np.testing.assert_allclose(kriging((values + raised)[None], noise[None]), expected, atol=0.05)


def test_precise_values_are_kept_and_uncorrelated_channels_do_not_matter():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2, 20_000))
    values, noise = gappy(rows)
    kriging = fitted(rows)
    near = kriging(values[None], 1e-9 * noise[None])[0]
    np.testing.assert_allclose(near, values, atol=1e-6)
    other = values.copy()
    other[1, :500] = 5 * rng.normal(size=500)
    both = [kriging(given[None, :, :500], noise[None, :, :500])[0, 0] for given in (values, other)]
    assert np.abs(both[0] - both[1]).max() < 0.4


def test_rows_do_not_depend_on_each_other():
    panel = np.stack([coupled(2, 90, seed=seed) for seed in range(5)])
    values, noise = gappy(panel)
    kriging = CoKriging.fit([panel], np.random.default_rng(0).normal(size=panel.shape))
    together = kriging(values, noise)
    for row in range(5):
        alone = kriging(values[row : row + 1], noise[row : row + 1])[0]
        np.testing.assert_allclose(alone, together[row], rtol=1e-9, atol=1e-12)


def test_short_series_are_solved_as_they_are():
    rows = coupled(2, 12)
    values, noise = gappy(rows)
    estimates = fitted(coupled(2))(values[None], noise[None])
    assert estimates.shape == (1, 2, 12)
    assert np.isfinite(estimates).all()


def test_missing_values_have_no_influence():
    rows = coupled(2, 64)
    values, noise = gappy(rows)
    kriging = fitted(coupled(2))
    expected = kriging(values[None, :, 32:], noise[None, :, 32:])
    values[:, :32] = np.nan
    estimates = kriging(values[None], noise[None])
    assert np.isnan(estimates[..., :32]).all()
    np.testing.assert_allclose(estimates[..., 48:], expected[..., 16:], atol=0.05)
    np.testing.assert_allclose(estimates[..., 32:], expected, atol=0.2)


@pytest.mark.parametrize("n_channels", [1, 3, 8, 9, 30])
def test_groups_hold_every_channel_once(n_channels):
    covariance = np.cov(np.random.default_rng(0).normal(size=(n_channels, 50)))
    groups = cokriging._group_channels(np.atleast_2d(covariance))
    assert sorted(np.concatenate(groups).tolist()) == list(range(n_channels))
    assert max(map(len, groups)) <= cokriging._MAX_GROUP


def test_groups_hold_correlated_channels():
    rng = np.random.default_rng(0)
    walks = rng.normal(size=(2, 1, 300))
    rows = np.concatenate([walks[i % 2] + 0.1 * rng.normal(size=(1, 300)) for i in range(16)])
    groups = cokriging._group_channels(np.cov(rows))
    assert sorted(map(tuple, groups)) == [tuple(range(0, 16, 2)), tuple(range(1, 16, 2))]


@pytest.mark.parametrize("given", [np.full((1, 2, 40), np.nan), np.zeros((1, 2, 20))])
def test_nothing_to_fit_is_no_error(given):
    values, noise = gappy(coupled(2, 64))
    kriging = CoKriging.fit([given], np.full(given.shape, np.nan))
    assert np.isfinite(kriging(values[None], noise[None])).all()


def test_an_exact_relation_is_used_to_the_full():
    walk = np.cumsum(np.random.default_rng(0).normal(size=1000))
    rows = np.stack([walk, -3 * walk]) / walk.std()
    values, noise = gappy(rows, fraction=0.1, error=0.03)
    alone = (noise > 0).sum(0) == 1
    estimates = fitted(rows)(values[None], noise[None])[0]
    errors = np.abs(estimates - rows).max(0)
    assert np.median(errors[alone]) < 0.006


def test_many_channels_are_fitted_on_fewer_spans(monkeypatch):
    monkeypatch.setattr(cokriging, "_MAX_VALUES", 2000)
    spans = cokriging._take_spans([coupled(3, 300)[None], coupled(3, 500)[None]])
    assert 15 <= len(spans) <= 22
