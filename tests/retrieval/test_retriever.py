"""The retriever: indexing, adding, removing, pipelines, and errors that change nothing."""

from __future__ import annotations

import naive_search
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from retrieval.retrieval_cases import assert_close, assert_same, draw_panel, positions_of
from sklearn import config_context
from sklearn.base import clone
from sklearn.cluster import DBSCAN
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline

from sktspulse import TSPulseRetriever, TSPulseTransformer
from sktspulse.retrieval import vectorizer
from sktspulse.retrieval.vector_index import STORES


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("embedding", ["semantic", "frequency"])
def test_loops_over_all_pairs_of_embeddings_find_the_same(metric, embedding):
    X, queries = draw_panel(20, 2), draw_panel(4, 2, seed=1)
    transformer = TSPulseTransformer(embedding, checkpoint="tspulse-p16").fit(X)
    vectors = (transformer.transform(queries), transformer.transform(X))
    expected, expected_ids = naive_search.nearest(*vectors, 6, metric)
    retriever = TSPulseRetriever(6, embedding=embedding, metric=metric).fit(X)
    distances, ids = retriever.kneighbors(queries)
    np.testing.assert_array_equal(ids, expected_ids)
    np.testing.assert_allclose(distances, expected, atol=1e-6)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_a_series_finds_itself_at_no_distance(metric):
    X = draw_panel()
    distances, ids = TSPulseRetriever(1, metric=metric).fit(X).kneighbors(3 * X + 7)
    np.testing.assert_array_equal(ids[:, 0], np.arange(len(X)))
    np.testing.assert_allclose(distances, 0, atol=1e-3)


def test_a_query_does_not_depend_on_the_others(panel, fitted):
    X, _ = panel
    together = fitted.kneighbors(X[50:])
    for i in range(10):
        assert_close(fitted.kneighbors(X[[50 + i]]), [part[[i]] for part in together])


def test_series_of_a_kind_find_each_other(panel, fitted):
    X, y = panel
    ids = fitted.kneighbors(X[50:], 1, return_distance=False)
    assert (y[ids[:, 0]] == y[50:]).mean() > 0.8


def test_the_container_does_not_matter(panel):
    X = panel[0][:, 0, :40]
    expected = TSPulseRetriever(2).fit(X[:50]).kneighbors(X[50:])
    columns = [f"t{i}" for i in range(40)]
    for frame in (pd.DataFrame, pl.DataFrame):
        frames = [frame(dict(zip(columns, part.T, strict=True))) for part in (X[:50], X[50:])]
        assert_close(TSPulseRetriever(2).fit(frames[0]).kneighbors(frames[1]), expected)
    assert_close(TSPulseRetriever(2).fit(list(X[:50])).kneighbors(X[50:, None]), expected)


@pytest.mark.filterwarnings("ignore:X is read as:UserWarning")
@settings(max_examples=10)
@given(
    st.lists(st.integers(2, 40), min_size=2, max_size=6),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from(STORES),
    st.sampled_from(["euclidean", "cosine"]),
    st.integers(0, 2**31),
)
def test_every_panel_can_be_searched(lengths, missing_rate, store, metric, seed):
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(2, n)) for n in lengths]
    for one in X:
        one[rng.random(one.shape) < missing_rate] = np.nan
    retriever = TSPulseRetriever(len(X), store=store, metric=metric, channels="mean").fit(X)
    distances, ids = retriever.kneighbors(X)
    assert np.isfinite(distances).all()
    assert (np.sort(ids) == np.arange(len(X))).all()


@pytest.mark.parametrize(
    ("n_timepoints", "missing"), [(20480, 0.0), (13001, 0.0), (20480, 0.02), (5003, 0.3)]
)
def test_more_points_of_a_slow_shape_in_noise_help(n_timepoints, missing):
    rng = np.random.default_rng(3)
    t = np.linspace(0, 1, n_timepoints)
    shapes = [np.interp(t, np.linspace(0, 1, 12), rng.normal(size=12)) for _ in range(20)]
    X, queries = np.stack(shapes) + np.sqrt(n_timepoints / 5120) * rng.normal(
        size=(2, 20, n_timepoints)
    )
    X[rng.random(X.shape) < missing] = np.nan
    retriever = TSPulseRetriever(1).fit(1e6 * X + 1e7)
    found = retriever.kneighbors(queries, return_distance=False)[:, 0]
    assert (found == np.arange(20)).mean() > 0.9


def test_windows_cover_their_series_and_have_positions():
    X = [draw_panel(1, 2, n)[0] for n in (30, 75, 41)]
    retriever = TSPulseRetriever(2, window=30, stride=20).fit(X)
    assert retriever.series_.tolist() == [0, 1, 1, 1, 1, 2, 2]
    assert retriever.starts_.tolist() == [0, 0, 20, 40, 45, 0, 11]
    assert retriever.ids_.tolist() == list(range(7))
    series, starts = retriever.locate([[6, 0], [2, 2]])
    assert series.tolist() == [[2, 0], [1, 1]]
    assert starts.tolist() == [[11, 0], [20, 20]]


@pytest.mark.filterwarnings("ignore:X is read as:UserWarning")
def test_the_default_stride_is_half_a_window():
    retriever = TSPulseRetriever(window=30).fit(draw_panel(1, 1, 90))
    assert retriever.starts_.tolist() == [0, 15, 30, 45, 60]
    assert TSPulseRetriever(window=2).fit(draw_panel(1, 1, 4)).starts_.tolist() == [0, 1, 2]


def test_a_window_is_indexed_like_a_series():
    X = draw_panel(3, 2, 100)
    windowed = TSPulseRetriever(4, window=40, stride=30).fit(X)
    cut = np.concatenate([[one[:, s : s + 40] for s in (0, 30, 60)] for one in X])
    whole = TSPulseRetriever(4).fit(cut)
    assert_close(windowed.kneighbors(), whole.kneighbors())
    assert_close(windowed.kneighbors(X[:, :, :70]), whole.kneighbors(X[:, :, :70]))
    assert (whole.series_.tolist(), whole.starts_.tolist()) == (list(range(9)), 9 * [0])


def test_a_window_is_found_where_it_is():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5, 1, 400)).cumsum(-1)
    retriever = TSPulseRetriever(1, window=64, stride=8).fit(X)
    ids = retriever.kneighbors(5 - 2 * -X[[3], :, 136:200], return_distance=False)
    assert [part.tolist() for part in retriever.locate(ids)] == [[[3]], [[136]]]


@pytest.mark.parametrize("store", ["float32", "float16"])
@pytest.mark.parametrize("window", [None, 20])
def test_partial_fit_equals_one_fit(store, window):
    X, queries = draw_panel(12, 2), draw_panel(3, 2, seed=1)
    whole = TSPulseRetriever(store=store, window=window).fit(X)
    grown = TSPulseRetriever(store=store, window=window)
    for part in (X[:1], X[1:8], X[8:]):
        grown.partial_fit(part)
    rtol = 1e-5 if store == "float32" else 1e-3  # one step of float16
    assert_close(grown.kneighbors(queries), whole.kneighbors(queries), rtol)
    assert_same(positions_of(grown), positions_of(whole))


def test_removal_leaves_other_entries_alone(panel, retriever):
    X, _ = panel
    distances, ids = retriever.kneighbors(X[50:], 50)
    gone = ids[0, :5]
    answer = retriever.remove(gone).kneighbors(X[50:], 45)
    left = ~np.isin(ids, gone)
    assert_same(answer, [part[left].reshape(10, 45) for part in (distances, ids)])
    np.testing.assert_array_equal(retriever.ids_, np.setdiff1d(np.arange(50), gone))
    assert_same(retriever.locate(retriever.ids_), (retriever.ids_, np.zeros(45)))


def test_ids_are_given_once(panel, retriever):
    X, _ = panel
    retriever.remove(range(40, 50)).partial_fit(X[40:42])
    assert retriever.ids_.tolist() == [*range(40), 50, 51]
    assert retriever.series_.tolist() == [*range(40), 50, 51]
    assert retriever.kneighbors(X[[41]], 1)[1].tolist() == [[51]]


def test_a_failed_or_empty_removal_removes_nothing(retriever):
    before = positions_of(retriever)
    with pytest.raises(ValueError, match=r"no entry 50, 77; it holds 50 of the 50"):
        retriever.remove([3, 50, 77])
    with pytest.raises(ValueError, match="ids are float64, expected integers"):
        retriever.remove([1.0])
    with pytest.raises(ValueError, match="no entry -1"):
        retriever.remove(-1)
    assert_same(positions_of(retriever.remove([])), before)


def test_an_index_can_be_emptied_and_filled_again(panel, retriever):
    X, _ = panel
    retriever.remove(retriever.ids_)
    for ask in (retriever.kneighbors, retriever.radius_neighbors, retriever.kneighbors_graph):
        for queries in (X[50:], None):
            with pytest.raises(ValueError, match="index is empty, as every entry was removed"):
                ask(queries)
    assert retriever.partial_fit(X[:3]).kneighbors(X[[2]], 1)[1].tolist() == [[52]]


def test_classifiers_take_the_graph(panel):
    X, y = panel
    model = make_pipeline(TSPulseRetriever(3), KNeighborsClassifier(3, metric="precomputed"))
    plain = make_pipeline(TSPulseTransformer(checkpoint="tspulse-p16"), KNeighborsClassifier(3))
    model.fit(X[:40], y[:40])
    np.testing.assert_array_equal(model.predict(X[40:]), plain.fit(X[:40], y[:40]).predict(X[40:]))
    assert cross_val_score(model, X, y, cv=3).mean() > 0.8
    grid = {"tspulseretriever__metric": ["euclidean", "cosine"]}
    assert GridSearchCV(model, grid, cv=2).fit(X, y).best_score_ > 0.7
    assert model[:1].get_feature_names_out()[-1] == "tspulseretriever39"


def test_clusterers_take_the_graph(panel):
    X, _ = panel
    vectors = TSPulseTransformer(checkpoint="tspulse-p16").fit_transform(X)
    radius = float(np.median(NearestNeighbors().fit(vectors).kneighbors()[0]))
    search = TSPulseRetriever(59)  # with itself, all
    labels = make_pipeline(search, DBSCAN(radius, metric="precomputed")).fit_predict(X)
    np.testing.assert_array_equal(labels, DBSCAN(radius).fit_predict(vectors))


def test_clones_are_unfitted_and_equal(fitted):
    twin = clone(fitted)
    assert twin.get_params() == fitted.get_params()
    for ask in (twin.kneighbors, twin.radius_neighbors, twin.kneighbors_graph):
        with pytest.raises(NotFittedError):
            ask()
    for ask in (twin.remove, twin.locate, twin.transform, twin.save):
        with pytest.raises(NotFittedError):
            ask([0])


def test_parameters_of_the_index_take_effect_at_the_next_fit(panel, retriever):
    X, _ = panel
    expected = retriever.kneighbors(X[50:])
    retriever.set_params(metric="cosine", embedding="time", window=60, store="int8", batch_size=7)
    assert_same(retriever.kneighbors(X[50:])[1:], expected[1:])
    assert_same(
        positions_of(retriever.partial_fit(X[50:])), [np.arange(60), np.arange(60), 60 * [0]]
    )
    assert len(retriever.fit(X).ids_) > 60


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_neighbors": 0}, r"'n_neighbors' .* must be an int in the range \[1, inf\)"),
        ({"radius": -1}, r"'radius' .* must be a float in the range \[0"),
        ({"radius": np.nan}, "'radius'"),
        ({"embedding": "short"}, "'embedding' .* must be a str among"),
        ({"metric": "dtw"}, r"'metric' .* Got 'dtw' instead"),
        ({"channels": "max"}, "'channels' .* Got 'max' instead"),
        ({"window": 1}, r"'window' .* must be an int in the range \[2, inf\) or None. Got 1"),
        ({"window": 30.0}, "'window' .* Got 30.0"),
        ({"stride": 4}, "stride is 4, but window is None. Pass a window"),
        ({"window": 9, "stride": 10}, "stride is 10, but window is 9. Pass a window"),
        ({"window": 9, "stride": 0}, "'stride'"),
        ({"normalize": "l2"}, "'normalize' .* Got 'l2' instead"),
        ({"index": "tree"}, "'index' .* Got 'tree' instead"),
        ({"store": "float64"}, "'store' .* Got 'float64' instead"),
        ({"batch_size": 0}, "'batch_size'"),
        ({"checkpoint": "tspulse-p9"}, "tspulse-p8"),
    ],
)
def test_bad_parameters_leave_the_index_alone(panel, retriever, parameters, message):
    retriever.set_params(**parameters)
    before = dict(vars(retriever))
    with pytest.raises(ValueError, match=message):
        retriever.fit(panel[0])
    assert vars(retriever) == before


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((0, 30)), "0 sample"),
        ([], r"0 sample\(s\)"),
        (np.full((2, 128), np.inf), "infinity"),
        (np.zeros((2, 3, 128)), "X has 3 channels, but TSPulseRetriever was fitted with 1"),
        (np.zeros((2, 1, 1)), "TSPulseRetriever needs at least 2 time points"),
        (np.zeros(128), "Reshape your data"),
    ],
)
def test_bad_series_leave_the_index_alone(retriever, X, message):
    before = dict(vars(retriever))
    for use in (retriever.partial_fit, retriever.kneighbors, retriever.radius_neighbors):
        with pytest.raises(ValueError, match=message):
            use(X)
    assert vars(retriever) == before


def test_series_shorter_than_a_window_are_an_error():
    with pytest.raises(ValueError, match="TSPulseRetriever needs at least 30 time points"):
        TSPulseRetriever(window=30).fit(draw_panel(2, 1, 29))
    retriever = TSPulseRetriever(1, window=30).fit(draw_panel(2, 1, 60))
    with pytest.raises(ValueError, match="TSPulseRetriever needs at least 30 time points"):
        retriever.partial_fit(draw_panel(2, 1, 29)[:, :, :])
    assert retriever.kneighbors(draw_panel(2, 1, 29))[1].shape == (2, 1)


def test_an_interrupted_fit_leaves_the_index_alone(panel, retriever, monkeypatch):
    before = dict(vars(retriever))

    def stop(*arguments, **settings_):
        raise KeyboardInterrupt

    monkeypatch.setattr(vectorizer, "embed_checked", stop)
    for use in (retriever.fit, retriever.partial_fit):
        with pytest.raises(KeyboardInterrupt):
            use(panel[0][:, :, :50])
    assert vars(retriever) == before


def test_a_bar_counts_entries_and_queries(panel, capsys):
    X, _ = panel
    retriever = TSPulseRetriever(2, verbose=1).fit(X[:20])
    retriever.kneighbors(X[20:])
    shown = capsys.readouterr().err
    assert "20.0/20.0" in shown
    assert "40.0/40.0" in shown
    assert "TSPulseRetriever" in shown


# --------------------------------------------------------------------------- containers


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("normalize", [True, False])
def test_the_container_of_transform_makes_no_difference_to_a_search(library, normalize, tmp_path):
    X = draw_panel(12, 2)
    expected = TSPulseRetriever(3, normalize=normalize).fit(X[:9]).partial_fit(X[9:])
    expected = expected.kneighbors(X[:4])
    with config_context(transform_output=library):
        retriever = TSPulseRetriever(3, normalize=normalize).fit(X[:9]).partial_fit(X[9:])
        assert_close(retriever.kneighbors(X[:4]), expected)
        retriever.save(tmp_path / "index.safetensors")
        assert_close(
            TSPulseRetriever.load(tmp_path / "index.safetensors").kneighbors(X[:4]), expected
        )
        with pytest.raises(ValueError, match=r"transform='default'"):
            retriever.transform(X)
        assert retriever.set_output(transform="default").transform(X).shape == (12, 12)


@pytest.mark.parametrize("unit", [1e-6, 1, 1e9])
def test_series_padded_with_nan_find_themselves(unit):
    rng = np.random.default_rng(0)
    series = [unit * rng.normal(size=(2, n)).cumsum(-1) for n in rng.integers(40, 90, 20)]
    padded = np.full((20, 2, 90), np.nan)
    for row, one in zip(padded, series, strict=True):
        row[:, : one.shape[1]] = one
    for known, queries in (
        (series, padded),
        (padded, series),
        (padded, np.ma.masked_invalid(padded)),
    ):
        found = TSPulseRetriever(1).fit(known).kneighbors(queries, return_distance=False)
        assert found[:, 0].tolist() == list(range(20))
