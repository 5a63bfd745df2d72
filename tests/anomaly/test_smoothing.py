"""Moving averages use known values only, and far values leave no rounding behind."""

from __future__ import annotations

import naive_anomaly
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sktspulse.anomaly.smoothing import choose_lengths, smooth, window_means


@settings(max_examples=60)
@given(
    st.lists(st.one_of(st.floats(0, 1e6), st.just(np.nan)), min_size=1, max_size=40),
    st.integers(1, 60),
    st.booleans(),
)
def test_smoothing_equals_a_loop(signal, length, trailing):
    signal = np.array(signal)
    expected = naive_anomaly.smooth(signal, length, trailing)
    np.testing.assert_allclose(smooth(signal, length, trailing=trailing), expected)


def test_a_far_value_changes_no_bit():
    signal = np.random.default_rng(0).random(200)
    other = signal.copy()
    other[0] = 1e300
    np.testing.assert_array_equal(smooth(signal, 8)[10:], smooth(other, 8)[10:])


@pytest.mark.parametrize("n", [8, 11, 40])
def test_means_of_adjacent_windows_equal_a_loop(n):
    signal = np.random.default_rng(0).random(n)
    signal[4:8] = np.nan
    means = window_means(signal, 4, 4)
    np.testing.assert_allclose(means, naive_anomaly.averages(signal[: n - n % 4], 4))


@pytest.mark.parametrize(
    ("smoothing", "n_timepoints", "expected"),
    [
        ("auto", 5000, (8, 32, 96, 256)),
        ("auto", 600, (8, 32, 96, 150)),
        ("auto", 200, (8, 32, 50)),
        ("auto", 9, (8,)),
        (50, 9, (50,)),
    ],
)
def test_no_automatic_length_exceeds_a_quarter_of_the_recording(smoothing, n_timepoints, expected):
    assert choose_lengths(smoothing, n_timepoints) == expected
