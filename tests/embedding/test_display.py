"""Plots of embeddings, and the axes they are drawn on."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from sklearn import config_context

from sktspulse import EmbeddingDisplay, TSPulseTransformer
from sktspulse.datasets import make_labelled_panel


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


@pytest.mark.parametrize("n_classes", [2, 10, 14, 42])
def test_every_class_has_a_colour_and_marker_of_its_own(n_classes):
    y = np.array([f"class {i % n_classes}" for i in range(42)])
    vectors = np.random.default_rng(0).normal(size=(42, 3))
    ax = EmbeddingDisplay.from_embeddings(vectors, y).ax_
    assert len(ax.collections) == n_classes
    shapes = [points.get_paths()[0].vertices[:9].tobytes() for points in ax.collections]
    colours = [points.get_facecolor()[0].tobytes() for points in ax.collections]
    styles = set(zip(colours, shapes, strict=True))
    assert len(styles) == n_classes
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == sorted(set(y))[:40]


def test_a_legend_of_many_classes_fits_the_figure():
    y = np.arange(100)
    display = EmbeddingDisplay.from_embeddings(np.random.default_rng(0).normal(size=(100, 3)), y)
    display.figure_.canvas.draw()
    legend = display.ax_.get_legend()
    assert legend.get_title().get_text() == "class (60 more)"
    box, whole = legend.get_window_extent(), display.figure_.bbox
    assert whole.x0 <= box.x0 < box.x1 <= whole.x1 + 1
    assert whole.y0 <= box.y0 < box.y1 <= whole.y1
    assert display.ax_.get_window_extent().width > 200


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
    with pytest.raises(ImportError, match=r"pip install '\.\[plot\]'"):
        display.plot()


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("n_classes", [None, 2])
def test_the_choice_of_a_container_makes_no_difference(library, n_classes):
    X, y = make_labelled_panel(n_series=12, random_state=0)
    y = y if n_classes else None
    expected = EmbeddingDisplay.from_estimator(TSPulseTransformer().fit(X), X, y)
    with config_context(transform_output=library):
        display = EmbeddingDisplay.from_estimator(TSPulseTransformer().fit(X), X, y)
    np.testing.assert_allclose(display.coordinates, expected.coordinates, atol=1e-4)
