"""The faiss index misses few neighbours, and its distances are exact."""

from __future__ import annotations

import importlib.util
import pickle
import sys

import numpy as np
import pytest
from retrieval.retrieval_cases import assert_close, assert_same, draw_panel, positions_of

from sktspulse import TSPulseRetriever
from sktspulse.retrieval.faiss_index import FaissIndex
from sktspulse.retrieval.vector_index import METRICS, STORES, VectorIndex, prepared

needs_faiss = pytest.mark.skipif(
    importlib.util.find_spec("faiss") is None, reason="faiss is not installed"
)


def test_a_missing_faiss_is_an_error_before_anything_is_fitted(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    retriever = TSPulseRetriever(index="faiss")
    with pytest.raises(ImportError, match=r"pip install '\.\[faiss\]'"):
        retriever.fit(draw_panel())
    assert not hasattr(retriever, "ids_")


def draw(n_vectors, n_features=32, seed=0):
    """Draw vectors that lie near few directions, as embeddings do."""
    rng = np.random.default_rng(seed)
    directions = np.random.default_rng(99).normal(size=(6, n_features))
    vectors = rng.normal(size=(n_vectors, 6)) @ directions
    return (vectors + 0.2 * rng.normal(size=vectors.shape)).astype(np.float32)


@needs_faiss
@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("metric", METRICS)
def test_few_neighbours_are_missed_and_distances_are_exact(metric, store):
    vectors, queries = (prepared(part, metric) for part in (draw(8000), draw(50, seed=1)))
    exact = VectorIndex.fit(vectors, metric, store)
    index = FaissIndex.fit(vectors, metric, store)
    _, expected = exact.nearest(queries, 10)
    distances, rows = index.nearest(queries, 10)
    shared = [len(set(one) & set(other)) for one, other in zip(rows, expected, strict=True)]
    assert sum(shared) / rows.size > 0.95
    everything, order = exact.nearest(queries, 8000)
    positions = (order[:, None] == rows[:, :, None]).argmax(-1)
    np.testing.assert_array_equal(distances, np.take_along_axis(everything, positions, 1))
    assert (np.diff(distances) >= 0).all()


@needs_faiss
def test_a_query_does_not_depend_on_the_others():
    index = FaissIndex.fit(draw(3000), "euclidean", "float32")
    queries = draw(60, seed=1)
    together = index.nearest(queries, 5)
    for i in (0, 17, 59):
        assert_same(index.nearest(queries[[i]], 5), [part[[i]] for part in together])


@needs_faiss
@pytest.mark.parametrize("store", STORES)
def test_an_exact_search_helps_out_where_lists_hold_too_few(store):
    index = FaissIndex.fit(draw(3000), "euclidean", store)
    exact = VectorIndex.fit(draw(3000), "euclidean", store)
    queries = draw(3, seed=1)
    assert_same(index.nearest(queries, 2900), exact.nearest(queries, 2900))
    assert_same(index.within(queries, 4.0), exact.within(queries, 4.0))


@needs_faiss
def test_extending_and_selecting_leave_the_index_itself_alone():
    vectors = draw(4000)
    small = FaissIndex.fit(vectors[:1], "euclidean", "float32")
    some = small.extended(vectors[1:3])
    grown = some.extended(vectors[3:])
    listed = [index.lists.ntotal for index in (small, some, grown)]
    assert (listed, len(some), len(grown)) == ([1, 1, 4000], 3, 4000)
    assert grown.lists.nlist > 8 * small.lists.nlist
    more = grown.extended(draw(10, seed=1))
    selected = more.selected(np.arange(0, 4010, 2))
    assert [one.lists.ntotal for one in (selected, more, grown)] == [2000, 4000, 4000]
    assert selected.lists.nlist == grown.lists.nlist
    _, rows = selected.nearest(np.vstack([vectors[::400], draw(10, seed=1)[::2]]), 1)
    assert rows[:, 0].tolist() == [*range(0, 2000, 200), *range(2000, 2005)]
    assert grown.selected(np.arange(900)).lists.nlist < grown.lists.nlist / 2  # trained again


@needs_faiss
def test_an_emptied_index_is_filled_and_extended_again():
    vectors = draw(400)
    emptied = FaissIndex.fit(vectors, "euclidean", "float32").selected(np.zeros(0, np.int64))
    assert len(emptied) == 0
    assert len(emptied.selected(np.zeros(0, np.int64))) == 0
    filled = emptied.extended(vectors[:5])
    assert filled.lists.ntotal == 5
    grown = filled.extended(vectors[5:])
    distances, rows = grown.nearest(vectors[[0, 50, 399]], 1)
    assert rows.ravel().tolist() == [0, 50, 399]
    assert (distances == 0).all()


def share_found(index, exact, queries):
    """Return the share of the 5 nearest vectors that an index finds."""
    found, expected = (one.nearest(queries, 5)[1] for one in (index, exact))
    return np.mean([np.isin(*pair).mean() for pair in zip(expected, found, strict=True)])


@needs_faiss
@pytest.mark.parametrize("step", [1, 300, 1500])
@pytest.mark.parametrize("store", ["float32", "int8"])
@pytest.mark.parametrize("n_old", [10, 4000])
def test_vectors_of_a_new_kind_are_found_as_in_a_fresh_index(n_old, store, step):
    rng = np.random.default_rng(0)
    old = (1 + 1e-3 * rng.normal(size=(n_old, 32))).astype(np.float32)  # nearly the same
    new = draw(40 if step == 1 else 3000)
    grown = FaissIndex.fit(old, "euclidean", store)
    for start in range(0, len(new), step):
        grown = grown.extended(new[start : start + step])
    exact = VectorIndex(*(getattr(grown, name) for name in ("metric", "codes", "centre", "scales")))
    fresh = FaissIndex.fit(np.vstack([old, new]), "euclidean", store)
    queries = new[::20]
    expected = share_found(
        fresh, VectorIndex.fit(np.vstack([old, new]), "euclidean", store), queries
    )
    assert share_found(grown, exact, queries) >= 0.95 * expected
    kept = np.arange(n_old - 5, len(grown))  # of the old kind 5
    assert share_found(grown.selected(kept), exact.selected(kept), queries) >= 0.95 * expected


@needs_faiss
def test_an_index_begun_with_flat_series_finds_what_was_added():
    rng = np.random.default_rng(0)
    flat = np.ones((30, 1, 128)) * rng.normal(size=(30, 1, 1))
    busy = rng.normal(size=(100, 1, 128))
    retriever = TSPulseRetriever(1, index="faiss").fit(flat)
    for part in np.split(busy, 4):
        retriever.partial_fit(part)
    distances, ids = retriever.kneighbors(busy)
    assert ids[:, 0].tolist() == list(range(30, 130))
    assert (distances == 0).all()


@needs_faiss
def test_the_estimator_finds_the_same_in_a_small_index(tmp_path):
    X, queries = draw_panel(30, 2), draw_panel(4, 2, seed=1)
    exact = TSPulseRetriever(5).fit(X)
    retriever = TSPulseRetriever(5, index="faiss").fit(X[:20]).partial_fit(X[20:])
    assert_close(retriever.kneighbors(queries), exact.kneighbors(queries))
    assert_close(retriever.kneighbors(), exact.kneighbors())
    retriever.remove([3, 4]).save(tmp_path / "one.safetensors")
    again = TSPulseRetriever.load(tmp_path / "one.safetensors")
    for other in (again, pickle.loads(pickle.dumps(retriever))):
        assert_same(other.kneighbors(queries), retriever.kneighbors(queries))
        assert_same(positions_of(other), positions_of(retriever))
    assert again.index == "faiss"
