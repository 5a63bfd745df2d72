"""Linear and cubic interpolation against numpy, slow twins, and curves they reproduce."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sktspulse.series.interpolation import (
    Neighbors,
    _relative_position,
    interpolate_cubic,
    interpolate_linear,
)

MASKS = st.lists(st.booleans(), min_size=1, max_size=40).filter(any)


def series(length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=length)


def fill(rule, values: np.ndarray, known: np.ndarray) -> np.ndarray:
    shown = np.where(known, values, np.nan)
    return rule(shown[None], Neighbors.from_mask(known[None]))[0]


@given(MASKS)
def test_lines_are_those_of_numpy(mask):
    known = np.array(mask)
    values = series(len(known))
    places = np.arange(len(known))
    expected = np.interp(places, places[known], values[known])
    np.testing.assert_allclose(
        fill(interpolate_linear, values, known), expected, rtol=1e-12, atol=1e-13
    )


@pytest.mark.parametrize(
    ("rule", "twin"),
    [(interpolate_linear, naive.fill_linear), (interpolate_cubic, naive.fill_cubic)],
)
@given(MASKS, st.integers(0, 1000))
def test_twins_agree(rule, twin, mask, seed):
    known = np.array(mask)
    values = series(len(known), seed)
    expected = [twin(values, mask, t) for t in range(len(mask))]
    np.testing.assert_allclose(fill(rule, values, known), expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("rule", [interpolate_linear, interpolate_cubic])
@given(MASKS)
def test_known_values_stay(rule, mask):
    known = np.array(mask)
    values = series(len(known))
    np.testing.assert_array_equal(fill(rule, values, known)[known], values[known])


@pytest.mark.parametrize("rule", [interpolate_linear, interpolate_cubic])
def test_constants_beyond_the_ends(rule):
    known = np.zeros(30, dtype=bool)
    known[[7, 9, 12, 20]] = True
    filled = fill(rule, series(30), known)
    assert (filled[:7] == filled[7]).all()
    assert (filled[21:] == filled[20]).all()


@pytest.mark.parametrize("rule", [interpolate_linear, interpolate_cubic])
def test_one_known_point_fills_all(rule):
    known = np.arange(11) == 4
    np.testing.assert_array_equal(fill(rule, series(11), known), series(11)[4])


@given(st.lists(st.booleans(), min_size=6, max_size=40), st.tuples(*[st.floats(-3, 3)] * 3))
def test_cubics_meet_parabolas(mask, coefficients):
    known = np.array(mask)
    known[[0, 1, -2, -1]] = True
    t = np.arange(len(known)) / 10
    parabola = np.polyval(coefficients, t)
    np.testing.assert_allclose(fill(interpolate_cubic, parabola, known), parabola, atol=1e-9)
    if known[1:-1].all():
        return
    curved = abs(coefficients[0]) > 0.1
    error = np.abs(fill(interpolate_linear, parabola, known) - parabola).max()
    assert error > 1e-4 or not curved  # a line would not do


def test_rows_are_independent():
    rng = np.random.default_rng(0)
    known = rng.random((5, 50)) < 0.4
    known[:, 3] = True
    values = np.where(known, rng.normal(size=known.shape), np.nan)
    together = interpolate_cubic(values, Neighbors.from_mask(known))
    for row in range(5):
        alone = interpolate_cubic(values[row : row + 1], Neighbors.from_mask(known[row : row + 1]))
        np.testing.assert_array_equal(together[row], alone[0])


def test_distances_to_both_sides():
    known = np.isin(np.arange(8), [2, 6])
    nearer, farther = Neighbors.from_mask(known[None]).distances()
    assert nearer[0].tolist() == [2, 1, 0, 1, 2, 1, 0, 1]
    assert farther[0].tolist() == [2, 1, 0, 3, 2, 3, 0, 1]


def test_places_outside_of_a_gap_are_at_its_ends():
    before, after = np.full((1, 5), 2), np.full((1, 5), 3)
    neighbors = Neighbors(before, after, before, after)
    np.testing.assert_array_equal(_relative_position(neighbors), [[0, 0, 0, 1, 1]])
