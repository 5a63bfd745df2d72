"""Fill values and lone spikes are flagged; steps, bursts, trends and cycles are not."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.series import find_wild
from sktspulse.series.outliers import _continued

T = np.arange(1000)


def signals() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    noise, day = rng.normal(size=1000), np.sin(2 * np.pi * T / 24)
    return {
        "noise": noise,
        "cycle": 20 + 5 * day + 0.1 * noise,
        "walk": noise.cumsum(),
        "trend": T + noise,
        "counter": np.clip(day, 0, None).cumsum(),
        "solar": np.clip(day, 0, None),
        "steps": np.repeat(rng.normal(size=20), 50),
        "bursts": np.where(T % 100 < 6, rng.exponential(size=1000), 0),
        "quantised": np.round(2 * day + 0.3 * noise) / 2,
        "constant": np.full(1000, 0.1),
    }


@pytest.mark.parametrize("name", signals())
@pytest.mark.parametrize("wild", [-9999.0, 1e12, 9.97e36])
def test_only_fill_values_are_flagged(name, wild):
    row = signals()[name]
    before = find_wild(row)
    assert before.sum() <= 8
    places = [100, 600, 601]
    row[places] = wild if name != "trend" else 100 * wild
    row[300:400] = np.nan
    found = find_wild(row)
    assert found[places].all()
    assert not np.isnan(row[found]).any()
    assert (found & ~before).sum() <= 8


@pytest.mark.parametrize("name", ["noise", "cycle", "walk", "trend", "counter"])
@pytest.mark.parametrize("place", [0, 1, 500, 998, 999])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_spike_is_flagged_where_it_is(name, place, sign):
    row = signals()[name]
    row[place] = np.median(row[max(0, place - 3) : place + 4]) + sign * 12 * row.std()
    assert np.flatnonzero(find_wild(row)).tolist() == [place]


@pytest.mark.parametrize("rise", [2.0 ** np.arange(20), 5.0 * np.arange(6), np.full(4, 9.0)])
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("is_first", [False, True])
def test_a_rise_at_an_end_is_not_flagged(rise, sign, is_first):
    row = np.concatenate([np.random.default_rng(0).normal(size=300), sign * rise])
    if len(rise) == 20:
        row = row[-30:]  # the largest are not far from this many others
    assert not find_wild(row[::-1] if is_first else row).any()


@pytest.mark.parametrize(("unit", "offset"), [(1e-6, 0), (1e9, 1e12), (-1, 5)])
def test_units_do_not_matter(unit, offset):
    row = signals()["cycle"]
    row[[20, 500]] = 200, -9999
    np.testing.assert_array_equal(find_wild(unit * row + offset), find_wild(row))


def test_few_values_are_never_wild():
    row = np.full(50, np.nan)
    row[:7] = [0, 0, 0, 1e20, 0, 0, 0]
    assert not find_wild(row).any()
    assert not find_wild(np.full(20, np.nan)).any()


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_the_smallest_and_the_largest_numbers_are_judged_alike(unit):
    row = signals()["cycle"]
    row[500] = -9999
    np.testing.assert_array_equal(find_wild(unit * row), find_wild(row))


def test_the_end_is_continued_from_the_last_values():
    values = np.arange(20.0) ** 2
    before, after = 2 * 1 - values[[5, 4, 3]], 2 * values[18] - values[[16, 15, 14]]
    expected = np.concatenate([before, values, after])
    np.testing.assert_array_equal(_continued(values), expected)
