"""Embeddings of panels: parts and channels, invariances, missing values, and errors."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktspulse import TSPulseTransformer
from sktspulse.datasets import make_labelled_panel
from sktspulse.embedding import embed_checked, fitted_transformer
from sktspulse.network.checkpoints import save_checkpoint
from sktspulse.network.config import TSPulseConfig
from sktspulse.network.tspulse import TSPulse

WIDTHS = {"semantic": 240, "time": 1536, "frequency": 1536, "detailed": 3072, "all": 3312}


def draw_panel(n_series=4, n_channels=2, n_timepoints=100, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_series, n_channels, n_timepoints)).cumsum(axis=-1)


def embed(X, **parameters):
    return TSPulseTransformer(**parameters).fit_transform(X)


def assert_close(answer, expected):
    np.testing.assert_allclose(answer, expected, rtol=1e-3, atol=1e-4)


# --------------------------------------------------------------------------- parts, channels


@pytest.mark.parametrize("embedding", WIDTHS)
@pytest.mark.parametrize(("channels", "factor"), [("concatenate", 3), ("mean", 1)])
def test_an_embedding_is_one_row_of_single_precision_per_series(embedding, channels, factor):
    answer = embed(draw_panel(2, 3), embedding=embedding, channels=channels)
    assert answer.shape == (2, factor * WIDTHS[embedding])
    assert answer.dtype == np.float32


def test_embeddings_are_parts_of_the_largest():
    X = draw_panel()
    parts = {embedding: embed(X, embedding=embedding, channels="mean") for embedding in WIDTHS}
    detailed = np.hstack([parts["time"], parts["frequency"]])
    np.testing.assert_array_equal(parts["detailed"], detailed)
    np.testing.assert_array_equal(parts["all"], np.hstack([detailed, parts["semantic"]]))


def test_channels_follow_one_another_or_are_averaged():
    X = draw_panel(3, 4)
    apart = [embed(X[:, [channel]]) for channel in range(4)]
    assert_close(embed(X), np.hstack(apart))
    assert_close(embed(X, channels="mean"), np.mean(apart, axis=0))


def test_the_length_of_the_network_needs_no_choice():
    X = draw_panel(2, 2, 512)
    np.testing.assert_array_equal(embed(X), embed(X, windowing="sliding"))


# --------------------------------------------------------------------------- invariances


@pytest.mark.parametrize("windowing", ["resample", "sliding"])
@pytest.mark.parametrize(("factor", "shift"), [(1e-9, 0), (1e9, 0), (1e-4, 5), (20, -1e5)])
def test_level_and_scale_do_not_matter(windowing, factor, shift):
    X = draw_panel()
    X[0, 1, 10:30] = np.nan
    assert_close(embed(factor * X + shift, windowing=windowing), embed(X, windowing=windowing))


@pytest.mark.parametrize("windowing", ["resample", "sliding"])
def test_channels_have_units_of_their_own(windowing):
    X = draw_panel()
    assert_close(embed(X * [[1e-6], [1e6]], windowing=windowing), embed(X, windowing=windowing))


@pytest.mark.parametrize("windowing", ["resample", "sliding"])
def test_a_series_does_not_depend_on_the_others(windowing):
    lengths = [90, 700, 2000, 512, 33, 1500] * 3
    X = [draw_panel(1, 2, n, seed)[0] for seed, n in enumerate(lengths)]
    transformer = TSPulseTransformer(windowing=windowing).fit(X)
    together = transformer.transform(X)
    alone = np.vstack([transformer.transform([one]) for one in X])
    assert_close(together, alone)
    assert_close(transformer.transform(X[::-1]), together[::-1])


def test_the_container_does_not_matter():
    X = draw_panel(3, 1, 40)
    expected = embed(X)
    frames = [
        frame({f"t{i}": X[:, 0, i] for i in range(40)}) for frame in (pd.DataFrame, pl.DataFrame)
    ]
    others = [X[:, 0], X.tolist(), list(X), list(X[:, 0]), np.asfortranarray(X), *frames]
    for other in others:
        assert_close(embed(other), expected)
    assert_close(embed(X.astype(np.float32)), expected)


# --------------------------------------------------------------------------- missing values


@pytest.mark.parametrize("windowing", ["resample", "sliding"])
def test_missing_constant_and_nearly_empty_channels_have_finite_embeddings(windowing):
    X = draw_panel(1, 5, 100)
    X[0, 0] = np.nan
    X[0, 1] = 3.7
    X[0, 2, 1:] = np.nan
    X[0, 3, ::2] = np.nan
    assert np.isfinite(embed(X, windowing=windowing, embedding="all")).all()


def test_a_constant_is_a_flat_line_and_not_nothing():
    X = np.stack([np.full(512, 5.0), np.full(512, -1e9), np.full(512, np.nan)])
    flat, other, nothing = embed(X)
    np.testing.assert_array_equal(flat, other)
    assert np.abs(flat - nothing).max() > 1e-3


def test_a_few_missing_values_change_an_embedding_little():
    X, _ = make_labelled_panel(20, 512, n_classes=4, random_state=0)
    gappy = np.where(np.random.default_rng(0).random(X.shape) < 0.05, np.nan, X)
    whole, partial = embed(X), embed(gappy)
    nearest = ((partial[:, None] - whole) ** 2).sum(axis=-1).argmin(axis=1)
    assert (nearest == np.arange(20)).mean() > 0.9


@settings(max_examples=20)
@given(
    st.lists(st.integers(8, 40), min_size=1, max_size=4),
    st.integers(1, 3),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from([0.0, 0.5, 0.95, 1.0]),
    st.sampled_from([0.0, 1e-20, 1.0, 1e30]),
    st.sampled_from(["resample", "sliding"]),
    st.integers(0, 2**31),
)
def test_every_panel_has_a_finite_embedding(
    lengths, n_channels, dtype, missing_fraction, unit, windowing, seed
):
    rng = np.random.default_rng(seed)
    X = [(unit * rng.normal(size=(n_channels, n))).astype(dtype) for n in lengths]
    X[0][0] = 1.0
    for one in X:
        one[rng.random(one.shape) < missing_fraction] = np.nan
    before = copy.deepcopy(X)
    answer = embed(X, windowing=windowing, batch_size=4)
    assert answer.shape == (len(lengths), 240 * n_channels)
    assert np.isfinite(answer).all()
    for one, kept in zip(X, before, strict=True):
        np.testing.assert_array_equal(one, kept)


# --------------------------------------------------------------------------- names and frames


def test_names_have_channel_part_and_number():
    transformer = TSPulseTransformer("all").fit(draw_panel(2, 3))
    names = transformer.get_feature_names_out()
    assert len(set(names)) == len(names) == 3 * 3312
    ends = [names[i] for i in (0, 1535, 1536, 3072, 3312, -1)]
    assert ends[:3] == ["ch0_time0", "ch0_time1535", "ch0_frequency0"]
    assert ends[3:] == ["ch0_semantic0", "ch1_time0", "ch2_semantic239"]
    averaged = TSPulseTransformer(channels="mean").fit(draw_panel(2, 3))
    assert list(averaged.get_feature_names_out()[[0, -1]]) == ["semantic0", "semantic239"]


@pytest.mark.parametrize(("kind", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_embeddings_are_returned_as_frames_if_asked_for(kind, frame):
    X = draw_panel()
    transformer = TSPulseTransformer().set_output(transform=kind)
    answer = transformer.fit_transform(X)
    assert isinstance(answer, frame)
    assert list(answer.columns) == list(transformer.get_feature_names_out())
    np.testing.assert_array_equal(answer.to_numpy(), embed(X))


def test_rows_keep_the_index_of_a_frame():
    X = pd.DataFrame(draw_panel(3, 1, 20)[:, 0], index=["a", "b", "c"])
    answer = TSPulseTransformer().set_output(transform="pandas").fit_transform(X)
    assert list(answer.index) == ["a", "b", "c"]


# --------------------------------------------------------------------------- with scikit-learn


def test_embeddings_separate_classes_where_raw_values_do_not():
    X, y = make_labelled_panel(120, 200, n_classes=6, n_channels=1, random_state=0)
    probe = make_pipeline(StandardScaler(), RidgeClassifier())
    raw = cross_val_score(probe, X[:, 0], y, cv=3).mean()
    embedded = cross_val_score(probe, embed(X), y, cv=3).mean()
    assert raw < 0.6
    assert embedded > 0.9


@pytest.mark.parametrize("as_list", [False, True])
def test_panels_go_through_pipelines_and_searches(as_list):
    X, y = make_labelled_panel(40, 64, n_classes=2, n_channels=2, random_state=0)
    X = [one[:, : 40 + i % 20] for i, one in enumerate(X)] if as_list else X
    train, test, y_train, y_test = train_test_split(X, y, random_state=0)
    model = make_pipeline(TSPulseTransformer(), RidgeClassifier())
    assert cross_val_score(model, X, y, cv=3).min() > 0.7
    grid = {
        "tspulsetransformer__embedding": ["semantic", "frequency"],
        "tspulsetransformer__channels": ["concatenate", "mean"],
    }
    search = GridSearchCV(model, grid, cv=2).fit(train, y_train)
    assert search.score(test, y_test) > 0.7
    assert len(search.cv_results_["params"]) == 4


def test_clones_are_unfitted_and_equal():
    parameters = {"embedding": "all", "channels": "mean", "windowing": "sliding", "batch_size": 7}
    fitted = TSPulseTransformer(**parameters).fit(draw_panel())
    twin = clone(fitted)
    assert twin.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        twin.transform(draw_panel())
    with pytest.raises(NotFittedError):
        twin.get_feature_names_out()


# --------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"embedding": "short"}, "'embedding' parameter of TSPulseTransformer must be a str among"),
        ({"channels": "max"}, "'channels' parameter .* must be a str among"),
        ({"windowing": 512}, "'windowing' parameter .* must be a str among"),
        ({"batch_size": 0}, "'batch_size' parameter .* must be an int in the range"),
        ({"batch_size": 1.5}, "'batch_size' parameter .* must be an int in the range"),
        ({"checkpoint": "tspulse-p9"}, "tspulse-p8"),
    ],
)
def test_bad_parameters_are_refused_when_fitting(parameters, message):
    transformer = TSPulseTransformer(**parameters)
    with pytest.raises(ValueError, match=message):
        transformer.fit(draw_panel())
    assert not [name for name in vars(transformer) if name.endswith("_")]


@pytest.mark.filterwarnings("ignore:X is read as:UserWarning")
@pytest.mark.parametrize(
    ("windowing", "n_timepoints", "message"),
    [
        ("resample", 1, "length 1, but TSPulseTransformer needs at least 2 time points"),
        ("sliding", 7, "length 7, but TSPulseTransformer needs at least 8 time points"),
    ],
)
def test_one_time_point_too_few_is_refused(windowing, n_timepoints, message):
    with pytest.raises(ValueError, match=message):
        embed(draw_panel(2, 2, n_timepoints), windowing=windowing)
    assert len(embed(draw_panel(2, 2, n_timepoints + 1), windowing=windowing)) == 2


def test_a_failed_fit_changes_nothing():
    X = draw_panel(2, 2)
    transformer = TSPulseTransformer().fit(X)
    before = copy.deepcopy(vars(transformer))
    with pytest.raises(ValueError, match="infinity"):
        transformer.fit(np.full((2, 3, 40), np.inf))
    assert vars(transformer) == before


def test_embeddings_that_a_network_lacks_are_refused(tmp_path):
    sizes = {"dual_space": False, "frequency_head": False, "n_layers": 1}
    path = tmp_path / "single.safetensors"
    save_checkpoint(TSPulse(TSPulseConfig(**sizes)), path)
    X = draw_panel(2, 1)
    assert embed(X, embedding="time", checkpoint=path).shape == (2, 1536)
    for embedding in ("frequency", "detailed", "all"):
        with pytest.raises(ValueError, match=r"needs tokens for \['frequency'\]"):
            embed(X, embedding=embedding, checkpoint=path)


# --------------------------------------------------------------------------- containers


def test_series_padded_with_nan_are_those_of_a_list():
    X = [draw_panel(1, 2, n, seed)[0] for seed, n in enumerate([60, 100, 87])]
    padded = np.full((3, 2, 100), np.nan)
    for row, one in zip(padded, X, strict=True):
        row[:, : one.shape[1]] = one
    for windowing in ("resample", "sliding"):
        expected = embed(X, windowing=windowing)
        assert_close(embed(padded, windowing=windowing), expected)
        assert_close(embed(np.ma.masked_invalid(padded), windowing=windowing), expected)


def test_rows_have_the_labels_of_the_cases():
    X = draw_panel(3, 2, 20)
    frames = {name: pd.DataFrame(one.T) for name, one in zip("bac", X, strict=True)}
    answer = (
        TSPulseTransformer()
        .set_output(transform="pandas")
        .fit_transform(pd.concat(frames, names=["case", "time"]))
    )
    assert list(answer.index) == ["b", "a", "c"]
    assert_close(answer.to_numpy(), embed(X))


@pytest.mark.parametrize(("kind", "frame"), [("pandas", pd.DataFrame), ("polars", pl.DataFrame)])
def test_frames_are_returned_if_the_configuration_says_so(kind, frame):
    X = [pd.DataFrame(one.T) for one in draw_panel(4, 2, 20)]
    with config_context(transform_output=kind):
        answer = embed(X)
        assert isinstance(answer, frame)
        model = make_pipeline(TSPulseTransformer(), StandardScaler(), RidgeClassifier())
        assert model.fit(X, [0, 1, 0, 1]).predict(X).shape == (4,)
        (inside,) = (embed_checked(TSPulseTransformer().fit(X), draw_panel(1)),)
    assert isinstance(inside, np.ndarray)


def test_a_transformer_for_some_channels_is_that_of_fit():
    X = draw_panel(3, 2, 20)
    expected = TSPulseTransformer("time").fit(X)
    found = fitted_transformer(2, embedding="time")
    assert vars(found) == vars(expected)
    assert_close(found.transform(X), expected.transform(X))
