"""Figures show what the estimators answered, on the axes they were given."""

from __future__ import annotations

import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from sktspulse import EmbeddingDisplay, ImputationDisplay, TSPulseImputer, TSPulseTransformer
from sktspulse.datasets import make_gappy_series, make_labelled_panel


@pytest.fixture(autouse=True)
def no_window():
    mpl.use("Agg")
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.fixture(scope="module")
def recording():
    return make_gappy_series(n_timepoints=600, n_channels=2, random_state=0)[0]


@pytest.fixture(scope="module")
def imputer(recording):
    return TSPulseImputer(random_state=0).fit(recording)


def test_every_filled_point_is_marked_and_no_other(imputer, recording):
    display = ImputationDisplay.from_estimator(imputer, recording, channel=1)
    known, filled = display.lines_
    missing = np.isnan(recording[:, 1])
    np.testing.assert_array_equal(known.get_ydata(), recording[:, 1])
    np.testing.assert_array_equal(filled.get_markevery(), missing)
    answer = imputer.transform(recording)[:, 1]
    np.testing.assert_array_equal(filled.get_ydata()[missing], answer[missing])


def test_the_line_of_a_gap_meets_its_neighbours(imputer, recording):
    filled = ImputationDisplay.from_estimator(imputer, recording).lines_[1].get_ydata()
    missing = np.flatnonzero(np.isnan(recording[:, 0]))
    inner = missing[(missing > 0) & (missing < len(recording) - 1)]
    assert np.isfinite(filled[inner - 1]).all()
    assert np.isfinite(filled[inner + 1]).all()


def test_a_frame_gives_index_and_name(imputer, recording):
    index = pd.date_range("2024-01-01", periods=len(recording), freq="h")
    frame = pd.DataFrame(recording, index=index, columns=["load", "heat"])
    filled = frame.interpolate(limit_direction="both")
    display = ImputationDisplay.from_predictions(frame, filled, channel=1)
    assert display.ax_.get_ylabel() == "heat"
    np.testing.assert_array_equal(display.index, index.to_numpy())


def test_figures_go_on_given_axes(imputer, recording):
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    display = ImputationDisplay.from_estimator(imputer, recording, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure


def test_a_band_shows_where_nine_in_ten_true_values_lie():
    X = np.arange(8.0)[:, None] * [1, 2]
    X[3:5, 1] = np.nan
    std = np.where(np.isnan(X), 2.0, 0.0)
    filled = np.arange(8.0)[:, None] * [1, 2]
    display = ImputationDisplay.from_predictions(X, filled, std, channel=1)
    corners = display.band_.get_paths()[0].vertices
    for t in (3, 4):
        heights = corners[corners[:, 0] == t, 1]
        np.testing.assert_allclose(
            [heights.min(), heights.max()], 2 * t + 1.645 * np.array([-2, 2])
        )
    assert {2, 5} <= set(corners[:, 0]) <= {2, 3, 4, 5}
    assert ImputationDisplay.from_predictions(X, filled).band_ is None


def test_an_imputer_draws_its_band(recording):
    learned = TSPulseImputer(random_state=0).fit(recording)
    display = ImputationDisplay.from_estimator(learned, recording)
    np.testing.assert_array_equal(display.std > 0, np.isnan(display.recording))
    assert "9 in 10" in [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_shapes_that_differ_are_refused(recording):
    with pytest.raises(ValueError, match=r"shapes \(600, 2\) and \(599, 2\)"):
        ImputationDisplay.from_predictions(recording, recording[1:])


def test_every_series_is_a_point_of_its_class():
    X, y = make_labelled_panel(n_series=12, random_state=0)
    display = EmbeddingDisplay.from_estimator(TSPulseTransformer().fit(X), X, y)
    drawn = sum(len(collection.get_offsets()) for collection in display.ax_.collections)
    assert drawn == len(X)


def test_coordinates_are_those_of_the_two_main_directions():
    vectors = np.random.default_rng(0).normal(size=(30, 5)) * [9, 1, 0.1, 4, 1]
    display = EmbeddingDisplay.from_embeddings(vectors)
    centred = vectors - vectors.mean(axis=0)
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ directions[:2].T
    np.testing.assert_allclose(np.abs(display.coordinates), np.abs(expected), atol=1e-9)
    shares = spread**2 / (spread**2).sum()
    np.testing.assert_allclose(display.explained_variance_ratio, shares[:2])
    assert f"({shares[0]:.0%} of the variance)" in display.ax_.get_xlabel()
    np.testing.assert_allclose(display.ax_.collections[0].get_offsets(), display.coordinates)
    assert display.ax_.get_legend() is None


@pytest.mark.parametrize("n_classes", [2, 10, 14])
def test_every_class_has_a_colour_of_its_own(n_classes):
    y = np.array([f"class {i % n_classes}" for i in range(42)])
    vectors = np.random.default_rng(0).normal(size=(42, 3))
    ax = EmbeddingDisplay.from_embeddings(vectors, y).ax_
    assert [text.get_text() for text in ax.get_legend().get_texts()] == sorted(set(y))
    colours = {tuple(points.get_facecolor()[0]) for points in ax.collections}
    assert len(colours) == n_classes


def test_points_go_on_given_axes_and_take_a_style():
    import matplotlib.pyplot as plt

    figure, ax = plt.subplots()
    vectors = np.random.default_rng(0).normal(size=(9, 3))
    display = EmbeddingDisplay.from_embeddings(vectors, ax=ax, color="k", s=3)
    assert (display.ax_, display.figure_) == (ax, figure)
    assert (ax.collections[0].get_facecolor()[0, :3] == 0).all()
    again = display.plot()
    assert again is display
    assert display.ax_ is not ax


@pytest.mark.parametrize(
    ("vectors", "y", "message"),
    [
        (np.ones((1, 3)), None, "minimum of 2"),
        (np.ones((3, 1)), None, "minimum of 2"),
        (np.eye(3), [0, 1], "inconsistent numbers of samples"),
    ],
)
def test_embeddings_that_make_no_plane_are_refused(vectors, y, message):
    with pytest.raises(ValueError, match=message):
        EmbeddingDisplay.from_embeddings(vectors, y)


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    display = EmbeddingDisplay(np.zeros((3, 2)), np.array([0.6, 0.3]))
    with pytest.raises(ImportError, match=r'pip install "sktspulse\[plot\]"'):
        display.plot()
