from __future__ import annotations

import numpy as np
import pytest

from sktspulse.datasets import primitives, shapes
from sktspulse.datasets.shapes import SHAPES


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def n_levels(series):
    return [len(np.unique(one)) for one in series.round(9)]


@pytest.mark.parametrize("family", SHAPES)
@pytest.mark.parametrize("n_timepoints", [8, 97])
def test_families_are_finite_and_repeatable(family, n_timepoints):
    first, again = (SHAPES[family](np.random.default_rng(1), 30, n_timepoints) for _ in range(2))
    assert first.shape == (30, n_timepoints)
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, again)


def test_harmonic_sums_equal_a_sum_of_sines(rng):
    cycles = rng.uniform(0, 3, (4, 50))
    decay = np.full((4, 1), 0.7)
    found = shapes._harmonic_sum(np.random.default_rng(5), cycles, 6, decay)
    cosine, sine = np.random.default_rng(5).standard_normal((2, 4, 6))
    expected = sum(
        h**-0.7 * (cosine[:, [h - 1]] * np.cos(angle) - sine[:, [h - 1]] * np.sin(angle))
        for h in range(1, 7)
        for angle in [2 * np.pi * h * cycles]
    )
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_triangles_rise_and_fall_in_straight_lines(rng, monkeypatch):
    monkeypatch.setattr(shapes, "envelope", lambda rng, n, t: np.ones((n, t)))
    monkeypatch.setattr(shapes, "PERIODS", (64.0, 128.0))
    triangles = SHAPES["triangle"](rng, 200, 512)
    np.testing.assert_allclose([triangles.min(), triangles.max()], [-0.5, 0.5], atol=1e-3)
    assert np.ptp(triangles, axis=1).min() > 0.7
    bends = np.abs(np.diff(triangles, 2)) > 0.01 * np.abs(np.diff(triangles)).max()
    assert bends.mean() < 0.2


def test_squares_have_two_levels(rng, monkeypatch):
    monkeypatch.setattr(shapes, "envelope", lambda rng, n, t: np.ones((n, t)))
    assert max(n_levels(SHAPES["square"](rng, 100, 256))) == 2


def test_heartbeats_are_dominated_by_their_r_wave(rng):
    beats = SHAPES["heartbeat"](rng, 200, 512)
    assert np.median(beats.max(axis=1) / np.abs(beats.min(axis=1))) > 2


def test_calendar_repeats_every_day(rng, monkeypatch):
    monkeypatch.setattr(shapes, "STEPS_PER_DAY", (24,))
    series = SHAPES["calendar"](rng, 200, 480)
    power = (np.abs(np.fft.rfft(primitives.zscore_rows(series))) ** 2).mean(axis=0)
    for harmonic in (20, 40, 60):  # 480 steps hold 20 days
        assert power[harmonic] > 5 * power[harmonic + 10]


def test_daylight_is_zero_at_night(rng):
    irradiance = SHAPES["daylight"](rng, 100, 512)
    assert irradiance.min() == 0
    assert 0.3 < (irradiance == 0).mean() < 0.7


def test_piecewise_linear_series_bend_rarely(rng):
    bends = np.abs(np.diff(SHAPES["piecewise_linear"](rng, 200, 512), 2)) > 1e-9
    assert 0 < bends.mean() < 0.02


def test_intermittent_demand_is_mostly_zero(rng):
    demand = SHAPES["intermittent"](rng, 200, 512)
    assert (demand >= 0).all()
    assert (demand == 0).mean() > 0.5


def test_telegraph_has_two_to_five_levels(rng):
    levels = n_levels(SHAPES["telegraph"](rng, 300, 2000))
    assert set(levels) == {2, 3, 4, 5}


def test_sensor_families_hold_and_saturate(rng):
    held = SHAPES["quantised"](rng, 200, 512)
    assert (np.diff(held) == 0).mean() > 0.4
    saturated = SHAPES["saturated"](rng, 200, 512)
    at_a_limit = saturated == saturated.max(axis=1, keepdims=True)
    assert at_a_limit.mean() > 0.1
