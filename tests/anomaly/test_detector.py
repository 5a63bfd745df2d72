"""Every point has a score, anomalies are found, and nothing else has an influence."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import naive_anomaly
import numpy as np
import pandas as pd
import polars as pl
import pytest
from estimator_cases import checkpoint
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import sktspulse
from sktspulse import TSPulseAnomalyDetector
from sktspulse.anomaly import detector as detector_module
from sktspulse.anomaly import head_errors
from sktspulse.anomaly.calibration import ChannelScale
from sktspulse.anomaly.head_errors import HeadErrors
from sktspulse.metrics import vus_pr_score
from sktspulse.network import load_checkpoint, reconstruct


def recording(n_timepoints: int = 300, n_channels: int = 2) -> np.ndarray:
    t = np.arange(n_timepoints)[:, None]
    noise = np.random.default_rng(0).normal(size=(len(t), n_channels))
    return np.sin(t / (7 + 5 * np.arange(n_channels))) + 0.1 * noise


def detector(**parameters) -> TSPulseAnomalyDetector:
    """Give one with an untrained network, which is quick, unless another is asked for."""
    settings = {"batch_size": 8, "checkpoint": checkpoint(512)} | parameters
    return TSPulseAnomalyDetector(**settings)


@pytest.fixture(scope="module")
def fitted() -> TSPulseAnomalyDetector:
    return detector().fit(recording())


@pytest.fixture(scope="module")
def shipped() -> TSPulseAnomalyDetector:
    """Give one with the network that users have, where its knowledge counts."""
    return detector(checkpoint="tspulse-p8").fit(recording())


@pytest.fixture(scope="module")
def spiked() -> np.ndarray:
    X = recording()
    X[150:153, 1] += 6
    return X


# --- What has an influence, and what has none


@pytest.mark.parametrize(("unit", "shift"), [(1e-8, 0.0), (-3.0, 40.0), (1e8, 1e7)])
def test_units_of_a_channel_do_not_matter(fitted, spiked, unit, shift):
    X, other = recording(), spiked.copy()
    X[:, 1], other[:, 1] = unit * X[:, 1] + shift, unit * other[:, 1] + shift
    expected = fitted.score_samples(spiked)
    if unit < 0:  # the network itself is not symmetric
        model = detector(checkpoint="tspulse-p8").fit(X)
        assert model.score_samples(other).argmin() in range(146, 157)
        return
    np.testing.assert_allclose(
        detector().fit(X).score_samples(other), expected, rtol=0.01, atol=0.01
    )


def test_the_order_of_channels_does_not_matter(fitted, spiked):
    turned = detector().fit(recording()[:, ::-1])
    np.testing.assert_allclose(turned.score_samples(spiked[:, ::-1]), fitted.score_samples(spiked))
    np.testing.assert_allclose(
        turned.score_channels(spiked[:, ::-1]), fitted.score_channels(spiked)[:, ::-1]
    )


def test_channels_influence_each_other_only_by_the_heads_that_compare_them(fitted, spiked):
    other = spiked.copy()
    other[:, 1] *= 100
    alone = detector(heads=("time", "level", "variation")).fit(recording())
    np.testing.assert_array_equal(
        alone.score_channels(spiked)[:, 0], alone.score_channels(other)[:, 0]
    )
    assert (fitted.score_channels(spiked)[:, 0] != fitted.score_channels(other)[:, 0]).any()


def test_points_far_away_change_no_decision(fitted):
    X = recording(1200)
    longer = np.concatenate([X, 100 * recording(200)])
    early = slice(0, 1200 - 512 - 75)
    np.testing.assert_array_equal(fitted.predict(longer)[early], fitted.predict(X)[early])


@pytest.mark.parametrize("causal", [False, True])
def test_the_size_of_batches_does_not_matter(fitted, spiked, causal):
    one, other = (detector(batch_size=n, causal=causal).fit(recording()) for n in (3, 64))
    np.testing.assert_allclose(one.score_samples(spiked), other.score_samples(spiked), rtol=1e-3)


def test_the_input_is_unchanged(fitted, spiked):
    before = spiked.copy()
    fitted.predict_segments(spiked)
    fitted.score_channels(spiked)
    detector().fit(spiked)
    assert spiked.tobytes() == before.tobytes()


# --- Anomalies are found


@pytest.mark.parametrize("place", [2, 150, 297])
@pytest.mark.parametrize("head", ["auto", "time", "frequency", "forecast", "level", "variation"])
def test_a_spike_has_the_lowest_score(place, head):
    X = recording(300, 1)
    X[place] += 30
    model = detector(heads=head, checkpoint="tspulse-p8").fit(recording(300, 1))
    assert abs(model.score_samples(X).argmin() - place) <= 8
    assert model.predict(X)[place] == -1


def test_a_fault_is_located_by_channel_and_time(shipped, spiked):
    (found,) = [one for one in shipped.predict_segments(spiked) if one["start"] <= 151 < one["end"]]
    assert found["channel"] == 1
    assert found["head"] in shipped.heads_
    assert abs(found["peak"] - 151) <= 8
    assert found["score"] == shipped.score_samples(spiked)[found["peak"]]


def test_a_flat_segment_stands_out():
    X = recording(600, 1)
    X[400:440] = X[400]
    model = detector(checkpoint="tspulse-p8").fit(X[:300])
    (worst,) = model.predict_segments(X)[[model.predict_segments(X)["score"].argmin()]]
    assert 395 < worst["peak"] < 445
    assert model.heads_[model.score_heads(X)[400:440].mean(0).argmin()] == "variation"


def test_a_broken_relation_of_channels_stands_out():
    X = recording(600, 1)
    X = np.hstack([X, -2 * X, X + 1])
    X[400:420, 1] = X[200:220, 1]
    model = detector(heads="channels").fit(X[:300])
    assert 395 < model.score_samples(X).argmin() < 425


def test_two_recordings_are_comparable(shipped, spiked):
    assert shipped.score_samples(spiked).min() < 1.5 * shipped.score_samples(recording()).min()


# --- The parts agree with the whole


def test_decisions_are_those_of_scores(fitted, spiked):
    scores = fitted.score_samples(spiked)
    assert fitted.score_heads(spiked).shape == (300, 5)
    assert fitted.score_channels(spiked).shape == (300, 2)
    np.testing.assert_array_equal(fitted.decision_function(spiked), scores - fitted.offset_)
    outlying = fitted.decision_function(spiked) < 0
    np.testing.assert_array_equal(fitted.predict(spiked), np.where(outlying, -1, 1))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("combine", "function"), [("mean", np.mean), ("max", np.max)])
def test_heads_are_combined_as_asked(spiked, combine, function, causal):
    model = detector(combine=combine, causal=causal).fit(recording()[:, 1:])
    heads = -model.score_heads(spiked[:, 1:])
    assert heads.min() >= 0
    combined, scores = function(heads, 1), -model.score_samples(spiked[:, 1:])
    alarmed = combined > 1
    np.testing.assert_allclose(scores[alarmed], combined[alarmed])
    assert (scores[~alarmed] < 1).all()


@pytest.mark.parametrize("heads", ["auto", "level", ("time", "variation"), "states"])
@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.2, 0.5])
def test_contamination_is_the_share_of_the_training_recording(fraction, heads):
    X = recording(300)
    flagged = detector(heads=heads, contamination=fraction).fit_predict(X) == -1
    assert flagged.sum() == 300 * fraction


@pytest.mark.parametrize("n_timepoints", [10, 40, 300])
def test_a_larger_contamination_never_raises_fewer_alarms(n_timepoints):
    X = np.random.default_rng(0).normal(size=(n_timepoints, 1))
    X[n_timepoints // 2] = 50
    shares = (1e-9, 1e-4, "auto", 0.001, 0.01, 0.1, 0.5)
    models = [detector(heads=("level", "variation"), contamination=c).fit(X) for c in shares]
    offsets = [model.offset_ for model in models]
    assert offsets == sorted(offsets)
    assert offsets[2] == -1
    alarms = [(model.predict(X) == -1).sum() for model in models]
    assert alarms == sorted(alarms)


def test_the_threshold_can_be_set_without_another_fit(spiked):
    model = detector(heads="level").fit(recording())
    model.offset_ = -np.inf
    assert (model.predict(spiked) == 1).all()
    assert len(model.predict_segments(spiked)) == 0
    model.offset_ = 0.0
    assert (model.predict(spiked) == -1).sum() > 100


def test_segments_of_a_recording_equal_a_loop(fitted, spiked):
    found = fitted.predict_segments(spiked)
    expected = naive_anomaly.segments(fitted.score_samples(spiked), fitted.offset_)
    assert [tuple(one) for one in found[["start", "end", "peak"]].tolist()] == expected


# --- Any length, any values


@pytest.mark.parametrize("length", [8, 9, 15, 511, 512, 513, 1000])
def test_any_length(length):
    X = recording(length)
    scores = detector().fit(X).score_samples(X)
    assert scores.shape == (length,)
    assert np.isfinite(scores).all()


def test_missing_values_have_the_most_normal_score(fitted):
    X = recording(1000)
    X[200:210, 0] = X[300:900, 1] = X[250:260] = np.nan
    channels = fitted.score_channels(X)
    assert np.isfinite(channels).all()
    assert (channels[np.isnan(X)] == 0).all()
    assert (fitted.score_heads(X)[250:260] == 0).all()


def test_a_fit_on_gaps():
    X = recording()
    X[np.random.default_rng(1).random(X.shape) < 0.3] = np.nan
    X[:, 1][:280] = np.nan
    assert np.isfinite(detector().fit(X).score_samples(X)).all()


def test_a_constant_channel_is_normal_until_it_changes():
    X = recording(900)
    X[:, 1] = 0.1
    model = detector(checkpoint="tspulse-p8").fit(X[:600])
    assert (model.score_channels(X)[:, 1] == 0).all()
    X[750:770, 1] = 0.2
    assert (model.predict(X)[755:765] == -1).all()
    (found,) = model.predict_segments(X)
    assert found["channel"] == 1


def test_a_single_constant_channel_is_normal_until_it_changes():
    X = np.full((300, 1), 7.0)
    model = detector().fit(X)
    assert (model.score_samples(X) == 0).all()
    X[150] = 7.1
    assert model.predict(X)[150] == -1
    assert (np.delete(model.predict(X), 150) == 1).all()


def test_nothing_but_constants():
    X = np.ones((60, 2))
    model = detector().fit(X)
    assert (model.score_samples(X) == 0).all()
    assert (model.predict(X) == 1).all()
    assert len(model.predict_segments(X)) == 0


def test_a_channel_without_values_in_fit_is_never_an_outlier():
    X = recording()
    X[:, 1] = np.nan
    model = detector().fit(X)
    assert (model.score_channels(recording())[:, 1] == 0).all()


def test_scores_of_huge_values_are_finite(shipped):
    X = recording()
    X[100] = np.finfo(float).max
    X[200] = -np.finfo(float).max
    scores = shipped.score_samples(X)
    assert np.isfinite(scores).all()
    assert scores.argmin() in (*range(92, 110), *range(192, 210))


def test_many_channels():
    X = np.repeat(recording(64, 2), 60, axis=1)
    scores = detector(heads="level").fit(X).score_channels(X)
    assert scores.shape == (64, 120)
    np.testing.assert_array_equal(scores[:, 0], scores[:, 59])


FRAMES = {
    "stamps": lambda X: pd.DataFrame(
        X, pd.date_range("2024-01-01", periods=len(X), freq="h", name="when"), ["a", "b"]
    ),
    "row numbers": lambda X: pd.DataFrame(X, range(100, 100 + len(X)), ["a", "b"]),
    "polars": lambda X: pl.DataFrame(X, schema=["a", "b"]),
}
each_frame = pytest.mark.parametrize("kind", FRAMES)


@each_frame
def test_frames_are_given_for_frames(fitted, spiked, kind):
    frame = FRAMES[kind](spiked)
    model = detector().fit(FRAMES[kind](recording()))
    for method, names in (("score_heads", model.heads_), ("score_channels", ["a", "b"])):
        found = getattr(model, method)(frame)
        assert type(found) is type(frame)
        assert list(found.columns) == list(names)
        np.testing.assert_array_equal(found, getattr(fitted, method)(spiked))
        assert kind == "polars" or found.index.equals(frame.index)
    for method in ("score_samples", "decision_function", "predict"):
        found = getattr(model, method)(frame)
        np.testing.assert_array_equal(found, getattr(fitted, method)(spiked))
        assert kind == "polars" or found.index.equals(frame.index)


@each_frame
@pytest.mark.parametrize("has_segments", [True, False])
def test_segments_of_a_frame_are_a_frame(spiked, kind, has_segments):
    frame = FRAMES[kind](spiked)
    models = [detector(heads="level").fit(X) for X in (recording(), FRAMES[kind](recording()))]
    for model in models:
        model.offset_ = model.offset_ if has_segments else -np.inf
    expected, found = (
        model.predict_segments(X) for model, X in zip(models, (spiked, frame), strict=True)
    )
    assert bool(len(expected)) == has_segments
    assert type(found) is type(frame)
    assert list(found.columns) == list(expected.dtype.names)
    assert found["score"].to_list() == expected["score"].tolist()
    assert found["head"].to_list() == expected["head"].tolist()
    assert found["channel"].to_list() == [["a", "b"][i] for i in expected["channel"]]
    if kind == "polars":
        assert found["start"].to_list() == expected["start"].tolist()
        assert found["end"].to_list() == expected["end"].tolist()
        assert found["peak"].to_list() == expected["peak"].tolist()
    else:
        assert found["start"].dtype == found["end"].dtype == frame.index.dtype
        for one, (start, end, peak, *_) in zip(found.itertuples(), expected, strict=True):
            assert frame.loc[one.start : one.end].equals(frame[start:end])
            assert one.peak == frame.index[peak]


def test_irregular_times_raise_a_warning_and_unsorted_ones_an_error(spiked):
    index = pd.date_range("2024-01-01", periods=len(spiked), freq="h").delete(5)
    frame = pd.DataFrame(spiked[1:], index=index, columns=["a", "b"])
    with pytest.warns(UserWarning, match="irregular: from .*1:00:00 to .*2:00:00 apart"):
        model = detector().fit(frame)
    with pytest.raises(
        ValueError, match=r"not strictly increasing: row 1 has 2024-01-13.* after 2024-01-13"
    ):
        model.score_samples(frame[::-1])
    with pytest.raises(ValueError, match="row 1 has 2024-01-13"):
        model.predict_segments(frame[::-1])


def test_stacked_recordings_are_refused_and_the_advice_works(spiked):
    times = pd.date_range("2024-01-01", periods=300, freq="h")
    index = pd.MultiIndex.from_product([["x", "y"], times], names=["device", "time"])
    X = pd.DataFrame(np.concatenate([spiked, recording()]), index, ["a", "b"])
    model = detector(heads="level").fit(X.loc["y"])
    for method in (model.score_samples, model.predict_segments, clone(model).fit):
        with pytest.raises(
            ValueError, match=r"groupby\(level='device', group_keys=False\).apply\("
        ):
            method(X)
    groups = X.groupby(level="device", group_keys=False)
    scores = groups.apply(model.score_samples)
    assert scores.index.equals(index)
    np.testing.assert_array_equal(scores.loc["x"], model.score_samples(spiked_frame := X.loc["x"]))
    segments = X.groupby(level="device").apply(model.predict_segments)
    pd.testing.assert_frame_equal(segments.loc["x"], model.predict_segments(spiked_frame))


@pytest.mark.parametrize("freq", ["MS", "B", "D"])
def test_calendar_steps_are_regular(spiked, freq):
    index = pd.date_range("2000-01-01", periods=300, freq=freq, tz="Europe/Berlin")[np.arange(300)]
    frame = pd.DataFrame(spiked, index=index, columns=["a", "b"])
    detector(heads="level").fit(frame).score_samples(frame)


@pytest.mark.parametrize("missing", [None, pd.NA, np.ma.masked])
def test_every_kind_of_missing_value_is_read(fitted, missing):
    X = recording()
    X[100:110, 0] = np.nan
    given = np.ma.masked_invalid(X)
    if missing is not np.ma.masked:
        given = pd.DataFrame(X).astype(object).where(~np.isnan(X), missing)
    np.testing.assert_array_equal(fitted.score_samples(given), fitted.score_samples(X))


# --- Copies, pipelines, cost


def test_copies_answer_the_same(fitted, spiked):
    expected = fitted.score_samples(spiked)
    content = pickle.dumps(fitted)
    assert len(content) < 20_000
    np.testing.assert_array_equal(pickle.loads(content).score_samples(spiked), expected)
    np.testing.assert_array_equal(clone(fitted).fit(recording()).score_samples(spiked), expected)


def test_pipelines_scale_before(fitted, spiked):
    model = make_pipeline(StandardScaler(), detector()).fit(recording())
    np.testing.assert_allclose(
        model.score_samples(spiked), fitted.score_samples(spiked), rtol=0.01, atol=0.01
    )


def test_a_grid_searches_with_labels():
    X = np.concatenate([recording(300, 1), recording(300, 1)])
    X[450:456] += 4
    labels = np.zeros(600, int)
    labels[450:456] = 1

    def volume(model, X, y):
        return vus_pr_score(y, -model.score_samples(X), window=8)

    split = PredefinedSplit(np.repeat([-1, 0], 300))
    grid = {"heads": ["time", "level"], "smoothing": [1, 8]}
    search = GridSearchCV(
        detector(checkpoint="tspulse-p8"), grid, scoring=volume, cv=split, error_score="raise"
    )
    search.fit(X, labels)
    assert search.cv_results_["mean_test_score"].min() > 0.1


def count_rows(monkeypatch) -> list[int]:
    """Note how many rows each call gives to the network."""
    rows = []

    def counted(network, windows, heads, **settings):
        rows.append(len(windows))
        return reconstruct(network, windows, heads, **settings)

    monkeypatch.setattr(head_errors, "reconstruct", counted)
    return rows


@pytest.mark.parametrize(
    "method", ["fit", "score_samples", "score_heads", "score_channels", "predict_segments"]
)
def test_the_network_sees_each_window_once(fitted, spiked, monkeypatch, method):
    model = pickle.loads(pickle.dumps(fitted))
    rows = count_rows(monkeypatch)
    getattr(model, method)(spiked)
    n_windows = HeadErrors(load_checkpoint(checkpoint(512)), fitted.heads_, 8).count(len(spiked))
    # In two passes, fit compares 30 windows with removed values and 16 whole ones.
    n_compared = 2 * (30 + 16) if method == "fit" else 0
    assert sum(rows) == (8 * n_windows + n_compared) * spiked.shape[1]


def test_the_recording_is_scaled_once_by_fit(monkeypatch):
    calls = []
    scale = ChannelScale.__call__
    monkeypatch.setattr(ChannelScale, "__call__", lambda *args: calls.append(1) or scale(*args))
    detector().fit(recording())
    assert len(calls) == 2


def test_progress_is_shown_on_demand(capsys):
    X = recording(60)
    detector().fit(X)
    assert capsys.readouterr().err == ""
    detector(verbose=1).fit(X)
    error = capsys.readouterr().err
    assert "TSPulseAnomalyDetector" in error
    assert "100%" in error


@pytest.mark.slow
def test_memory_is_bounded():
    script = (
        "import resource, numpy as np\n"
        "from sktspulse import TSPulseAnomalyDetector\n"
        "X = np.random.default_rng(0).normal(size=(20_000, 1))\n"
        "detector = TSPulseAnomalyDetector(heads='forecast').fit(X[:2000])\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak(); detector.score_samples(X); print(peak() - before)\n"
    )
    used = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(sktspulse.__file__).parents[1],
        capture_output=True,
        check=True,
    ).stdout
    assert int(used) < 16_000  # [KiB]; all windows at once would be 40 MiB, times copies


# --- Errors


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((0, 2)), "0 "),
        (np.zeros((7, 2)), "7 time points.*needs at least 8"),
        (np.zeros(20), "expected .*n_timepoints, n_channels"),
        (np.full((20, 2), np.inf), "infinity"),
        (np.full((20, 2), -np.inf), "infinity"),
        (np.full((20, 2), "a"), "numbers"),
        (np.zeros((20, 3)), "3 features.*expecting 2|3 channels"),
    ],
)
def test_invalid_recordings_are_refused(fitted, X, message):
    before = pickle.dumps(fitted)
    with pytest.raises((ValueError, TypeError), match=message):
        fitted.score_samples(X)
    assert pickle.dumps(fitted) == before


def test_fit_refuses_a_recording_without_values(fitted):
    model = pickle.loads(pickle.dumps(fitted))
    before = pickle.dumps(model)
    with pytest.raises(ValueError, match="X has only missing values"):
        model.fit(np.full((30, 3), np.nan))
    assert pickle.dumps(model) == before


def test_a_fit_that_fails_late_leaves_the_detector_unchanged(fitted, monkeypatch):
    def fail(*args):
        raise KeyboardInterrupt

    model = pickle.loads(pickle.dumps(fitted))
    before = pickle.dumps(model)
    monkeypatch.setattr(detector_module, "threshold", fail)
    with pytest.raises(KeyboardInterrupt):
        model.fit(pd.DataFrame(recording(100, 3), columns=list("abc")))
    assert pickle.dumps(model) == before


def test_a_second_fit_forgets_the_first(fitted, spiked):
    model = detector(fine_tune=True, heads="level", smoothing=5)
    model.fit(pd.DataFrame(recording(100, 3), columns=list("abc")))
    model.set_params(**fitted.get_params()).fit(recording())
    assert vars(model).keys() == vars(fitted).keys()
    np.testing.assert_array_equal(model.score_samples(spiked), fitted.score_samples(spiked))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"heads": "fourier"}, "heads is 'fourier', expected 'auto' or some of .*'time'"),
        ({"heads": ("time", "space")}, "expected 'auto' or some of"),
        ({"heads": ()}, "expected 'auto' or some of"),
        ({"heads": ("time", "time")}, "each once"),
        ({"heads": 3}, "'heads' parameter .* must be .*Got 3"),
        ({"combine": "min"}, "'combine' parameter .* must be a str among .*Got 'min'"),
        ({"smoothing": 0}, "'smoothing' parameter .*an int in the range.*Got 0"),
        ({"smoothing": 2.5}, "'smoothing' parameter .*Got 2.5"),
        ({"contamination": 0}, r"'contamination' parameter .*float in the range \(0.0, 0.5\]"),
        ({"contamination": 0.6}, "'contamination' parameter .*Got 0.6"),
        ({"contamination": "some"}, "'contamination' parameter .*Got 'some'"),
        ({"causal": "yes"}, "'causal' parameter .*Got 'yes'"),
        ({"fine_tune": None}, "'fine_tune' parameter .*Got None"),
        ({"random_state": "a"}, "'random_state' parameter .*Got 'a'"),
        ({"batch_size": 0}, "'batch_size' parameter .*Got 0"),
        ({"checkpoint": "nothing"}, "no checkpoint 'nothing'"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, message):
    model = TSPulseAnomalyDetector(**parameters)
    before = vars(model).copy()
    with pytest.raises(ValueError, match=message):
        model.fit(recording(60))
    assert vars(model) == before


@pytest.mark.parametrize("method", ["score_samples", "predict", "score_heads", "predict_segments"])
def test_unfitted(method):
    with pytest.raises(NotFittedError, match="not fitted"):
        getattr(TSPulseAnomalyDetector(), method)(recording(60))


# --- What scikit-learn asks of every estimator


def expected_failures(estimator) -> dict[str, str]:
    reason = "the score of a row depends on the rows around it"
    return {
        "check_methods_subset_invariance": reason,
        "check_methods_sample_order_invariance": reason,
    }


@parametrize_with_checks(
    [
        TSPulseAnomalyDetector(batch_size=8, checkpoint=checkpoint(512)),
        TSPulseAnomalyDetector("level", combine="mean", checkpoint=checkpoint(512)),
    ],
    expected_failed_checks=expected_failures,
)
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)
