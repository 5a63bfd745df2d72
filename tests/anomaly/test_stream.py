"""A stream gives the scores of the complete recording, and invalid rows leave it unchanged."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from estimator_cases import checkpoint
from sklearn.exceptions import NotFittedError

from sktspulse import TSPulseAnomalyDetector

HEADS = ("time", "forecast", "level", "variation", "channels")


def recording(n_timepoints: int = 800) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=(n_timepoints, 2))
    X = np.sin(np.arange(n_timepoints)[:, None] / (7, 12)) + 0.1 * noise
    X[650:660, 1] += 5
    X[100:104, 0] = np.nan
    return X


@pytest.fixture(scope="module")
def fitted() -> TSPulseAnomalyDetector:
    settings = {"causal": True, "smoothing": 50, "batch_size": 8, "checkpoint": checkpoint(512)}
    model = TSPulseAnomalyDetector(HEADS, **settings)
    return model.fit(recording()[:300])


@pytest.fixture(scope="module")
def expected(fitted) -> np.ndarray:
    return fitted.score_samples(recording())


@pytest.mark.parametrize("most", [1, 7, 150, 800])
def test_scores_do_not_depend_on_how_the_recording_is_cut(fitted, expected, most):
    stream, X = fitted.stream(), recording()
    rng = np.random.default_rng(0)
    cuts = np.unique(np.append(np.cumsum(rng.integers(1, most + 1, 800)), 800))
    parts = np.split(X, cuts[cuts < 800])
    scores = [stream.update(part) for part in parts]
    assert stream.n_seen == 800
    assert stream.n_seen - stream.n_scored <= stream.delay
    scores = np.concatenate([*scores, stream.finish()])
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-5)


def test_a_score_waits_no_longer_than_the_delay(fitted):
    stream, X = fitted.stream(), recording()
    for n in range(1, 200):
        stream.update(X[n - 1 : n])
        assert 0 <= n - stream.n_scored <= stream.delay


def test_scores_do_not_look_further_ahead_than_the_delay(fitted, expected):
    X = recording()
    X[700:] = 30
    first = 700 - fitted.stream().delay
    scores = fitted.score_samples(X)[:first]
    np.testing.assert_allclose(scores, expected[:first], rtol=1e-5, atol=1e-5)


def test_memory_does_not_grow(fitted):
    stream, X = fitted.stream(), recording(2800)
    stream.update(X[:1200])
    sizes = set()
    for start in range(1200, 2780, 64):
        stream.update(X[start : start + 64])
        sizes.add(len(pickle.dumps([stream._rows, stream._signals])))
    assert max(sizes) - min(sizes) < 100


def test_the_detector_is_unchanged(fitted):
    before = pickle.dumps(fitted)
    fitted.stream().update(recording())
    assert pickle.dumps(fitted) == before


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.zeros((3, 5)), "5 features.*expecting 2|5 channels"),
        (np.full((3, 2), np.inf), "infinity"),
        (np.zeros(2), "expected .*n_timepoints, n_channels"),
    ],
)
def test_invalid_rows_are_refused_and_change_nothing(fitted, expected, rows, message):
    stream, X = fitted.stream(), recording()
    first = stream.update(X[:90])
    with pytest.raises(ValueError, match=message):
        stream.update(rows)
    rest = stream.update(X[90:])
    np.testing.assert_allclose(np.concatenate([first, rest]), expected[:768], rtol=1e-5, atol=1e-5)


def test_rows_out_of_order_are_refused_and_change_nothing():
    index = pd.date_range("2024-01-01", periods=200, freq="min")
    frame = pd.DataFrame(recording()[:200], index=index, columns=["a", "b"])
    model = TSPulseAnomalyDetector("level", causal=True, batch_size=8).fit(frame)
    stream = model.stream()
    stream.update(frame[:100])
    for late in (frame[50:60], frame[99:120]):
        with pytest.raises(
            ValueError, match=r"not strictly increasing: row 0 has .*, after 2024-01-01 01:39"
        ):
            stream.update(late)
    assert stream.n_seen == 100
    assert len(stream.update(frame[100:])) == 128


@pytest.fixture(scope="module")
def hourly() -> tuple[TSPulseAnomalyDetector, pd.DataFrame]:
    index = pd.date_range("2026-01-01", periods=800, freq="h")
    frame = pd.DataFrame(recording(), index=index, columns=["a", "b"])
    return TSPulseAnomalyDetector("level", causal=True).fit(frame[:300]), frame


@pytest.mark.parametrize("most", [1, 7, 100])
def test_a_pause_between_updates_warns_and_nothing_else_does(hourly, most):
    model, frame = hourly
    stream = model.stream()
    for start in range(300, 500, most):
        stream.update(frame[start : min(start + most, 500)])
    with pytest.warns(
        UserWarning, match="irregular: from 0 days 01:00:00 to 1 days 16:00:00"
    ) as all_:
        stream.update(frame[539 : 539 + most])
    assert len(all_) == 1
    assert all_[0].filename == __file__
    for start in range(539 + most, 640, most):
        stream.update(frame[start : start + most])


def test_a_pause_after_the_first_row_is_told_by_the_step_in_fit(hourly):
    model, frame = hourly
    stream = model.stream()
    stream.update(frame[700:701])
    with pytest.warns(UserWarning, match="from 0 days 01:00:00 to 0 days 02:00:00 apart"):
        stream.update(frame[702:703])


def test_stamps_of_another_kind_are_refused_and_change_nothing(hourly):
    model, frame = hourly
    stream = model.stream()
    stream.update(frame[300:310])
    with pytest.raises(ValueError, match=r"Row 0 of X has the time stamp .*2026.*one kind"):
        stream.update(frame[310:320].tz_localize("UTC"))
    stream.update(frame[310:320])


def test_a_detector_that_is_not_causal_has_no_stream():
    model = TSPulseAnomalyDetector("level", batch_size=8)
    with pytest.raises(NotFittedError):
        model.stream()
    with pytest.raises(ValueError, match=r"causal is False.*Fit with causal=True"):
        model.fit(recording()).stream()
