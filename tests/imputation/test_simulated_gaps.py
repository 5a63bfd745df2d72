"""Hidden points resemble the missing ones, and windows are drawn from all of the data."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from sktspulse.imputation.simulated_gaps import (
    N_FOLDS,
    GapMasks,
    _long_gaps,
    draw_masks,
    hide_long,
    hide_scattered,
    sample_segments,
)
from sktspulse.series import runs


def test_masks_hide_blocks_and_points_or_one_gap():
    observed = draw_masks((200, 2, 512), 8, np.random.default_rng(0)).reshape(400, 512)
    n_runs = (np.diff(np.pad(observed, ((0, 0), (1, 1)), constant_values=True)) != 0).sum(1) // 2
    is_single = n_runs == 1
    assert 0.18 < is_single.mean() < 0.32
    lengths = (~observed[is_single]).sum(1)
    assert 10 <= lengths.min() < 20
    assert 200 < lengths.max() <= 256
    scattered = ~observed[~is_single]
    assert 0.04 < scattered.mean(1).min() < 0.08
    assert 0.55 < scattered.mean(1).max() <= 0.6
    patches = scattered.reshape(-1, 64, 8)
    assert patches.all(-1).any(1).mean() > 0.9
    assert (patches.any(-1) & ~patches.all(-1)).any(1).all()
    again = draw_masks((200, 2, 512), 8, np.random.default_rng(0)).reshape(400, 512)
    np.testing.assert_array_equal(observed, again)


def panel(n_series=3, n_channels=2, n_timepoints=100):
    """Values that encode series, channel and time point."""
    places = np.indices((n_series, n_channels, n_timepoints))
    return (places * np.array([1e6, 1e4, 1.0]).reshape(3, 1, 1, 1)).sum(0)


@pytest.mark.parametrize("length", [16, 100, 130])
def test_segments_are_parts_of_all_channels(length):
    segments = sample_segments([panel()], length, 40, np.random.default_rng(0))
    values = segments.values
    assert values.shape == (40, 2, min(length, 100))
    np.testing.assert_array_equal(np.diff(values, axis=1), 1e4)
    np.testing.assert_array_equal(np.diff(values), 1)
    assert set(values[:, 0, 0] // 1e6) == {0, 1, 2}
    np.testing.assert_array_equal(values[:, 0, 0] % 1e4, segments.start)
    folds = segments.folds()
    np.testing.assert_array_equal(folds[:, 3], (segments.start + 3) * N_FOLDS // 100)


def test_short_series_are_padded_in_front_and_few_are_repeated():
    segments = sample_segments(
        [panel(1), panel(2, n_timepoints=30)], 64, 12, np.random.default_rng(0)
    )
    short = segments.n_timepoints == 30
    assert short.sum() == pytest.approx(6, abs=1)
    assert np.isnan(segments.values[short][..., :34]).all()
    assert not np.isnan(segments.values[short][..., 34:]).any()
    assert (segments.start[short] == -34).all()
    assert not np.isnan(segments.values[~short]).any()


def hide(values, seed=0):
    rng = np.random.default_rng(seed)
    return np.concatenate([hide_scattered(values, 8, rng), hide_long(values, 8, rng)])


def test_hidden_points_were_known():
    rows = np.random.default_rng(0).normal(size=(60, 2, 1100))
    rows[:20, 1, 30:400] = np.nan
    rows[0, 0] = np.nan
    before = rows.copy()
    visible, rows = hide(rows), np.concatenate([rows, rows])
    np.testing.assert_array_equal(rows[:60], before)
    known = ~np.isnan(visible)
    np.testing.assert_array_equal(visible[known], rows[known])
    assert (known.sum(-1) >= 8)[1:60].all()
    # Half of the series with a gap get gaps like theirs, elsewhere.
    alike = (np.isnan(rows) | np.isnan(visible))[[*range(1, 20), *range(61, 80)], 1].sum(-1)
    assert 0.2 < np.mean(alike == 370 + 370) < 0.8 or alike.min() > 370


@pytest.mark.parametrize("step", [2, 3])
def test_regular_gaps_are_simulated_by_wider_regular_ones(step):
    rows = np.ones((40, 2, 512))
    rows[..., np.arange(512) % step > 0] = np.nan
    visible = hide_scattered(rows, 8, np.random.default_rng(0))
    regular = [
        (np.diff(np.flatnonzero(~np.isnan(one[0]))) == step**2).all()
        and (np.isnan(one[0]) == np.isnan(one[1])).all()
        for one in visible
    ]
    assert 0.3 < np.mean(regular) < 0.7


def test_scattered_points_are_hidden_in_every_stretch_of_every_channel():
    visible = hide_scattered(np.ones((20, 2, 1200)), 8, np.random.default_rng(0))
    gaps = np.isnan(visible)
    assert all(gaps[..., start : start + 512].any(-1).all() for start in (0, 512))
    assert (gaps[:, 0] != gaps[:, 1]).any(-1).all()
    assert 0.1 < gaps.mean() < 0.5


@pytest.mark.parametrize("n_timepoints", [30, 2000])
def test_long_gaps_are_inside_and_at_both_ends(n_timepoints):
    visible = hide_long(np.ones((100, 2, n_timepoints)), 8, np.random.default_rng(0))
    gaps = np.isnan(visible).reshape(200, -1)
    assert 0.6 < gaps[:, 0].mean() < 0.95
    assert 0.6 < gaps[:, -1].mean() < 0.95
    assert (gaps.sum(1) <= n_timepoints - 8).all()
    longest = [np.diff(runs(one)).max(initial=0) for one in gaps]
    assert max(longest) > 0.35 * n_timepoints
    assert np.median(longest) > 0.1 * n_timepoints


def test_half_of_the_training_masks_are_copied_gaps():
    windows = np.zeros((6, 2, 64))
    windows[:, 1, 20:31] = np.nan
    windows[3] = np.nan
    masks = GapMasks(windows, 8)
    observed = masks((300, 1, 64), torch.Generator().manual_seed(0)).numpy()
    like = (observed[:, 0] == ~np.isnan(windows[0, 1])).all(-1)
    assert 0.4 < like.mean() < 0.6
    assert observed.any(-1).all()
    again = masks((300, 1, 64), torch.Generator().manual_seed(0)).numpy()
    np.testing.assert_array_equal(observed, again)
    free = GapMasks(np.zeros((2, 1, 64)), 8)((50, 1, 64), torch.Generator().manual_seed(0))
    assert (~free).any(-1).all()


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("n_known", "shortest"), [(3000, 8.0), (40, 1.0)])
def test_long_gaps_follow_each_other_with_as_many_points_between(n_known, shortest, seed):
    first, last, *inner = _long_gaps(n_known, shortest, np.random.default_rng(seed))
    assert (first[0], last[1]) == (0, n_known)
    if inner:
        assert first[1] < inner[0][0] <= first[1] + inner[0][1] - inner[0][0]
    for (start, stop), (following, _) in itertools.pairwise(inner):
        assert 0 < stop - start == following - stop
    assert all(0 < start < stop <= last[0] for start, stop in inner)
