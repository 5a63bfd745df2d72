"""A cycle is learned, found again at any phase, and its absence is a deviation."""

from __future__ import annotations

import naive_anomaly
import numpy as np
import pytest

from sktspulse.anomaly.cycle import Cycle, _best_shift, _is_repeated, is_level_known
from sktspulse.anomaly.pieces import Piece


def seasonal(n_timepoints: int = 480, period: int = 24, noise: float = 0.1) -> np.ndarray:
    t = np.arange(n_timepoints)
    shape = np.sin(2 * np.pi * t / period) + 0.7 * np.sin(4 * np.pi * t / period + 1)
    return shape + noise * np.random.default_rng(0).normal(size=n_timepoints)


def test_the_period_is_found_and_deviations_are_noise():
    cycle = Cycle.fit(seasonal(), with_period=True)
    assert len(cycle.profile) == 24
    assert np.std(cycle.deviations(seasonal())) < 0.13


@pytest.mark.parametrize("start", [1, 7, 13, 100])
@pytest.mark.parametrize("n_timepoints", [24, 50, 200])
def test_a_recording_may_start_at_any_phase(start, n_timepoints):
    values = seasonal()
    cycle = Cycle.fit(values, with_period=True)
    part = np.s_[start : start + n_timepoints]
    np.testing.assert_allclose(cycle.deviations(values[part]), cycle.deviations(values)[part])


def test_a_piece_has_the_phases_of_the_whole_parts_of_its_recording():
    cycle = Cycle.fit(seasonal(), with_period=True)
    values = seasonal(1400)
    values[700:] = np.roll(values, 7)[700:]  # a part of three has two phases
    whole, edges = cycle.deviations(values), cycle.part_edges(1400)
    assert edges.tolist() == [0, 467, 934, 1400]
    np.testing.assert_array_equal(cycle.deviations(values[467:], Piece(467, 1400)), whole[467:])
    found = cycle.deviations(values[400:1000], Piece(400, 1400))[67:-66]
    np.testing.assert_array_equal(found, whole[467:934])
    assert not np.allclose(cycle.deviations(values[720:], Piece(720, 1400)), whole[720:])


@pytest.mark.parametrize("period", [5, 12, 24])
def test_the_shift_is_the_best_of_a_loop(period):
    rng = np.random.default_rng(0)
    for shift in range(period):
        profile = rng.normal(size=period)
        found = np.roll(profile, -shift) + 0.05 * rng.normal(size=period)
        found[rng.random(period) < 0.3] = np.nan
        assert _best_shift(found, profile) == naive_anomaly.best_shift(found, profile)


def test_gaps_and_wild_values_do_not_move_the_phase():
    values = seasonal()
    cycle = Cycle.fit(values, with_period=True)
    expected = cycle.deviations(values)
    other = values.copy()
    other[::2] = np.nan
    other[101] = -999
    others = (np.arange(480) % 2 == 1) & (np.arange(480) != 101)
    np.testing.assert_allclose(cycle.deviations(other)[others], expected[others])


@pytest.mark.parametrize("wild", [50.0, -300.0, 1e6])
def test_a_wild_value_in_fit_does_not_hide_the_cycle(wild):
    values = seasonal()
    values[100] = wild
    cycle = Cycle.fit(values, with_period=True)
    assert len(cycle.profile) == 24
    clean = Cycle.fit(seasonal(), with_period=True)
    np.testing.assert_allclose(cycle.profile, clean.profile, atol=0.05)


def test_a_missing_cycle_is_a_deviation():
    values = seasonal()
    cycle = Cycle.fit(values, with_period=True)
    values[200:248] = 0
    assert np.abs(cycle.deviations(values)[200:248]).mean() > 5 * 0.1


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=500),
        np.cumsum(np.random.default_rng(0).normal(size=500)),
        seasonal(60),
        np.zeros(100),
        seasonal(8),
    ],
)
def test_without_a_cycle_deviations_are_from_a_constant(values):
    cycle = Cycle.fit(values, with_period=True)
    assert len(cycle.profile) == 1
    np.testing.assert_allclose(cycle.deviations(values), values - np.median(values))


def test_a_cycle_in_one_half_of_fit_only_is_not_believed():
    values = seasonal()
    values[240:] = np.nan
    assert len(Cycle.fit(values, with_period=True).profile) == 1


def test_a_period_is_not_looked_for_unless_asked():
    assert len(Cycle.fit(seasonal(), with_period=False).profile) == 1


def test_new_deviations_are_as_large_as_those_of_fit_with_optimism():
    values, period = seasonal(24 * 6, noise=0.3), 24
    rng = np.random.default_rng(3)
    clean = seasonal(24 * 6, noise=0)
    ratios = []
    for _ in range(30):
        values = clean + 0.3 * rng.normal(size=len(clean))
        cycle = Cycle.fit(values, with_period=True)
        assert len(cycle.profile) == period
        new = cycle.deviations(clean + 0.3 * rng.normal(size=len(clean)))
        ratios.append(np.std(new) / np.std(cycle.deviations(values)))
    assert np.mean(ratios) == pytest.approx(cycle.optimism, rel=0.1)


def test_unknown_values_stay_unknown():
    cycle = Cycle.fit(seasonal(), with_period=True)
    assert np.isnan(cycle.deviations(np.full(100, np.nan))).all()
    assert np.isnan(Cycle.fit(np.full(100, np.nan), with_period=False).profile).all()


@pytest.mark.parametrize(
    ("values", "known"),
    [
        (seasonal(), True),
        (np.random.default_rng(0).normal(size=400), True),
        (np.arange(400.0), False),
        (np.sin(np.arange(400) / 100), False),
        (np.full(9, np.nan), False),
        (np.full(400, 7.0), True),
        (seasonal() + np.arange(480) / 100, False),
        (np.random.default_rng(0).normal(size=400) + np.arange(400) / 200, False),
    ],
)
def test_a_level_is_known_if_it_often_returns(values, known):
    assert is_level_known(values) is known


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize(("noise", "expected"), [(0.1, True), (3.0, False)])
def test_a_cycle_is_repeated_in_any_unit(unit, noise, expected):
    rng = np.random.default_rng(0)
    values = np.sin(2 * np.pi * np.arange(960) / 24) + noise * rng.normal(size=960)
    assert _is_repeated(unit * values, 24) == expected
