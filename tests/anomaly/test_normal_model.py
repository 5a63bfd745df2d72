"""What is usual for every head, and how channels and heads come together."""

from __future__ import annotations

import numpy as np
import pytest
from anomaly.test_multichannel import coupled

from sktspulse.anomaly.calibration import Tail
from sktspulse.anomaly.normal_model import UsualRecording, judged_channels

ALL = ("level", "variation", "channels", "states")


def no_network(moves):
    return {}


def blocks(usual: UsualRecording, X: np.ndarray) -> list[np.ndarray]:
    return list(usual.channel_scores(usual.signals(X, no_network)))


def test_a_broken_coupling_is_found_by_its_head_alone():
    X = coupled().T
    usual = UsualRecording(("level", "variation", "channels"), (8,), trailing=False)
    usual.learn(X[:200], no_network)
    other = X.copy()
    other[300:320, 2] = other[100:120, 2]  # as usual by itself
    level, variation, channels = usual.head_scores(iter(blocks(usual, other)))
    assert channels.argmax() in range(296, 324)
    assert channels.max() > 2 * max(level.max(), variation.max())


def test_scores_of_heads_are_rarities_of_the_highest_channel():
    X = coupled().T
    usual = UsualRecording(("level", "variation"), (1, 4), trailing=False)
    learned = usual.learn(X, no_network)
    for row, scores in zip(np.max(blocks(usual, X), axis=0), learned, strict=True):
        np.testing.assert_allclose(scores, Tail.learn(row)(row))


def test_states_are_told_of_all_channels_and_no_channel_is_farther():
    X = coupled().T
    usual = UsualRecording(ALL, (8,), trailing=False)
    usual.learn(X, no_network)
    together, *each = blocks(usual, X)
    assert len(each) == 3
    assert (together[:3] == 0).all()
    assert (together[3] > 0).any()
    assert all((one[3] <= together[3] + 1e-9).all() for one in each)


@pytest.mark.parametrize(
    ("columns", "judged"),
    [
        ([[0, 1, 0, 1], [1, 2, 3, 1], [5, 5, 5, 5]], [False, True, False]),
        ([[0, 1, 0, 1], [0, np.nan, 0, 1]], [True, True]),
        ([[np.nan] * 4, [1, 2, 3, np.nan]], [False, True]),
    ],
)
def test_channels_of_two_values_are_judged_only_if_there_are_no_others(columns, judged):
    assert judged_channels(np.array(columns, float).T).tolist() == judged


def test_commands_are_not_read_and_have_no_say_alone():
    X = coupled().T
    X[:, 0] = X[:, 0] > 1
    seen = []
    usual = UsualRecording(ALL, (8,), trailing=False)
    usual.learn(X, lambda moves: seen.append(moves) or {})
    assert len(seen) == 2
    _, command, *others = blocks(usual, X)
    assert (command[:3] == 0).all()
    assert all((one[:3] > 0).any() for one in others)


@pytest.mark.parametrize("first", [64, 100])
def test_signals_from_some_point_on(first):
    X = coupled().T
    usual = UsualRecording(ALL, (1,), trailing=True)
    usual.learn(X, no_network)
    whole = np.array(list(usual.signals(X, no_network)))
    late = np.array(list(usual.signals(X, no_network, first=first)))
    np.testing.assert_allclose(late, whole[:, :, first:])
