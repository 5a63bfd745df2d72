"""The figure shows the recording, the scores and the segments, from one pass of the network."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sktspulse import AnomalyScoreDisplay, TSPulseAnomalyDetector
from sktspulse.anomaly import head_errors
from sktspulse.network import reconstruct


@pytest.fixture
def normal() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(60, 2))


@pytest.fixture
def recording(normal) -> np.ndarray:
    X = normal.copy()
    X[30:33, 1] += 20
    return X


def labels(display: AnomalyScoreDisplay) -> list[str]:
    return [line.get_label() for line in display.lines_]


def test_a_detector_is_drawn(recording, normal):
    detector = TSPulseAnomalyDetector(("time", "variation")).fit(normal)
    display = AnomalyScoreDisplay.from_estimator(detector, recording)
    assert labels(display) == ["channel 0", "channel 1", "time", "variation", "score"]
    np.testing.assert_array_equal(
        display.lines_[-1].get_ydata(), -detector.score_samples(recording)
    )
    assert len(display.segments) == len(display.axes_[0].patches) > 0
    expected = detector.predict_segments(recording)
    assert display.segments.tolist() == expected.tolist()
    np.testing.assert_array_equal([*display.heads.values()], detector.score_heads(recording).T)
    display.figure_.canvas.draw()


def test_the_network_runs_once(recording, monkeypatch):
    detector = TSPulseAnomalyDetector(batch_size=8).fit(recording)
    calls = []
    for method in ("_load_network", "_head_errors"):
        original = getattr(TSPulseAnomalyDetector, method)
        monkeypatch.setattr(
            TSPulseAnomalyDetector,
            method,
            lambda *args, method=method, original=original, **settings: (
                calls.append(method) or original(*args, **settings)
            ),
        )
    rows = []

    def counted(network, windows, heads, **settings):
        rows.append(len(windows))
        return reconstruct(network, windows, heads, **settings)

    monkeypatch.setattr(head_errors, "reconstruct", counted)
    AnomalyScoreDisplay.from_estimator(detector, recording)
    assert calls == ["_load_network", "_head_errors"]
    assert rows == [8, 8]  # a window of each channel, in eight passes


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


def test_a_detector_fitted_on_time_stamps_is_drawn(recording):
    index = pd.date_range("2024-01-01", periods=60, freq="h")
    frame = pd.DataFrame(recording, index=index, columns=["flow", "heat"])
    detector = TSPulseAnomalyDetector("level").fit(frame)
    display = AnomalyScoreDisplay.from_estimator(detector, frame)
    assert labels(display) == ["flow", "heat", "level", "score"]
    assert (display.index == index.to_numpy()).all()
    np.testing.assert_array_equal(display.scores, detector.score_samples(frame))


FRAMES = {
    "stamps": lambda X: pd.DataFrame(
        X, pd.date_range("2024-01-01", periods=60, freq="h", tz="Europe/Berlin"), ["flow", "heat"]
    ),
    "row numbers": lambda X: pd.DataFrame(X, range(5, 65), ["flow", "heat"]),
    "columns of two levels": lambda X: pd.DataFrame(X, columns=[["a", "a"], ["flow", "heat"]]),
    "polars": lambda X: pl.DataFrame(X, schema=["flow", "heat"]),
}


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("offset", [None, -np.inf])
def test_segments_of_a_data_frame_are_drawn(recording, normal, kind, offset):
    frame = FRAMES[kind](recording)
    segments = []
    for X, X_fit in ((recording, normal), (frame, FRAMES[kind](normal))):
        detector = TSPulseAnomalyDetector("level", smoothing=3).fit(X_fit)
        detector.offset_ = detector.offset_ if offset is None else offset
        segments.append(detector.predict_segments(X))
    scores = detector.score_samples(frame)
    expected, given = segments
    display = AnomalyScoreDisplay.from_predictions(frame, scores, segments=given)
    assert display.segments.dtype == expected.dtype
    assert display.segments.tolist() == expected.tolist()
    assert bool(len(expected)) == (offset is None)


def test_channels_of_segments_are_preferred():
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


def test_another_number_of_axes_is_refused(recording):
    display = AnomalyScoreDisplay.from_predictions(recording, np.zeros(60))
    with pytest.raises(ValueError, match="axes"):
        display.plot(display.axes_[:1])


@pytest.mark.parametrize(("X", "scores"), [((60,), 60), ((60, 2), 59)])
def test_inconsistent_shapes_are_refused(X, scores):
    with pytest.raises(ValueError, match="X and scores have shapes"):
        AnomalyScoreDisplay.from_predictions(np.zeros(X), np.zeros(scores))


@pytest.mark.parametrize("threshold", [1e-4, 0.3, 1.0, 3.7, 1000.0])
@pytest.mark.parametrize("ratio", [0.2, 1.3, 4.0, 30.0, 1e4, 1e12])
def test_ticks_of_scores_do_not_overlap(threshold, ratio):
    scores = -ratio * threshold * np.linspace(0.05, 1, 60)
    X = np.zeros((60, 1))
    display = AnomalyScoreDisplay.from_predictions(X, scores, offset=-threshold)
    display.figure_.canvas.draw()
    texts = [text for text in display.axes_[1].get_yticklabels() if text.get_text()]
    boxes = sorted((text.get_window_extent() for text in texts), key=lambda box: box.y0)
    assert len(boxes) >= 2
    assert all(low.y1 < high.y0 for low, high in pairwise(boxes))
    assert f"{threshold:g}" in [text.get_text() for text in texts]


def test_dates_do_not_overlap():
    stamps = pd.date_range("2025-04-07", periods=840, freq="h")
    frame = pd.DataFrame(np.zeros((840, 1)), stamps)
    display = AnomalyScoreDisplay.from_predictions(frame, np.zeros(840), offset=-1.0)
    display.figure_.canvas.draw()
    texts = [text for text in display.axes_[1].get_xticklabels() if text.get_text()]
    boxes = [text.get_window_extent() for text in texts]
    assert len(boxes) >= 3
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))
