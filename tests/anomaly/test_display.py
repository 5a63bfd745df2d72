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


def shaded(axis, label=None) -> list[tuple[float, float]]:
    """Return the ends of shaded spans, of the first collection or that with a label."""
    chosen = [one for one in axis.collections if label is None or one.get_label() == label]
    corners = [path.vertices[:, 0] for path in chosen[0].get_paths()]
    return [(x.min(), x.max()) for x in corners]


def labels(display: AnomalyScoreDisplay) -> list[str]:
    return [line.get_label() for line in display.lines_]


def test_a_detector_is_drawn(recording, normal):
    detector = TSPulseAnomalyDetector(("time", "variation")).fit(normal)
    display = AnomalyScoreDisplay.from_estimator(detector, recording, heads=True)
    assert labels(display) == ["channel 0", "channel 1", "time", "variation", "score"]
    np.testing.assert_array_equal(
        display.lines_[-1].get_ydata(), -detector.score_samples(recording)
    )
    spans = [(start, end - 1) for start, end in display.segments[["start", "end"]].tolist()]
    assert shaded(display.axes_[0]) == shaded(display.axes_[1], "segment") == spans != []
    expected = detector.predict_segments(recording)
    assert display.segments.tolist() == expected.tolist()
    np.testing.assert_array_equal([*display.heads.values()], detector.score_heads(recording).T)
    display.figure_.canvas.draw()


@pytest.mark.parametrize(
    ("heads", "expected"),
    [
        (False, []),
        (True, ["level", "variation"]),
        ("level", ["level"]),
        (["variation", "level"], ["variation", "level"]),
    ],
)
def test_heads_are_drawn_on_request(recording, normal, heads, expected):
    detector = TSPulseAnomalyDetector(("level", "variation")).fit(normal)
    display = AnomalyScoreDisplay.from_estimator(detector, recording, heads=heads)
    assert labels(display)[2:] == [*expected, "score"]
    scores = dict(zip(detector.heads_, detector.score_heads(recording).T, strict=True))
    for line in display.lines_[2:-1]:
        np.testing.assert_array_equal(line.get_ydata(), -scores[line.get_label()])


def test_unknown_heads_are_refused(recording, normal):
    detector = TSPulseAnomalyDetector("level").fit(normal)
    with pytest.raises(ValueError, match=r"heads is 'time', expected a boolean or .*\['level'\]"):
        AnomalyScoreDisplay.from_estimator(detector, recording, heads="time")


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
    assert labels(display) == ["flow", "heat", "score"]
    assert (display.index == index.to_numpy()).all()
    np.testing.assert_array_equal(display.scores, detector.score_samples(frame))


INDEXES = {
    "stamps": pd.date_range("2024-03-30", periods=60, freq="h"),
    "zone": pd.date_range("2024-03-30", periods=60, freq="h", tz="Europe/Berlin"),
    "periods": pd.period_range("2024-01", periods=60, freq="M"),
    "durations": pd.timedelta_range("0s", periods=60, freq="min"),
    "numbers": pd.Index(np.arange(60) / 2),
    "recording and time": pd.MultiIndex.from_product(
        [["pump"], pd.date_range("2024-01-01", periods=60, freq="h")]
    ),
    "names": pd.Index([f"row {i}" for i in range(60)]),
    "intervals": pd.interval_range(0, 60),
    "not sorted": pd.Index([0, 1] * 30),
}
DATED = {"stamps", "zone", "periods", "recording and time"}


@pytest.mark.parametrize("kind", INDEXES)
def test_every_index_is_drawn(recording, kind):
    frame = pd.DataFrame(recording, INDEXES[kind], ["flow", "heat"])
    scores = np.where(np.abs(recording).max(axis=1) > 10, -3.0, -0.1)
    display = AnomalyScoreDisplay.from_predictions(frame, scores, offset=-1)
    display.figure_.canvas.draw()
    places = display.lines_[0].get_xdata()
    assert (places[1:] > places[:-1]).all()
    assert (np.asarray(places).dtype.kind == "M") == (kind in DATED)
    number = display.lines_[0].get_xdata(orig=False)
    assert shaded(display.axes_[1], "segment") == [(number[30], number[32])]


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_a_time_column_of_polars_is_drawn(recording, zone):
    stamps = pd.date_range("2024-03-30", periods=60, freq="h")
    frame = pl.DataFrame({"when": stamps.to_numpy(), "a": recording[:, 0]})
    if zone:
        utc = pl.col("when").dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
        frame = frame.with_columns(utc)
    display = AnomalyScoreDisplay.from_predictions(frame, np.zeros(60))
    np.testing.assert_array_equal(display.lines_[0].get_xdata(), stamps.to_numpy())
    assert display.axes_[1].get_xlabel() == ("time (Europe/Berlin)" if zone else "time")


def test_labels_of_rows_are_given_apart(recording):
    stamps = pd.date_range("2024-01-01", periods=60, freq="D", tz="Asia/Tokyo")
    display = AnomalyScoreDisplay.from_predictions(recording, np.zeros(60), index=stamps)
    assert display.axes_[1].get_xlabel() == "time (Asia/Tokyo)"
    with pytest.raises(ValueError, match="index has 59 values, but X has 60 rows"):
        AnomalyScoreDisplay.from_predictions(recording, np.zeros(60), index=stamps[1:])
    with pytest.raises(ValueError, match="y_true has 3 values, but X has 60 rows"):
        AnomalyScoreDisplay.from_predictions(recording, np.zeros(60), y_true=[0, 1, 0])


def test_scores_are_linear_up_to_the_threshold_and_logarithmic_above(recording):
    scores = -np.geomspace(0.1, 1000, 60)
    display = AnomalyScoreDisplay.from_predictions(recording, scores, offset=-2.0)
    axis = display.axes_[1]
    assert axis.get_ylabel() == "anomaly score\n(log above threshold)"
    heights = axis.transData.transform([(0, x) for x in (0, 1, 2, 20, 200, 1000)])[:, 1]
    below, above, tenfold, next_tenfold, _ = np.diff(heights)
    np.testing.assert_allclose([above, next_tenfold], [below, tenfold])
    assert axis.get_ylim()[1] > 1000
    (line,) = [one for one in axis.lines if one.get_label() == "threshold"]
    assert set(line.get_ydata()) == {2.0}


@pytest.mark.parametrize("offset", [None, 0.5, -np.inf])
def test_other_scales_are_linear(recording, offset):
    display = AnomalyScoreDisplay.from_predictions(recording, np.full(60, 0.3), offset=offset)
    assert display.axes_[1].get_yscale() == "linear"
    assert display.axes_[1].get_ylabel() == "anomaly score"
    display.figure_.canvas.draw()


def test_labelled_anomalies_are_marked_at_the_bottom(recording):
    labelled = np.zeros(60, dtype=int)
    labelled[[30, 31, 50]] = 1
    display = AnomalyScoreDisplay.from_predictions(
        recording, np.full(60, -0.1), offset=-1, y_true=labelled
    )
    axis = display.axes_[1]
    assert shaded(axis, "labelled anomaly") == [(30, 31), (50, 50)]
    (marks,) = [one for one in axis.collections if one.get_label() == "labelled anomaly"]
    assert marks.get_paths()[0].vertices[:, 1].max() < 0.1
    texts = [text.get_text() for text in axis.get_legend().get_texts()]
    assert texts == ["score", "threshold", "labelled anomaly", "segment"]


def segments_of(*rows) -> np.ndarray:
    return np.array(
        [*rows], dtype=[("start", int), ("end", int), ("score", float), ("channel", int)]
    )


def test_segments_are_labelled_with_their_channel():
    names = ["flow", "heat", "a name that does not fit at all"]
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(400, 3)), columns=names)
    found = segments_of((100, 110, -3, 1), (250, 260, -9, 2), (255, 265, -2, 0))
    display = AnomalyScoreDisplay.from_predictions(frame, np.zeros(400), segments=found)
    (top,) = display.axes_[0].child_axes
    display.figure_.canvas.draw()
    texts = {text.get_text(): text for text in top.get_xticklabels() if text.get_text()}
    assert set(texts) == {"heat", "a name that doe…"}  # the weakest has no room
    assert sorted(top.get_xticks()) == [104.5, 254.5]
    # The strips of the channels are darker, from the top: flow, heat, ...
    heights = [one.get_paths()[0].vertices[:, 1] for one in display.axes_[0].collections[1:]]
    assert [(y.min(), y.max()) for y in heights] == [
        (pytest.approx(1 - (i + 1) / 3), pytest.approx(1 - i / 3)) for i in range(3)
    ]


def test_a_title_does_not_cover_the_labels_of_segments():
    found = segments_of((190, 210, -3, 1))
    display = AnomalyScoreDisplay.from_predictions(
        np.zeros((400, 2)), np.zeros(400), segments=found
    )
    title = display.axes_[0].set_title("A title")
    display.figure_.canvas.draw()
    (text,) = display.axes_[0].child_axes[0].get_xticklabels()
    assert title.get_window_extent().y0 >= text.get_window_extent().y1 - 2


def test_a_long_recording_is_decimated_and_keeps_its_peaks():
    X, scores = np.zeros((200_000, 2)), np.full(200_000, -0.1)
    X[77_777, 1], scores[77_777] = 5, -9
    display = AnomalyScoreDisplay.from_predictions(X, scores, offset=-1)
    assert all(len(line.get_ydata()) == 4000 for line in display.lines_)
    assert display.lines_[-1].get_ydata().max() == 9
    assert shaded(display.axes_[1], "segment") == [(77_777, 77_777)]


def test_a_dark_background_keeps_the_score_visible(recording):
    import matplotlib.pyplot as plt

    with plt.style.context("dark_background"):
        display = AnomalyScoreDisplay.from_predictions(recording, np.zeros(60))
    assert display.lines_[-1].get_color() == "white"


def test_axes_say_how_many_channels_are_left_out():
    display = AnomalyScoreDisplay.from_predictions(np.zeros((40, 12)), np.zeros(40))
    assert display.axes_[0].get_ylabel() == "8 of 12 channels"


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
