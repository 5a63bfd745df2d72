"""Warping distances are those of the plain recursion, and sort candidates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from retrieval.retrieval_cases import draw_panel

from sktspulse import TSPulseRetriever
from sktspulse.retrieval.dtw import dtw_distances, pick_series, warped_distances


def naive_dtw(query, other, band):
    """Fill the whole table of the recursion, cell by cell."""
    n = query.shape[1]
    table = np.full((n + 1, n + 1), np.inf)
    table[0, 0] = 0
    for i in range(1, n + 1):
        for j in range(max(1, i - band), min(n, i + band) + 1):
            cost = ((query[:, i - 1] - other[:, j - 1]) ** 2).sum()
            table[i, j] = cost + min(table[i - 1, j], table[i, j - 1], table[i - 1, j - 1])
    return np.sqrt(table[n, n])


@given(
    n_timepoints=st.integers(1, 14),
    n_channels=st.integers(1, 3),
    max_warp=st.floats(0, 1),
    seed=st.integers(0, 999),
)
def test_distances_are_those_of_the_recursion(n_timepoints, n_channels, max_warp, seed):
    rng = np.random.default_rng(seed)
    query = rng.normal(size=(n_channels, n_timepoints))
    others = rng.normal(size=(4, n_channels, n_timepoints))
    found = dtw_distances(query, others, max_warp)
    band = int(max_warp * n_timepoints)
    np.testing.assert_allclose(found, [naive_dtw(query, one, band) for one in others])


def test_no_warp_is_the_euclidean_distance_and_more_is_never_farther():
    query, *others = draw_panel(6)
    distances = [dtw_distances(query, np.stack(others), warp) for warp in (0, 0.05, 0.2, 1)]
    euclidean = np.sqrt(np.square(query - others).sum((1, 2)))
    np.testing.assert_allclose(distances[0], euclidean)
    assert (np.diff(distances, axis=0) <= 1e-12).all()


def test_a_shifted_series_is_nearer_than_another():
    t = np.arange(200)
    query = np.exp(-(((t - 90) / 8) ** 2))[None]
    shifted, wider = (np.exp(-(((t - c) / w) ** 2))[None] for c, w in ((102, 8), (90, 16)))
    near, far = warped_distances(query, [shifted, wider], 0.1, True)
    assert near < far / 3


def test_level_scale_length_and_short_gaps_do_not_matter_unless_told():
    query = np.sin(np.arange(120) / 7)[None]
    longer = 5 + 3 * np.sin(np.linspace(0, 119 / 7, 300))[None]
    longer[0, 40:43] = np.nan
    near, flat, empty = warped_distances(
        query, [longer, np.ones((1, 90)), np.full((1, 90), np.nan)], 0.1, True
    )
    assert near < 0.3
    assert flat == empty > 5
    assert warped_distances(query, [longer], 0.1, False)[0] > 20


@pytest.fixture(scope="module")
def windows():
    X = draw_panel(5, 2, 300)
    return X, TSPulseRetriever(window=60, stride=12).fit(X)


@pytest.mark.parametrize("container", [np.asarray, list, tuple])
def test_candidates_are_sorted_by_warping(windows, container):
    X, retriever = windows
    queries = X[1:3, :, 47:107] * 3 + 7
    _, ids = retriever.kneighbors(queries, 20)
    distances, ranked = retriever.rerank(queries, ids, container(X), max_warp=0.2)
    series, starts = retriever.locate(ranked)
    assert (np.diff(distances) >= 0).all()
    assert [sorted(row) for row in ranked.tolist()] == [sorted(row) for row in ids.tolist()]
    for row, query in enumerate(queries):
        for place in (0, 7, 19):
            start = starts[row, place]
            found = X[series[row, place]][:, start : start + 60]
            expected = warped_distances(query, [found], 0.2, True)
            np.testing.assert_allclose(distances[row, place], expected[0])


def test_only_series_that_are_needed_are_read():
    X = draw_panel(6)
    X[[0, 5]] = np.inf  # an error where read
    found = pick_series(X, np.array([[1, 3], [3, 4]]), lambda part: part)
    assert [*found] == [1, 3, 4]
    np.testing.assert_array_equal(found[3], X[3])


def test_what_does_not_fit_is_an_error(windows):
    X, retriever = windows
    queries, ids = X[:2, :, :60], retriever.ids_[:6].reshape(2, 3)
    with pytest.raises(ValueError, match="expected a row for each of 2 queries"):
        retriever.rerank(queries, ids[:1], X)
    with pytest.raises(ValueError, match="The index has no entry 999"):
        retriever.rerank(queries, ids + 999, X)
    with pytest.raises(ValueError, match="series holds 2 series, but an id belongs to number 4"):
        retriever.rerank(queries, retriever.ids_[-6:].reshape(2, 3), X[:2])
    with pytest.raises(ValueError, match="'max_warp' parameter of rerank"):
        retriever.rerank(queries, ids, X, max_warp=2)
