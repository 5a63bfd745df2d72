"""Standardisation against its slow twin, and what must hold whatever the series."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sktspulse.network.scaling import standardize

DTYPES = st.sampled_from([np.float32, np.float64])


@st.composite
def series(draw, dtypes=DTYPES):
    """Draw whole numbers, so that some repeat, and a share that is missing."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    size = draw(st.integers(1, 60))
    x = rng.integers(-9, 10, size) * draw(st.sampled_from([0.0, 1.0, 100.0]))
    x[rng.random(size) < draw(st.sampled_from([0.0, 0.3, 1.0]))] = np.nan
    return x.astype(draw(dtypes))


@given(series(dtypes=st.just(np.float64)))
def test_standardize_equals_its_twin(x):
    np.testing.assert_allclose(standardize(x).values, naive.standardize(x.tolist()), atol=1e-12)


@given(series())
def test_standardizing_can_be_undone(x):
    values, loc, scale = standardize(x)
    np.testing.assert_allclose(values * scale + loc, x, rtol=1e-5, atol=1e-9)
    np.testing.assert_array_equal(np.isnan(values), np.isnan(x))


@pytest.mark.parametrize("unit", [1e-300, 1e-5, 1.0, 1e5, 1e300])
def test_units_do_not_matter(unit):
    x = np.random.default_rng(0).normal(size=(3, 2, 50))
    x[0, 0, ::3] = np.nan
    np.testing.assert_allclose(standardize(x * unit).values, standardize(x).values, atol=1e-12)


def test_extreme_values_are_standardized_without_overflow():
    values = standardize(np.array([-1.7e308, 1.7e308, 1.7e308])).values
    np.testing.assert_allclose(values, np.array([-2, 1, 1]) / np.sqrt(2))
    np.testing.assert_allclose(standardize(np.array([0, 5e-324])).values, [-1, 1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0, 0.1, -1e5, 1e30])
def test_constant_values_become_zeros(value, dtype):
    x = np.full(1000, value, dtype)
    x[::7] *= 1 + np.finfo(dtype).eps  # what rounding does
    x[3] = np.nan
    values, _, scale = standardize(x)
    np.testing.assert_array_equal(np.delete(values, 3), np.zeros(999))
    assert np.isnan(values[3])
    assert scale == 1


def test_nothing_known_stays_missing():
    values, loc, scale = standardize(np.full((2, 4), np.nan))
    assert np.isnan(values).all()
    np.testing.assert_array_equal(loc, [[0], [0]])
    np.testing.assert_array_equal(scale, [[1], [1]])
