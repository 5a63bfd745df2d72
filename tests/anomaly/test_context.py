"""Errors where little is known are divided by how much larger they usually are."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.anomaly.context import ContextCorrection, _bins, _removed

LENGTH, PATCH = 512, 8


def errors_by_context(windows: np.ndarray, visible: np.ndarray, n_passes: int) -> np.ndarray:
    """Return errors that are inversely proportional to the share of known points."""
    noise = np.random.default_rng(0).exponential(size=(len(windows), 1, LENGTH))
    errors = noise / np.isfinite(visible).mean(1)[:, None, None]
    return np.where(np.isnan(windows)[:, None], np.nan, errors)


def windows(n: int = 60) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, LENGTH))


def test_corrected_errors_are_hardly_larger_where_less_is_known():
    correction = ContextCorrection.fit(windows(), errors_by_context, PATCH)
    whole = correction(windows(), errors_by_context(windows(), windows(), 8))
    for share in (0.4, 0.6):
        holes = windows()
        holes[np.random.default_rng(1).random(holes.shape) < share] = np.nan
        raw = errors_by_context(holes, holes, 8)
        corrected = np.nanquantile(correction(holes, raw), 0.95)
        assert np.nanquantile(raw, 0.95) > 1.5 * np.nanquantile(whole, 0.95)
        assert corrected < 1.35 * np.nanquantile(whole, 0.95)


def test_errors_in_whole_windows_are_unchanged():
    correction = ContextCorrection.fit(windows(), errors_by_context, PATCH)
    errors = errors_by_context(windows(), windows(), 8)
    found = correction(windows(), errors)
    inside = np.s_[..., PATCH:-PATCH]  # the first and the last patch have one neighbour only
    np.testing.assert_array_equal(found[inside], errors[inside])


def test_factors_are_at_least_1_and_errors_with_too_little_context_are_unknown():
    correction = ContextCorrection.fit(windows(), errors_by_context, PATCH)
    table = correction.factors.reshape(1, 4, 3)
    assert np.isnan(table[0, 0]).all()
    assert (table[0, 1:] >= 1).all()
    few = windows(2)
    few[:, :400] = np.nan
    assert np.isnan(correction(few, errors_by_context(few, few, 8))).all()


def test_errors_in_windows_with_gaps_of_their_own_are_unchanged():
    gaps = windows()
    gaps[:, 100:300] = np.nan
    correction = ContextCorrection.fit(gaps, errors_by_context, PATCH)
    errors = errors_by_context(gaps, gaps, 8)
    inside = np.s_[..., 320:-PATCH]
    np.testing.assert_allclose(correction(gaps, errors)[inside], errors[inside], rtol=0.1)


@pytest.mark.parametrize("fill", [0.0, np.nan])
def test_without_errors_nothing_is_corrected(fill):
    correction = ContextCorrection.fit(
        windows(), lambda windows, *_: np.full((len(windows), 2, LENGTH), fill), PATCH
    )
    assert (correction.factors.reshape(2, 4, 3)[:, 1:] == 1).all()


def test_one_window_is_enough_and_is_unchanged():
    one = windows(1)
    correction = ContextCorrection.fit(one, errors_by_context, PATCH)
    np.testing.assert_array_equal(one, windows(1))
    assert np.isfinite(correction.factors.reshape(1, 4, 3)[:, 1:]).all()


def test_the_same_points_are_always_removed_in_every_way():
    removed = _removed((60, LENGTH))
    np.testing.assert_array_equal(removed, _removed((60, LENGTH)))
    left = (~removed).sum(1)
    assert left.min() < 100
    assert left.max() > 400


def test_bins_grow_with_what_is_known():
    holes = windows(3)
    holes[0, ::2] = np.nan  # 256 known
    holes[1, 8:] = np.nan
    bins = _bins(holes, PATCH)
    assert bins.shape == (3, LENGTH // PATCH)
    assert (bins[0, 1:-1] == 1 * 3 + 1).all()
    assert bins[1].tolist() == [0, 1] + [0] * 62
    assert (bins[2, 1:-1] == 3 * 3 + 2).all()
    assert bins[2, 0] == bins[2, -1] == 3 * 3 + 1
