"""Steps across gaps are compared with those that usually happen in that time."""

from __future__ import annotations

import naive_anomaly
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sktspulse.anomaly.steps import StepScale


def walk(n_timepoints: int = 4000) -> np.ndarray:
    return np.cumsum(np.random.default_rng(0).normal(size=n_timepoints))


@settings(max_examples=80)
@given(st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(np.nan)), min_size=1, max_size=50))
def test_steps_equal_a_loop(values):
    values = np.array(values)
    scale = StepScale.fit(walk())
    expected = naive_anomaly.step_squares(values, scale.squares)
    np.testing.assert_allclose(scale(values), expected)


def test_typical_steps_of_a_walk_grow_with_the_number_of_points():
    squares = StepScale.fit(walk()).squares
    np.testing.assert_allclose(squares / squares[0], np.arange(1, 9), rtol=0.15)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.7])
def test_steps_are_as_large_when_values_are_missing(share):
    values = walk()
    scale = StepScale.fit(values)
    holes = values.copy()
    holes[np.random.default_rng(1).random(len(values)) < share] = np.nan
    squares = scale(holes)
    assert np.isnan(squares[np.isnan(holes)]).all()
    assert np.nanmedian(squares) == pytest.approx(np.nanmedian(scale(values)), rel=0.4)


def test_a_wild_value_marks_itself_only():
    values = np.sin(np.arange(300) / 5)
    scale = StepScale.fit(values)
    usual = np.nanmax(scale(values))
    values[100] = 50
    far = scale(values) > 5 * usual
    assert np.flatnonzero(far).tolist() == [100]


def test_a_wild_value_in_fit_hardly_changes_the_scale():
    values = walk()
    clean = StepScale.fit(values).squares
    values[700] = 1e6
    np.testing.assert_allclose(StepScale.fit(values).squares, clean, rtol=0.15)


@pytest.mark.parametrize("values", [np.zeros(40), np.full(40, np.nan), np.zeros(1)])
def test_channels_without_steps_have_a_scale(values):
    scale = StepScale.fit(values)
    assert (scale.squares == 1).all()
    np.testing.assert_array_equal(scale(np.array([0.0, 2.0, np.nan])), [np.nan, 4, np.nan])
