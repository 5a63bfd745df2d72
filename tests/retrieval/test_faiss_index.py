"""Lists of faiss find candidates: nearly all neighbours, at exact distances."""

from __future__ import annotations

import importlib.util
import pickle
import sys

import numpy as np
import pytest
import torch
from retrieval.retrieval_cases import assert_same, draw_panel, places

from sktspulse import TSPulseRetriever
from sktspulse.retrieval.faiss_index import FaissIndex
from sktspulse.retrieval.vector_index import METRICS, STORES, VectorIndex

CPU = torch.device("cpu")
needs_faiss = pytest.mark.skipif(
    importlib.util.find_spec("faiss") is None, reason="faiss is not installed"
)


def test_its_absence_is_told_before_anything_is_done(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    retriever = TSPulseRetriever(index="faiss")
    with pytest.raises(ImportError, match=r"pip install 'sktspulse\[faiss\]'"):
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
    vectors, queries = draw(8000), draw(50, seed=1)
    exact = VectorIndex.build(vectors.copy(), metric, store)
    index = FaissIndex.build(vectors, metric, store)
    queries = exact.query(queries)
    _, expected = exact.nearest(queries, 10, CPU)
    distances, rows = index.nearest(queries, 10, CPU)
    shared = [len(set(one) & set(other)) for one, other in zip(rows, expected, strict=True)]
    assert sum(shared) / rows.size > 0.95
    everything, order = exact.nearest(queries, 8000, CPU)
    places_ = (order[:, None] == rows[:, :, None]).argmax(-1)
    np.testing.assert_array_equal(distances, np.take_along_axis(everything, places_, 1))
    assert (np.diff(distances) >= 0).all()


@needs_faiss
def test_a_query_does_not_depend_on_the_others():
    index = FaissIndex.build(draw(3000), "euclidean", "float32")
    queries = draw(60, seed=1)
    together = index.nearest(queries, 5, CPU)
    for i in (0, 17, 59):
        assert_same(index.nearest(queries[[i]], 5, CPU), [part[[i]] for part in together])


@needs_faiss
@pytest.mark.parametrize("store", STORES)
def test_lists_that_hold_too_few_are_made_up_for(store):
    index = FaissIndex.build(draw(3000), "euclidean", store)
    exact = VectorIndex.build(draw(3000), "euclidean", store)
    queries = draw(3, seed=1)
    assert_same(index.nearest(queries, 2900, CPU), exact.nearest(queries, 2900, CPU))
    assert_same(index.within(queries, 4.0, CPU), exact.within(queries, 4.0, CPU))


@needs_faiss
def test_it_grows_shrinks_and_keeps_what_it_was():
    vectors = draw(2000)
    small = FaissIndex.build(vectors[:1].copy(), "euclidean", "float32")
    grown = small.added(vectors[1:3].copy()).added(vectors[3:].copy())
    assert (small.lists.ntotal, grown.lists.ntotal, len(grown)) == (1, 2000, 2000)
    assert grown.lists.nlist > 8 * small.lists.nlist
    kept = grown.kept(np.arange(0, 2000, 2))
    assert (kept.lists.ntotal, grown.lists.ntotal) == (1000, 2000)
    _, rows = kept.nearest(vectors[::200], 1, CPU)
    np.testing.assert_array_equal(rows[:, 0], np.arange(0, 1000, 100))
    emptied = kept.kept(np.zeros(0, np.int64))
    assert len(emptied) == emptied.lists.ntotal == 0
    assert emptied.added(vectors[:5].copy()).nearest(vectors[[3]], 1, CPU)[1].tolist() == [[3]]


@needs_faiss
def test_the_estimator_is_as_with_the_exact_index(tmp_path):
    X, queries = draw_panel(30, 2), draw_panel(4, 2, seed=1)
    exact = TSPulseRetriever(5).fit(X)
    retriever = TSPulseRetriever(5, index="faiss").fit(X[:20]).partial_fit(X[20:])
    assert_same(retriever.kneighbors(queries), exact.kneighbors(queries))
    assert_same(retriever.kneighbors(), exact.kneighbors())
    retriever.remove([3, 4]).save(tmp_path / "one.safetensors")
    again = TSPulseRetriever.load(tmp_path / "one.safetensors")
    for other in (again, pickle.loads(pickle.dumps(retriever))):
        assert_same(other.kneighbors(queries), retriever.kneighbors(queries))
        assert_same(places(other), places(retriever))
    assert again.index == "faiss"
