"""Axes that are given are used, others are made; a series has two axes."""

from __future__ import annotations

import sys
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sktspulse.base.axes import (
    ALARM,
    CLASS_STYLES,
    ESTIMATE,
    MANY_POINTS,
    RECORDING,
    TRUTH,
    draw_channels,
    draw_legend,
    draw_series,
    ink,
    load_pyplot,
    merged_spans,
    one_series,
    plain_text,
    shade,
    single_axes,
    stacked_axes,
    thinned,
)

plt = pytest.importorskip("matplotlib.pyplot")
to_rgb = pytest.importorskip("matplotlib.colors").to_rgb

# What colour-blind readers see, in linear RGB: Machado, Oliveira and Fernandes, 2009, severity 1.
VISION = {
    "full": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def linear(colour):
    values = np.array(to_rgb(colour))
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(to_xyz @ rgb.clip(0, 1) / (0.9505, 1, 1.089))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("vision", VISION)
def test_colours_of_meanings_differ_for_all_readers(vision):
    seen = [lab(VISION[vision] @ linear(one)) for one in (RECORDING, ESTIMATE, TRUTH, ALARM)]
    assert all(np.linalg.norm(one - other) > 14 for one, other in combinations(seen, 2))


@pytest.mark.parametrize("colour", [RECORDING, ESTIMATE, TRUTH, ALARM])
def test_colours_of_meanings_stand_out_on_white_and_black(colour):
    luminance = linear(colour) @ (0.2126, 0.7152, 0.0722)
    assert 1.05 / (luminance + 0.05) >= 3
    assert (luminance + 0.05) / 0.05 >= 3


def test_classes_differ_in_colour_and_marker():
    pairs = {(style["color"], style["marker"]) for style in CLASS_STYLES}
    assert len(pairs) == len(CLASS_STYLES) == 42
    for one, other in pairwise(CLASS_STYLES):
        assert one["color"] != other["color"]
        assert one["marker"] != other["marker"]


def test_ink_is_seen_on_any_background():
    assert to_rgb(ink()) == (0, 0, 0)
    with plt.style.context("dark_background"):
        assert to_rgb(ink()) == (1, 1, 1)


def test_extremes_survive_thinning():
    values = np.random.default_rng(0).normal(size=10_000)
    values[3000:4000] = np.nan
    places, kept = thinned(np.arange(10_000), values, 100)
    assert len(places) == len(kept) == 200
    assert (np.nanmin(kept), np.nanmax(kept)) == (np.nanmin(values), np.nanmax(values))
    assert np.isnan(kept).sum() == 20
    np.testing.assert_array_equal(thinned(np.arange(200), values[:200], 100)[1], values[:200])


def test_a_long_series_is_its_range_with_its_mean():
    values = np.tile([-3.0, 1.0, np.nan, 5.0], 50_000)
    values[77_777] = 99
    axes = plt.subplots()[1]
    line = draw_series(axes, np.arange(len(values)), values, color="k", label="x")
    assert line.get_label() == "x"
    assert len(line.get_ydata()) == MANY_POINTS
    assert (line.get_ydata().min(), line.get_ydata().max()) == (-3, 99)
    assert line.get_alpha() == 0.5
    _, mean = axes.lines
    np.testing.assert_allclose(np.median(mean.get_ydata()), 1)
    assert axes.get_legend_handles_labels()[1] == ["x"]


def test_a_short_series_is_drawn_as_it_is():
    axes = plt.subplots()[1]
    values = np.array([1.0, np.nan, 3.0])
    line = draw_series(axes, np.arange(3), values)
    np.testing.assert_array_equal(line.get_ydata(), values)
    assert axes.lines[:] == [line]


def test_channels_have_names_and_ranges():
    axes = plt.subplots()[1]
    channels = np.array([[1.0, 2.0, 3.0], [5.0, 5.0, np.nan], [np.nan] * 3])
    lines = draw_channels(axes, np.arange(3), channels, ["$a", "constant", "missing"])
    texts = [text.get_text() for text in axes.get_yticklabels()]
    assert texts == ["$a\n1 to 3", "constant\n5", "missing\nno value"]
    np.testing.assert_allclose(lines[0].get_ydata(), [0, 0.5, 1])
    heights = [np.nanmean(line.get_ydata()) for line in lines[:2]]
    np.testing.assert_allclose(heights, axes.get_yticks()[:2])
    axes.figure.canvas.draw()


def test_a_single_channel_keeps_its_units():
    axes = plt.subplots()[1]
    (line,) = draw_channels(axes, np.arange(2), np.array([[10.0, 30.0]]), ["flow [l/s]"])
    assert axes.get_ylabel() == "flow [l/s]"
    np.testing.assert_array_equal(line.get_ydata(), [10, 30])


def test_spans_in_the_same_part_become_one():
    assert merged_spans([(0, 1), (5, 9)], 10) == [(0, 0), (5, 8)]
    assert merged_spans([(0, 3), (2, 5), (90, 100)], 100, 10) == [(0, 4), (90, 99)]
    assert merged_spans([], 10) == []
    many = [(10 * i, 10 * i + 2) for i in range(20_000)]
    assert len(merged_spans(many, 200_000)) <= 1000


def test_shades_lie_at_their_rows_and_leave_the_limits():
    axes = plt.subplots()[1]
    axes.plot([0, 50], [1, 2])
    before = axes.dataLim.bounds
    patches = shade(axes, np.arange(51.0), [(10, 20), (30, 31)], (0.25, 0.5))
    ends = [(path.vertices[:, 0].min(), path.vertices[:, 0].max()) for path in patches.get_paths()]
    assert ends == [(10, 19), (30, 30)]
    assert set(patches.get_paths()[0].vertices[:, 1]) == {0.25, 0.5}
    assert axes.dataLim.bounds == before


def test_the_legend_hides_no_data():
    axes = plt.subplots()[1]
    axes.plot([0, 1], [2, 2], label="a")
    axes.plot([0, 1], [0, 1], label="b")
    draw_legend(axes)
    axes.figure.canvas.draw()
    legend = axes.get_legend().get_window_extent()
    assert legend.y0 > axes.transData.transform((0, 2))[1]
    assert axes.get_autoscale_on()


def test_long_names_are_shortened():
    assert plain_text("a" * 24) == "a" * 24
    assert plain_text("a" * 25) == "a" * 23 + "…"
    assert plain_text(("a", 3)) == "('a', 3)"


def test_axes_that_are_given_are_used():
    _, axes = plt.subplots(3)
    assert single_axes(axes[0]) is axes[0]
    assert list(stacked_axes(list(axes), 3)) == list(axes)


def test_axes_are_made_with_the_settings():
    assert single_axes(None, figsize=(3, 2)).figure.get_size_inches().tolist() == [3, 2]
    axes = stacked_axes(None, 2, figsize=(3, 4))
    assert axes.shape == (2,)
    assert axes[0].figure.get_size_inches().tolist() == [3, 4]


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
