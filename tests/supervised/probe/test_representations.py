"""Forms of a series: what each shows, and what makes no difference to it."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.supervised.probe.representations import FORMS, changes, paced, sums

EVERY_FORM = pytest.mark.parametrize("form", FORMS["resample"])


def draw(n_channels=2, n_timepoints=60, seed=0):
    return np.random.default_rng(seed).normal(size=(n_channels, n_timepoints)).cumsum(axis=-1)


@EVERY_FORM
def test_level_and_unit_of_a_channel_do_not_matter(form):
    series = draw()
    expected, found = form(series), form(series * [[1e-6], [1e6]] + [[5], [-1e7]])
    for one, other in zip(expected, found, strict=True):
        pair = [(part - part.mean()) / part.std() for part in (one, other)]
        np.testing.assert_allclose(*pair, atol=1e-6)


@EVERY_FORM
@pytest.mark.parametrize("n_timepoints", [2, 3, 7])
def test_short_flat_and_empty_channels_are_taken(form, n_timepoints):
    series = draw(3, n_timepoints)
    series[1], series[2] = 4.0, np.nan
    before = series.copy()
    found = form(series)
    assert len(found) == 3
    assert np.isfinite(found[:2]).all()
    assert np.ptp(found[1]) == 0
    assert np.isnan(found[2]).all()
    np.testing.assert_array_equal(series, before)


def test_changes_of_a_straight_line_are_flat_and_not_rounding():
    line = 1e9 + 0.1 * np.arange(50.0)
    assert not changes(line[None]).any()
    assert changes(np.sin(line)[None]).any()


def test_changes_are_missing_beside_what_is_missing():
    series = draw()
    series[0, 10] = np.nan
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(changes(series)[0])), [9, 10])


def test_sums_undo_changes():
    series = draw(1, 50)
    speed = np.diff(series)
    found = sums(speed)[0] * speed.std() + speed.mean() * np.arange(1, 50) + series[0, 0]
    np.testing.assert_allclose(found, series[0, 1:])


def test_a_missing_value_adds_nothing_to_sums():
    series = draw(1, 20)
    series -= series.mean()
    series[0, 7] = np.nan
    found, known = sums(series)[0], np.delete(series, 7)
    assert np.isnan(found[7])
    z = (known - known.mean()) / known.std()
    np.testing.assert_allclose(np.delete(found, 7), np.cumsum(z), atol=1e-12)


def test_pauses_shrink_in_paced_series_and_events_line_up():
    early, late = (np.pad(np.hanning(40), (n, 60 - n)) for n in (10, 40))
    one, other = (paced(series[None])[0] for series in (early, late))
    assert late.argmax() - early.argmax() == 30
    assert 12 <= other.argmax() - one.argmax() <= 18
    assert (one > 0.01).sum() > 1.4 * (early > 0.01).sum()


def test_time_passes_evenly_where_all_moves_alike():
    line = np.linspace(3, 9, 30)[None]
    np.testing.assert_allclose(paced(line), line)


def test_halves_of_changes():
    series = draw(1, 81)
    whole = changes(series)
    parts = [form(series) for form in FORMS["resample"][4:6]]
    for part, first in zip(parts, (0, 40), strict=True):
        np.testing.assert_array_equal(part, whole[:, first : first + 40])
