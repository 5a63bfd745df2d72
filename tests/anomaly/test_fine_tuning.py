"""A network goes on training on the recording fitted, and only where it is asked to."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from sktspulse import TSPulseAnomalyDetector
from sktspulse.anomaly import fine_tuning
from sktspulse.network.checkpoints import load_checkpoint
from sktspulse.network.inference import fingerprint


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    """Train for seconds; what is tested does not depend on it."""
    monkeypatch.setattr(fine_tuning, "N_STEPS", 20)
    monkeypatch.setattr(fine_tuning, "_STEPS_PER_LOOK", 10)
    monkeypatch.setattr(fine_tuning, "_BATCH_SIZE", 8)


def pulses(n_timepoints: int = 1200) -> np.ndarray:
    """A shape that no network was trained on, again and again."""
    pulse = np.random.default_rng(0).normal(size=40)
    return np.tile(pulse, n_timepoints // 40)[:, None]


def misses(model: TSPulseAnomalyDetector, X: np.ndarray) -> float:
    network = model._network()
    with model._reader(network, *X.shape) as read:
        return float(np.mean(read(X[:, 0])["time"]))


def test_the_error_on_the_recording_falls_and_the_checkpoint_stays():
    X = pulses()
    before = fingerprint(load_checkpoint("tspulse-p8"))
    plain, tuned = (
        TSPulseAnomalyDetector(fine_tune=tune, random_state=0).fit(X) for tune in (False, True)
    )
    assert misses(tuned, X) < misses(plain, X)
    assert fingerprint.__wrapped__(load_checkpoint("tspulse-p8")) == before
    assert tuned.fingerprint_ == plain.fingerprint_ == before
    copy = pickle.loads(pickle.dumps(tuned))
    np.testing.assert_array_equal(copy.score_samples(X), tuned.score_samples(X))


def test_the_same_seed_gives_the_same_scores():
    X = pulses(600)
    scores = [
        TSPulseAnomalyDetector("time", fine_tune=True, random_state=seed).fit(X).score_samples(X)
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert (scores[0] != scores[2]).any()


def test_a_stream_uses_the_trained_network():
    X = pulses(600)
    model = TSPulseAnomalyDetector("time", fine_tune=True, causal=True, random_state=0).fit(X)
    stream = model.stream()
    scores = np.concatenate([stream.update(X), stream.finish()])
    np.testing.assert_allclose(scores, model.score_samples(X))


@pytest.mark.parametrize("heads", ["auto", "level"])
def test_where_there_is_nothing_to_learn_the_network_stays(heads):
    network = load_checkpoint("tspulse-p8")
    X = np.ones((100, 2)) if heads == "auto" else pulses(100)
    assert fine_tuning.tune(network, X, ("level",) if heads == "level" else ("time",), 0) is network
    model = TSPulseAnomalyDetector(heads, fine_tune=True).fit(X)
    assert np.isfinite(model.score_samples(X)).all()


def test_steps_are_shown_on_demand(capsys):
    TSPulseAnomalyDetector("time", fine_tune=True, random_state=0, verbose=1).fit(pulses(200))
    assert "steps" in capsys.readouterr().err
