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
    X, y, weights = rng.integers(0, 3, (40, 2)), rng.integers(0, 2, 40), rng.integers(0, 3, 40)
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
