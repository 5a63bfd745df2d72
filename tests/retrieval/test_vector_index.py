"""The search is exact, whatever the blocks, the ties and the precision of the products."""

from __future__ import annotations

import pickle
import tracemalloc

import naive_search
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sktspulse.retrieval import vector_index
from sktspulse.retrieval.vector_index import METRICS, STORES, VectorIndex

CPU = torch.device("cpu")


@pytest.fixture
def small_blocks(monkeypatch):
    """Make a few vectors enough for many blocks, groups and second looks."""
    sizes = {"_QUERIES": 3, "_VECTORS": 7, "_GROUP": 2, "_SPARE": 0}
    sizes |= {"_WIDER": 2, "_MAX_CANDIDATES": 9, "_MAX_NUMBERS": 11}
    for name, size in sizes.items():
        monkeypatch.setattr(vector_index, name, size)


def draw(n, n_features=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, n_features)).astype(np.float32)


def search(vectors, queries, n_neighbors, metric="euclidean", store="float32"):
    index = VectorIndex.build(vectors, metric, store)
    return index.nearest(index.query(queries), n_neighbors, CPU)


def brute_force(vectors, queries, n_neighbors):
    differences = queries[:, None].astype(np.float64) - vectors
    distances = np.sqrt(np.square(differences).sum(-1))
    rows = np.argsort(distances, axis=1, kind="stable")[:, :n_neighbors]
    return np.take_along_axis(distances, rows, 1), rows


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 3), st.integers(1, 3), st.data())
def test_all_pairs_in_loops_give_the_same(n_vectors, n_queries, n_features, span, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    vectors = rng.integers(-span, span, (n_vectors, n_features), endpoint=True)
    queries = rng.integers(-span, span, (n_queries, n_features), endpoint=True)
    vectors, queries = vectors.astype(np.float32), queries.astype(np.float32)
    n_neighbors = data.draw(st.integers(1, n_vectors))
    distances, rows = search(vectors, queries, n_neighbors)
    expected, expected_rows = naive_search.nearest(queries, vectors, n_neighbors)
    # Whole numbers have many ties, and their distances are exact.
    np.testing.assert_array_equal(distances, expected)
    np.testing.assert_array_equal(rows, expected_rows)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n_neighbors", [1, 4, 50])
def test_blocks_make_no_difference(metric, n_neighbors, small_blocks):
    vectors, queries = draw(50), draw(11, seed=1)
    distances, rows = search(vectors, queries, n_neighbors, metric)
    expected, expected_rows = naive_search.nearest(queries, vectors, n_neighbors, metric)
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_allclose(distances, expected, atol=1e-6)


def test_equal_vectors_come_in_the_order_they_were_added(small_blocks):
    vectors = np.repeat(draw(3), 40, axis=0)
    _, rows = search(vectors, vectors[[0, 45, 100]], 20)
    np.testing.assert_array_equal(rows, np.add.outer([0, 40, 80], np.arange(20)))


@pytest.mark.parametrize("precision", ["highest", "high", "medium"])
def test_products_that_cannot_tell_vectors_apart_do_not_decide(precision):
    offset = np.float32(1000)
    vectors, queries = offset + draw(3000, 24) / 100, offset + draw(9, 24, seed=1) / 100
    usual = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        distances, rows = search(vectors, queries, 5)
    finally:
        torch.set_float32_matmul_precision(usual)
    expected, expected_rows = brute_force(vectors, queries, 5)
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_allclose(distances, expected, rtol=1e-12)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("metric", METRICS)
def test_a_query_does_not_depend_on_the_others(metric, store):
    index = VectorIndex.build(draw(700, 240), metric, store)
    queries = index.query(draw(300, 240, seed=1))
    together = index.nearest(queries, 7, CPU)
    for i in (0, 1, 127, 128, 299):
        alone = index.nearest(queries[[i]], 7, CPU)
        for one, all_ in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one[0], all_[i])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("radius", [0, 0.4, 1.5, np.inf])
def test_everything_within_a_radius_is_found_and_nothing_else(metric, radius, small_blocks):
    vectors, queries = draw(50), np.concatenate([draw(7, seed=1), draw(2)])
    index = VectorIndex.build(vectors, metric, "float32")
    owners, distances, rows = index.within(index.query(queries), radius, CPU)
    expected = naive_search.within(queries, vectors, max(radius, 1e-9), metric)
    assert [rows[owners == i].tolist() for i in range(len(queries))] == expected
    assert (distances <= radius).all()
    assert all((np.diff(distances[owners == i]) >= 0).all() for i in range(len(queries)))


def test_the_radius_itself_is_within():
    index = VectorIndex.build(np.array([[3, 4], [6, 8]], np.float32), "euclidean", "float32")
    _, distances, rows = index.within(np.zeros((1, 2), np.float32), 5.0, CPU)
    assert (distances.tolist(), rows.tolist()) == ([5.0], [0])


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("metric", METRICS)
def test_what_is_stored_is_what_distances_are_to(metric, store, small_blocks):
    index = VectorIndex.build(draw(40, 6), metric, store)
    queries = index.query(draw(5, 6, seed=1))
    distances, rows = index.nearest(queries, 8, CPU)
    expected, expected_rows = brute_force(index.stored(slice(None)), queries, 8)
    np.testing.assert_array_equal(rows, expected_rows)
    squares = distances**2 if metric == "euclidean" else 2 * distances
    np.testing.assert_allclose(squares, expected**2, rtol=1e-9)


@pytest.mark.parametrize(("store", "size", "error"), [("float16", 2, 1e-3), ("int8", 1, 2e-2)])
def test_small_stores_take_fewer_bytes_and_lose_little(store, size, error):
    vectors = 30 + draw(200, 64)
    index = VectorIndex.build(vectors, "euclidean", store)
    assert index.store == store
    assert index.codes.nbytes == size * vectors.size
    assert np.abs(index.stored(slice(None)) - vectors).max() < error * np.abs(vectors).max()


def test_codes_of_int8_are_relative_to_the_mean():
    vectors = 1000 + draw(200, 64)
    stored = VectorIndex.build(vectors, "euclidean", "int8").stored(slice(None))
    assert np.abs(stored - vectors).max() < 0.03


def test_a_vector_like_the_mean_is_stored_as_it():
    vectors = np.full((3, 4), 2.5, np.float32)
    stored = VectorIndex.build(vectors, "euclidean", "int8").stored(slice(None))
    np.testing.assert_array_equal(stored, vectors)


def test_numbers_too_large_for_float16_are_refused():
    with pytest.raises(ValueError, match=r"hold 1e\+06, which float16 cannot store"):
        VectorIndex.build(np.full((2, 2), 1e6, np.float32), "euclidean", "float16")


@pytest.mark.parametrize("store", ["float32", "float16"])
@pytest.mark.parametrize("metric", METRICS)
def test_adding_is_building_at_once(metric, store):
    vectors = draw(60)
    whole = VectorIndex.build(vectors, metric, store)
    grown = VectorIndex.build(vectors[:1], metric, store).added(vectors[1:30]).added(vectors[30:])
    queries = whole.query(draw(5, seed=1))
    for one, other in zip(
        whole.nearest(queries, 9, CPU), grown.nearest(queries, 9, CPU), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("store", STORES)
def test_what_is_left_answers_as_before(store):
    index = VectorIndex.build(draw(60), "euclidean", store)
    rows = np.arange(0, 60, 3)
    kept, queries = index.kept(rows), draw(5, seed=1)
    distances, found = index.nearest(queries, 60, CPU)
    of_kept = np.isin(found, rows)
    answer = kept.nearest(queries, 20, CPU)
    np.testing.assert_array_equal(answer[0], distances[of_kept].reshape(5, 20))
    np.testing.assert_array_equal(rows[answer[1]], found[of_kept].reshape(5, 20))


@pytest.mark.parametrize("store", STORES)
def test_pickles_answer_as_before(store):
    index = VectorIndex.build(draw(60), "euclidean", store)
    again = pickle.loads(pickle.dumps(index))
    for one, other in zip(
        index.nearest(draw(3), 5, CPU), again.nearest(draw(3), 5, CPU), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_memory_beside_the_vectors_is_bounded():
    vectors = draw(400_000, 60)
    tracemalloc.start()
    try:
        search(vectors, draw(5, 60, seed=1), 3)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < vectors.nbytes / 2


@pytest.mark.parametrize("metric", METRICS)
def test_building_makes_no_second_copy(metric):
    vectors = np.ones((600_000, 60), np.float32)
    tracemalloc.start()
    try:
        VectorIndex.build(vectors, metric, "float32")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < vectors.nbytes / 2


@pytest.mark.parametrize("n", [1, 5, 31, 64, 200])
def test_lowest_scores_lie_in_the_lowest_groups(n):
    scores = torch.from_numpy(draw(6, 1000 + n))
    values, places = vector_index._lowest(scores, n)
    np.testing.assert_array_equal(values.sort().values, scores.sort().values[:, :n])
    np.testing.assert_array_equal(scores.gather(1, places), values)
