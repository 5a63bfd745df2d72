"""Gaps borrow the shape of other channels, in the measure that these are worth."""

from __future__ import annotations

import naive_kriging
import numpy as np
import pytest

from sktspulse.imputation import cokriging
from sktspulse.imputation.cokriging import Kriging

SPAN, HOP = cokriging._SPAN, cokriging._HOP


def coupled(n_channels=3, n_timepoints=400, noise=0.1, seed=0):
    """Channels that are one walk, each turned, scaled and a little disturbed."""
    rng = np.random.default_rng(seed)
    walk = np.zeros(n_timepoints)
    for t in range(1, n_timepoints):
        walk[t] = 0.9 * walk[t - 1] + rng.normal()
    factors = np.array([1.0, -2.0, 0.5, 1.5, 1.0, -1.0, 2.0, 1.0, 0.7, -0.3])[:n_channels, None]
    rows = factors * walk + noise * rng.normal(size=(n_channels, n_timepoints))
    return rows / rows.std(1, keepdims=True)


def gappy(rows, seed=0, share=0.2, error=0.5):
    """Hide points; return readings with errors, their variances, and the truth."""
    rng = np.random.default_rng(seed)
    hidden = rng.random(rows.shape) < share
    noise = np.where(hidden, error**2, 0.0)
    return np.where(hidden, rows + error * rng.normal(size=rows.shape), rows), noise


def learned(rows, errors=None):
    """What is learned of one recording; errors do not know of each other unless given."""
    if errors is None:
        errors = np.random.default_rng(9).normal(size=(200, len(rows), SPAN))
    return Kriging.of([rows[None]], errors)


def levels(n_channels):
    return cokriging._LEVEL * np.kron(np.eye(n_channels), np.ones((SPAN, SPAN)))


def test_covariances_are_those_of_a_loop():
    panels = [np.stack([coupled(2, 60, seed=seed) for seed in range(2)]), coupled(2, 40)[None]]
    panels[0][np.random.default_rng(0).random(panels[0].shape) < 0.2] = np.nan
    panels.append(np.zeros((1, 2, SPAN - 1)))
    (group,) = Kriging.of(panels, np.full((1, 2, SPAN), np.nan)).groups
    expected = naive_kriging.covariance(panels, SPAN)
    values, vectors = np.linalg.eigh(expected)
    expected = (vectors * values.clip(0)) @ vectors.T
    np.testing.assert_allclose(group.shapes, expected, atol=1e-5)
    np.testing.assert_allclose(group.errors, np.eye(2 * SPAN))  # none are known


def test_errors_are_as_alike_as_a_loop_finds():
    windows = np.stack([coupled(2, SPAN + 3, seed=seed) for seed in range(30)])
    windows[np.random.default_rng(0).random(windows.shape) < 0.4] = np.nan
    (group,) = learned(coupled(2), windows).groups
    np.testing.assert_allclose(group.errors, naive_kriging.correlation(windows, SPAN), atol=1e-4)


@pytest.mark.parametrize("n_timepoints", [SPAN, SPAN + 1, 75])
def test_estimates_are_those_of_a_loop(n_timepoints):
    rows = coupled(3, n_timepoints)
    values, noise = gappy(rows)
    errors = np.stack([coupled(3, SPAN, seed=seed) for seed in range(20)])
    kriging = learned(rows, errors)
    (group,) = kriging.groups
    model = group.shapes + levels(3), group.errors, kriging.nugget
    means, variances = naive_kriging.krige(*model, values, noise, SPAN, HOP)
    np.testing.assert_allclose(kriging(values[None], noise[None])[0], means, atol=1e-7)
    np.testing.assert_allclose(
        kriging.variances(values[None], noise[None])[0], variances, atol=1e-7
    )


def test_the_truth_is_nearer_than_the_readings():
    rows = coupled()
    values, noise = gappy(rows)
    estimates = learned(rows)(values[None], noise[None])[0]
    hidden = noise > 0
    before, after = ((given - rows)[hidden].std() for given in (values, estimates))
    assert after < 0.4 * before
    np.testing.assert_array_equal(estimates[~hidden], rows[~hidden])


def test_levels_are_free():
    rows = coupled()
    values, noise = gappy(rows)
    kriging = learned(rows)
    raised = 3 * np.arange(3.0)[:, None]
    expected = kriging(values[None], noise[None]) + raised
    np.testing.assert_allclose(kriging((values + raised)[None], noise[None]), expected, atol=0.05)


def test_good_readings_are_kept_and_channels_without_ties_do_not_matter():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2, 20_000))
    values, noise = gappy(rows)
    kriging = learned(rows)
    near = kriging(values[None], 1e-9 * noise[None])[0]
    np.testing.assert_allclose(near, values, atol=1e-6)
    other = values.copy()
    other[1, :500] = 5 * rng.normal(size=500)
    both = [kriging(given[None, :, :500], noise[None, :, :500])[0, 0] for given in (values, other)]
    assert np.abs(both[0] - both[1]).max() < 0.4


def test_rows_do_not_depend_on_each_other():
    panel = np.stack([coupled(2, 90, seed=seed) for seed in range(5)])
    values, noise = gappy(panel)
    kriging = Kriging.of([panel], np.random.default_rng(0).normal(size=panel.shape))
    together = kriging(values, noise)
    for row in range(5):
        alone = kriging(values[row : row + 1], noise[row : row + 1])[0]
        np.testing.assert_array_equal(alone, together[row])


def test_short_series_are_solved_as_they_are():
    rows = coupled(2, 12)
    values, noise = gappy(rows)
    estimates = learned(coupled(2))(values[None], noise[None])
    assert estimates.shape == (1, 2, 12)
    assert np.isfinite(estimates).all()


def test_what_is_not_there_has_no_say():
    rows = coupled(2, 64)
    values, noise = gappy(rows)
    kriging = learned(coupled(2))
    expected = kriging(values[None, :, 32:], noise[None, :, 32:])
    values[:, :32] = np.nan
    estimates = kriging(values[None], noise[None])
    assert np.isnan(estimates[..., :32]).all()
    np.testing.assert_allclose(estimates[..., 48:], expected[..., 16:], atol=0.05)
    np.testing.assert_allclose(estimates[..., 32:], expected, atol=0.2)


@pytest.mark.parametrize("n_channels", [1, 3, 8, 9, 30])
def test_groups_hold_every_channel_once(n_channels):
    covariance = np.cov(np.random.default_rng(0).normal(size=(n_channels, 50)))
    groups = cokriging._alike(np.atleast_2d(covariance))
    assert sorted(np.concatenate(groups).tolist()) == list(range(n_channels))
    assert max(map(len, groups)) <= cokriging._GROUP


def test_groups_hold_what_moves_together():
    rng = np.random.default_rng(0)
    walks = rng.normal(size=(2, 1, 300))
    rows = np.concatenate([walks[i % 2] + 0.1 * rng.normal(size=(1, 300)) for i in range(16)])
    groups = cokriging._alike(np.cov(rows))
    assert sorted(map(tuple, groups)) == [tuple(range(0, 16, 2)), tuple(range(1, 16, 2))]


@pytest.mark.parametrize("given", [np.full((1, 2, 40), np.nan), np.zeros((1, 2, 20))])
def test_nothing_to_learn_from_is_no_error(given):
    values, noise = gappy(coupled(2, 64))
    kriging = Kriging.of([given], np.full(given.shape, np.nan))
    assert np.isfinite(kriging(values[None], noise[None])).all()


def test_a_tie_that_is_exact_is_used_to_the_full():
    walk = np.cumsum(np.random.default_rng(0).normal(size=1000))
    rows = np.stack([walk, -3 * walk]) / walk.std()
    values, noise = gappy(rows, share=0.1, error=0.03)
    alone = (noise > 0).sum(0) == 1
    estimates = learned(rows)(values[None], noise[None])[0]
    errors = np.abs(estimates - rows).max(0)
    assert np.median(errors[alone]) < 0.006


def test_many_channels_are_learned_from_fewer_spans(monkeypatch):
    monkeypatch.setattr(cokriging, "_VALUES_LEARNED", 2000)
    spans = cokriging._take_spans([coupled(3, 300)[None], coupled(3, 500)[None]])
    assert 15 <= len(spans) <= 22
