"""The search is exact, whatever the blocks, the ties and the store."""

from __future__ import annotations

import pickle
import tracemalloc

import naive_search
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from retrieval.retrieval_cases import assert_same

from sktspulse.retrieval import vector_index
from sktspulse.retrieval.vector_index import METRICS, STORES, VectorIndex, prepared


@pytest.fixture
def small_blocks(monkeypatch):
    """Make a few vectors enough for many blocks."""
    monkeypatch.setattr(vector_index, "_BLOCK", 7)


def draw(n, n_features=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, n_features)).astype(np.float32)


def search(vectors, queries, n_neighbors, metric="euclidean", store="float32"):
    index = VectorIndex.fit(prepared(vectors, metric), metric, store)
    return index.nearest(prepared(queries, metric), n_neighbors)


def brute_force(vectors, queries, n_neighbors):
    differences = queries[:, None].astype(np.float64) - vectors
    distances = np.sqrt(np.square(differences).sum(-1))
    rows = np.argsort(distances, axis=1, kind="stable")[:, :n_neighbors]
    return np.take_along_axis(distances, rows, 1), rows


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 3), st.integers(1, 3), st.data())
def test_loops_over_all_pairs_find_the_same(n_vectors, n_queries, n_features, span, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    vectors = rng.integers(-span, span, (n_vectors, n_features), endpoint=True)
    queries = rng.integers(-span, span, (n_queries, n_features), endpoint=True)
    n_neighbors = data.draw(st.integers(1, n_vectors))
    expected, expected_rows = naive_search.nearest(queries, vectors, n_neighbors)
    # Integers give exact distances, and as few of them as here have many ties.
    distances, rows = search(vectors.astype(np.float32), queries.astype(np.float32), n_neighbors)
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


def test_equal_vectors_come_in_ascending_order_at_distance_zero():
    vectors = np.repeat(1000 + draw(3), 40, axis=0)
    distances, rows = search(vectors, vectors[[0, 45, 100]], 40)
    np.testing.assert_array_equal(rows, np.add.outer([0, 40, 80], np.arange(40)))
    assert (distances == 0).all()


def test_vectors_far_from_the_origin_keep_their_order():
    vectors, queries = 1000 + draw(3000, 24) / 100, 1000 + draw(9, 24, seed=1) / 100
    expected, expected_rows = brute_force(vectors, queries, 5)
    distances, rows = search(vectors, queries, 5)
    np.testing.assert_array_equal(rows, expected_rows)
    np.testing.assert_allclose(distances, expected, rtol=1e-12)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("metric", METRICS)
def test_a_query_does_not_depend_on_the_others(metric, store):
    index = VectorIndex.fit(prepared(draw(700, 240), metric), metric, store)
    queries = prepared(draw(300, 240, seed=1), metric)
    together = index.nearest(queries, 7)
    for i in (0, 1, 127, 128, 299):
        assert_same(index.nearest(queries[[i]], 7), [part[[i]] for part in together])


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("radius", [0, 0.4, 1.5, np.inf])
def test_everything_within_a_radius_is_found_and_nothing_else(metric, radius, small_blocks):
    vectors, queries = draw(50), np.concatenate([draw(7, seed=1), draw(2)])
    index = VectorIndex.fit(prepared(vectors, metric), metric, "float32")
    results = index.within(prepared(queries, metric), radius)
    expected = naive_search.within(queries, vectors, max(radius, 1e-9), metric)
    assert [rows.tolist() for _, rows in results] == expected
    assert all((distances <= radius).all() for distances, _ in results)
    assert all((np.diff(distances) >= 0).all() for distances, _ in results)


@pytest.mark.parametrize("offset", [0, 100_000])
def test_vectors_exactly_at_the_radius_are_within(offset):
    vectors, query = draw(40, 24) / 1000, draw(1, 24, seed=1) / 1000
    vectors[:, 0] = query[:, 0] = offset  # makes products large, and differences not
    index = VectorIndex.fit(vectors, "euclidean", "float32")
    distances, rows = index.nearest(query, 40)
    for n in range(1, 41):
        [result] = index.within(query, distances[0, n - 1])
        assert_same(result, (distances[0, :n], rows[0, :n]))


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("metric", METRICS)
def test_distances_are_those_to_the_stored_vectors(metric, store, small_blocks):
    index = VectorIndex.fit(prepared(draw(40, 6), metric), metric, store)
    queries = prepared(draw(5, 6, seed=1), metric)
    distances, rows = index.nearest(queries, 8)
    expected, expected_rows = brute_force(index.decoded(slice(None)), queries, 8)
    np.testing.assert_array_equal(rows, expected_rows)
    squares = distances**2 if metric == "euclidean" else 2 * distances
    np.testing.assert_allclose(squares, expected**2, rtol=1e-9)


@pytest.mark.parametrize(("store", "size", "error"), [("float16", 2, 1e-3), ("int8", 1, 2e-2)])
def test_smaller_stores_take_fewer_bytes_and_lose_little(store, size, error):
    vectors = 30 + draw(200, 64)
    index = VectorIndex.fit(vectors, "euclidean", store)
    assert index.store == store
    assert index.codes.nbytes == size * vectors.size
    assert np.abs(index.decoded(slice(None)) - vectors).max() < error * np.abs(vectors).max()


def test_codes_of_int8_are_relative_to_the_mean():
    vectors = 1000 + draw(200, 64)
    decoded = VectorIndex.fit(vectors, "euclidean", "int8").decoded(slice(None))
    assert np.abs(decoded - vectors).max() < 0.03


def test_int8_stores_a_vector_equal_to_the_mean_exactly():
    vectors = np.full((3, 4), 2.5, np.float32)
    decoded = VectorIndex.fit(vectors, "euclidean", "int8").decoded(slice(None))
    np.testing.assert_array_equal(decoded, vectors)


@pytest.mark.parametrize("number", [1e6, -1e6])
def test_numbers_too_large_for_float16_are_an_error(number):
    with pytest.raises(ValueError, match=r"hold 1e\+06, which float16 cannot store"):
        VectorIndex.fit(np.full((2, 2), number, np.float32), "euclidean", "float16")


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("metric", METRICS)
def test_vectors_given_are_not_changed(metric, store):
    vectors = draw(30)
    VectorIndex.fit(prepared(vectors, metric), metric, store).nearest(vectors, 3)
    np.testing.assert_array_equal(vectors, draw(30))


@pytest.mark.parametrize("store", ["float32", "float16"])
@pytest.mark.parametrize("metric", METRICS)
def test_extending_equals_fitting_at_once(metric, store):
    vectors, queries = prepared(draw(60), metric), prepared(draw(5, seed=1), metric)
    whole = VectorIndex.fit(vectors, metric, store)
    grown = VectorIndex.fit(vectors[:1], metric, store)
    grown = grown.extended(vectors[1:30]).extended(vectors[30:])
    assert_same(whole.nearest(queries, 9), grown.nearest(queries, 9))


@pytest.mark.parametrize("store", STORES)
def test_selected_vectors_keep_their_distances(store):
    index = VectorIndex.fit(draw(60), "euclidean", store)
    rows, queries = np.arange(0, 60, 3), draw(5, seed=1)
    distances, found = index.nearest(queries, 60)
    is_selected = np.isin(found, rows)
    selected_distances, selected_rows = index.selected(rows).nearest(queries, 20)
    np.testing.assert_array_equal(selected_distances, distances[is_selected].reshape(5, 20))
    np.testing.assert_array_equal(rows[selected_rows], found[is_selected].reshape(5, 20))


@pytest.mark.parametrize("store", STORES)
def test_pickles_answer_as_before(store):
    index = VectorIndex.fit(draw(60), "euclidean", store)
    again = pickle.loads(pickle.dumps(index))
    assert_same(index.nearest(draw(3), 5), again.nearest(draw(3), 5))


def peak_memory(run):
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("store", STORES)
def test_a_search_decodes_few_vectors_at_once(store):
    index = VectorIndex.fit(draw(400_000, 60), "euclidean", store)
    peak = peak_memory(lambda: index.nearest(draw(5, 60, seed=1), 3))
    assert peak < 400_000 * 60


def test_fitting_float32_makes_no_copy():
    vectors = np.ones((600_000, 60), np.float32)
    assert peak_memory(lambda: VectorIndex.fit(vectors, "euclidean", "float32")) < 1e6


@pytest.mark.parametrize(("store", "size"), [("float16", 2), ("int8", 1)])
def test_fitting_needs_little_memory_beside_the_codes(store, size):
    vectors = np.ones((600_000, 60), np.float32)
    peak = peak_memory(lambda: VectorIndex.fit(vectors, "euclidean", store))
    assert peak < 1.5 * size * vectors.size
