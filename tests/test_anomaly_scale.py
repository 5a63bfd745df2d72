"""Smoothing, scales and segments: what they say, and what they leave alone."""

from __future__ import annotations

import naive_anomaly
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sktspulse._anomaly_scale import ChannelScale, ErrorScale, runs, smooth


@settings(max_examples=50)
@given(st.lists(st.floats(-3, 0), min_size=1, max_size=30), st.floats(-2, -1))
def test_segments_equal_a_loop(scores, offset):
    scores = np.array(scores)
    expected = naive_anomaly.segments(scores, offset)
    assert [tuple(run) for run in runs(scores < offset)] == [(a, b) for a, b, _ in expected]


@settings(max_examples=40)
@given(
    st.lists(st.one_of(st.floats(0, 1e6), st.just(np.nan)), min_size=1, max_size=40),
    st.integers(1, 60),
)
def test_smoothing_equals_a_loop(errors, length):
    errors = np.array(errors)
    np.testing.assert_allclose(smooth(errors, length), naive_anomaly.smooth(errors, length))


def test_scores_count_spreads_above_the_median():
    errors = np.arange(11.0)[None]
    scale = ErrorScale.learn(errors, (1,), weigh=False)
    np.testing.assert_allclose(scale(errors), (errors - 5) / 4)


def test_what_is_far_has_no_say_to_the_bit():
    errors = np.random.default_rng(0).random(200)
    other = errors.copy()
    other[0] = 1e300
    np.testing.assert_array_equal(smooth(errors, 8)[10:], smooth(other, 8)[10:])


def test_a_head_that_knows_less_weighs_less():
    errors = np.array([[0.1, 0.1, 0.2], [0.4, 0.4, 0.8]])
    scale = ErrorScale.learn(errors, (1,), weigh=True)
    np.testing.assert_allclose(scale.weights, [1, 0.101 / 0.401])


def test_nothing_known_scores_nothing():
    scale = ErrorScale.learn(np.full((1, 20), np.nan), (4,), weigh=True)
    assert (scale(np.full((1, 20), np.nan)) == 0).all()


@pytest.mark.parametrize(
    ("fitted", "values", "expected"),
    [
        ([1.0, 3.0, np.nan], [2.0, 4.0, np.nan], [0, 2, np.nan]),
        ([0.1, 0.1], [0.1, 5.0, -5.0, np.nan], [0, 1, -1, np.nan]),
        ([np.nan, np.nan], [1.0, np.nan], [0, np.nan]),
        ([1.0, 3.0], [1e300, -1e300], [1e6, -1e6]),
    ],
)
def test_channels_are_measured_in_deviations(fitted, values, expected):
    scale = ChannelScale.learn(np.array(fitted))
    np.testing.assert_allclose(scale(np.array(values)), expected)
