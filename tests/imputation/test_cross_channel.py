"""Filled values move towards the co-kriging estimate as far as it helps at hidden points."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.imputation.blending import DISTANCE_GROUP, N_GAP_BINS
from sktspulse.imputation.cross_channel import CrossChannelCorrection
from sktspulse.imputation.filled import Filled, HiddenWindows


def hidden_windows(truth, error=0.5, fraction=0.2, seed=0):
    rng = np.random.default_rng(seed)
    is_filled = rng.random(truth.shape) < fraction
    values = np.where(is_filled, truth + error * rng.normal(size=truth.shape), truth)
    bins = np.where(is_filled, rng.integers(0, 3, truth.shape), 0).astype(np.int8)
    filled = Filled(values, is_filled, bins, np.zeros(truth.shape, np.float32))
    return HiddenWindows(truth, filled, np.arange(len(truth)) % 4)


def panel(tie, n_series=20, seed=0):
    rng = np.random.default_rng(seed)
    walks = rng.normal(size=(n_series, 3, 200)).cumsum(-1) / 10
    rows = tie * walks[:, :1] + (1 - tie) * walks
    return rows / rows.std()


@pytest.mark.parametrize(("tie", "low", "high"), [(0.98, 0.8, 1.0), (0.0, 0.0, 1.0)])
def test_weights_are_high_where_channels_are_correlated(tie, low, high):
    rows, others = panel(tie), panel(tie, seed=5)
    correction, _ = CrossChannelCorrection.fit([rows], hidden_windows(rows))
    assert low <= correction.weights[:, :3].mean() <= high
    filled = hidden_windows(others, seed=7).filled
    corrected = correction(filled).values
    before, after = (
        (values - others)[filled.is_filled].std() for values in (filled.values, corrected)
    )
    assert after < (0.5 if tie else 1.0) * before
    np.testing.assert_array_equal(corrected[~filled.is_filled], others[~filled.is_filled])


def test_windows_of_the_fit_come_back_corrected():
    rows = panel(0.98)
    windows = hidden_windows(rows)
    before = [array.copy() for array in windows.filled]
    _, corrected = CrossChannelCorrection.fit([rows], windows)
    hidden = windows.is_hidden
    errors = [(one.filled.values - rows)[hidden].std() for one in (windows, corrected)]
    assert errors[1] < 0.5 * errors[0]
    for array, copied in zip(windows.filled, before, strict=True):
        np.testing.assert_array_equal(array, copied)


def test_misleading_estimates_are_not_followed():
    rng = np.random.default_rng(0)
    rows = panel(0.98)
    # At the hidden points, channels are related in another way than elsewhere.
    odd = rows * rng.choice([-1, 1], size=(20, 3, 1))
    correction, _ = CrossChannelCorrection.fit([rows], hidden_windows(odd, error=0.05))
    filled = hidden_windows(odd, error=0.05, seed=7).filled
    corrected = correction(filled).values
    assert (corrected - filled.values)[filled.is_filled].std() < 0.4 * 0.05
    before, after = ((one - odd)[filled.is_filled].std() for one in (filled.values, corrected))
    assert after < before


def test_no_value_is_moved_far():
    rows = panel(0.98)
    windows = hidden_windows(rows)
    correction, _ = CrossChannelCorrection.fit([rows], windows)
    wild = windows.filled._replace(values=windows.filled.values * np.array([1, 1e6, 1])[:, None])
    moved = correction(wild).values - wild.values
    sd = np.sqrt(correction.error_variances[np.arange(3)[:, None], wild.gap_bins])
    assert (np.abs(moved) <= 4 * sd + 1e-6 * np.abs(wild.values)).all()


def test_filling_without_error_stays_as_it_is():
    rows = panel(0.98)
    windows = hidden_windows(rows, error=0.0)
    correction, corrected = CrossChannelCorrection.fit([rows], windows)
    np.testing.assert_array_equal(
        corrected.filled.values[windows.is_hidden], rows[windows.is_hidden]
    )
    assert np.isfinite(correction.weights).all()


def test_nothing_is_moved_at_a_distance_without_hidden_points():
    rows = panel(0.98)
    windows = hidden_windows(rows)
    correction, _ = CrossChannelCorrection.fit([rows], windows)
    seen = np.unique(DISTANCE_GROUP[windows.filled.gap_bins[windows.is_hidden]])
    is_seen = np.isin(DISTANCE_GROUP, seen)
    assert 0 < is_seen.sum() < N_GAP_BINS
    assert (correction.weights[:, :-1][:, is_seen] > 0).any(0).all()
    assert (correction.weights[:, :-1][:, ~is_seen] == 0).all()
