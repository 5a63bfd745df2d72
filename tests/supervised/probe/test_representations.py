"""Representations of a series: what each shows, and what has no effect on it."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.network import standardize
from sktspulse.supervised.probe.representations import (
    REPRESENTATIONS,
    cumulative_sums,
    differences,
    time_warped,
)

EVERY = pytest.mark.parametrize("representation", dict.fromkeys(sum(REPRESENTATIONS.values(), ())))


def draw(n_channels=2, n_timepoints=60, seed=0):
    return np.random.default_rng(seed).normal(size=(n_channels, n_timepoints)).cumsum(axis=-1)


@EVERY
def test_level_and_unit_of_a_channel_do_not_matter(representation):
    series = draw()
    expected, found = (
        representation(series),
        representation(series * [[1e-6], [1e6]] + [[5], [-1e7]]),
    )
    for one, other in zip(expected, found, strict=True):
        pair = [(part - part.mean()) / part.std() for part in (one, other)]
        np.testing.assert_allclose(*pair, atol=1e-6)


@EVERY
def test_series_of_a_block_do_not_matter_to_each_other(representation):
    block = np.stack([draw(seed=seed) for seed in range(4)])
    block[1] = 3.0
    block[2, 0, 5:20] = np.nan
    expected = np.stack([representation(series) for series in block])
    np.testing.assert_array_equal(representation(block), expected)


@EVERY
@pytest.mark.parametrize("n_timepoints", [2, 3, 7])
def test_short_flat_and_empty_channels_are_taken(representation, n_timepoints):
    series = draw(3, n_timepoints)
    series[1], series[2] = 4.0, np.nan
    before = series.copy()
    found = representation(series)
    assert len(found) == 3
    assert np.isfinite(found[:2]).all()
    assert np.ptp(found[1]) == 0
    assert np.isnan(found[2]).all()
    np.testing.assert_array_equal(series, before)


def test_differences_of_a_straight_line_are_flat_and_not_rounding():
    line = 1e9 + 0.1 * np.arange(50.0)
    assert not differences(line[None]).any()
    assert differences(np.sin(line)[None]).any()


def test_differences_are_missing_beside_what_is_missing():
    series = draw()
    series[0, 10] = np.nan
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(differences(series)[0])), [9, 10])


def test_sums_undo_differences():
    series = draw(1, 50)
    speed = np.diff(series)
    found = cumulative_sums(speed)[0] * speed.std() + speed.mean() * np.arange(1, 50) + series[0, 0]
    np.testing.assert_allclose(found, series[0, 1:])


def test_a_missing_value_adds_nothing_to_cumulative_sums():
    series = draw(1, 20)
    series -= series.mean()
    series[0, 7] = np.nan
    found, known = cumulative_sums(series)[0], np.delete(series, 7)
    assert np.isnan(found[7])
    z = (known - known.mean()) / known.std()
    np.testing.assert_allclose(np.delete(found, 7), np.cumsum(z), atol=1e-12)


def test_pauses_shrink_in_warped_time_and_events_line_up():
    early, late = (np.pad(np.hanning(40), (n, 60 - n)) for n in (10, 40))
    one, other = (time_warped(series[None])[0] for series in (early, late))
    assert late.argmax() - early.argmax() == 30
    assert 12 <= other.argmax() - one.argmax() <= 18
    assert (one > 0.01).sum() > 1.4 * (early > 0.01).sum()


def test_time_passes_evenly_where_all_moves_alike():
    line = np.linspace(3, 9, 30)[None]
    np.testing.assert_allclose(time_warped(line), standardize(line).values)
