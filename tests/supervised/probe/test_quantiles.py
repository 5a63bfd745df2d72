"""Quantiles of intervals equal a loop; series do not depend on each other."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from sktspulse.supervised.probe import quantiles as module
from sktspulse.supervised.probe.quantiles import QuantileBank
from sktspulse.supervised.probe.shapes import standard_shapes


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).cumsum(-1)


# --------------------------------------------------------------------------- the slow twin


def naive(series, depth, n_values):
    """Return features of all channels of one series, channel after channel."""
    rows = []
    for channel in series.astype(float):
        row = []
        for kind in naive_kinds(list(channel)):
            for first, last in naive_intervals(len(kind), depth):
                row += naive_quantiles(kind[first:last], n_values)
        rows += row
    return rows


def naive_kinds(values):
    """Return values, smoothed differences, second differences and the spectrum."""
    n = len(values)
    steps = [values[i + 1] - values[i] for i in range(n - 1)]
    inside = [[min(max(i + k, 0), n - 2) for k in (-2, -1, 0, 1, 2)] for i in range(n - 1)]
    smooth = [sum(steps[i] for i in places) / 5 for places in inside]
    bends = [steps[i + 1] - steps[i] for i in range(n - 2)] or steps
    spectrum = [
        abs(sum(values[t] * np.exp(-2j * np.pi * k * t / n) for t in range(n))) / math.sqrt(n)
        for k in range(n // 2 + 1)
    ]
    return values, smooth, bends, spectrum


def naive_intervals(length, depth):
    """Return all halves of halves, at each depth followed by those shifted by half a width."""
    intervals = []
    for level in range(min(depth, max(1, int(math.log2(length))))):
        n_parts = 2**level
        edges = [round(Fraction(length * part, n_parts)) for part in range(n_parts + 1)]
        shift = length // (2 * n_parts)
        parts = [(edges[i], edges[i + 1]) for i in range(n_parts)]
        intervals += parts
        intervals += [(first + shift, last + shift) for first, last in parts[:-1]]
    return intervals


def naive_quantiles(values, n_values):
    n = 1 + (len(values) - 1) // n_values
    ordered, mean = sorted(values), sum(values) / len(values)
    if n == 1:
        return [ordered[(len(values) - 1) // 2]]
    places = [round(Fraction(i * (len(values) - 1), n - 1)) for i in range(n)]
    return [ordered[place] - (mean if i % 2 else 0) for i, place in enumerate(places)]


def naive_plan(n_channels, n_timepoints):
    """Return depth and values per quantile of the first plan that is small enough."""
    lengths = (n_timepoints, n_timepoints - 1, max(1, n_timepoints - 2), n_timepoints // 2 + 1)
    for depth in (6, 5, 4, 3, 2, 1):
        for n_values in (4, 8, 16, 32, 64):
            intervals = [part for length in lengths for part in naive_intervals(length, depth)]
            counts = [1 + (last - first - 1) // n_values for first, last in intervals]
            if n_channels * sum(counts) <= 2048:
                return depth, n_values
    return depth, n_values


SIZES = [(1, 2), (1, 3), (3, 4), (1, 5), (2, 8), (3, 31), (1, 64), (1, 100), (3, 64), (9, 90)]


@pytest.mark.parametrize(("n_channels", "n_timepoints"), [*SIZES, (300, 2), (300, 20)])
def test_features_equal_a_loop(n_channels, n_timepoints):
    shapes = standard_shapes(draw(2, n_channels, n_timepoints))
    plan = naive_plan(n_channels, n_timepoints)
    expected = [naive(series, *plan) for series in shapes]
    np.testing.assert_allclose(QuantileBank.fit(shapes)(shapes), expected, atol=1e-5)


# --------------------------------------------------------------------------- sizes


@pytest.mark.parametrize("n_channels", [1, 2, 7, 35, 512])
@pytest.mark.parametrize("n_timepoints", [2, 50, 1024])
def test_features_are_at_most_2048_unless_the_smallest_plan_has_more(n_channels, n_timepoints):
    shapes = standard_shapes(draw(1, n_channels, n_timepoints))
    bank = QuantileBank.fit(shapes)
    assert bank(shapes).shape == (1, bank.n_features)
    smallest = 4 * n_channels * (1 + n_timepoints // 64)
    assert bank.n_features <= max(2048, smallest)


@pytest.mark.parametrize("n_channels", [300, 1000])
def test_of_hundreds_of_channels_the_whole_series_alone_is_described(n_channels):
    shapes = standard_shapes(draw(2, n_channels, 40))
    bank = QuantileBank.fit(shapes)
    assert [len(kind) for kind in bank.intervals] == [1, 1, 1, 1]
    found = bank(shapes)
    assert np.isfinite(found).all()
    assert found.shape == (2, 4 * n_channels)


# --------------------------------------------------------------------------- what changes nothing


@pytest.mark.parametrize("n_channels", [1, 4, 300])
def test_series_of_other_lengths_give_the_same_as_alone(n_channels, monkeypatch):
    shapes = standard_shapes([draw(n_channels, n, seed=n) for n in (40, 61, 40, 2, 3, 7)])
    bank = QuantileBank.fit(shapes)
    expected = np.vstack([bank([series]) for series in shapes])
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(bank(shapes), expected)
    monkeypatch.setattr(module, "_BLOCK_VALUES", 1)
    np.testing.assert_array_equal(bank(shapes), expected)


@pytest.mark.parametrize("n_timepoints", [2, 3, 5, 90, 1024])
def test_series_shorter_or_longer_than_those_of_fit_are_described(n_timepoints):
    bank = QuantileBank.fit(standard_shapes(draw(1, 2, 30)))
    found = bank(standard_shapes(draw(1, 2, n_timepoints)))
    assert found.shape == (1, bank.n_features)
    assert np.isfinite(found).all()


def test_channels_are_described_one_by_one():
    shapes = standard_shapes(draw(2, 3, 30))
    bank = QuantileBank.fit(shapes)
    found = bank(shapes).reshape(2, 3, -1)
    swapped = bank([series[[2, 0, 1]] for series in shapes]).reshape(2, 3, -1)
    np.testing.assert_array_equal(swapped, found[:, [2, 0, 1]])


def test_quantiles_move_with_a_channel_but_not_those_relative_to_the_mean():
    values = np.arange(16, dtype=np.float32)[None, None]
    intervals = (module.Interval(0, 1, 4),)
    found, moved = (module._quantiles(part, intervals)[0, 0] for part in (values, values + 8))
    np.testing.assert_allclose(found, [0, 5 - 7.5, 10, 15 - 7.5])
    np.testing.assert_allclose(moved - found, [8, 0, 8, 0])


@pytest.mark.parametrize("pace", [2, 3])
def test_an_interval_is_the_same_part_of_a_slower_series(pace):
    ramp = np.linspace(-1, 1, 30, dtype=np.float32)[None]
    slow = np.repeat(ramp, pace, axis=1)
    bank = QuantileBank.fit([ramp])
    n_own = sum(part.n_quantiles for part in bank.intervals[0])
    step = 2 / 29
    found, expected = (bank([one])[0, :n_own] for one in (slow, ramp))
    np.testing.assert_allclose(found, expected, atol=step)
