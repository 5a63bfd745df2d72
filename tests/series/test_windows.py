"""Resampling, windows and their averages against slow twins, and their invariants."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sktspulse.series.windows import Stitcher, downsample, resample, take_windows, window_starts

LENGTHS = st.integers(1, 60)
DTYPES = st.sampled_from([np.float32, np.float64])


@st.composite
def series(draw, length=LENGTHS, dtypes=DTYPES):
    """Draw whole numbers, so that some repeat, and a share that is missing."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    size = draw(length)
    x = rng.integers(-9, 10, size) * draw(st.sampled_from([0.0, 1.0, 100.0]))
    x[rng.random(size) < draw(st.sampled_from([0.0, 0.3, 1.0]))] = np.nan
    return x.astype(draw(dtypes))


@st.composite
def placements(draw):
    """Draw the length of a series, of a window, and a stride that leaves no gaps."""
    length = draw(st.integers(1, 20))
    return draw(st.integers(length, 120)), length, draw(st.integers(1, length))


# --------------------------------------------------------------------------- resample


@pytest.mark.parametrize(
    ("function", "twin"), [(resample, naive.resample), (downsample, naive.downsample)]
)
@given(x=series(), length=LENGTHS)
def test_functions_equal_their_twins(function, twin, x, length):
    answer = function(x, length)
    assert answer.dtype == x.dtype
    tolerance = 1e-3 if x.dtype == np.float32 else 1e-9
    np.testing.assert_allclose(answer, twin(x.tolist(), length), rtol=0, atol=tolerance)


@given(series(length=st.integers(2, 30)), st.integers(1, 6))
def test_resampling_to_finer_steps_and_back_gives_the_series(x, factor):
    finer = resample(x, factor * (len(x) - 1) + 1)
    np.testing.assert_array_equal(finer[::factor], x)
    np.testing.assert_array_equal(resample(finer, len(x)), x)


@given(st.integers(2, 80), st.integers(2, 80), st.floats(-5, 5), st.floats(-5, 5))
def test_resampling_a_straight_line_and_back_gives_the_line(n, length, level, slope):
    line = level + slope * np.linspace(0, 1, n)
    there = resample(line, length)
    np.testing.assert_allclose(there, level + slope * np.linspace(0, 1, length), atol=1e-12)
    np.testing.assert_allclose(resample(there, n), line, atol=1e-12)


@given(series(length=st.integers(2, 60)), st.integers(2, 60))
def test_resampling_keeps_ends_and_range(x, length):
    answer = resample(x, length)
    np.testing.assert_array_equal(answer[[0, -1]], x[[0, -1]])
    known = x[~np.isnan(x)]
    inside = answer[~np.isnan(answer)]
    assert not len(inside) or inside.min() >= known.min() - 1e-3
    assert not len(inside) or inside.max() <= known.max() + 1e-3


@pytest.mark.parametrize("length", [100, 257, 511, 1000])
def test_single_missing_points_do_not_spread(length):
    x = np.where(np.arange(256) % 2, 1.0, np.nan)
    assert abs(np.isnan(resample(x, length)).mean() - 0.5) < 0.1


def test_resampling_copies_repeats_and_leaves_its_input_alone():
    x = np.arange(12.0).reshape(2, 2, 3)
    before = x.copy()
    assert not np.shares_memory(resample(x, 3), x)
    assert resample(x, 7).shape == (2, 2, 7)
    np.testing.assert_array_equal(resample(x[..., :1], 4), np.repeat(x[..., :1], 4, axis=-1))
    np.testing.assert_array_equal(x, before)


def test_resampling_huge_values_does_not_overflow():
    x = np.array([1.7e308, -1.7e308])
    np.testing.assert_array_equal(resample(x, 3), [1.7e308, 0, -1.7e308])


# --------------------------------------------------------------------------- downsample


@given(st.integers(1, 9), st.integers(2, 9), st.integers(0, 2**31))
def test_whole_blocks_are_averaged(length, width, seed):
    x = np.random.default_rng(seed).normal(size=(2, 3, length * width))
    expected = x.reshape(2, 3, length, width).mean(-1)
    np.testing.assert_allclose(downsample(x, length), expected, atol=1e-12)


@given(st.integers(2, 400), st.floats(-1e9, 1e9), st.floats(1e-6, 1e6))
def test_averaging_follows_offset_and_unit_and_the_mean_stays(n, level, unit):
    x = np.random.default_rng(n).normal(size=n)
    short = downsample(x, 40)
    np.testing.assert_allclose(short.mean(), x.mean(), atol=1e-12)
    moved = (downsample(unit * x + level, 40) - level) / unit
    np.testing.assert_allclose(moved, short, atol=1e-14 * (1 + abs(level) / unit) + 1e-12)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e9 + 0.1, -1.7e308, 1.7e308, 5e-324])
@pytest.mark.parametrize("n", [513, 777, 20000])
def test_a_constant_stays_exactly_constant_and_gaps_stay(value, n):
    x = np.full((2, n), value)
    x[1, n // 4 : n // 2] = np.nan
    short = downsample(x, 512)
    assert (short[0] == value).all()
    assert set(short[1][~np.isnan(short[1])]) == {value}
    assert 120 < np.isnan(short[1]).sum() <= 128


@given(series(length=st.integers(2, 60)), st.integers(1, 60))
def test_averages_stay_within_the_known_values(x, length):
    answer, known = downsample(x, length), x[~np.isnan(x)]
    inside = answer[~np.isnan(answer)]
    assert not len(inside) or (inside.min() >= known.min() and inside.max() <= known.max())


def test_noise_is_averaged_away_and_short_series_are_left_alone():
    x = np.random.default_rng(0).normal(size=20480)
    assert abs(downsample(x, 512).std() * np.sqrt(40) - 1) < 0.1
    assert downsample(x, 20480) is x


# --------------------------------------------------------------------------- window_starts


@given(placements())
@example((512, 512, 256))
@example((513, 512, 512))
def test_windows_cover_every_point_and_end_with_the_series(placement):
    n_timepoints, length, stride = placement
    starts = window_starts(n_timepoints, length, stride)
    assert starts.dtype == np.int64
    assert starts[0] == 0
    assert starts[-1] == n_timepoints - length
    steps = np.diff(starts)
    assert (steps >= 1).all()
    assert (steps[:-1] == stride).all()
    assert (steps <= stride).all()


# --------------------------------------------------------------------------- take_windows


@given(placements(), st.integers(1, 3))
def test_windows_are_slices(placement, n_channels):
    n_timepoints, length, stride = placement
    x = np.random.default_rng(0).normal(size=(n_channels, n_timepoints))
    starts = window_starts(n_timepoints, length, stride)
    expected = [x[:, start : start + length] for start in starts]
    np.testing.assert_array_equal(take_windows(x, starts, length), expected)


def test_windows_are_copies_of_just_what_was_asked_for():
    x = np.arange(2000.0).reshape(2, 1000)
    windows = take_windows(x, np.array([5, 900]), 100)
    windows[:] = 0
    assert (x == np.arange(2000.0).reshape(2, 1000)).all()
    assert windows.flags.c_contiguous
    assert windows.base is None or windows.base.nbytes == windows.nbytes


# --------------------------------------------------------------------------- Stitcher


@given(placements(), st.booleans(), st.integers(0, 2**31))
def test_stitching_equals_its_twin(placement, taper, seed):
    n_timepoints, length, stride = placement
    rng = np.random.default_rng(seed)
    starts = window_starts(n_timepoints, length, stride)
    windows = rng.normal(size=(len(starts), 2, length))
    weight = rng.integers(0, 3, windows.shape)
    stitcher = Stitcher(2, n_timepoints, length, taper)
    half = len(starts) // 2
    stitcher.add(starts[:half], windows[:half], weight[:half])
    stitcher.add(starts[half:], windows[half:], weight[half:])
    profile = np.array(naive.triangle(length)) if taper else 1
    for channel in range(2):
        parts = windows[:, channel], weight[:, channel] * profile
        expected = naive.stitch(n_timepoints, starts, *parts)
        np.testing.assert_allclose(stitcher.mean()[channel], expected, atol=1e-9)


@given(placements(), st.booleans())
def test_stitching_undoes_cutting(placement, taper):
    n_timepoints, length, stride = placement
    x = np.random.default_rng(0).normal(size=(3, n_timepoints))
    starts = window_starts(n_timepoints, length, stride)
    stitcher = Stitcher(3, n_timepoints, length, taper)
    stitcher.add(starts, take_windows(x, starts, length))
    np.testing.assert_allclose(stitcher.mean(), x, atol=1e-12)


def test_the_middle_of_a_window_counts_more_with_a_taper():
    even, tapered = (Stitcher(1, 15, 10, taper) for taper in (False, True))
    windows = np.stack([np.zeros((1, 10)), np.ones((1, 10))])
    for stitcher in (even, tapered):
        stitcher.add(np.array([0, 5]), windows)
    np.testing.assert_allclose(even.mean()[0, 5:10], 0.5)
    assert (np.diff(tapered.mean()[0, 4:11]) > 0).all()


def test_weights_are_broadcast_and_points_without_any_are_missing():
    stitcher = Stitcher(2, 6, 4, taper=False)
    stitcher.add(np.array([0]), np.ones((1, 2, 4)), weight=np.array([[[1.0], [0.0]]]))
    expected = [[1, 1, 1, 1, np.nan, np.nan], [np.nan] * 6]
    np.testing.assert_array_equal(stitcher.mean(), expected)
