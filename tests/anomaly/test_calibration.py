"""Smoothing, scales and segments: what they say, and what they leave alone."""

from __future__ import annotations

import naive_anomaly
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sktspulse.anomaly.calibration import ChannelScale, HeadScale, Tail
from sktspulse.anomaly.smoothing import smooth


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


def test_what_is_far_has_no_say_to_the_bit():
    signal = np.random.default_rng(0).random(200)
    other = signal.copy()
    other[0] = 1e300
    np.testing.assert_array_equal(smooth(signal, 8)[10:], smooth(other, 8)[10:])


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=30),
    st.lists(st.floats(-1, 9), min_size=1, max_size=9),
)
def test_rarities_equal_a_loop(learned, values):
    tail = Tail.learn(np.array(learned, float))
    expected = [naive_anomaly.rarity(learned, value) for value in values]
    np.testing.assert_allclose(tail(np.array(values)), expected, atol=1e-12)


def test_rarities_grow_with_values():
    values = np.random.default_rng(0).exponential(size=500)
    rarities = Tail.learn(values)(np.sort(values))
    assert (np.diff(rarities) > 0).all()


def test_far_anomalies_hardly_change_what_is_rare():
    values = np.random.default_rng(0).exponential(size=1000)
    spoilt = np.concatenate([values, np.full(50, 1e6)])
    usual, other = Tail.learn(values)(values), Tail.learn(spoilt)(values)
    assert (np.abs(other - usual) < 0.3 + 0.3 * usual).all()


def test_a_share_is_above_its_threshold():
    values = np.random.default_rng(0).exponential(size=100_000)
    tail = Tail.learn(values)
    for share in (0.1, 0.01, 0.001):
        assert (values > tail.threshold(share)).mean() == pytest.approx(share, rel=0.2)
        assert tail(np.array([tail.threshold(share)])) == pytest.approx(-np.log(share))


def test_what_is_unknown_or_never_moved_is_normal():
    assert (Tail.learn(np.full(9, np.nan))(np.array([np.nan, 0.0])) == 0).all()
    assert (Tail.learn(np.full(9, 7.0))(np.array([np.nan, 7.0, 2.0])) == 0).all()


@pytest.mark.parametrize("head", ["time", "level", "variation"])
def test_scores_of_a_head_are_damped_rarities(head):
    signal = np.random.default_rng(0).exponential(size=300)
    scale = HeadScale.learn((1, 5), False, head, signal)
    signal[100:110] += 50
    expected = []
    for length, center, tail in zip(scale.lengths, scale.centers, scale.tails, strict=True):
        value = naive_anomaly.smooth(signal, length, trailing=False)
        if head == "variation":
            value = np.log(value + 1e-4)
        rarity = tail(abs(value - center) if head != "time" else value)
        expected.append([naive_anomaly.bent(one, 6) for one in rarity])
    damped = [naive_anomaly.bent(one, 3) for one in np.mean(expected, 0)]
    np.testing.assert_allclose(scale(signal), damped)
    assert scale(signal).argmax() in range(95, 115)


def test_a_jump_does_not_outrank_a_longer_anomaly_by_what_lies_around_it():
    signal = np.random.default_rng(0).exponential(size=2000)
    scale = HeadScale.learn((8, 32, 96), False, "time", signal)
    signal[500:506] += 200
    signal[1200:1260] *= 4
    scores = scale(signal)
    assert scores[500:506].min() > scores[1220:1240].min() > scores[522:545].max()


def test_a_calm_stretch_stands_out_by_its_variation():
    signal = np.random.default_rng(0).exponential(size=1000)
    scale = HeadScale.learn((8,), False, "variation", signal)
    signal[500:540] = 0
    assert scale(signal)[504:536].min() > scale(signal)[:490].max()


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
