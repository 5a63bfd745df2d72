"""What is usual for the heads that need no network, and how channels and heads come together."""

from __future__ import annotations

import naive_anomaly
import numpy as np

from sktspulse._anomaly_model import Coupling, UsualRecording
from sktspulse._anomaly_scale import Tail

STILL = np.zeros(3, bool)


def coupled(n_timepoints: int = 400) -> np.ndarray:
    """Three channels of mean 0 and variance 1, of which the last follows the others."""
    moves = np.random.default_rng(0).normal(size=(3, n_timepoints))
    moves[2] = moves[0] - moves[1] + 0.1 * moves[2]
    moves -= moves.mean(1, keepdims=True)
    return moves / moves.std(1, keepdims=True)


def no_network(moves):
    return {}


def test_errors_are_those_of_ridge_regressions():
    moves = coupled()
    coupling = Coupling.learn(moves, STILL)
    for channel in range(3):
        expected = naive_anomaly.ridge_errors(moves, channel)
        np.testing.assert_allclose(coupling.errors(channel, moves), expected, atol=1e-10)


def test_a_channel_that_stood_still_tells_and_is_told_nothing():
    moves = coupled()
    moves[1] = 0
    coupling = Coupling.learn(moves, np.array([False, True, False]))
    other = moves.copy()
    other[1] = 5
    assert (coupling.errors(1, other) == 0).all()
    np.testing.assert_array_equal(coupling.errors(0, other), coupling.errors(0, moves))


def test_what_is_missing_has_no_error_and_is_taken_as_the_mean():
    moves = coupled()
    coupling = Coupling.learn(moves, STILL)
    gap, mean = moves.copy(), moves.copy()
    gap[1, 50], mean[1, 50] = np.nan, 0
    assert np.isnan(coupling.errors(1, gap)[50])
    assert coupling.errors(0, gap)[50] == coupling.errors(0, mean)[50]


def test_a_broken_coupling_is_found_by_its_head_alone():
    X = coupled().T
    usual = UsualRecording(("level", "variation", "channels"), (8,), trailing=False)
    usual.learn(X[:200], no_network)
    other = X.copy()
    other[300:320, 2] = other[100:120, 2]  # as usual by itself
    level, variation, channels = usual.head_scores(
        usual.channel_scores(usual.signals(other, no_network))
    )
    assert channels.argmax() in range(296, 324)
    assert channels.max() > 2 * max(level.max(), variation.max())


def test_scores_of_heads_are_rarities_of_the_mean_over_channels():
    X = coupled().T
    usual = UsualRecording(("level", "variation"), (1, 4), trailing=False)
    learned = usual.learn(X, no_network)
    mean = np.mean(list(usual.channel_scores(usual.signals(X, no_network))), axis=0)
    for row, scores in zip(mean, learned, strict=True):
        np.testing.assert_allclose(scores, Tail.learn(row)(row))


def test_signals_from_some_point_on():
    X = coupled().T
    usual = UsualRecording(("level", "variation", "channels"), (1,), trailing=True)
    usual.learn(X, no_network)
    whole = list(usual.signals(X, no_network))
    late = list(usual.signals(X, no_network, first=100))
    np.testing.assert_allclose(late, np.array(whole)[:, :, 100:])
