"""Calibration over channels and heads, in one pass over the signals."""

from __future__ import annotations

import naive_anomaly
import numpy as np
import pytest
from anomaly.test_multichannel import coupled

from sktspulse.anomaly.normal_model import NormalModel, _with_neighbours
from sktspulse.anomaly.signals import DIRECT_HEADS

ALL = np.ones(3, bool)


no_network = naive_anomaly.NoNetwork()


def fit(X: np.ndarray, heads: tuple[str, ...], *lengths: int) -> NormalModel:
    return NormalModel.fit(X, no_network, heads, ALL, lengths=lengths)[0]


def channel_scores(model: NormalModel, X: np.ndarray) -> list[np.ndarray]:
    """Score the joint block, if there is one, and the channels by each head."""
    blocks = zip(model.calibrations, model.signals(X, no_network), strict=True)
    return [np.array([one(row) for one, row in zip(*block, strict=True)]) for block in blocks]


def test_a_broken_relation_is_found_by_its_head_alone():
    X = coupled().T
    model = fit(X[:200], ("level", "variation", "channels"), 8)
    other = X.copy()
    other[300:320, 2] = other[100:120, 2]  # normal by itself
    level, variation, channels = model.score(model.signals(other, no_network)).heads
    assert channels.argmax() in range(296, 324)
    assert channels.max() > 2 * max(level.max(), variation.max())


def test_scores_of_heads_are_the_highest_over_channels():
    X = coupled().T
    model = fit(X, ("level", "variation"), 1, 4)
    assert model.level > 0
    heads = model.score(model.signals(X, no_network)).heads
    np.testing.assert_allclose(heads, np.max(channel_scores(model, X), axis=0) / model.level)


@pytest.mark.parametrize("trailing", [False, True])
def test_the_evidence_of_neighbours_equals_a_loop(trailing):
    scores = np.random.default_rng(0).exponential(size=400) / 4
    scores[100], scores[200:220] = 50, 2
    unusual = np.where(np.arange(400) < 310, scores, 3 * scores)
    found = _with_neighbours(scores, unusual, trailing)
    np.testing.assert_allclose(found, naive_anomaly.with_neighbours(scores, unusual, trailing))


@pytest.mark.parametrize("trailing", [False, True])
def test_neighbours_raise_no_alarm_and_lower_none(trailing):
    scores = np.random.default_rng(0).exponential(size=400)
    found = _with_neighbours(scores, scores, trailing)
    np.testing.assert_array_equal(found[scores > 1], scores[scores > 1])
    assert found[scores <= 1].max() < 1
    scores[100:300] = 1e9
    found = _with_neighbours(scores, scores, trailing)
    assert (np.delete(found, np.s_[100:300])[scores[np.r_[:100, 300:400]] <= 1] < 1).all()


@pytest.mark.parametrize("heads", [DIRECT_HEADS, ("level", "variation")])
def test_top_channels_have_the_highest_scores(heads):
    X = coupled().T
    model = fit(X, heads, 8)
    scores = model.score(model.signals(X, no_network))
    channels = channel_scores(model, X)[-3:]
    np.testing.assert_array_equal(scores.top_channels, np.argmax(channels, axis=0))


@pytest.mark.parametrize("heads", [DIRECT_HEADS, ("level", "variation"), ("level",)])
def test_fit_returns_the_scores_of_its_recording(heads):
    X = coupled().T
    model, fitted = NormalModel.fit(X, no_network, heads, ALL, lengths=(8,))
    np.testing.assert_allclose(model.score(model.signals(X, no_network)).combined, fitted)


def test_channels_are_scored_with_heads_combined():
    X = coupled().T
    model = fit(X, DIRECT_HEADS, 8)
    expected = [one.max(0) / model.level for one in channel_scores(model, X)[1:]]
    scores = model.score_channels(model.signals(X, no_network))
    np.testing.assert_allclose(scores, expected)


def test_states_score_all_channels_together_and_no_channel_higher():
    X = coupled().T
    together, *channels = channel_scores(fit(X, DIRECT_HEADS, 8), X)
    assert len(channels) == 3
    assert (together[:3] == 0).all()
    assert (together[3] > 0).any()
    assert all((one[3] <= together[3] + 1e-9).all() for one in channels)


def test_signals_and_input_are_unchanged():
    X = coupled().T
    before = X.copy()
    model = fit(X, DIRECT_HEADS, 8)
    signals = list(model.signals(X, no_network))
    kept = [block.copy() for block in signals]
    model.score(signals)
    model.score_channels(signals)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(signals, kept)


@pytest.mark.parametrize("n_timepoints", [150, 400])
def test_the_highest_score_of_a_short_recording_is_an_alarm(n_timepoints):
    X = np.random.default_rng(0).normal(size=(n_timepoints, 1))
    _, scores = NormalModel.fit(X, no_network, ("level",), np.array([True]), lengths=(1,))
    assert 1 < scores.max() < 1.001
    assert (scores > 1).sum() == 1
