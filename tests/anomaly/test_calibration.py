"""Calibrated scores are negative log tail probabilities, robust to anomalies in training."""

from __future__ import annotations

import naive_anomaly
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sktspulse.anomaly.calibration import (
    ChannelScale,
    HeadCalibration,
    TailProbability,
    log_compress,
    threshold,
)


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=30),
    st.lists(st.floats(-1, 9), min_size=1, max_size=9),
)
def test_tail_probabilities_equal_a_loop(fitted, values):
    tail = TailProbability.fit(np.array(fitted, float))
    expected = [naive_anomaly.negative_log_tail(fitted, value) for value in values]
    np.testing.assert_allclose(tail(np.array(values)), expected, atol=1e-12)


def test_higher_values_have_lower_tail_probabilities():
    values = np.random.default_rng(0).exponential(size=500)
    scores = TailProbability.fit(values)(np.sort(values))
    assert (np.diff(scores) > 0).all()


def test_far_anomalies_hardly_change_the_tail():
    values = np.random.default_rng(0).exponential(size=1000)
    spoilt = np.concatenate([values, np.full(50, 1e6)])
    clean, other = TailProbability.fit(values)(values), TailProbability.fit(spoilt)(values)
    assert (np.abs(other - clean) < 0.3 + 0.3 * clean).all()


def test_values_exceed_the_value_at_a_probability_that_often():
    values = np.random.default_rng(0).exponential(size=100_000)
    tail = TailProbability.fit(values)
    for probability in (0.1, 0.01, 0.001):
        value = tail.value_at(probability)
        assert (values > value).mean() == pytest.approx(probability, rel=0.2)
        assert tail(np.array([value])) == pytest.approx(-np.log(probability))


def test_unknown_and_constant_values_are_normal():
    assert (TailProbability.fit(np.full(9, np.nan))(np.array([np.nan, 0.0])) == 0).all()
    assert (TailProbability.fit(np.full(9, 7.0))(np.array([np.nan, 7.0, 2.0])) == 0).all()


@pytest.mark.parametrize(
    ("contamination", "n", "expected"),
    [(0.05, 1000, -np.log(0.05)), (0.5, 10, 0.7), (1e-3, 1000, -np.log(1e-3))],
)
def test_the_threshold_is_a_quantile_or_comes_from_the_tail(contamination, n, expected):
    scores = -np.log(np.linspace(1, 0, n, endpoint=False))
    assert threshold(scores, contamination) == pytest.approx(expected, rel=0.15)


@given(st.floats(0, 1e6), st.floats(0.1, 9))
def test_scores_are_compressed_above_the_limit_only(score, limit):
    compressed = log_compress(np.array([score]), limit)
    assert compressed == pytest.approx(naive_anomaly.log_compress(score, limit))
    assert score > limit or compressed == score


@pytest.mark.parametrize("head", ["time", "level", "variation"])
def test_scores_of_a_head_are_compressed_tail_probabilities(head):
    signal = np.random.default_rng(0).exponential(size=300)
    calibration = HeadCalibration.fit(head, signal, (1, 5), trailing=False)
    signal[100:110] += 50
    expected = []
    settings = calibration.lengths, calibration.centers, calibration.tails
    for length, center, tail in zip(*settings, strict=True):
        value = naive_anomaly.smooth(signal, length, trailing=False)
        if head == "variation":
            value = np.log(value + 1e-4)
        scores = tail(abs(value - center) if head != "time" else value)
        expected.append([naive_anomaly.log_compress(one, 6) for one in scores])
    compressed = [naive_anomaly.log_compress(one, 3) for one in np.mean(expected, 0)]
    np.testing.assert_allclose(calibration(signal), compressed)
    assert calibration(signal).argmax() in range(95, 115)


def test_the_surroundings_of_a_jump_do_not_outrank_a_longer_anomaly():
    signal = np.random.default_rng(0).exponential(size=2000)
    calibration = HeadCalibration.fit("time", signal, (8, 32, 96), trailing=False)
    signal[500:506] += 200
    signal[1200:1260] *= 4
    scores = calibration(signal)
    assert scores[500:506].min() > scores[1220:1240].min() > scores[522:545].max()


def test_a_calm_segment_stands_out_by_its_variation():
    signal = np.random.default_rng(0).exponential(size=1000)
    calibration = HeadCalibration.fit("variation", signal, (8,), trailing=False)
    signal[500:540] = 0
    assert calibration(signal)[504:536].min() > calibration(signal)[:490].max()


@pytest.mark.parametrize("head", ["time", "level", "variation"])
def test_an_unknown_signal_scores_0_and_leaves_the_input_unchanged(head):
    signal = np.full(20, np.nan)
    calibration = HeadCalibration.fit(head, signal, (8,), trailing=True)
    assert (calibration(signal) == 0).all()
    assert np.isnan(signal).all()


@pytest.mark.parametrize(
    ("fitted", "values", "expected"),
    [
        ([1.0, 3.0, np.nan], [2.0, 4.0, np.nan], [0, 2, np.nan]),
        ([0.1, 0.1], [0.1, 5.0, -5.0, np.nan], [0, 1, -1, np.nan]),
        ([np.nan, np.nan], [1.0, np.nan], [0, np.nan]),
        ([1.0, 3.0], [1e300, -1e300], [1e6, -1e6]),
    ],
)
def test_channels_are_standardised(fitted, values, expected):
    scale = ChannelScale.fit(np.array(fitted))
    np.testing.assert_allclose(scale(np.array(values)), expected)
