"""The figure shows known values, filled values and the band, on the axes given."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from sktspulse import ImputationDisplay, TSPulseImputer
from sktspulse.datasets import make_gappy_series


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


def test_the_band_covers_nine_in_ten_true_values():
    X = np.arange(8.0)[:, None] * [1, 2]
    X[3:5, 1] = np.nan
    std = np.where(np.isnan(X), 2.0, 0.0)
    filled = np.arange(8.0)[:, None] * [1, 2]
    display = ImputationDisplay.from_predictions(X, filled, std, channel=1)
    corners = display.band_.get_paths()[0].vertices
    for t in (3, 4):
        heights = corners[corners[:, 0] == t, 1]
        np.testing.assert_allclose(
            [heights.min(), heights.max()], 2 * t + 1.6449 * np.array([-2, 2])
        )
    assert {2, 5} <= set(corners[:, 0]) <= {2, 3, 4, 5}
    assert ImputationDisplay.from_predictions(X, filled).band_ is None


def test_an_imputer_draws_its_band(recording):
    imputer = TSPulseImputer(random_state=0).fit(recording)
    display = ImputationDisplay.from_estimator(imputer, recording)
    np.testing.assert_array_equal(display.std > 0, np.isnan(display.recording))
    assert "90 %" in [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_an_imputer_without_blend_has_no_band(recording):
    imputer = TSPulseImputer(blend=False).fit(recording)
    assert ImputationDisplay.from_estimator(imputer, recording).band_ is None


def test_missing_rows_are_shown_filled(recording):
    index = pd.date_range("2024-01-01", periods=len(recording), freq="h")
    frame = pd.DataFrame(recording, index=index, columns=["load", "heat"])
    sparse = frame.drop(index[100:110])
    imputer = TSPulseImputer(random_state=0, freq="h").fit(sparse)
    display = ImputationDisplay.from_estimator(imputer, sparse)
    np.testing.assert_array_equal(display.index, index.to_numpy())
    assert np.isnan(display.recording[100:110]).all()
    assert np.isfinite(display.filled).all()


def test_shapes_that_differ_are_refused(recording):
    with pytest.raises(ValueError, match=r"shapes \(600, 2\) and \(599, 2\)"):
        ImputationDisplay.from_predictions(recording, recording[1:])
