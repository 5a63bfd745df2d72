"""Samples are a set: duplicates are merged, and order has no effect."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.supervised.samples import Samples, merge_duplicates


@pytest.mark.parametrize("as_list", [False, True])
def test_duplicates_are_merged_and_weight_0_is_dropped(as_list):
    X = np.array([[1.0, 2], [3, 4], [1, 2], [1, 2], [5, 6]])
    given = Samples(
        list(X) if as_list else X, np.array([0, 1, 0, 1, 0]), np.array([1.0, 2, 3, 4, 0])
    )
    samples = merge_duplicates(given)
    assert isinstance(samples.X, list) == as_list
    found = {(*row.tolist(), int(y)): weight for row, y, weight in zip(*samples, strict=True)}
    assert found == {(1, 2, 0): 4, (3, 4, 1): 2, (1, 2, 1): 4}


def test_the_order_has_no_effect():
    rng = np.random.default_rng(0)
    X, y, weights = (
        rng.integers(0, 3, (40, 2)) + 0.0,
        rng.integers(0, 2, 40),
        rng.integers(0, 3, 40),
    )
    order = rng.permutation(np.repeat(np.arange(40), weights))
    one = merge_duplicates(Samples(X, y, weights.astype(float)))
    other = merge_duplicates(Samples(X[order], y[order], np.ones(len(order))))
    for part, same in zip(one, other, strict=True):
        np.testing.assert_array_equal(part, same)


@pytest.mark.parametrize("chosen", [[3, 1], np.array([False, True, False, True])])
def test_samples_are_chosen_by_index_or_mask(chosen):
    X = np.arange(8.0).reshape(4, 2)
    samples = Samples(X, np.arange(4), np.ones(4))
    indices = np.arange(4)[chosen]
    np.testing.assert_array_equal(samples.take(chosen).X, X[indices])
    listed = samples._replace(X=list(X)).take(chosen)
    np.testing.assert_array_equal(listed.X, X[indices])
    assert listed.y.tolist() == indices.tolist()


def place_of(panel, samples):
    """Return which series of the panel each sample is."""
    return [next(i for i, one in enumerate(panel) if one is sample) for sample in samples.X]


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one * 3.7,
        lambda one: one * -1e-6 * -1 + 1e-3,
        lambda one: one * 1e9 - 1e12,
        lambda one: one * [[3.7], [1e-3]] + [[-40], [1e-4]],
        lambda one: one.astype(np.float32),
        lambda one: one[::-1],
    ],
)
def test_the_order_survives_other_units_levels_types_and_channels(change):
    rng = np.random.default_rng(0)
    panel = [rng.normal(size=(2, n)) + rng.normal(size=(2, 1)) for n in rng.integers(20, 60, 50)]
    panel[3][0, :5] = panel[4][1] = np.nan
    panel[5][0] = 1.0
    y = rng.integers(0, 3, 50)
    changed = [change(one) for one in panel]
    one, other = (merge_duplicates(Samples(X, y, np.ones(50))) for X in (panel, changed))
    assert place_of(panel, one) == place_of(changed, other)
    assert place_of(panel, one) != sorted(place_of(panel, one))


@pytest.mark.parametrize("factor", [1e-6, 1, 1e6])
def test_constant_series_are_sorted_by_level_and_equal_ones_by_target(factor):
    X = [np.full((1, 9), value * factor) for value in (3.0, 1.0, 2.0, 2.0)]
    samples = merge_duplicates(Samples(X, np.array([0, 1, 1, 0]), np.ones(4)))
    assert place_of(X, samples) == [1, 3, 2, 0]
