"""Alarms are counted as the detector raises them, at every threshold and for known rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.ensemble import IsolationForest

from sktspulse import AlarmRateDisplay, AnomalyScoreDisplay, TSPulseAnomalyDetector


def recording(n_timepoints: int = 400) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n_timepoints, 2))


@pytest.fixture(scope="module")
def faulty() -> np.ndarray:
    X = recording()
    X[100:103, 1] += 20
    X[250:280, 0] += 9
    X[300:310] = np.nan
    return X


@pytest.fixture(scope="module")
def fitted() -> TSPulseAnomalyDetector:
    return TSPulseAnomalyDetector(("level", "variation")).fit(recording())


def naive_counts(scores: np.ndarray, threshold: float) -> tuple[float, int]:
    """Walk through the rows one by one."""
    n_known = n_alarmed = n_segments = 0
    before = False
    for score in scores:
        alarmed = not np.isnan(score) and score < -threshold
        n_known += not np.isnan(score)
        n_alarmed += alarmed
        n_segments += alarmed and not before
        before = alarmed
    return 1000 * n_alarmed / n_known, n_segments


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
def test_counts_are_those_of_a_walk_through_the_rows(scale):
    rng = np.random.default_rng(1)
    scores = -scale * np.repeat(rng.exponential(size=60), rng.integers(1, 6, 60))
    scores[rng.random(len(scores)) < 0.2] = np.nan
    display = AlarmRateDisplay.from_predictions(scores, offset=-scale)
    assert len(display.thresholds) == 101
    assert scale in display.thresholds
    expected = [naive_counts(scores, one) for one in display.thresholds]
    np.testing.assert_allclose(display.alarmed_per_1000, [rate for rate, _ in expected])
    np.testing.assert_array_equal(display.n_segments, [count for _, count in expected])
    assert display.alarmed_per_1000[0] > 300
    assert display.alarmed_per_1000[-1] == 0
    assert (np.diff(display.alarmed_per_1000) <= 0).all()


@pytest.mark.parametrize("offset", [-1.0, -2.0, -0.5])
def test_counts_are_those_of_the_detector_with_any_offset(fitted, faulty, offset):
    X = faulty[:300]
    usual, fitted.offset_ = fitted.offset_, offset
    try:
        display = AlarmRateDisplay.from_estimator(fitted, X, thresholds=[-offset])
        drawn = AnomalyScoreDisplay.from_estimator(fitted, X)
        scores, predicted = fitted.score_samples(X), fitted.predict(X)
        decisions, segments = fitted.decision_function(X), fitted.predict_segments(X)
    finally:
        fitted.offset_ = usual
    np.testing.assert_array_equal(predicted == -1, scores < offset)
    np.testing.assert_array_equal(decisions, scores - offset)
    inside = np.zeros(len(X), bool)
    for start, end in segments[["start", "end"]]:
        inside[start:end] = True
    np.testing.assert_array_equal(inside, predicted == -1)
    assert drawn.segments.tolist() == segments.tolist()
    assert display.alarmed_per_1000 == pytest.approx([1000 * inside.mean()])
    assert display.n_segments.tolist() == [len(segments)]
    assert 0 < inside.mean() < 1


def test_missing_rows_do_not_count(fitted, faulty):
    display = AlarmRateDisplay.from_estimator(fitted, faulty, thresholds=[1e-9, 1])
    known = ~np.isnan(faulty).all(1)
    alarmed = fitted.predict(faulty) == -1
    assert display.alarmed_per_1000[1] == pytest.approx(1000 * alarmed[known].mean())
    assert display.alarmed_per_1000[0] == 1000
    assert display.n_segments[0] == 2  # missing rows divide them


@pytest.mark.parametrize("kind", ["pandas", "polars", "masked"])
def test_any_container_is_counted_alike(fitted, faulty, kind):
    stamps = pd.date_range("2025-01-01", periods=len(faulty), freq="h")
    kinds = {
        "pandas": lambda X: pd.DataFrame(X, stamps, ["flow", "heat"]),
        "polars": lambda X: pl.DataFrame(X, schema=["flow", "heat"]),
        "masked": np.ma.masked_invalid,
    }
    make = kinds[kind]
    own = TSPulseAnomalyDetector(fitted.heads_).fit(make(recording()))
    display = AlarmRateDisplay.from_estimator(own, make(faulty))
    expected = AlarmRateDisplay.from_estimator(fitted, faulty)
    np.testing.assert_array_equal(display.alarmed_per_1000, expected.alarmed_per_1000)
    np.testing.assert_array_equal(display.n_segments, expected.n_segments)


def test_another_outlier_detector_is_drawn():
    forest = IsolationForest(n_estimators=10, random_state=0).fit(recording())
    display = AlarmRateDisplay.from_estimator(forest, recording(), thresholds=[-forest.offset_])
    alarmed = forest.predict(recording()) == -1
    assert display.alarmed_per_1000 == pytest.approx([1000 * alarmed.mean()])


def test_the_threshold_is_marked_and_axes_are_used_again():
    display = AlarmRateDisplay.from_predictions([-0.1, -0.5, -3.0], offset=-2)
    names = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert names == ["alarmed rows", "segments", "present threshold"]
    assert display.ax_.get_xscale() == "log"
    np.testing.assert_array_equal(display.line_.get_ydata(), display.alarmed_per_1000)
    assert display.figure_ is display.ax_.figure
    display.figure_.canvas.draw()
    assert display.plot(display.ax_).ax_ is display.ax_


@pytest.mark.parametrize("scores", [[0.0, 0.0], [0.0, -2.0], [5.0, 3.0], [-1.0, -np.inf]])
@pytest.mark.parametrize("offset", [None, -1.0, 0.5, -np.inf])
def test_unusual_scores_are_drawn(scores, offset):
    display = AlarmRateDisplay.from_predictions(scores, offset=offset)
    assert np.isfinite(display.thresholds).all()
    display.figure_.canvas.draw()


@pytest.mark.parametrize("scores", [np.zeros((3, 2)), [], [np.nan, np.nan]])
def test_scores_without_one_for_each_row_are_refused(scores):
    with pytest.raises(ValueError, match="scores has shape"):
        AlarmRateDisplay.from_predictions(scores)


@pytest.mark.parametrize("thresholds", [[-1.0], [0.0, 1.0], [], [np.nan]])
def test_thresholds_that_are_not_positive_are_refused(thresholds):
    with pytest.raises(ValueError, match=r"pass -detector.offset_"):
        AlarmRateDisplay.from_predictions([-1.0, -2.0], thresholds=thresholds)
