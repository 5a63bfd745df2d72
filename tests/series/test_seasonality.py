"""The period that explains most is found, whatever the unit, gaps, fill values and drifts."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.series import moving_sum, seasonal_period
from sktspulse.series.seasonality import _MIN_PERIOD, _peaks

RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=10_080)


def wave(period, n_timepoints, noise=0.2):
    t = np.arange(n_timepoints)
    shape = np.sin(2 * np.pi * t / period) + 0.5 * np.cos(4 * np.pi * t / period)
    return shape + noise * NOISE[:n_timepoints]


def load(weekend, n_weeks=12):
    """Hourly load: a day, and less of it at weekends."""
    t = np.arange(168 * n_weeks)
    level = np.where((t // 24) % 7 < 5, 1, weekend)
    return level * (2 + np.sin(2 * np.pi * t / 24)) + 0.1 * NOISE[: len(t)]


@pytest.mark.parametrize("period", [5, 24, 96])
@pytest.mark.parametrize("missing_fraction", [0.0, 0.5])
def test_periods_are_found(period, missing_fraction):
    row = wave(period, 1000) + np.linspace(0, 1, 1000)
    row[np.random.default_rng(1).random(1000) < missing_fraction] = np.nan
    assert abs(seasonal_period([row, row[:50]]) - period) <= 0.04 * period


@pytest.mark.parametrize("n_days", [3, 7])
def test_days_of_minutes_are_found(n_days):
    row = wave(1440, 1440 * n_days)
    assert abs(seasonal_period([row]) - 1440) <= 15
    row[2000:2400] = np.nan
    assert abs(seasonal_period([row]) - 1440) <= 15


@pytest.mark.parametrize(("weekend", "expected"), [(0.0, 168), (0.5, 168), (0.7, 168), (1.0, 24)])
@pytest.mark.parametrize("n_weeks", [4, 12])
def test_a_week_is_taken_only_if_it_explains_more(weekend, expected, n_weeks):
    row = load(weekend, n_weeks)
    assert seasonal_period([row]) == expected
    row[168 : 168 + 24 * n_weeks // 2] = np.nan
    assert seasonal_period([row]) == expected


@pytest.mark.parametrize("drift", [0.02 * np.arange(3000), 0.3 * NOISE[:3000].cumsum()])
def test_drifts_do_not_hide_a_period(drift):
    assert seasonal_period([wave(24, 3000) + drift]) == 24


def test_the_period_of_a_counter_is_that_of_its_steps():
    assert seasonal_period([np.clip(0.3 + 0.5 * wave(24, 3000), 0, None).cumsum()]) == 24


@pytest.mark.parametrize("wild", [-9999.0, 1e20, 9.97e36])
@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_units_and_fill_values_do_not_matter(wild, unit):
    row = unit * (wave(24, 500) + 20)
    row[[100, 333]] = wild
    assert seasonal_period([row]) == 24
    assert seasonal_period([row.astype(np.float32)]) == 24


def test_noise_walks_and_constants_have_none():
    rng = np.random.default_rng(0)
    assert seasonal_period([rng.normal(size=2000)]) == 0
    assert seasonal_period([np.cumsum(rng.normal(size=300)) + np.arange(300.0)]) == 0
    assert seasonal_period([np.ones(100)]) == 0
    assert seasonal_period([np.full(100, np.nan)]) == 0
    assert seasonal_period([np.arange(8.0)]) == 0
    assert seasonal_period([np.ones(1)]) == 0


def test_walks_rarely_have_one():
    rng = np.random.default_rng(1)
    walks = rng.normal(size=(40, 600)).cumsum(1)
    assert sum(seasonal_period([walk]) > 0 for walk in walks) <= 1


@pytest.mark.parametrize("width", [1, 4, 7, 100])
def test_moving_sums_are_those_of_a_loop(width):
    values = RNG.normal(size=(2, 30))
    starts = np.arange(30) - width // 2
    expected = [values[:, max(s, 0) : max(s + width, 0)].sum(1) for s in starts]
    np.testing.assert_allclose(moving_sum(values, width), np.transpose(expected), atol=1e-12)


@pytest.mark.parametrize("step", [2, 3, 5])
@pytest.mark.parametrize("first", [0, 1])
def test_a_regular_part_of_the_values_has_the_period_of_all(step, first):
    t = np.arange(2000)
    for row, period in ((wave(24, 2000), 24), (NOISE[:2000].cumsum(), 0)):
        assert seasonal_period([np.where(t % step == first, row, np.nan)]) == period


def test_the_shortest_peak_is_found():
    correlation = np.cos(2 * np.pi * np.arange(40) / _MIN_PERIOD)
    assert _peaks(correlation)[0] == _MIN_PERIOD
