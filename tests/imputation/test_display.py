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
    assert "90 % interval" in [text.get_text() for text in display.ax_.get_legend().get_texts()]


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


def test_channels_are_chosen_by_name_or_number(recording):
    frame = pd.DataFrame(recording, columns=["load", "heat"])
    filled = frame.interpolate(limit_direction="both")
    for channel in ("heat", 1, -1):
        display = ImputationDisplay.from_predictions(frame, filled, channel=channel)
        assert display.ax_.get_ylabel() == "heat"
        np.testing.assert_array_equal(display.recording, recording[:, 1])
    array = ImputationDisplay.from_predictions(recording, filled.to_numpy(), channel="channel 1")
    np.testing.assert_array_equal(array.recording, recording[:, 1])
    for channel in ("cold", 2, -3):
        with pytest.raises(ValueError, match=r"channel is .*, expected a number below 2 or"):
            ImputationDisplay.from_predictions(frame, filled, channel=channel)


def test_rows_that_are_missing_are_inserted(recording):
    index = pd.date_range("2024-01-01", periods=len(recording), freq="h")
    frame = pd.DataFrame(recording, index, ["load", "heat"])
    sparse, filled = frame.drop(index[100:110]), frame.interpolate(limit_direction="both")
    display = ImputationDisplay.from_predictions(sparse, filled, freq="h")
    np.testing.assert_array_equal(display.lines_[0].get_xdata(), index.to_numpy())
    assert np.isnan(display.lines_[0].get_ydata()[100:110]).all()
    with pytest.raises(ValueError, match="If rows are missing in X only, pass freq"):
        ImputationDisplay.from_predictions(sparse, filled)
    imputer = TSPulseImputer(random_state=0).fit(frame)
    drawn = ImputationDisplay.from_estimator(imputer, sparse, sparse, freq="h")
    assert np.isnan(drawn.truth[100:110]).all()


def test_the_truth_is_drawn_in_the_gaps(imputer, recording):
    truth = make_gappy_series(n_timepoints=600, n_channels=2, random_state=0)[1]
    display = ImputationDisplay.from_estimator(imputer, recording, truth)
    assert [line.get_label() for line in display.lines_] == ["known", "filled", "truth"]
    drawn, missing = display.lines_[2].get_ydata(), np.isnan(recording[:, 0])
    np.testing.assert_array_equal(drawn[missing], truth[missing, 0])
    beside = np.convolve(missing, [1, 1, 1], "same") > 0
    assert np.isnan(drawn[~beside]).all()
    assert len({line.get_color() for line in display.lines_}) == 3
    with pytest.raises(ValueError, match=r"X and X_true have shapes \(600, 2\) and \(599, 2\)"):
        ImputationDisplay.from_estimator(imputer, recording, truth[1:])


@pytest.mark.parametrize("index", [pd.date_range, pd.period_range, pd.timedelta_range])
def test_every_index_is_drawn(recording, index):
    labels = index("1 day" if index is pd.timedelta_range else "2024-01-01", periods=600, freq="h")
    frame = pd.DataFrame(recording, labels)
    display = ImputationDisplay.from_predictions(frame, frame.interpolate(limit_direction="both"))
    display.figure_.canvas.draw()
    assert display.ax_.get_xlabel() == ("time [d]" if index is pd.timedelta_range else "time")
    with pytest.raises(ValueError, match="index has 2 values, but X has 600 rows"):
        ImputationDisplay.from_predictions(recording, recording, index=labels[:2])


def test_a_long_recording_is_decimated_and_keeps_its_gaps():
    X = np.sin(np.arange(200_000.0) / 4)[:, None]
    truth, std = X.copy(), np.zeros_like(X)
    X[77_777:77_790], std[77_777:77_790] = np.nan, 0.5
    filled = np.where(np.isnan(X), 3.0, X)
    display = ImputationDisplay.from_predictions(X, filled, std, truth)
    assert all(len(line.get_ydata()) == 4000 for line in display.lines_)
    assert np.nanmax(display.lines_[1].get_ydata()) == 3
    corners = display.band_.get_paths()[0].vertices
    np.testing.assert_allclose(corners[:, 1].max(), 3 + 1.6449 * 0.5, atol=1e-4)
    assert np.ptp(corners[:, 0]) < 300


def test_the_legend_lies_above_the_data(imputer, recording):
    display = ImputationDisplay.from_estimator(imputer, recording)
    display.figure_.canvas.draw()
    box = display.ax_.get_legend().get_window_extent()
    highest = np.nanmax(display.recording)
    assert box.y0 > display.ax_.transData.transform((0, highest))[1]


@pytest.mark.parametrize("fill", [0.0, np.nan])
def test_constant_and_missing_channels_are_drawn(fill):
    X = np.full((40, 1), fill)
    ImputationDisplay.from_predictions(X, np.zeros((40, 1))).figure_.canvas.draw()


def test_shapes_that_differ_are_refused(recording):
    with pytest.raises(ValueError, match=r"shapes \(600, 2\) and \(599, 2\)"):
        ImputationDisplay.from_predictions(recording, recording[1:])
