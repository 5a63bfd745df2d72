"""Counters are scored by their increments: wrong readings and resets stand out, outages do not."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse import TSPulseAnomalyDetector
from sktspulse.anomaly.calibration import ChannelScale
from sktspulse.anomaly.counter import (
    CounterScale,
    _direction,
    _is_rough,
    fit_scale,
    without_counters,
)

N_FIT = 1000


def meter(n: int = 2 * N_FIT) -> np.ndarray:
    use = 0.5 + 0.4 * np.sin(2 * np.pi * np.arange(n) / 24)
    return 5000 + (use + 0.15 * np.random.default_rng(0).normal(size=n)).clip(0).cumsum()


def events(n: int = 2 * N_FIT) -> np.ndarray:
    return np.random.default_rng(1).poisson(2, size=n).cumsum().astype(float)


def rain(n: int = 2 * N_FIT) -> np.ndarray:
    rng = np.random.default_rng(2)
    return ((rng.random(n) < 0.1) * rng.gamma(1.2, 1.5, size=n)).cumsum()


def uptime(n: int = 2 * N_FIT) -> np.ndarray:
    return 60.0 * np.arange(n)


COUNTERS = {one.__name__: one for one in (meter, events, rain, uptime)}
each_counter = pytest.mark.parametrize("kind", COUNTERS)


# --- Which channels are counters


@each_counter
@pytest.mark.parametrize(("unit", "offset"), [(1, 0), (-1, 1e4), (1e-6, 0), (1e9, -1e12)])
@pytest.mark.parametrize("trailing", [False, True])
def test_counters_are_recognised(kind, unit, offset, trailing):
    scale = fit_scale(unit * COUNTERS[kind](N_FIT) + offset, trailing)
    assert isinstance(scale, CounterScale)
    assert scale.direction == np.sign(unit)


def test_a_counter_with_gaps_resets_and_a_wild_reading_is_one():
    values = meter(N_FIT)
    values[500:] -= values[500]
    values[300:400] = np.nan
    values[700] = -999
    assert isinstance(fit_scale(values, False), CounterScale)


@pytest.mark.parametrize(
    "values",
    [
        np.sin(np.arange(300) / 400),
        np.exp(-np.arange(500) / 100),
        np.arange(960) % 24,
        np.arange(2000) % 250,
        np.cumsum(np.random.default_rng(0).normal(size=500)),
        np.repeat([0.0, 1.0], 200),
        np.full(300, 7.0),
        np.full(300, np.nan),
        np.arange(20.0),
    ],
    ids=["slow rise", "decay", "day", "cycle", "walk", "step", "constant", "missing", "few"],
)
def test_other_channels_are_not(values):
    assert isinstance(fit_scale(values.astype(float), False), ChannelScale)


# --- Increments


@each_counter
@pytest.mark.parametrize("trailing", [False, True])
def test_increments_of_a_normal_counter_are_its_differences(kind, trailing):
    values = COUNTERS[kind](N_FIT)
    found = CounterScale.fit(values, trailing).increments(values)
    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:], np.diff(values))


def test_increments_are_per_time_point_and_unknown_after_long_gaps():
    values = meter()
    scale = CounterScale.fit(values[:N_FIT], False)
    holes = values.copy()
    holes[[50, 51]] = np.nan
    holes[100:160] = np.nan
    found = scale.increments(holes)
    assert found[52] == pytest.approx((values[52] - values[49]) / 3)
    assert np.isnan(found[100:161]).all()
    assert np.isfinite(found[161:]).all()
    holes[160:] += 500
    assert scale.increments(holes)[160] > 3 * scale.highest


@pytest.mark.parametrize("place", [0, 1, 500, 998, 999])
@pytest.mark.parametrize("wild", [-999.0, 7000.0, 1e20])
def test_one_wrong_reading_changes_no_increment_but_its_own(place, wild):
    values = meter(N_FIT)
    scale = CounterScale.fit(meter(), False)
    expected = scale.increments(values)
    values[place] = wild
    found = scale.increments(values)
    assert abs(found[place]) > 100
    others = np.delete(np.arange(N_FIT), [place, min(place + 1, 999)])
    np.testing.assert_array_equal(found[others], expected[others])
    if 0 < place < N_FIT - 1:
        assert found[place + 1] == pytest.approx((values[place + 1] - values[place - 1]) / 2)


@pytest.mark.parametrize("trailing", [False, True])
def test_a_reset_or_a_leap_is_one_increment(trailing):
    values = meter(N_FIT)
    scale = CounterScale.fit(meter(), trailing)
    expected = scale.increments(values)
    for change in (-values[500], 900.0):
        other = values.copy()
        other[500:] += change
        found = scale.increments(other)
        assert abs(found[500]) > 100
        np.testing.assert_allclose(np.delete(found, 500), np.delete(expected, 500))


@pytest.mark.parametrize("first", [300, 448, 700])
def test_increments_of_the_past_do_not_depend_on_the_future(first):
    values = meter(N_FIT)
    values[[290, 400, 698, 699]] = [1e9, -5, 0, 1e6]
    values[np.random.default_rng(0).random(N_FIT) < 0.3] = np.nan
    scale = CounterScale.fit(meter(), True)
    found = scale.increments(values)
    np.testing.assert_array_equal(scale.increments(values[:first]), found[:first])
    np.testing.assert_array_equal(scale.increments(values[first - 280 :])[280:], found[first:])


def test_a_recording_without_counters_has_their_increments():
    X = np.stack([meter(), np.random.default_rng(0).normal(size=2 * N_FIT)], axis=1)
    found = without_counters(X, False)
    np.testing.assert_array_equal(found[:, 0], fit_scale(X[:, 0], False)(X[:, 0]))
    np.testing.assert_array_equal(found[:, 1], X[:, 1])


# --- Alarms


def alarms(detector: TSPulseAnomalyDetector, values: np.ndarray) -> np.ndarray:
    return np.asarray(detector.predict(values[:, None])) == -1


@pytest.fixture(scope="module", params=[False, True], ids=["centred", "causal"])
def detector(request) -> TSPulseAnomalyDetector:
    return TSPulseAnomalyDetector(causal=request.param).fit(meter()[:N_FIT, None])


@pytest.mark.parametrize("n_timepoints", [24, 300, 1000])
def test_a_clean_meter_raises_hardly_any_alarm(detector, n_timepoints):
    values = meter()[N_FIT:][:n_timepoints]
    outage, holes, leap = values.copy(), values.copy(), values + 1e5
    outage[n_timepoints // 3 : 2 * n_timepoints // 3] = np.nan
    holes[np.random.default_rng(0).random(n_timepoints) < 0.5] = np.nan
    for recording in (values, outage, holes):
        assert alarms(detector, recording).sum() <= 0.003 * n_timepoints
    assert alarms(detector, leap).sum() <= 1 + 0.003 * n_timepoints


def spike(x: np.ndarray) -> None:
    x[500] += 3


def reset(x: np.ndarray) -> None:
    x[500:] -= x[500]


def jump_back(x: np.ndarray) -> None:
    x[500:] -= 2


def stuck(x: np.ndarray) -> None:
    x[500:548] = x[500]


def doubled(x: np.ndarray) -> None:
    use = np.diff(x[499:548])
    x[500:548] += use.cumsum()
    x[548:] += use.sum()


@pytest.mark.parametrize("fault", [spike, reset, jump_back, stuck, doubled])
def test_faults_of_a_meter_are_found(detector, fault):
    values = meter()[N_FIT:]
    fault(values)
    flagged = np.flatnonzero(alarms(detector, values))
    assert len(flagged)
    assert flagged.min() >= 495
    assert flagged.max() <= (570 if fault in (stuck, doubled) else 501)


def test_a_stream_gives_the_scores_of_the_recording():
    detector = TSPulseAnomalyDetector(causal=True).fit(meter()[:N_FIT, None])
    values = meter()[N_FIT : N_FIT + 400, None]
    values[100:] -= values[100]
    values[[63, 64, 200]] = [[0], [1e6], [-999]]
    values[150:260:3] = np.nan
    stream = detector.stream()
    parts = [stream.update(part) for part in np.array_split(values, 7)]
    scores = np.concatenate([*parts, stream.finish()])
    np.testing.assert_allclose(scores, detector.score_samples(values), rtol=1e-4, atol=1e-5)


def test_a_counter_among_other_channels_does_not_raise_alarms_for_ever():
    rng = np.random.default_rng(0)
    X = np.stack([meter(), np.sin(np.arange(2 * N_FIT) / 4) + 0.1 * rng.normal(size=2 * N_FIT)], 1)
    detector = TSPulseAnomalyDetector().fit(X[:N_FIT])
    assert (np.asarray(detector.predict(X[N_FIT:])) == -1).mean() <= 0.003


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_largest_steps_have_a_direction(sign):
    rise = np.append(-1, np.linspace(0.5, 1, 100)) * np.finfo(np.float64).max
    assert _direction(sign * rise) == sign


def test_steps_are_rough_if_they_change_at_once_in_either_direction():
    rng = np.random.default_rng(0)
    assert _is_rough(rng.exponential(size=300))
    assert _is_rough(np.tile([0.0, 3.0], 100))
    assert not _is_rough(np.sin(np.arange(400) / 60))
