"""Fill values, meters, weeks and solar power: no fill is absurd, whatever the unit."""

from __future__ import annotations

import numpy as np
import pytest
from imputation.imputer_cases import fill

from sktspulse import TSPulseImputer

RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=3000)


def day(n, period=24):
    return np.sin(2 * np.pi * np.arange(n) / period)


def rmse(filled, truth, gap):
    return float(np.sqrt(np.mean((filled - truth)[gap] ** 2)))


def line(truth, gap):
    places, known = np.arange(len(truth)), ~gap
    return np.interp(places, places[known], truth[known])


def gap_at(n, *slices):
    gap = np.zeros(n, bool)
    for one in slices:
        gap[one] = True
    return gap


def fill_gap(truth, gap, **parameters):
    return fill(np.where(gap, np.nan, truth)[:, None], **parameters)[:, 0]


@pytest.mark.parametrize(("unit", "offset"), [(1.0, 20.0), (1e-6, 0.0), (1e9, 1e12)])
def test_a_fill_value_does_not_spread(unit, offset):
    truth = offset + unit * (5 * day(1200) + 0.3 * NOISE[:1200])
    gap = gap_at(1200, slice(500, 506), slice(700, 730))
    clean = fill_gap(truth, gap)
    for wild in (-9999.0, 1e20, 9.97e36):
        spoiled = truth.copy()
        spoiled[[300, 504 + 4]] = wild
        filled = fill_gap(spoiled, gap)
        assert rmse(filled, truth, gap) < 1.2 * rmse(clean, truth, gap)
        np.testing.assert_array_equal(filled[~gap], spoiled[~gap])


@pytest.mark.parametrize("size", [8.0, -30.0])
def test_a_spike_beside_a_gap_changes_its_fills_little(size):
    truth = day(1200) + 0.1 * NOISE[:1200]
    gap = gap_at(1200, slice(500, 512))
    spoiled = truth.copy()
    spoiled[499] += size * truth.std()
    change = fill_gap(spoiled, gap) - fill_gap(truth, gap)
    assert np.abs(change[gap]).max() < 0.5 * truth.std()


@pytest.mark.parametrize("n_missing", [100, 600])
@pytest.mark.parametrize("unit", [1.0, -1e-6])
def test_a_meter_is_filled_between_its_ends(n_missing, unit):
    use = np.clip(0.3 + 0.5 * day(2000) + 0.2 * NOISE[:2000], 0, None)
    truth = unit * (50_000 + use.cumsum())
    gap = gap_at(2000, slice(900, 900 + n_missing))
    filled = fill_gap(truth, gap)
    assert (np.diff(filled[890 : 910 + n_missing]) * unit >= 0).all()
    assert rmse(filled, truth, gap) < 1.2 * rmse(line(truth, gap), truth, gap)


@pytest.mark.parametrize("weekend", [0.0, 0.4])
def test_two_lost_weeks_of_a_load_are_those_of_other_weeks(weekend):
    t = np.arange(24 * 7 * 10)
    level = np.where((t // 24) % 7 < 5, 1, weekend)
    truth = 2 + 10 * level * day(len(t)).clip(0) + 0.3 * NOISE[: len(t)]
    gap = gap_at(len(t), slice(24 * 30, 24 * 44))
    gappy = np.where(gap, np.nan, truth)
    naive = np.nanmean([np.roll(gappy, k * 168) for k in (-3, 3)], axis=0)
    assert rmse(fill_gap(truth, gap), truth, gap) < 1.2 * rmse(naive, truth, gap)


def test_solar_power_is_never_negative():
    truth = 800 * day(1500).clip(0) * (1 + 0.2 * NOISE[:1500]).clip(0.2)
    gap = gap_at(1500, slice(200, 206), slice(600, 630), slice(800, 1200))
    filled = fill_gap(truth, gap)
    assert filled.min() == 0
    assert rmse(filled, truth, gap) < 0.5 * rmse(line(truth, gap), truth, gap)


def test_a_late_start_continues_the_daily_cycle():
    truth = 20 + 5 * day(800) + 0.5 * NOISE[:800]
    gap = gap_at(800, slice(0, 500))
    assert rmse(fill_gap(truth, gap), truth, gap) < 0.3 * truth.std()


def test_no_fill_of_a_walk_is_far_outside_of_what_was_seen():
    truth = NOISE[:2000].cumsum()
    gap = gap_at(2000, slice(0, 200), slice(700, 1300), slice(1900, 2000))
    filled, seen = fill_gap(truth, gap), truth[~gap]
    assert filled[gap].max() < seen.max() + 0.06 * np.ptp(seen)
    assert filled[gap].min() > seen.min() - 0.06 * np.ptp(seen)
    assert rmse(filled, truth, gap) < 1.15 * rmse(line(truth, gap), truth, gap)


def test_bounds_and_whole_numbers_are_kept_on_request():
    truth = np.round(3 + 4 * day(600) + NOISE[:600])
    gap = gap_at(600, slice(100, 140))
    filled = fill_gap(truth, gap, bounds=(0, 5), round_integers=True)
    assert set(filled[gap]) <= {0, 1, 2, 3, 4, 5}
    alone = fill_gap(truth, gap, bounds="observed", blend=False)
    assert truth[~gap].min() <= alone[gap].min()
    assert alone[gap].max() <= truth[~gap].max()


@pytest.mark.parametrize("step", [2, 3, 5])
@pytest.mark.parametrize("unit", [1.0, 1e-6])
@pytest.mark.parametrize("kind", ["walk", "day", "load"])
def test_a_recording_with_every_so_many_th_row_is_filled_as_well_as_by_a_line(step, unit, kind):
    t = np.arange(2000)
    shapes = {
        "walk": NOISE[:2000].cumsum(),
        "day": day(2000, 48) + 0.03 * NOISE[:2000],
        "load": 5 * day(2000).clip(0) + 0.1 * NOISE[:2000],
    }
    truth = unit * shapes[kind]
    gap = t % step != 1
    X = np.where(gap, np.nan, truth)[:, None]
    filled, std = TSPulseImputer(random_state=0).fit(X).transform(X, return_std=True)
    assert rmse(filled[:, 0], truth, gap) < 1.05 * rmse(line(truth, gap), truth, gap)
    if step == 2:
        covered = np.abs(filled[:, 0] - truth)[gap] <= 1.645 * std[gap, 0]
        assert covered.mean() > 0.85


def test_a_second_channel_does_not_spoil_a_regular_one():
    state = np.repeat(NOISE[:200] > 0, 10).astype(float)
    slow = np.convolve(np.pad(state, 19, mode="edge"), np.ones(20) / 20)[19:2019]
    truth = np.stack([state, slow + 0.02 * NOISE[:2000]], axis=1)
    gap = np.zeros(truth.shape, bool)
    gap[1::2, 1] = True
    filled = fill(np.where(gap, np.nan, truth))
    straight = line(truth[:, 1], gap[:, 1])
    assert rmse(filled, truth, gap) < 1.1 * rmse(straight, truth[:, 1], gap[:, 1])
