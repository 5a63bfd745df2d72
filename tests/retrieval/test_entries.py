"""Entries: ids are given once and in ascending order, positions lie in the series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sktspulse.retrieval.entries import Entries


def draw(lengths, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(2, length)) for length in lengths]


def entries_of(*panels, window=None, stride=None):
    entries = Entries(window, stride)
    for panel in panels:
        entries = entries.extended(entries.following(panel))
    return entries


def assert_equal(one, other):
    assert (one.n_ids, one.n_series) == (other.n_ids, other.n_series)
    for name in ("ids", "series", "starts"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


lengths = st.lists(st.integers(6, 20), min_size=1, max_size=5)


@given(lengths, st.integers(2, 6), st.integers(1, 6))
def test_windows_lie_in_their_series_and_cover_it(lengths, window, stride):
    panel = draw(lengths)
    entries = entries_of(panel, window=window, stride=min(stride, window))
    assert entries.ids.tolist() == list(range(len(entries)))
    for number, length in enumerate(lengths):
        starts = entries.starts[entries.series == number]
        covered = {t for start in starts.tolist() for t in range(start, start + window)}
        assert covered == set(range(length))


@given(lengths, lengths, st.sampled_from([(None, None), (4, 3)]))
def test_panels_one_by_one_are_a_panel(first, second, window):
    panels = draw(first), draw(second)
    settings = dict(zip(("window", "stride"), window, strict=True))
    assert_equal(entries_of(*panels, **settings), entries_of(panels[0] + panels[1], **settings))


def test_values_are_views_of_the_new_series():
    old, panel = draw([9, 8]), draw([7, 10])
    entries = entries_of(old, window=5, stride=2).following(panel)
    values = entries.values(panel, slice(1, 4))
    positions = zip(entries.series[1:4] - 2, entries.starts[1:4], strict=True)
    for one, (number, start) in zip(values, positions, strict=True):
        np.testing.assert_array_equal(one, panel[number][:, start : start + 5])
        assert np.shares_memory(one, panel[number])


def test_whole_series_have_their_own_length():
    panel = draw([9, 6])
    entries = entries_of(panel)
    assert [one.shape[1] for one in entries.values(panel, slice(None))] == [9, 6]


def test_ids_of_removed_entries_are_not_given_again():
    entries = entries_of(draw([6, 6, 6])).selected(np.array([0, 2]))
    grown = entries.extended(entries.following(draw([6])))
    assert grown.ids.tolist() == grown.series.tolist() == [0, 2, 3]


def test_rows_are_found_by_ids_in_any_shape():
    entries = entries_of(draw([6] * 5)).selected(np.array([1, 3, 4]))
    assert entries.find_rows([[4, 1], [3, 3]]).tolist() == [[2, 0], [1, 1]]
    assert entries.find_rows(3).tolist() == 1
    assert entries.find_rows([]).shape == (0,)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([0, 1, 2], r"no entry 0, 2; it holds 3 of the 5 entries ever added"),
        ([0, 0, 0, 0, 0], "no entry 0, 0, 0 and 2 more;"),
        (-1, "no entry -1"),
        (1.0, "ids are float64, expected integers"),
        ([True], "ids are bool"),
    ],
)
def test_absent_ids_are_an_error(ids, message):
    entries = entries_of(draw([6] * 5)).selected(np.array([1, 3, 4]))
    with pytest.raises(ValueError, match=message):
        entries.find_rows(ids)


@pytest.mark.parametrize(
    "damage",
    [
        {"ids": [1, 0]},
        {"ids": [0, 0]},
        {"ids": [0, 2]},
        {"ids": [-1, 0]},
        {"series": [0, 2]},
        {"series": [-1, 0]},
        {"starts": [0, -1]},
    ],
)
def test_impossible_entries_are_an_error(damage):
    arrays = {"ids": [0, 1], "series": [0, 1], "starts": [0, 0]} | damage
    with pytest.raises(ValueError, match="Ids do not ascend, or positions lie outside"):
        Entries(None, None, 2, 2, *map(np.array, arrays.values()))
