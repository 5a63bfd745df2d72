"""The figure shows the query, its neighbours and their positions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sktspulse import RetrievalDisplay, TSPulseRetriever
from sktspulse.datasets import make_labelled_panel


@pytest.fixture(scope="module")
def panel():
    return make_labelled_panel(30, n_classes=3, n_channels=2, random_state=0)


@pytest.fixture(scope="module")
def retriever(panel):
    return TSPulseRetriever(3).fit(panel[0][1:])


def titles(display, loc):
    return [ax.get_title(loc=loc) for ax in display.axes_]


def test_neighbours_stand_below_the_query_the_nearest_first(panel, retriever):
    X, y = panel
    display = RetrievalDisplay.from_estimator(retriever, X[0], X[1:], y[1:], channel=1)
    distances, ids = retriever.kneighbors(X[:1])
    shown = [line.get_ydata() for line in display.lines_]
    for values, i in zip(shown, [0, *(ids[0] + 1)], strict=True):
        np.testing.assert_array_equal(values, X[i, 1])
    names = [f"id {i}, labelled {y[1 + i]}" for i in ids[0]]
    assert titles(display, "left") == ["query", *names]
    assert titles(display, "right") == ["", *(f"distance {d:.3g}" for d in distances[0])]


def test_windows_are_drawn_with_their_positions():
    X = [np.random.default_rng(i).normal(size=n).cumsum() for i, n in enumerate((90, 70))]
    retriever = TSPulseRetriever(1, window=40, stride=10).fit([one[None] for one in X])
    display = RetrievalDisplay.from_estimator(retriever, X[1][20:60], X)
    assert titles(display, "left") == ["query", "id 8: series 1 from 20"]
    np.testing.assert_array_equal(display.lines_[1].get_ydata(), X[1][20:60])
    removed = retriever.remove(8)
    display = RetrievalDisplay.from_estimator(removed, X[1][20:60], X)
    assert titles(display, "left")[1] != "id 8: series 1 from 20"


def test_frames_give_their_rows(panel):
    X = panel[0][:, 0]
    frame = pd.DataFrame(X).rename(columns="t{}".format)
    retriever = TSPulseRetriever(1).fit(X)
    display = RetrievalDisplay.from_estimator(retriever, X[4], frame)
    np.testing.assert_array_equal(display.lines_[1].get_ydata(), X[4])


def test_figures_go_on_given_axes_and_take_a_style(panel, retriever):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2)
    X, _ = panel
    display = RetrievalDisplay.from_estimator(retriever, X[0], X[1:], axes=axes, color="k")
    assert list(display.axes_) == list(axes.flat)
    assert display.figure_ is figure
    assert {line.get_color() for line in display.lines_} == {"k"}
    again = display.plot()
    assert again is display
    assert display.figure_ is not figure


def test_a_wrong_number_of_axes_is_an_error(panel, retriever):
    import matplotlib.pyplot as plt

    X, _ = panel
    with pytest.raises(ValueError, match="axes has 3 axes, but 4 are drawn on"):
        RetrievalDisplay.from_estimator(retriever, X[0], X[1:], axes=plt.subplots(3)[1])


def test_missing_series_are_an_error(panel, retriever):
    X, y = panel
    with pytest.raises(ValueError, match=r"expected \(n_timepoints,\) or \(n_channels"):
        RetrievalDisplay.from_estimator(retriever, X[:1], X[1:])
    with pytest.raises(ValueError, match="X has 0 series, but series"):
        RetrievalDisplay.from_estimator(retriever, X[0], X[:0])
    with pytest.raises(ValueError, match="y has 0 series, but series"):
        RetrievalDisplay.from_estimator(retriever, X[0], X[1:], y[:0])
