"""What is compared: short gaps are bridged, level and scale count only if asked to."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from retrieval.retrieval_cases import draw_panel

from sktspulse import TSPulseRetriever, TSPulseTransformer
from sktspulse.retrieval.vectorizer import LevelScaler, SeriesVectorizer, bridge_short_gaps


def bridged_in_loops(channel):
    """Look at every gap in turn."""
    result, known = channel.copy(), np.flatnonzero(~np.isnan(channel))
    for before, after in pairwise(known):
        if 0 < after - before - 1 <= max(1, len(channel) // 32):
            for i in range(before + 1, after):
                share = (i - before) / (after - before)
                result[i] = channel[before] * (1 - share) + channel[after] * share
    return result


@given(st.integers(1, 130), st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.integers(0, 2**31))
def test_gaps_are_bridged_as_one_by_one(n_timepoints, missing_rate, seed):
    rng = np.random.default_rng(seed)
    series = rng.normal(size=(3, n_timepoints))
    series[rng.random(series.shape) < missing_rate] = np.nan
    given_ = series.copy()
    expected = [bridged_in_loops(channel) for channel in series]
    np.testing.assert_allclose(bridge_short_gaps(series), expected, atol=1e-12)
    np.testing.assert_array_equal(series, given_)


def test_long_gaps_and_ends_are_left():
    series = np.arange(96.0)[None]
    series[0, [0, 1, 10, 11, 12, 20, 21, 22, 23, 95]] = np.nan
    left = np.flatnonzero(np.isnan(bridge_short_gaps(series)[0]))
    assert left.tolist() == [0, 1, 20, 21, 22, 23, 95]


def test_series_with_scattered_gaps_find_themselves():
    X = draw_panel(30, 1, 200)
    queries = X.copy()
    queries[np.random.default_rng(1).random(X.shape) < 0.2] = np.nan
    ids = TSPulseRetriever(1).fit(X).kneighbors(queries, return_distance=False)
    assert (ids[:, 0] == np.arange(30)).mean() > 0.9


@pytest.mark.parametrize("channels", ["concatenate", "mean"])
def test_level_and_scale_count_only_if_asked_to(channels):
    shape = draw_panel(1, 2)[0]
    X = np.stack([shape * scale + level for level in (0, 50, 100) for scale in (1, 10)])
    query = X[[3]] + 0.1
    plain = TSPulseRetriever(6, channels=channels).fit(X)
    np.testing.assert_allclose(plain.kneighbors(query)[0], 0, atol=1e-2)
    levels = TSPulseRetriever(6, channels=channels, normalize=False).fit(X)
    distances, ids = levels.kneighbors(query)
    assert ids[0, 0] == 3
    assert distances[0, 1] > 100 * distances[0, 0]


def test_the_unit_of_all_series_together_does_not_matter():
    X, queries = draw_panel(20, 2), draw_panel(4, 2, seed=1)
    search = TSPulseRetriever(5, normalize=False)
    distances, ids = search.fit(X).kneighbors(queries)
    others, other_ids = search.fit(1e3 * X - 7).kneighbors(1e3 * queries - 7)
    np.testing.assert_array_equal(ids, other_ids)
    np.testing.assert_allclose(distances, others, rtol=1e-3)


def test_level_and_scale_together_count_as_much_as_the_shape():
    rng = np.random.default_rng(0)
    numbers, vectors = rng.normal(7, 3, (500, 2)), rng.normal(size=(500, 9)).astype(np.float32)
    added = LevelScaler.fit(numbers, vectors).transform(numbers)
    np.testing.assert_allclose(added.var(0).sum(), vectors.var(0).sum(), rtol=1e-5)


def test_series_without_level_or_scale_have_finite_distances():
    X = draw_panel(6, 1)
    X[4], X[5] = np.nan, 3.0
    search = TSPulseRetriever(6, normalize=False).fit(X)
    distances, _ = search.kneighbors(X)
    assert np.isfinite(distances).all()


@pytest.mark.parametrize(("indexed", "asked"), [(1e300, 1e-300), (1e-310, 1e300), (1e-300, -1e300)])
def test_no_level_or_scale_is_too_far_out(indexed, asked):
    search = TSPulseRetriever(6, normalize=False).fit(draw_panel(6) * indexed)
    distances, _ = search.kneighbors(draw_panel(2, seed=1) * asked)
    assert np.isfinite(distances).all()


def test_one_series_is_enough_to_begin_with():
    X = draw_panel(5)
    search = TSPulseRetriever(1, normalize=False).partial_fit(X[:1]).partial_fit(X[1:])
    assert search.kneighbors(X, return_distance=False).ravel().tolist() == list(range(5))


@pytest.mark.parametrize(("channels", "n_levels"), [("concatenate", 4), ("mean", 2)])
def test_levels_follow_the_embeddings(channels, n_levels):
    panel = list(draw_panel(6, 2))
    transformer = TSPulseTransformer(channels=channels, checkpoint="tspulse-p16").fit(panel)
    plain, scaled = SeriesVectorizer(transformer), SeriesVectorizer.fit(transformer, panel)
    vectors = scaled(panel)
    assert vectors.dtype == np.float32
    assert vectors.shape == (6, scaled.n_features) == (6, plain.n_features + n_levels)
    np.testing.assert_array_equal(vectors[:, : plain.n_features], plain(panel))
    numbers = [[[one.mean(-1), np.log(one.std(-1))] for one in series] for series in panel]
    levels = np.array(numbers).transpose(0, 2, 1)  # (n, level and scale, C)
    levels = levels.mean(-1) if channels == "mean" else levels.reshape(6, -1)
    expected = scaled.level_scaler.transform(levels)
    np.testing.assert_allclose(vectors[:, plain.n_features :], expected, rtol=1e-4)
