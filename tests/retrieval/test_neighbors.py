"""Neighbours come in the shapes and order of scikit-learn's estimators."""

from __future__ import annotations

import pickle

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


# --------------------------------------------------------------------------- filters, separation


@pytest.fixture(scope="module", params=["exact", "faiss"])
def windows(request):
    if request.param == "faiss":
        pytest.importorskip("faiss")
    return TSPulseRetriever(window=40, stride=7, index=request.param).fit(draw_panel(12, 1, 900))


def ranking(retriever, queries):
    """Return all distances and ids, in order."""
    return retriever.kneighbors(queries, len(retriever.ids_))


def naive_neighbours(retriever, distances, ids, allowed, n, separation):
    """Go down a ranking, and take what is allowed and far from all taken before."""
    taken = []
    for distance, one in zip(distances, ids.tolist(), strict=True):
        series, start = retriever.locate(one)
        places = [retriever.locate(other) for _, other in taken]
        is_far = all(series != s or abs(start - t) >= separation for s, t in places)
        if one in allowed and is_far and len(taken) < n:
            taken.append((distance, one))
    return taken


@pytest.mark.parametrize("separation", [None, 1, 7, 40, 41, 300])
@pytest.mark.parametrize("share", [None, 0.02, 0.6])
def test_neighbours_are_those_of_a_walk_down_the_ranking(windows, separation, share):
    queries, n = draw_panel(3, 1, 40, seed=1), 6
    ids = windows.ids_
    some = (
        None
        if share is None
        else np.random.default_rng(0).permutation(ids)[: int(share * len(ids))]
    )
    everything = ranking(windows, queries)
    found = windows.kneighbors(queries, n, among=some, min_separation=separation)
    for query in range(3):
        expected = naive_neighbours(
            windows,
            *(part[query] for part in everything),
            set(ids.tolist() if some is None else some.tolist()),
            n,
            separation or 0,
        )
        pairs = list(zip(*(part[query].tolist() for part in found), strict=True))
        if windows.index == "exact":
            assert pairs == expected
        else:  # a few may be missed
            assert len({one for _, one in pairs} & {one for _, one in expected}) >= n - 2


def test_entries_themselves_are_far_from_their_neighbours(windows):
    _, ids = windows.kneighbors(n_neighbors=3, min_separation=40)
    series, starts = windows.locate(np.column_stack([windows.ids_, ids]))
    for one in range(4):
        for other in range(one):
            is_near = abs(starts[:, one] - starts[:, other]) < 40
            assert not (is_near & (series[:, one] == series[:, other])).any()
    some = windows.ids_[::2]
    ids = windows.kneighbors(n_neighbors=2, among=some, return_distance=False)
    assert np.isin(ids, some).all()
    assert (ids != windows.ids_[:, None]).all()


def test_an_index_changed_since_is_filtered_by_its_ids(windows):
    changed = pickle.loads(pickle.dumps(windows)).remove(windows.ids_[:30])
    changed.partial_fit(draw_panel(2, 1, 80, seed=5))
    query = draw_panel(1, 1, 40, seed=5)
    late = changed.ids_[-6:]
    assert set(changed.kneighbors(query, 5, among=late)[1][0]) <= set(late.tolist())
    with pytest.raises(ValueError, match="The index has no entry 3"):
        changed.kneighbors(query, 1, among=[3])


def test_too_few_places_are_an_error(windows, fitted, panel):
    query = draw_panel(1, 1, 40)
    with pytest.raises(ValueError, match=r"holds n_samples = 3 entries.*Pass at most 3"):
        windows.kneighbors(query, 4, among=[1, 2, 3])
    with pytest.raises(
        ValueError, match="query 0 has 12 neighbours that start min_separation = 900"
    ):
        windows.kneighbors(query, 13, min_separation=900)
    with pytest.raises(ValueError, match="'min_separation' parameter"):
        windows.kneighbors(query, 1, min_separation=0)
    with pytest.raises(ValueError, match=r"whole series are indexed\. Fit with a window"):
        fitted.kneighbors(panel[0][:1], 2, min_separation=5)
