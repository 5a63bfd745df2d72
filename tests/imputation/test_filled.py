"""Error variances are those of hidden points, and need enough of them."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.imputation.blending import N_GAP_BINS
from sktspulse.imputation.filled import Filled, HiddenWindows, by_gap_bin, error_variances


def hidden_windows(n=20, seed=0):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=(n, 3, 200))
    is_filled = rng.random(truth.shape) < 0.2
    values = np.where(is_filled, truth + 0.5 * rng.normal(size=truth.shape), truth)
    bins = np.where(is_filled, rng.integers(0, 3, truth.shape), 0).astype(np.int8)
    filled = Filled(values, is_filled, bins, np.zeros(truth.shape, np.float32))
    return HiddenWindows(truth, filled, np.arange(n) % 4)


def test_error_variances_are_means_shrunk_towards_those_at_the_same_distance():
    windows = hidden_windows()
    variances = error_variances(windows)
    for channel in range(3):
        hidden = windows.filled.is_filled[:, channel]
        squares = (windows.filled.values - windows.truth)[:, channel][hidden] ** 2
        for one in range(3):
            inside = squares[windows.filled.gap_bins[:, channel][hidden] == one]
            expected = (inside.sum() + 20 * squares.mean()) / (len(inside) + 20)
            assert variances[channel, one] == pytest.approx(expected, rel=0.05)
        assert variances[channel, 7] == pytest.approx(squares.mean(), rel=0.05)
    assert (variances[:, N_GAP_BINS] == 1).all()


@pytest.mark.parametrize(("growth", "low", "high"), [(1.0, 0.7, 1.5), (2.0, 1.6, 2.1)])
def test_beyond_the_hidden_gaps_variances_grow_as_before(growth, low, high):
    windows, rng = hidden_windows(), np.random.default_rng(1)
    distance = rng.integers(0, 6, windows.truth.shape)
    errors = np.sqrt(0.1 * growth**distance) * rng.normal(size=distance.shape)
    values = np.where(windows.filled.is_filled, windows.truth + errors, windows.truth)
    filled = windows.filled._replace(values=values, gap_bins=(11 * distance).astype(np.int8))
    variances = error_variances(windows._replace(filled=filled))
    far = variances[:, 66] / variances[:, 55]
    assert (far > low).all()
    assert (far < high).all()


def test_points_that_are_missing_in_the_data_do_not_count():
    windows = hidden_windows()
    gappy = windows.truth.copy()
    gappy[:, :, ::7] = np.nan
    other = windows._replace(truth=gappy)
    assert not other.is_hidden[:, :, ::7].any()
    assert np.isfinite(error_variances(other)).all()


def test_a_channel_without_hidden_points_has_unit_variance():
    windows = hidden_windows()
    truth = windows.truth.copy()
    truth[:, 1] = np.nan
    variances = error_variances(windows._replace(truth=truth))
    assert (variances[1] == 1).all()
    assert (variances[[0, 2], 0] < 1).all()


def test_some_windows_are_taken_with_all_that_belongs_to_them():
    windows = hidden_windows()
    some = windows.take(windows.fold == 2)
    np.testing.assert_array_equal(some.truth, windows.truth[2::4])
    for part, whole in zip(some.filled, windows.filled, strict=True):
        np.testing.assert_array_equal(part, whole[2::4])
    assert (some.fold == 2).all()


def test_look_ups_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    table, bins = rng.normal(size=(3, 5)), rng.integers(0, 5, (2, 3, 4)).astype(np.int8)
    found = by_gap_bin(table, bins)
    for place in np.ndindex(2, 3, 4):
        assert found[place] == table[place[1], bins[place]]
