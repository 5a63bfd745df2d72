"""Entries and vectors stay side by side; blocks make no difference."""

from __future__ import annotations

import naive_search
import numpy as np
import pytest
from retrieval.retrieval_cases import assert_same, draw_panel

from sktspulse.retrieval import series_index
from sktspulse.retrieval.entries import Entries
from sktspulse.retrieval.series_index import INDEXES, IndexSpec, SearchContext, SeriesIndex
from sktspulse.retrieval.vector_index import METRICS, STORES


def vectorize(panel):
    return np.stack([one[0, :6] for one in panel]).astype(np.float32)


CONTEXT = SearchContext(vectorize, None)


def fit(panel, metric="euclidean", store="float32", entries=None):
    entries = (entries or Entries()).following(panel)
    return SeriesIndex.fit(panel, entries, IndexSpec(metric, store, "exact"), CONTEXT)


@pytest.fixture(params=[1024, 7])
def block(request, monkeypatch):
    monkeypatch.setattr(series_index, "_BLOCK", request.param)


@pytest.mark.parametrize("metric", METRICS)
def test_loops_over_all_pairs_find_the_same(metric, block):
    panel, queries = draw_panel(30), draw_panel(16, seed=1)
    distances, rows = fit(panel, metric).nearest(queries, 5, CONTEXT)
    expected = naive_search.nearest(vectorize(queries), vectorize(panel), 5, metric)
    np.testing.assert_allclose(distances, expected[0], atol=1e-6)
    np.testing.assert_array_equal(rows, expected[1])


def test_an_entry_is_no_neighbour_of_itself(block):
    panel = draw_panel(30)
    index = fit(panel)
    distances, rows = index.nearest(None, 4, CONTEXT)
    with_itself, rows_with_itself = index.nearest(panel, 5, CONTEXT)
    assert_same((distances, rows), (with_itself[:, 1:], rows_with_itself[:, 1:]))
    for number, (near, near_rows) in enumerate(index.within(None, np.inf, CONTEXT)):
        assert sorted([number, *near_rows]) == list(range(30))
        np.testing.assert_array_equal(near[:4], distances[number])


def test_a_radius_cuts_off_farther_entries(block):
    panel, queries = draw_panel(30), draw_panel(16, seed=1)
    distances, rows = fit(panel).nearest(queries, 30, CONTEXT)
    radius = float(np.median(distances))
    for number, result in enumerate(fit(panel).within(queries, radius, CONTEXT)):
        near = distances[number] <= radius
        assert_same(result, (distances[number][near], rows[number][near]))


@pytest.mark.parametrize("store", ["float32", "float16"])
def test_extending_equals_fitting_at_once(store, block):
    panel, entries = draw_panel(30), Entries(20, 10)
    whole, grown = (
        fit(panel, store=store, entries=entries),
        fit(panel[:9], "euclidean", store, entries),
    )
    grown = grown.extended(panel[9:], grown.entries.following(panel[9:]), CONTEXT)
    assert_same(grown.nearest(None, 5, CONTEXT), whole.nearest(None, 5, CONTEXT))
    np.testing.assert_array_equal(grown.entries.ids, whole.entries.ids)
    np.testing.assert_array_equal(grown.entries.starts, whole.entries.starts)


@pytest.mark.parametrize("store", STORES)
def test_removal_takes_entries_and_their_vectors(store):
    index = fit(draw_panel(20), store=store)
    rest = index.without(np.array([3, 3, 7]))
    assert rest.entries.ids.tolist() == sorted({*range(20)} - {3, 7})
    vectors = rest.vectors.decoded(slice(None))
    np.testing.assert_array_equal(vectors, index.vectors.decoded(rest.entries.ids))
    assert len(index.entries) == len(index.vectors) == 20


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("metric", METRICS)
def test_the_spec_is_the_one_fitted(metric, store):
    assert fit(draw_panel(), metric, store).spec == IndexSpec(metric, store, "exact")
    assert set(INDEXES) == {"exact", "faiss"}


def test_series_are_embedded_in_blocks_and_counted(block):
    counts, sizes = [], []

    class Progress:
        def update(self, n):
            counts.append(n)

    def counting(panel):
        sizes.append(len(panel))
        return vectorize(panel)

    panel = draw_panel(30)
    context = SearchContext(counting, Progress())
    spec = IndexSpec("euclidean", "float32", "exact")
    SeriesIndex.fit(panel, Entries().following(panel), spec, context).nearest(panel, 1, context)
    assert counts == sizes
    assert sum(counts) == 60
    assert max(sizes) <= series_index._BLOCK
