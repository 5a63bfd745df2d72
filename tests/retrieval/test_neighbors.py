"""Neighbours come in the shapes and order of scikit-learn's estimators."""

from __future__ import annotations

import numpy as np
import pytest
from retrieval.retrieval_cases import draw_panel
from sklearn.neighbors import NearestNeighbors

from sktspulse import TSPulseRetriever, TSPulseTransformer
from sktspulse.retrieval.vector_index import STORES


def test_shapes_order_and_types_are_those_of_scikit_learn(panel, fitted):
    X, _ = panel
    distances, ids = fitted.kneighbors(X[50:], 4)
    assert distances.shape == ids.shape == (10, 4)
    assert (distances.dtype, ids.dtype) == (np.float64, np.int64)
    assert (np.diff(distances) >= 0).all()
    np.testing.assert_array_equal(fitted.kneighbors(X[50:], 4, return_distance=False), ids)
    assert fitted.kneighbors(X[50:])[1].shape == (10, 3)
    vectors = TSPulseTransformer(checkpoint="tspulse-p16").fit_transform(X)
    theirs = NearestNeighbors(n_neighbors=4).fit(vectors[:50])
    np.testing.assert_array_equal(theirs.kneighbors(vectors[50:])[1], ids)


@pytest.mark.parametrize("store", STORES)
def test_without_queries_every_entry_finds_the_others(store):
    retriever = TSPulseRetriever(7, store=store).fit(draw_panel())
    distances, ids = retriever.kneighbors()
    for i, row in enumerate(ids):
        assert sorted([i, *row]) == list(range(8))
    assert (distances > 0).all()


def test_twins_find_each_other_and_not_themselves():
    X = np.repeat(draw_panel(2), 4, axis=0)
    distances, ids = TSPulseRetriever(3).fit(X).kneighbors()
    assert (distances == 0).all()
    assert ids[1].tolist() == [0, 2, 3]
    assert ids[7].tolist() == [4, 5, 6]
    assert TSPulseRetriever(1).fit(X).kneighbors()[1].ravel().tolist() == [1, 0, 0, 0, 5, 4, 4, 4]


def test_the_radius_cuts_off_what_is_farther(panel, fitted):
    X, _ = panel
    distances, ids = fitted.kneighbors(X[50:], 50)
    radius = np.median(distances)
    near, near_ids = fitted.radius_neighbors(X[50:], radius)
    assert near.shape == near_ids.shape == (10,)
    for i in range(10):
        np.testing.assert_array_equal(near_ids[i], ids[i][distances[i] <= radius])
        np.testing.assert_array_equal(near[i], distances[i][distances[i] <= radius])
    only = fitted.radius_neighbors(X[50:], radius, return_distance=False)
    assert [list(one) for one in only] == [list(one) for one in near_ids]
    assert [len(one) for one in fitted.radius_neighbors(radius=0, return_distance=False)] == 50 * [
        0
    ]


@pytest.mark.parametrize("mode", ["connectivity", "distance"])
def test_graphs_are_those_of_scikit_learn(panel, fitted, mode):
    vectors = TSPulseTransformer(checkpoint="tspulse-p16").fit_transform(panel[0])
    theirs = NearestNeighbors(n_neighbors=3).fit(vectors[:50].astype(np.float64))
    for X, rows in ((panel[0][50:], vectors[50:]), (None, None)):
        ours = fitted.kneighbors_graph(X, mode=mode)
        assert ours.shape == (10 if X is not None else 50, 50)
        expected = theirs.kneighbors_graph(rows, mode=mode).toarray()
        np.testing.assert_allclose(ours.toarray(), expected, atol=1e-3)


def test_columns_of_a_graph_are_the_entries_left(panel, retriever):
    retriever.remove([0, 7])
    graph = retriever.kneighbors_graph(panel[0][50:])
    ids = retriever.kneighbors(panel[0][50:], return_distance=False)
    assert graph.shape == (10, 48)
    np.testing.assert_array_equal(retriever.ids_[graph.indices.reshape(10, 3)], ids)


@pytest.mark.parametrize(
    ("n_neighbors", "asks", "message"),
    [
        (
            51,
            True,
            "n_neighbors is 51, but the index holds n_samples = 50 entries. Pass at most 50",
        ),
        (50, False, "an entry is no neighbour of itself. Pass at most 49, or add"),
        (0, True, r"'n_neighbors' .* Got 0 instead"),
        (2.0, True, r"'n_neighbors' .* Got 2.0 instead"),
    ],
)
def test_a_wrong_number_of_neighbours_is_an_error(panel, fitted, n_neighbors, asks, message):
    with pytest.raises(ValueError, match=message):
        fitted.kneighbors(panel[0][50:] if asks else None, n_neighbors)


def test_invalid_arguments_are_an_error(panel, fitted):
    with pytest.raises(ValueError, match=r"'radius' .* of TSPulseRetriever.radius_neighbors"):
        fitted.radius_neighbors(panel[0][50:], -1)
    with pytest.raises(ValueError, match=r"'mode' .* Got 'cosine' instead"):
        fitted.kneighbors_graph(panel[0][50:], mode="cosine")
    with pytest.raises(ValueError, match="no entry 1000"):
        fitted.locate(1000)
