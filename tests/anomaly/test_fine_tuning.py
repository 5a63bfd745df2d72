"""The network is fine-tuned only if asked to, and its copy stays on the CPU."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from estimator_cases import checkpoint

from sktspulse import TSPulseAnomalyDetector
from sktspulse.anomaly import fine_tuning
from sktspulse.anomaly.head_errors import HeadErrors
from sktspulse.base import estimator
from sktspulse.network import TSPulse, fingerprint, load_checkpoint


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    """Train for seconds; the properties tested do not depend on it."""
    monkeypatch.setattr(fine_tuning, "N_STEPS", 4)
    monkeypatch.setattr(fine_tuning, "_STEPS_PER_CHECK", 2)
    monkeypatch.setattr(fine_tuning, "_BATCH_SIZE", 8)


def pulses(n_timepoints: int) -> np.ndarray:
    """A shape that no network was trained on, repeated."""
    pulse = np.random.default_rng(0).normal(size=40)
    return np.tile(pulse, n_timepoints // 40)[:, None]


def mean_error(model: TSPulseAnomalyDetector, X: np.ndarray) -> float:
    errors = HeadErrors(model._load_network(), ("time",), model.batch_size)
    return float(np.mean(errors(X[:, 0])["time"]))


def test_the_error_on_the_recording_falls_and_the_checkpoint_is_unchanged(monkeypatch):
    monkeypatch.setattr(fine_tuning, "N_STEPS", 20)
    monkeypatch.setattr(fine_tuning, "_STEPS_PER_CHECK", 10)
    X = pulses(600)
    before = fingerprint(load_checkpoint("tspulse-p8"))
    plain, tuned = (
        TSPulseAnomalyDetector(fine_tune=tune, random_state=0).fit(X) for tune in (False, True)
    )
    assert plain.network_ is None
    assert mean_error(tuned, X) < mean_error(plain, X)
    assert fingerprint.__wrapped__(load_checkpoint("tspulse-p8")) == before
    assert tuned.fingerprint_ == plain.fingerprint_ == before
    copy = pickle.loads(pickle.dumps(tuned))
    np.testing.assert_array_equal(copy.score_samples(X), tuned.score_samples(X))


def test_the_same_seed_gives_the_same_scores():
    X = pulses(600)
    scores = [
        TSPulseAnomalyDetector(
            "time", fine_tune=True, checkpoint=checkpoint(512), random_state=seed
        )
        .fit(X)
        .score_samples(X)
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert (scores[0] != scores[2]).any()


def test_a_stream_uses_the_fine_tuned_network():
    X = pulses(600)
    model = TSPulseAnomalyDetector("time", fine_tune=True, causal=True, random_state=0).fit(X)
    stream = model.stream()
    scores = np.concatenate([stream.update(X), stream.finish()])
    np.testing.assert_allclose(scores, model.score_samples(X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("heads", ["auto", "level"])
def test_without_anything_to_train_on_the_network_is_an_equal_copy(heads):
    network = load_checkpoint("tspulse-p8")
    X = np.ones((100, 2)) if heads == "auto" else pulses(100)
    used = ("level",) if heads == "level" else ("time",)
    copy = fine_tuning.fine_tune(network, X, used, 0)
    assert copy is not network
    assert fingerprint(copy) == fingerprint(network)
    model = TSPulseAnomalyDetector(heads, fine_tune=True).fit(X)
    assert np.isfinite(model.score_samples(X)).all()


def test_the_fitted_network_was_moved_to_the_cpu(monkeypatch):
    moved = []
    monkeypatch.setattr(TSPulse, "cpu", lambda network: moved.append(network) or network)
    model = TSPulseAnomalyDetector("level", fine_tune=True).fit(pulses(100))
    assert moved == [model.network_]


@pytest.mark.parametrize("causal", [False, True])
def test_scoring_on_another_device_uses_a_copy(monkeypatch, causal):
    """The device "meta" stands for an accelerator: tensors there have no values."""
    X = pulses(100)
    model = TSPulseAnomalyDetector("level", fine_tune=True, causal=causal).fit(X)
    before, weights = pickle.dumps(model), [*model.network_.parameters()]
    monkeypatch.setattr(estimator, "resolve_device", lambda device: torch.device("meta"))
    network = model._load_network()
    assert {one.device.type for one in network.parameters()} == {"meta"}
    model.score_samples(X)
    assert all(new is old for new, old in zip(model.network_.parameters(), weights, strict=True))
    assert {one.device.type for one in weights} == {"cpu"}
    assert pickle.dumps(model) == before


def test_steps_are_shown_on_demand(capsys):
    TSPulseAnomalyDetector("time", fine_tune=True, random_state=0, verbose=1).fit(pulses(200))
    assert "steps" in capsys.readouterr().err
