"""Stacked series are those of the panel, in their order."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.series.stacks import stacks


def test_series_of_one_shape_and_type_that_follow_each_other_are_stacked():
    shapes = [(1, 5), (1, 5), (2, 5), (1, 5), (1, 6)]
    panel = [np.full(shape, i, float) for i, shape in enumerate(shapes)]
    panel.append(panel[-1].astype(np.float32))
    blocks = list(stacks(panel))
    assert [block.shape for block in blocks] == [
        (2, 1, 5),
        (1, 2, 5),
        (1, 1, 5),
        (1, 1, 6),
        (1, 1, 6),
    ]
    found = [series for block in blocks for series in block]
    assert all(a.dtype == b.dtype for a, b in zip(found, panel, strict=True))
    assert all((a == b).all() for a, b in zip(found, panel, strict=True))


@pytest.mark.parametrize("shape", [(5, 2, 30_000), (3, 1, 70_000), (100, 3, 400), (3000, 1, 2)])
def test_a_block_is_small_but_not_empty(shape):
    panel = np.random.default_rng(0).normal(size=shape)
    blocks = list(stacks(panel))
    np.testing.assert_array_equal(np.concatenate(blocks), panel)
    assert all(len(block) == 1 or block.size <= 1 << 16 for block in blocks)
    assert max(len(block) for block in blocks) <= 1024
