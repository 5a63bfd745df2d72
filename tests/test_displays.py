"""Figures show what the estimators answered, on the axes they were given."""

from __future__ import annotations

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


def test_shapes_that_differ_are_refused(recording):
    with pytest.raises(ValueError, match=r"shapes \(600, 2\) and \(599, 2\)"):
        ImputationDisplay.from_predictions(recording, recording[1:])


def test_every_series_is_a_point_of_its_class():
    X, y = make_labelled_panel(n_series=12, random_state=0)
    display = EmbeddingDisplay.from_estimator(TSPulseTransformer().fit(X), X, y)
    drawn = sum(len(collection.get_offsets()) for collection in display.ax_.collections)
    assert drawn == len(X)
