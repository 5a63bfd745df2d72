"""Medians of blocks use known values only; no few values, however wild, decide them."""

from __future__ import annotations

from statistics import median_high, median_low

import naive_anomaly
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sktspulse.anomaly.smoothing import (
    block_medians,
    choose_lengths,
    known_medians,
    moving_mean,
    window_means,
)

values_or_gaps = st.one_of(st.floats(-1e6, 1e6), st.just(np.nan))


@settings(max_examples=80)
@given(st.lists(values_or_gaps, min_size=1, max_size=70), st.integers(1, 40), st.booleans())
def test_block_medians_equal_a_loop(signal, length, trailing):
    signal = np.array(signal)
    found = block_medians(signal, length, trailing=trailing)
    expected = naive_anomaly.block_medians(signal, length, trailing)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@settings(max_examples=40)
@given(st.lists(st.lists(values_or_gaps, min_size=5, max_size=5), min_size=1, max_size=9))
def test_medians_of_known_values_equal_those_of_the_standard_library(rows):
    rows = np.array(rows)
    for column, low, high in zip(rows.T, *known_medians(rows), strict=True):
        known = column[~np.isnan(column)].tolist()
        expected = (median_low(known), median_high(known)) if known else (np.nan, np.nan)
        np.testing.assert_array_equal([low, high], expected)


@pytest.mark.parametrize("length", [8, 32, 96])
@pytest.mark.parametrize("trailing", [False, True])
def test_values_in_less_than_half_of_the_blocks_move_no_median_beyond_the_others(length, trailing):
    signal = np.random.default_rng(0).random(400)
    other = signal.copy()
    other[200 : 200 + length // 4] = 1e300
    low, high = block_medians(other, length, trailing=trailing)
    assert np.nanmax(high) <= 1
    far = np.abs(np.arange(400) - 200) > 2 * length
    np.testing.assert_array_equal(
        low[far], block_medians(signal, length, trailing=trailing).low[far]
    )


def test_an_unusual_segment_does_not_spread_to_its_neighbours():
    signal = np.zeros(400)
    signal[200:300] = 1
    low, _ = block_medians(signal, 32)
    assert (low[:200] == 0).all()
    assert (low[300:] == 0).all()
    assert (low[216:284] == 1).all()


def test_medians_over_half_of_the_values_are_those_of_the_values_without_gaps():
    signal = np.random.default_rng(0).random(200)
    holes = np.full(400, np.nan)
    holes[::2] = signal
    for length in (1, 8, 32):
        found = block_medians(holes, length)
        np.testing.assert_array_equal(found.low[::2], block_medians(signal, length).low)
        assert np.isnan(found.low[1::2]).all()


@pytest.mark.parametrize("trailing", [False, True])
def test_moving_means_equal_a_convolution(trailing):
    values = np.random.default_rng(0).random(60)
    found = moving_mean(values, 8, trailing=trailing)
    full = np.convolve(values, np.ones(8) / 8)
    np.testing.assert_allclose(found, full[:60] if trailing else full[3:63])


def test_a_far_value_changes_no_bit():
    signal = np.random.default_rng(0).random(200)
    other = signal.copy()
    other[0] = 1e300
    for part in (0, 1):
        one, two = (block_medians(each, 8)[part][10:] for each in (signal, other))
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(
        moving_mean(signal, 8, trailing=False)[10:], moving_mean(other, 8, trailing=False)[10:]
    )


@pytest.mark.parametrize("n", [8, 11, 40])
def test_means_of_adjacent_windows_equal_a_loop(n):
    signal = np.random.default_rng(0).random(n)
    signal[4:8] = np.nan
    means = window_means(signal, 4, 4)
    np.testing.assert_allclose(means, naive_anomaly.averages(signal[: n - n % 4], 4))


@pytest.mark.parametrize(
    ("smoothing", "n_timepoints", "expected"),
    [
        ("auto", 5000, (1, 8, 32, 96, 256)),
        ("auto", 600, (1, 8, 32, 96, 150)),
        ("auto", 200, (1, 8, 32, 50)),
        ("auto", 9, (1, 8)),
        (50, 9, (50,)),
    ],
)
def test_no_automatic_length_exceeds_a_quarter_of_the_recording(smoothing, n_timepoints, expected):
    assert choose_lengths(smoothing, n_timepoints) == expected
