"""Weights are those that fill the hidden points best, and the prior where little was hidden."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sktspulse.imputation import blending
from sktspulse.imputation.blending import CANDIDATES, Blend, gap_cells

TRUE = np.array([0.5, -0.1, 0.3, 0.1, 0.2])
PRIOR = Blend(1).weights[0, 0]


def draw(n: int, weights: np.ndarray, noise: float = 0.0, seed: int = 0):
    rng = np.random.default_rng(seed)
    candidates = rng.normal(size=(n, len(CANDIDATES)))
    return candidates, candidates @ weights + noise * rng.normal(size=n)


def learned(candidates, truth, cells) -> np.ndarray:
    blend = Blend(1)
    blend.learn(0, candidates, truth, cells)
    return blend.weights[0]


def test_known_weights_are_recovered():
    candidates, truth = draw(20_000, TRUE)
    weights = learned(candidates, truth, np.zeros(20_000, dtype=int))
    np.testing.assert_allclose(weights[0], TRUE, atol=0.002)
    np.testing.assert_allclose(weights[-1], TRUE, atol=0.002)  # an empty cell: those of the channel


def test_every_kind_of_gap_has_its_weights():
    one, other = draw(20_000, TRUE, seed=1), draw(20_000, TRUE[::-1], seed=2)
    parts = [np.concatenate(pair) for pair in zip(one, other, strict=True)]
    weights = learned(*parts, np.repeat([3, 7], 20_000))
    np.testing.assert_allclose(weights[3], TRUE, atol=0.003)
    np.testing.assert_allclose(weights[7], TRUE[::-1], atol=0.003)


@given(st.integers(0, 200), st.integers(0, 1000), st.sampled_from([1e-9, 1.0, 1e9]))
def test_weights_add_up_to_one(n, seed, unit):
    candidates, truth = draw(n, TRUE, noise=1, seed=seed)
    cells = np.random.default_rng(seed).integers(0, Blend.n_cells, n)
    weights = learned(unit * candidates, unit * truth, cells)
    np.testing.assert_allclose(weights.sum(-1), 1, atol=1e-9)


def test_few_points_stay_near_the_prior():
    cells = np.zeros(2, dtype=int)
    far = np.abs(learned(*draw(2, TRUE), cells)[0] - PRIOR).max()
    assert 0 < far < 0.25
    many = learned(*draw(2000, TRUE), np.zeros(2000, dtype=int))[0]
    assert np.abs(many - PRIOR).max() > 0.35


def test_nothing_learned_is_the_prior():
    weights = learned(*draw(0, TRUE), np.zeros(0, dtype=int))
    np.testing.assert_allclose(weights, Blend(1).weights[0], atol=1e-15)


def test_equal_candidates_keep_the_prior():
    candidates = np.tile(np.arange(9.0)[:, None], (1, 5))
    weights = learned(candidates, np.arange(9.0), np.zeros(9, dtype=int))
    np.testing.assert_allclose(weights[0], PRIOR, atol=1e-12)


@given(st.integers(4, 300), st.integers(0, 1000))
def test_ridge_is_least_squares_with_a_few_more_points(n, seed):
    rng = np.random.default_rng(seed)
    offers, gain, centre = rng.normal(size=(n, 3)), rng.normal(size=n), rng.normal(size=3)
    force = np.sqrt(blending._STRENGTH * offers.var()) * np.eye(3)
    left, right = np.vstack([offers, force]), np.append(gain, force @ centre)
    expected = np.linalg.lstsq(left, right)[0]
    np.testing.assert_allclose(blending.ridge(offers, gain, centre), expected, atol=1e-9)


def test_channels_are_independent():
    blend = Blend(3)
    blend.learn(1, *draw(500, TRUE), np.zeros(500, dtype=int))
    np.testing.assert_array_equal(blend.weights[[0, 2]], Blend(2).weights)
    assert not np.allclose(blend.weights[1], blend.weights[0])


def test_blending_takes_the_weights_of_channel_and_cell():
    blend = Blend(2)
    rng = np.random.default_rng(0)
    blend.weights = rng.normal(size=blend.weights.shape)
    candidates, cells = rng.normal(size=(50, 5)), rng.integers(0, Blend.n_cells, 50)
    expected = [
        sum(w * c for w, c in zip(blend.weights[1, cell], offer, strict=True))
        for offer, cell in zip(candidates, cells, strict=True)
    ]
    np.testing.assert_allclose(blend(1, candidates, cells), expected)


def test_cells_grow_with_both_distances():
    steps = np.arange(1, 200)
    near, far = np.meshgrid(steps, steps, indexing="ij")
    cells = gap_cells(near, far)
    assert cells.min() == 0
    assert cells.max() == Blend.n_cells - 1
    assert (np.diff(cells, axis=0) >= 0).all()
    assert (np.diff(cells, axis=1) >= 0).all()
    assert len(np.unique(cells)) == Blend.n_cells


@pytest.mark.parametrize(("near", "far", "same"), [(3, 3, (4, 4)), (9, 17, (16, 32))])
def test_a_cell_holds_gaps_of_about_one_size(near, far, same):
    here = gap_cells(np.array(near), np.array(far))
    assert here == gap_cells(*map(np.array, same))
    assert here != gap_cells(np.array(near - 1), np.array(far))
