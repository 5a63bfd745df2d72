"""Averages are scored by their distance from the median, relative to what is rarely exceeded."""

from __future__ import annotations

import naive_anomaly
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sktspulse.anomaly.calibration import (
    N_RECENT,
    ChannelScale,
    HeadCalibration,
    peak_level,
    scores_of_changes,
    tail_distance,
    threshold,
    usual_range,
)

LENGTHS = (1, 8, 32, 96, 256)


def autoregressive(n: int, memory: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=n + 100)
    for t in range(1, len(noise)):
        noise[t] += memory * noise[t - 1]
    return noise[100:]


# --- Levels that are rarely exceeded


@settings(max_examples=60)
@given(
    st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(np.nan)), min_size=1, max_size=300),
    st.floats(1e-6, 1e-2),
)
def test_the_level_of_peaks_equals_a_loop(values, rate):
    values = np.array(values)
    expected = naive_anomaly.peak_level(values, rate)
    assert peak_level(values, rate) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("rate", [1e-2, 1e-3])
def test_values_exceed_the_level_of_peaks_at_the_rate(rate):
    shares = []
    for seed in range(20):
        values, later = np.random.default_rng(seed).exponential(size=(2, 4000))
        shares.append((later > peak_level(values, rate)).mean())
    assert np.mean(shares) == pytest.approx(rate, rel=1)


def test_anomalies_in_two_parts_hardly_move_the_level_of_peaks():
    values = np.random.default_rng(0).exponential(size=4000)
    clean = peak_level(values)
    for part in (3, 11):
        values[200 * part + 5] = 1e9
    assert clean < peak_level(values) < 1.5 * clean


def test_what_recurs_in_three_parts_is_normal():
    values = np.random.default_rng(0).exponential(size=4000)
    values[[605, 2205, 3405]] = 1e3, 1e9, 2e3
    assert peak_level(values) >= 1e3


@pytest.mark.parametrize("n", [12, 50, 300, 5000])
def test_values_rarely_lie_beyond_the_distance_of_the_tail(n):
    shares = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        values, later = rng.exponential(size=n), rng.exponential(size=5000)
        shares.append((later - np.median(values) > tail_distance(values, n)).mean())
    assert np.mean(shares) < (1e-2 if n < 50 else 1e-3)
    assert n < 300 or np.mean(shares) > 1e-5


@pytest.mark.parametrize(("n_anomalies", "size"), [(9, 1e9), (90, 30.0)])
def test_anomalies_hardly_matter_for_the_tail(n_anomalies, size):
    values = np.random.default_rng(0).exponential(size=1000)
    clean = tail_distance(values, 100)
    values[:n_anomalies] = size
    assert tail_distance(values, 100) < 4 * clean


def test_the_usual_range_holds_normal_values_and_no_others():
    values = np.random.default_rng(0).normal(size=3000)
    values[::7], values[500] = np.nan, 1e6
    low, high = usual_range(values)
    assert -9 < low < -3
    assert 3 < high < 9


# --- The score of a head


@pytest.mark.parametrize("head", ["time", "level", "variation", "states"])
def test_scores_are_the_highest_over_lengths(head):
    signal = np.random.default_rng(0).exponential(size=600)
    signal[50:60] = np.nan
    whole = HeadCalibration.fit(head, signal, (1, 8, 32), trailing=False)
    signal[300:340] += 3
    alone = [HeadCalibration.fit(head, signal, (n,), False) for n in (1, 8, 32)]
    parts = [
        one._replace(averages=[average])(signal)
        for one, average in zip(alone, whole.averages, strict=True)
    ]
    np.testing.assert_array_equal(whole(signal), np.max(parts, axis=0))


@pytest.mark.parametrize("size", [0.1, 3.0, 1e3])
def test_scores_of_changes_equal_a_loop(size):
    scores = size * np.random.default_rng(0).exponential(size=1300)
    expected = naive_anomaly.without_what_persists(scores)
    np.testing.assert_allclose(scores_of_changes(scores), expected, rtol=1e-9)


@pytest.mark.parametrize("most_repeats", [0, 7, 300])
def test_a_stuck_signal_is_found_as_in_a_loop(most_repeats):
    rng = np.random.default_rng(most_repeats)
    fitted = rng.exponential(size=1000)
    fitted[100 : 100 + most_repeats] = 0
    signal = rng.exponential(size=800)
    signal[150:170] = signal[300:800] = 0
    signal[rng.random(800) < 0.3] = np.nan
    signal[600:640] = np.nan
    head = HeadCalibration.fit("variation", fitted, (1, 8), trailing=False)
    expected = naive_anomaly.is_stuck(signal, fitted)
    np.testing.assert_array_equal(head.is_stuck(signal), expected)
    assert any(expected) == (most_repeats < 300)


@pytest.mark.parametrize("size", [5.0, 1e2, 1e6])
def test_a_change_that_persists_is_anomalous_at_its_beginning(size):
    rng = np.random.default_rng(0)
    normal, signal = rng.exponential(size=(2, 4000))
    signal[1000:3000] *= size
    calibration = HeadCalibration.fit("time", normal, LENGTHS, trailing=False)
    alarms = scores_of_changes(calibration(signal)) > 1
    assert alarms[1010:1200].mean() > 0.9
    assert alarms[1000 + N_RECENT : 3000].mean() < 0.01
    assert not alarms[3300:].any()


@pytest.mark.parametrize("head", ["time", "level", "variation"])
@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_scores_of_normal_signals_rarely_exceed_1(head, memory):
    shares = []
    for seed in range(6):
        fitted, later = (autoregressive(3000, memory, 2 * seed + k) for k in (0, 1))
        if head != "level":
            fitted, later = np.square(fitted), np.square(later)
        scores = HeadCalibration.fit(head, fitted, LENGTHS, trailing=False)(later)
        assert scores.min() >= 0
        shares.append((scores > 1).mean())
    assert np.mean(shares) < 0.003


@pytest.mark.parametrize("head", ["time", "level", "variation", "states"])
def test_units_of_a_signal_do_not_matter_within_reason(head):
    signal = np.random.default_rng(0).exponential(size=900)
    other = signal.copy()
    other[500] += 30
    expected = HeadCalibration.fit(head, signal, LENGTHS, False)(other)
    found = HeadCalibration.fit(head, 100 * signal, LENGTHS, False)(100 * other)
    assert min(expected[500], found[500]) > 1
    np.testing.assert_array_equal(expected > 1, found > 1)


def test_more_is_more_unusual():
    signal = np.random.default_rng(0).exponential(size=900)
    calibration = HeadCalibration.fit("time", signal, LENGTHS, False)
    scores = []
    for size in (0, 5, 20, 100, 1e6):
        signal[500] = size
        scores.append(calibration(signal)[500])
    assert sorted(scores) == scores
    assert scores[-1] > 100


@pytest.mark.parametrize("head", ["time", "level", "variation"])
def test_an_anomaly_marks_nothing_but_itself(head):
    signal = np.random.default_rng(0).exponential(size=2000)
    calibration = HeadCalibration.fit(head, signal, LENGTHS, False)
    before = calibration(signal) > 1
    signal[500:506] += 200
    after = calibration(signal) > 1
    assert after[500:506].all()
    assert (before != after).sum() <= 12


def test_a_calm_segment_stands_out_by_its_variation():
    signal = np.random.default_rng(0).exponential(size=2000)
    calibration = HeadCalibration.fit("variation", signal, LENGTHS, False)
    assert (calibration(signal) <= 1).all()
    signal[500:600] = 0
    assert (calibration(signal)[516:584] > 1).all()


@pytest.mark.parametrize("head", ["time", "states", "channels"])
def test_small_errors_are_normal(head):
    signal = np.random.default_rng(0).exponential(size=2000)
    calibration = HeadCalibration.fit(head, signal, LENGTHS, False)
    assert (calibration(np.zeros(2000)) <= 1).all()


@pytest.mark.parametrize("head", ["time", "level", "variation", "channels", "states"])
def test_an_unknown_signal_scores_0_and_leaves_the_input_unchanged(head):
    signal = np.full(20, np.nan)
    calibration = HeadCalibration.fit(head, signal, (8,), trailing=True)
    assert (calibration(signal) == 0).all()
    assert (calibration(np.arange(20.0)) == 0).all()
    assert np.isnan(signal).all()


def test_missing_points_score_0_and_others_keep_theirs():
    signal = np.random.default_rng(0).exponential(size=900)
    calibration = HeadCalibration.fit("time", signal, LENGTHS, False)
    before = calibration(signal)
    signal[400:420] = np.nan
    after = calibration(signal)
    assert (after[400:420] == 0).all()
    assert ((after > 1) == (before > 1)).all()


@pytest.mark.parametrize("unit", [1e-2, 1.0, 1e4])
@pytest.mark.parametrize("head", ["level", "variation"])
def test_a_rare_step_of_a_quantised_signal_is_normal_and_many_are_not(unit, head):
    signal = np.zeros(1000)
    signal[[100, 400, 700]] = unit
    calibration = HeadCalibration.fit(head, signal, (1, 8, 32, 96), False)
    signal[[500, 503, 506, 509]] = unit
    assert (calibration(signal) <= 1).all()
    signal[500:596] = 9 * unit
    assert (calibration(signal)[500:596] > 1).all()


# --- The threshold


@pytest.mark.parametrize("n", [10, 300, 5000])
def test_the_threshold_is_a_quantile_on_the_side_of_1(n):
    scores = np.random.default_rng(0).exponential(size=n) / 4
    assert threshold(scores, "auto") == 1
    for fraction in (0.001, 0.01, 0.1, 0.5):
        assert threshold(scores, fraction) == min(1, np.quantile(scores, 1 - fraction))
    for fraction in (0.0009, 1e-6):
        assert threshold(scores, fraction) == max(1, np.quantile(scores, 1 - fraction))


@settings(max_examples=60)
@given(
    st.lists(st.floats(0, 9), min_size=1, max_size=50),
    st.floats(1e-6, 0.5),
    st.floats(1e-6, 0.5),
)
def test_a_larger_contamination_never_has_a_higher_threshold(scores, one, other):
    low, high = sorted((one, other))
    assert threshold(np.array(scores), low) >= threshold(np.array(scores), high)


# --- The scale of a channel


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


@pytest.mark.parametrize("wild", [-999, 1e20, -1e300, [9999] * 5])
def test_wild_values_hardly_change_the_scale(wild):
    values = 20 + np.random.default_rng(0).normal(size=3000)
    clean = ChannelScale.fit(values)
    values[1000 : 1000 + np.size(wild)] = wild
    assert ChannelScale.fit(values).loc == pytest.approx(clean.loc, abs=0.05)
    assert ChannelScale.fit(values).scale == pytest.approx(clean.scale, rel=0.06)


@pytest.mark.parametrize(("length", "n_sides"), [(1, 1), (8, 1), (31, 1), (32, 2), (256, 2)])
def test_long_averages_of_variation_are_unusual_on_both_sides(length, n_sides):
    signal = np.random.default_rng(0).exponential(size=2000)
    one = HeadCalibration.fit("variation", signal, (length,), trailing=False).averages[0]
    assert len(one.middles) == len(one.distances) == n_sides
