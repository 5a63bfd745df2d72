"""Lists as arrays, in memory or in a file, answer like those of faiss itself."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from retrieval.retrieval_cases import assert_same, draw_panel

from sktspulse import TSPulseRetriever
from sktspulse.retrieval.faiss_index import FaissIndex
from sktspulse.retrieval.inverted_lists import ListArrays, empty_copy, search_lists, without_file

pytest.importorskip("faiss")


def draw(n_vectors=3000, seed=0):
    return np.random.default_rng(seed).normal(size=(n_vectors, 12)).astype(np.float32)


@pytest.fixture(scope="module")
def lists():
    return FaissIndex.fit(draw(), "euclidean", "float32").lists


def test_arrays_make_the_same_lists(lists):
    arrays = ListArrays.from_lists(lists)
    arrays.check(3000, 12)
    queries = draw(20, seed=1)
    expected = lists.search(queries, 8)
    assert_same(arrays.in_memory().search(queries, 8), expected)
    assert_same(ListArrays.from_lists(arrays.in_memory()), arrays)
    empty = empty_copy(lists)
    assert (empty.ntotal, empty.nlist, lists.ntotal) == (0, lists.nlist, 3000)
    empty.add(draw())
    assert_same(empty.search(queries, 8), expected)


def test_a_search_among_rows_finds_those_only(lists):
    queries, among = draw(20, seed=1), np.arange(5, 3000, 3)
    found = search_lists(lists, queries, 6, among)
    assert set(found[found >= 0].tolist()) <= set(among.tolist())
    everything = search_lists(lists, queries, 3000)
    for row, wanted in zip(found, everything, strict=True):
        assert row.tolist() == wanted[np.isin(wanted, among)][:6].tolist()
    assert search_lists(lists, queries, 0).shape == (20, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda sizes: sizes.__setitem__(0, -1), "more vectors than the index"),
        (lambda sizes: sizes.__setitem__(0, 2**62), "more vectors than the index"),
        (lambda sizes: sizes.__iadd__(1), "more vectors than the index"),
        (lambda sizes: sizes.__setitem__(0, 0), "are cut"),
    ],
)
def test_arrays_that_do_not_agree_are_an_error(lists, change, message):
    arrays = ListArrays.from_lists(lists)
    change(arrays.list_sizes)
    with pytest.raises(ValueError, match=message):
        arrays.check(3000, 12)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("lists") / "one.safetensors"
    retriever = TSPulseRetriever(4, window=40, stride=1, index="faiss", store="float16")
    retriever.fit(draw_panel(8, 1, 220)).save(path)
    return path


def test_lists_in_a_file_answer_as_before(path, tmp_path):
    queries = draw_panel(5, 1, 40, seed=1)
    loaded = TSPulseRetriever.load(path)
    moved = path.rename(tmp_path / "moved.safetensors")
    mapped = TSPulseRetriever.load(moved, mmap_mode="r")
    moved.rename(path)  # an open file may be renamed
    assert_same(mapped.kneighbors(queries), loaded.kneighbors(queries))
    again = pickle.loads(pickle.dumps(mapped))
    changed = TSPulseRetriever.load(path, mmap_mode="r").remove([0]).partial_fit(queries)
    for other in (again, mapped):
        assert_same(other.kneighbors(queries), loaded.kneighbors(queries))
    assert changed.kneighbors(queries, 1)[1].ravel().tolist() == [1448, 1449, 1450, 1451, 1452]
    lists = mapped._series_index.vectors.lists
    assert_same(ListArrays.from_lists(without_file(lists)), ListArrays.from_lists(lists))


def test_loading_trains_no_lists(path, monkeypatch):
    monkeypatch.setattr("sktspulse.retrieval.faiss_index._trained", None)
    TSPulseRetriever.load(path).kneighbors(draw_panel(1, 1, 40))


def test_forged_rows_are_searched_exactly(lists):
    arrays = ListArrays.from_lists(lists)
    arrays.list_content[:] = 255  # rows of -1, and codes of nothing
    index = FaissIndex("euclidean", draw(), lists=arrays.in_memory())
    distances, rows = index.nearest(draw(3, seed=1), 4)
    expected = FaissIndex.fit(draw(), "euclidean", "float32").nearest(draw(3, seed=1), 4)
    np.testing.assert_allclose(distances, expected.distances, rtol=0.3)
    assert ((rows >= 0) & (rows < 3000)).all()
