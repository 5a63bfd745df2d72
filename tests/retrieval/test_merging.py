"""A merged index is that of everything at once, whatever is in memory."""

from __future__ import annotations

from copy import copy

import memory
import numpy as np
import pytest
from retrieval.retrieval_cases import assert_same, draw_panel, positions_of

from sktspulse import TSPulseRetriever
from sktspulse.retrieval import Entries, SeriesIndex, VectorIndex, merging


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("parts")


def save_parts(folder, X, **parameters):
    paths = []
    for number, part in enumerate((X[:5], X[5:6], X[6:])):
        paths.append(folder / f"{number}.safetensors")
        TSPulseRetriever(3, **parameters).fit(part).save(paths[-1])
    return paths


@pytest.mark.parametrize("index", ["exact", "faiss"])
@pytest.mark.parametrize("store", ["float32", "float16", "int8"])
@pytest.mark.parametrize("window", [None, 24])
def test_parts_make_the_whole(folder, index, store, window):
    if index == "faiss":
        pytest.importorskip("faiss")
    X, queries = draw_panel(12, 2), draw_panel(4, 2, seed=1)
    parameters = {"index": index, "store": store, "window": window, "metric": "cosine"}
    TSPulseRetriever.merge(save_parts(folder, X, **parameters), folder / "all.safetensors")
    merged = TSPulseRetriever.load(folder / "all.safetensors")
    whole = TSPulseRetriever(3, **parameters).fit(X)
    assert_same(positions_of(merged), positions_of(whole))
    found, expected = merged.kneighbors(queries), whole.kneighbors(queries)
    np.testing.assert_allclose(found[0], expected[0], atol=0.02 if store == "int8" else 1e-6)
    if store != "int8":
        np.testing.assert_array_equal(found[1], expected[1])
    more = [one.partial_fit(X[:2]) for one in (merged, whole)]
    assert_same(*map(positions_of, more))
    assert sorted(path.name for path in folder.iterdir())[-1] == "all.safetensors"  # no drafts


def test_removed_entries_stay_removed_and_ids_are_not_given_again(folder):
    X = draw_panel(8)
    paths = save_parts(folder, X)
    TSPulseRetriever.load(paths[0]).remove([4, 1]).save(paths[0])
    TSPulseRetriever.load(paths[2]).remove([0]).save(paths[2])
    TSPulseRetriever.merge(paths, folder / "all.safetensors")
    merged = TSPulseRetriever.load(folder / "all.safetensors")
    assert merged.ids_.tolist() == [0, 2, 3, 5, 7]
    assert merged.partial_fit(X[:1]).ids_[-1] == 8


def test_an_emptied_part_adds_nothing(folder):
    paths = save_parts(folder, draw_panel(8))
    TSPulseRetriever.load(paths[1]).remove([0]).save(paths[1])
    TSPulseRetriever.merge(paths, folder / "all.safetensors")
    assert len(TSPulseRetriever.load(folder / "all.safetensors").ids_) == 7


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"embedding": "time"}, "Index 1 differs from index 0 in embedding"),
        ({"store": "int8"}, "differs from index 0 in store"),
        ({"window": 30}, "differs from index 0 in window, stride"),
        ({"metric": "cosine", "channels": "mean"}, "in channels, metric"),
    ],
)
def test_parts_that_do_not_compare_are_an_error(folder, parameters, message):
    first, second = folder / "first.safetensors", folder / "second.safetensors"
    TSPulseRetriever().fit(draw_panel()).save(first)
    TSPulseRetriever(**parameters).fit(draw_panel()).save(second)
    with pytest.raises(ValueError, match=message):
        TSPulseRetriever.merge([first, second], folder / "none.safetensors")
    assert not (folder / "none.safetensors").exists()


def test_levels_of_other_parts_and_no_parts_are_an_error(folder):
    paths = save_parts(folder, draw_panel(9), normalize=False)
    with pytest.raises(ValueError, match="levels are scaled by each part: add with partial_fit"):
        TSPulseRetriever.merge(paths, folder / "none.safetensors")
    with pytest.raises(ValueError, match="no index to merge"):
        TSPulseRetriever.merge([], folder / "none.safetensors")
    with pytest.raises(ValueError, match=r"ends? .*\.safetensors"):
        TSPulseRetriever.merge(paths, folder / "none.bin")


def test_blocks_make_no_difference(folder, monkeypatch):
    paths = save_parts(folder, draw_panel(9), store="int8")
    TSPulseRetriever.merge(paths, folder / "all.safetensors")
    monkeypatch.setattr(merging, "_BLOCK", 2)
    TSPulseRetriever.merge(paths, folder / "again.safetensors")
    contents = [(folder / f"{name}.safetensors").read_bytes() for name in ("all", "again")]
    assert contents[0] == contents[1]


def test_neither_merging_nor_a_mapped_search_holds_the_vectors(folder, monkeypatch):
    small, vectors = TSPulseRetriever().fit(draw_panel(4)), draw_vectors(20_000)
    n, large = len(vectors), copy(small)
    numbers = np.arange(n)
    large._series_index = SeriesIndex(
        Entries(n_ids=n, n_series=n, ids=numbers, series=numbers, starts=0 * numbers),
        VectorIndex.fit(vectors, "euclidean", "float32"),
    )
    large.save(folder / "large.safetensors")
    monkeypatch.setattr(merging, "_BLOCK", 1024)
    monkeypatch.setattr("sktspulse.retrieval.vector_index._BLOCK", 1024)
    queries = draw_panel(2, seed=1)
    with memory.at_most(vectors.nbytes // 3):  # beside 48 bytes an entry for ids
        TSPulseRetriever.merge([folder / "large.safetensors"] * 2, folder / "all.safetensors")
        merged = TSPulseRetriever.load(folder / "all.safetensors", mmap_mode="r")
        found = merged.kneighbors(queries, 4)
    expected = large.kneighbors(queries, 2)
    assert_same([part[:, ::2] for part in found], expected)
    np.testing.assert_array_equal(found[1][:, 1::2], expected[1] + n)


def draw_vectors(n_vectors, n_features=240):
    return np.random.default_rng(0).normal(size=(n_vectors, n_features)).astype(np.float32)
