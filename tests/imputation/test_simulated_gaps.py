"""Hidden points resemble the missing ones, and windows are drawn from all of the data."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sktspulse.imputation.simulated_gaps import N_FOLDS, GapMasks, draw_masks, draw_windows, hide


def test_masks_hide_blocks_and_points_or_one_gap():
    observed = draw_masks((200, 2, 512), 8, np.random.default_rng(0)).reshape(400, 512)
    runs = (np.diff(np.pad(observed, ((0, 0), (1, 1)), constant_values=True)) != 0).sum(1) // 2
    is_single = runs == 1
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
def test_windows_are_parts_of_all_channels(length):
    windows, fold = draw_windows([panel()], length, np.random.default_rng(0))
    assert windows.shape[1:] == (2, length)
    assert 8 <= len(windows) <= 256
    known = ~np.isnan(windows)
    assert (known[:, 0] == known[:, 1]).all()
    assert (known.sum(-1) == min(length, 100)).all()
    np.testing.assert_array_equal(np.diff(windows, axis=1)[known[:, :1]], 1e4)
    steps = np.diff(windows, axis=-1)
    assert (steps[~np.isnan(steps)] == 1).all()
    middle = np.nanmean(windows[:, 0] % 1e4, axis=-1)
    if length == 16:
        np.testing.assert_array_equal(fold, (middle + 0.5) * N_FOLDS // 100.5)


def test_few_windows_are_repeated_and_many_are_sampled():
    rng = np.random.default_rng(0)
    assert len(draw_windows([panel(1)], 100, rng).values) == 8
    long = [panel(40, 1, 2000), panel(1, 1, 50)]
    values = draw_windows(long, 64, rng).values
    assert len(values) == 256
    assert len({window[0, -1] for window in values}) > 200


def test_hidden_points_were_known():
    rows = np.random.default_rng(0).normal(size=(60, 2, 64))
    rows[:20, 1, 30:44] = np.nan
    rows[0, 0] = np.nan
    before = rows.copy()
    visible = hide(rows, 8, np.random.default_rng(1))
    np.testing.assert_array_equal(rows, before)
    known = ~np.isnan(visible)
    np.testing.assert_array_equal(visible[known], rows[known])
    assert known.any(-1)[1:].all()
    taken = ~known[20:]
    like = [(gap[1, 30:44].all() and gap.sum() <= 14 + 64) for gap in taken]
    assert 0.3 < np.mean(like) < 0.7


def test_without_gaps_to_copy_each_channel_gets_its_own_mask():
    rows = np.ones((50, 2, 64))
    gaps = np.isnan(hide(rows, 8, np.random.default_rng(0)))
    assert gaps.any(-1).all()
    assert (gaps[:, 0] != gaps[:, 1]).any(-1).all()


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
