"""What the tests of retrieval share: panels, and answers compared part by part."""

from __future__ import annotations

import numpy as np


def draw_panel(n_series=8, n_channels=1, n_timepoints=60, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_series, n_channels, n_timepoints)).cumsum(axis=-1)


def assert_same(one, other):
    for part, expected in zip(one, other, strict=True):
        np.testing.assert_array_equal(part, expected)


def assert_close(one, other, rtol=1e-5):
    """Compare distances, up to a share of the largest, and ids."""
    for part, expected in zip(one, other, strict=True):
        atol = rtol * np.abs(expected).max() if expected.dtype.kind == "f" else 0
        np.testing.assert_allclose(part, expected, rtol=0, atol=atol)


def positions_of(retriever):
    return retriever.ids_, retriever.series_, retriever.starts_
