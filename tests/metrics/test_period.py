from __future__ import annotations

import naive_metrics
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sktspulse.metrics import find_period

# Seed and period of a noisy wave, and the period that TSB-AD 1.5 finds.
PUBLISHED_PERIODS = [
    (0, 3.3, 33),
    (1, 8, 16),
    (2, 30, 30),
    (3, 77.7, 77),
    (4, 200, 125),
    (5, 303, 8),
    (6, 304, 7),
    (7, 410, 6),
]


def wave(seed: int, period: float, n: int = 2000) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.sin(2 * np.pi * np.arange(n) / period) + 0.3 * rng.standard_normal(n)


@pytest.mark.parametrize(("seed", "period", "expected"), PUBLISHED_PERIODS)
def test_periods_equal_those_of_the_benchmark(seed, period, expected):
    assert find_period(wave(seed, period)) == expected


@given(st.integers(0, 1000), st.floats(2, 60), st.integers(1, 120))
def test_periods_equal_those_of_a_lag_by_lag_twin(seed, period, n):
    x = wave(seed, period, n)
    assert find_period(x) == naive_metrics.period(x.tolist())


@pytest.mark.parametrize("period", [6, 7, 24, 150, 303])
def test_period_of_pulses_is_exact(period):
    pulse = np.tile(np.r_[1.0, np.zeros(period - 1)], 60)
    assert find_period(pulse + np.roll(pulse, 1) / 2) == period


@pytest.mark.parametrize("period", [4, 5, 304, 350])
def test_periods_out_of_range_give_the_default(period):
    pulse = np.tile(np.r_[1.0, np.zeros(period - 1)], 60)
    assert find_period(pulse) == 125


@pytest.mark.parametrize("n", [1, 2, 5, 1000])
def test_constants_give_the_default(n):
    assert find_period(np.full(n, 0.1)) == 125


def test_only_the_first_points_count():
    x = wave(0, 30, 30_000)
    changed = np.r_[x[:20_000], wave(1, 77, 10_000)]
    assert find_period(x) == find_period(changed) == find_period(x[:20_000, None])


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((9, 2)), r"1d array, got an array of shape \(9, 2\)"),
        ([0, np.nan, 1], "Input x contains NaN"),
    ],
)
def test_several_channels_or_missing_values_raise(x, message):
    with pytest.raises(ValueError, match=message):
        find_period(x)
