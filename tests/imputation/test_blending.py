"""Weights are convex, come from the points of their kind, and stay near a prior with few points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from sktspulse.imputation import blending
from sktspulse.imputation.blending import (
    CANDIDATES,
    N_DISTANCES,
    N_GAP_BINS,
    blend,
    error_products,
    fit_weights,
    gap_bins,
    ridge_by_bin,
    time_head_weights,
)
from sktspulse.series import Neighbors

K = len(CANDIDATES)
NEAR, FAR, ONE_SIDED = 12, 99, 109
SEASONAL = [3, 4]


def errors(n, deviations, seed=0):
    return np.random.default_rng(seed).normal(size=(n, K)) * deviations


def fit(rows, bins):
    return fit_weights(error_products(rows, bins)[None])[0]


def test_weights_are_those_with_the_least_squared_error():
    rows = errors(20_000, [1, 2, 1, 0.5, 3, 1, 2]) + errors(20_000, 1.0, seed=1)[:, :1]
    weights = fit(rows, np.full(len(rows), NEAR))[1, NEAR]
    products = rows.T @ rows / len(rows)
    start, conditions = np.full(K, 1 / K), {"type": "eq", "fun": lambda w: w.sum() - 1}
    best = minimize(
        lambda w: w @ products @ w, start, bounds=[(0, 1)] * K, constraints=conditions
    ).x
    np.testing.assert_allclose(weights, best, atol=0.01)


@given(st.integers(0, 200), st.integers(0, 1000), st.sampled_from([1e-9, 1.0, 1e9]))
def test_weights_are_convex(n, seed, unit):
    rng = np.random.default_rng(seed)
    rows = unit * errors(n, rng.random(K), seed)
    rows[: n // 2, SEASONAL] = np.nan
    weights = fit(rows, rng.integers(0, N_GAP_BINS, n))
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-9)
    assert (weights >= 0).all()
    assert (weights[0][:, SEASONAL] == 0).all()


def test_every_gap_bin_has_its_weights():
    good, bad = np.full(K, 0.1), np.full(K, 10.0)
    rows = [errors(20_000, np.where(np.arange(K) == best, good, bad)) for best in (1, 5)]
    weights = fit(np.concatenate(rows), np.repeat([NEAR, FAR], 20_000))[1]
    assert weights[NEAR, 1] > 0.95
    assert weights[FAR, 5] > 0.9


def test_a_bin_without_points_has_the_weights_of_others_at_its_distance():
    rows = errors(20_000, np.where(np.arange(K) == 5, 0.1, 10.0))
    weights = fit(rows, np.full(len(rows), NEAR))[1]
    assert weights[NEAR + 1, 5] > 0.9
    # Another channel without evidence has those of the first.
    products = error_products(rows, np.full(len(rows), NEAR))
    assert fit_weights(np.stack([products, 0 * products]))[1, 1, NEAR, 5] > 0.9


def test_without_hidden_points_the_network_fills_near_and_the_ends_are_joined_far():
    weights = fit(np.zeros((0, K)), np.zeros(0, int))
    names = [CANDIDATES[one] for one in weights.argmax(-1)[:, [NEAR, FAR, ONE_SIDED]].ravel()]
    assert names == ["time", "linear", "linear", "time", "anchored seasonal", "seasonal"]
    assert set(weights.ravel()) == {0.0, 1.0}


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_finer_gaps_than_hidden_ones_have_the_evidence_of_wider_ones(unit):
    """If no hidden point is nearer than two steps, errors of interpolation fall on as before."""
    two, three = N_DISTANCES + 1, 2 * (N_DISTANCES + 1)
    near, far = np.full(K, 0.8), np.full(K, 0.9)
    near[-2:], far[-2:] = [1.0, 1.2], [2.0, 1.2]  # the cubic halves, the line stays
    rows = unit * np.concatenate([errors(20_000, near), errors(20_000, far, seed=1)])
    bins = np.repeat([two, three], 20_000)
    products = error_products(rows, bins)
    weights = fit_weights(products[None])[0, 1]
    measured = [np.sqrt((rows[bins == one] ** 2).mean(0)) for one in (two, three)]
    falling = np.ones(K)
    falling[-2:] = np.minimum(measured[0] / measured[1], 1)[-2:]
    spelled_out = np.concatenate([rows, rows[:20_000] * falling])
    expected = fit_weights(error_products(spelled_out, np.append(bins, [0] * 20_000))[None])[0, 1]
    np.testing.assert_allclose(weights[0], expected[0], atol=0.02)
    assert weights[0, CANDIDATES.index("cubic")] > 1.5 * weights[two, CANDIDATES.index("cubic")]


def test_points_without_other_periods_borrow_from_those_with_them():
    rows = errors(20_000, np.where(np.arange(K) == 6, 0.1, 10.0))
    assert fit(rows, np.full(len(rows), NEAR))[0, NEAR, 6] > 0.99


def test_few_points_stay_near_the_prior():
    rows = errors(2, np.where(np.arange(K) == 0, 1.0, 0.5))
    assert fit(rows, np.full(2, NEAR))[1, NEAR, 0] > 0.25
    assert (
        fit(errors(2000, np.where(np.arange(K) == 0, 1, 0.2)), np.full(2000, NEAR))[1, NEAR, 0]
        < 0.1
    )


def test_points_without_other_periods_have_weights_of_their_own():
    rows = errors(4000, np.where(np.arange(K) == 3, 0.1, 1.0))
    rows[:2000, SEASONAL] = np.nan
    rows[:2000, 5] /= 100
    weights = fit(rows, np.full(len(rows), NEAR))
    assert weights[0, NEAR, 5] > 0.9
    assert weights[1, NEAR, 3] > 0.9


def test_equal_candidates_keep_the_prior():
    rows = np.tile(errors(9, 1.0)[:, :1], (1, K))
    np.testing.assert_allclose(fit(rows, np.full(9, NEAR))[1, NEAR], np.eye(K)[0], atol=1e-6)


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
    return np.linalg.lstsq(left, right, rcond=None)[0]


def test_blending_uses_the_weights_of_the_gap_bin():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(2, N_GAP_BINS, K))
    weights[0][:, SEASONAL] = 0
    candidates, bins = rng.normal(size=(50, K)), rng.integers(0, N_GAP_BINS, 50)
    candidates[::3, SEASONAL] = np.nan
    expected = [
        sum(
            w * c
            for w, c in zip(weights[0 if np.isnan(row[3]) else 1][one], row, strict=True)
            if not np.isnan(c)
        )
        for one, row in zip(bins, candidates, strict=True)
    ]
    np.testing.assert_allclose(blend(candidates, bins, weights), expected)


def test_the_time_head_alone_is_taken_as_it_is():
    rng = np.random.default_rng(0)
    candidates, bins = rng.normal(size=(50, K)), rng.integers(0, N_GAP_BINS, 50)
    for weights in time_head_weights(2):
        np.testing.assert_array_equal(blend(candidates, bins, weights), candidates[:, 0])


def bins_of(before, after):
    """Bin of a point so many steps after a known point and before another; 0 for none."""
    n = max(before, 1) + max(after, 1)
    known = np.zeros(2 * n, bool)
    at = before or n
    known[[at - before] * bool(before) + [at + after] * bool(after)] = True
    return gap_bins(Neighbors.from_mask(known[None]))[0, at]


def test_bins_grow_with_both_distances():
    steps = [1, 2, 3, 5, 9, 17, 33, 65, 129, 257, 1000]
    table = np.array([[bins_of(near, far) for far in steps] for near in steps])
    np.testing.assert_array_equal(table, table.T)
    upper = np.triu(table)
    assert (np.diff(table, axis=1) >= 0).all()
    ends = [bins_of(0, step) for step in steps]
    assert ends == [bins_of(step, 0) for step in steps]
    assert len({*upper[np.triu_indices(11)], *ends}) == 55 + 10
    assert min(ends) > table.max()
    assert max(ends) == N_GAP_BINS - 1


@pytest.mark.parametrize(("near", "far", "same"), [(3, 3, (4, 4)), (9, 17, (16, 32))])
def test_a_bin_holds_gaps_of_about_one_size(near, far, same):
    here = bins_of(near, far)
    assert here == bins_of(*same)
    assert here != bins_of(near - 1, far)
