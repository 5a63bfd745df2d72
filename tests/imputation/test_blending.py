"""Weights fit the hidden points best, and stay near the prior where few points were hidden."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sktspulse.imputation import blending
from sktspulse.imputation.blending import (
    CANDIDATES,
    N_GAP_BINS,
    blend,
    fit_weights,
    gap_bins,
    ridge_by_bin,
    time_head_weights,
)

TRUE = np.array([0.5, -0.1, 0.3, 0.1, 0.2])
PRIOR = fit_weights(np.zeros((0, 5)), np.zeros(0), np.zeros(0, int))[0]


def draw(n: int, weights: np.ndarray, noise: float = 0.0, seed: int = 0):
    rng = np.random.default_rng(seed)
    candidates = rng.normal(size=(n, len(CANDIDATES)))
    return candidates, candidates @ weights + noise * rng.normal(size=n)


def test_known_weights_are_recovered():
    candidates, truth = draw(20_000, TRUE)
    weights = fit_weights(candidates, truth, np.zeros(20_000, int))
    np.testing.assert_allclose(weights[0], TRUE, atol=0.002)
    np.testing.assert_allclose(weights[-1], TRUE, atol=0.002)  # an empty bin: those of the channel


def test_every_gap_bin_has_its_weights():
    one, other = draw(20_000, TRUE, seed=1), draw(20_000, TRUE[::-1], seed=2)
    parts = [np.concatenate(pair) for pair in zip(one, other, strict=True)]
    weights = fit_weights(*parts, np.repeat([3, 7], 20_000))
    np.testing.assert_allclose(weights[3], TRUE, atol=0.003)
    np.testing.assert_allclose(weights[7], TRUE[::-1], atol=0.003)


@given(st.integers(0, 200), st.integers(0, 1000), st.sampled_from([1e-9, 1.0, 1e9]))
def test_weights_add_up_to_one(n, seed, unit):
    candidates, truth = draw(n, TRUE, noise=1, seed=seed)
    bins = np.random.default_rng(seed).integers(0, N_GAP_BINS, n)
    weights = fit_weights(unit * candidates, unit * truth, bins)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-9)


def test_few_points_stay_near_the_prior():
    far = np.abs(fit_weights(*draw(2, TRUE), np.zeros(2, int))[0] - PRIOR).max()
    assert 0 < far < 0.25
    many = fit_weights(*draw(2000, TRUE), np.zeros(2000, int))[0]
    assert np.abs(many - PRIOR).max() > 0.35


def test_without_hidden_points_the_weights_are_the_prior():
    weights = fit_weights(*draw(0, TRUE), np.zeros(0, int))
    assert weights.shape == (N_GAP_BINS, len(CANDIDATES))
    np.testing.assert_allclose(weights, np.tile([0.35, 0.35, 0, 0, 0.3], (N_GAP_BINS, 1)))


def test_equal_candidates_keep_the_prior():
    candidates = np.tile(np.arange(9.0)[:, None], (1, 5))
    weights = fit_weights(candidates, np.arange(9.0), np.zeros(9, int))
    np.testing.assert_allclose(weights[0], PRIOR, atol=1e-12)


@given(st.integers(4, 300), st.integers(0, 1000))
def test_ridge_is_least_squares_with_a_few_more_points(n, seed):
    rng = np.random.default_rng(seed)
    X, y, prior = rng.normal(size=(n, 3)), rng.normal(size=n), rng.normal(size=3)
    expected = centre = least_squares(X, y, prior)
    np.testing.assert_allclose(
        ridge_by_bin(X, y, np.ones(n, int), 3, prior)[0], expected, atol=1e-9
    )
    expected = least_squares(X, y, centre)
    np.testing.assert_allclose(
        ridge_by_bin(X, y, np.ones(n, int), 3, prior)[1], expected, atol=1e-9
    )


def least_squares(X, y, prior):
    penalty = np.sqrt(blending.PRIOR_POINTS * X.var()) * np.eye(X.shape[1])
    left, right = np.vstack([X, penalty]), np.append(y, penalty @ prior)
    return np.linalg.lstsq(left, right)[0]


def test_blending_uses_the_weights_of_the_gap_bin():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(N_GAP_BINS, 5))
    candidates, bins = rng.normal(size=(50, 5)), rng.integers(0, N_GAP_BINS, 50)
    expected = [
        sum(w * c for w, c in zip(weights[one], row, strict=True))
        for one, row in zip(bins, candidates, strict=True)
    ]
    np.testing.assert_allclose(blend(candidates, bins, weights), expected)


def test_the_time_head_alone_is_taken_as_it_is():
    rng = np.random.default_rng(0)
    candidates, bins = rng.normal(size=(50, 5)), rng.integers(0, N_GAP_BINS, 50)
    for weights in time_head_weights(2):
        np.testing.assert_array_equal(blend(candidates, bins, weights), candidates[:, 0])


def test_bins_grow_with_both_distances():
    steps = np.arange(1, 200)
    near, far = np.meshgrid(steps, steps, indexing="ij")
    bins = gap_bins(near, far)
    assert bins.min() == 0
    assert bins.max() == N_GAP_BINS - 1
    assert (np.diff(bins, axis=0) >= 0).all()
    assert (np.diff(bins, axis=1) >= 0).all()
    assert len(np.unique(bins)) == N_GAP_BINS


@pytest.mark.parametrize(("near", "far", "same"), [(3, 3, (4, 4)), (9, 17, (16, 32))])
def test_a_bin_holds_gaps_of_about_one_size(near, far, same):
    here = gap_bins(np.array(near), np.array(far))
    assert here == gap_bins(*map(np.array, same))
    assert here != gap_bins(np.array(near - 1), np.array(far))
