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


def test_all_channels_are_drawn(panel, retriever):
    X, _ = panel
    display = RetrievalDisplay.from_estimator(retriever, X[0], X[1:])
    ids = retriever.kneighbors(X[:1])[1][0]
    assert len(display.lines_) == 4 * 2
    for row, (ax, i) in enumerate(zip(display.axes_, [0, *(ids + 1)], strict=True)):
        texts = [text.get_text().split("\n")[0] for text in ax.get_yticklabels()]
        assert texts == ["channel 0", "channel 1"]
        for channel, line in enumerate(display.lines_[2 * row : 2 * row + 2]):
            values = X[i, channel]
            expected = (values - values.min()) / np.ptp(values) - 1.2 * channel
            np.testing.assert_allclose(line.get_ydata(), expected)


def test_a_channel_is_chosen_by_name_or_number(panel, retriever):
    X, _ = panel
    query = pd.DataFrame(X[0].T, columns=["flow", "heat"])
    for channel in ("heat", 1, -1):
        display = RetrievalDisplay.from_estimator(retriever, query, X[1:], channel=channel)
        assert display.axes_[0].get_ylabel() == "heat"
        np.testing.assert_array_equal(display.lines_[0].get_ydata(), X[0, 1])
    for channel in ("cold", 2):
        with pytest.raises(
            ValueError, match=r"channel is .*below 2 or one of .*\['flow', 'heat'\]"
        ):
            RetrievalDisplay.from_estimator(retriever, query, X[1:], channel=channel)


def test_windows_of_recordings_have_dates():
    stamps = pd.date_range("2025-03-01", periods=300, freq="h", tz="Europe/Berlin")
    values = np.random.default_rng(0).normal(size=(300, 1)).cumsum(axis=0)
    frame = pd.DataFrame(values, stamps, ["flow"])
    retriever = TSPulseRetriever(2, window=64, stride=32).fit([values.T])
    display = RetrievalDisplay.from_estimator(retriever, frame[32:96], [frame])
    starts = [line.get_xdata()[0] for line in display.lines_]
    found = retriever.locate(retriever.kneighbors(values[32:96].T[None])[1][0])[1]
    expected = stamps[[32, *found]].tz_convert("UTC").tz_localize(None).to_numpy()
    np.testing.assert_array_equal(starts, expected)
    assert display.axes_[-1].get_xlabel() == "time (Europe/Berlin)"
    display.figure_.canvas.draw()
    assert display.axes_[0].get_xticklabels()[0].get_visible()


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
