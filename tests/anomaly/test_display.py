"""The figure shows the recording, the scores and the segments it was given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sktspulse import AnomalyScoreDisplay, TSPulseAnomalyDetector


@pytest.fixture
def recording() -> np.ndarray:
    X = np.random.default_rng(0).normal(size=(60, 2))
    X[30:33, 1] += 20
    return X


def labels(display: AnomalyScoreDisplay) -> list[str]:
    return [line.get_label() for line in display.lines_]


def test_a_detector_is_drawn(recording):
    detector = TSPulseAnomalyDetector(("time", "level"), smoothing=3).fit(recording)
    display = AnomalyScoreDisplay.from_estimator(detector, recording)
    assert labels(display) == ["channel 0", "channel 1", "time", "level", "score"]
    np.testing.assert_array_equal(
        display.lines_[-1].get_ydata(), -detector.score_samples(recording)
    )
    assert len(display.segments) == len(display.axes_[0].patches) > 0
    display.figure_.canvas.draw()


def test_scores_of_any_detector_are_drawn(recording):
    scores = -np.abs(recording).max(1)
    plain = AnomalyScoreDisplay.from_predictions(recording, scores)
    assert plain.segments is None
    assert labels(plain) == ["channel 0", "channel 1", "score"]
    marked = AnomalyScoreDisplay.from_predictions(recording, scores, offset=-10)
    assert marked.segments.tolist() == [(30, 33)]


def test_names_and_times_come_from_the_data_frame(recording):
    index = pd.date_range("2024-01-01", periods=60, freq="h")
    frame = pd.DataFrame(recording, index=index, columns=["flow", "heat"])
    display = AnomalyScoreDisplay.from_predictions(frame, np.zeros(60), offset=-1.0)
    assert display.names == ["flow", "heat"]
    assert (display.index == index.to_numpy()).all()


def test_channels_that_raised_segments_come_first():
    X = np.zeros((40, 30))
    segments = np.array([(3, 5, -9.0, 21)], dtype="i8, i8, f8, i8")
    segments.dtype.names = ("start", "end", "score", "channel")
    display = AnomalyScoreDisplay.from_predictions(X, np.zeros(40), segments=segments)
    assert labels(display)[:-1] == [f"channel {i}" for i in (0, 1, 2, 3, 4, 5, 6, 21)]


def test_missing_and_constant_channels_are_drawn():
    X = np.full((40, 2), np.nan)
    X[:, 1] = 3.0
    display = AnomalyScoreDisplay.from_predictions(X, np.zeros(40), offset=-1.0)
    display.figure_.canvas.draw()
    assert len(display.lines_) == 3


def test_given_axes_are_used(recording):
    first = AnomalyScoreDisplay.from_predictions(recording, np.zeros(60))
    again = first.plot(first.axes_)
    assert again.figure_ is first.axes_[0].figure


@pytest.mark.parametrize(("X", "scores"), [((60,), 60), ((60, 2), 59)])
def test_shapes_that_do_not_fit_are_refused(X, scores):
    with pytest.raises(ValueError, match="X and scores have shapes"):
        AnomalyScoreDisplay.from_predictions(np.zeros(X), np.zeros(scores))
