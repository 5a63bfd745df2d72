"""Axes that are given are used, others are made; a series has two axes."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sktspulse.base.axes import load_pyplot, one_series, shorten_dates, single_axes, stacked_axes

plt = pytest.importorskip("matplotlib.pyplot")


def test_axes_that_are_given_are_used():
    _, axes = plt.subplots(3)
    assert single_axes(axes[0]) is axes[0]
    assert list(stacked_axes(list(axes), 3)) == list(axes)


def test_axes_are_made_with_the_settings():
    assert single_axes(None, figsize=(3, 2)).figure.get_size_inches().tolist() == [3, 2]
    axes = stacked_axes(None, 2, figsize=(3, 4))
    assert axes.shape == (2,)
    assert axes[0].figure.get_size_inches().tolist() == [3, 4]


def test_dates_write_once_what_they_have_in_common():
    figure, axes = plt.subplots()
    axes.plot(np.array(["2025-03-03T06:00", "2025-03-03T07:00"], dtype="M8[m]"), [0, 1])
    shorten_dates(axes.xaxis, 4)
    figure.canvas.draw()
    labels = [one.get_text() for one in axes.get_xticklabels()]
    assert 3 <= len(labels) <= 5
    assert all(len(one) == 5 for one in labels)
    assert axes.xaxis.get_offset_text().get_text() == "2025-Mar-03"


def test_another_number_of_axes_is_refused():
    with pytest.raises(ValueError, match="axes has 1 axes, but 2 are drawn on"):
        stacked_axes([plt.subplots()[1]], 2)


def test_the_remedy_for_missing_matplotlib_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"pip install '\.\[plot\]'"):
        load_pyplot()


def test_one_series_has_channels_and_time():
    np.testing.assert_array_equal(one_series([1, 2]), [[1.0, 2.0]])
    assert one_series(np.zeros((2, 5))).shape == (2, 5)
    with pytest.raises(ValueError, match=r"shape \(1, 2, 5\).*Pass one series, such as X\[0\]"):
        one_series(np.zeros((1, 2, 5)))


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_rows_of_a_data_frame_are_moments(frame):
    assert one_series(frame(np.zeros((9, 2)))).shape == (2, 9)


def test_masked_points_are_missing_and_dates_refused():
    assert np.isnan(one_series(np.ma.masked_equal([1, 2, 3], 2))).tolist() == [[False, True, False]]
    with pytest.raises(ValueError, match="The series holds dates"):
        one_series(np.arange(9).astype("M8[D]"))
