"""How channels follow from each other, and the states that are usual."""

from __future__ import annotations

import naive_anomaly
import numpy as np
import pytest

from sktspulse.anomaly.multichannel import Coupling, States

STILL = np.zeros(3, bool)


def coupled(n_timepoints: int = 400) -> np.ndarray:
    """Three channels of mean 0 and variance 1, of which the last follows the others."""
    moves = np.random.default_rng(0).normal(size=(3, n_timepoints))
    moves[2] = moves[0] - moves[1] + 0.1 * moves[2]
    moves -= moves.mean(1, keepdims=True)
    return moves / moves.std(1, keepdims=True)


@pytest.mark.parametrize("n_timepoints", [20, 400, 3000])
def test_errors_are_those_of_ridge_regressions(n_timepoints):
    moves = coupled(n_timepoints)
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


@pytest.mark.parametrize("trailing", [False, True])
def test_distances_equal_a_loop(trailing):
    moves = coupled()
    moves[1, 100:130] = np.nan
    moves[0, 200] = 1e6
    states = States.learn(moves, trailing)
    assert states.centers.shape == (20, 3)
    np.testing.assert_allclose(
        states.distances(moves), naive_anomaly.state_distances(states, moves), atol=1e-9
    )


def test_a_combination_never_seen_is_far():
    usual = np.zeros((2, 800))
    usual[0, 100:200] = usual[1, 300:400] = usual[0, 500:600] = 1
    other = usual.copy()
    other[1, 520:580] = 1
    states = States.learn(usual, trailing=False)
    assert np.median(states.distances(usual)) < 0.01
    assert (states.distances(other).max(0)[530:570] > 0.9).all()


def test_rare_commands_count_no_more_than_frequent_ones():
    moves = np.zeros((2, 1000))
    moves[0, ::2], moves[1, 5:10] = 1, 1
    states = States.learn(moves / moves.std(1, keepdims=True), trailing=False)
    np.testing.assert_allclose(states.ranges * moves.std(1), 1)


def test_what_was_learned_is_as_far_as_what_was_not():
    rng = np.random.default_rng(0)
    moves, new = rng.normal(size=(2, 6, 400))
    states = States.learn(moves, trailing=True)
    learned, usual, later = (
        np.nanmean(np.square(one))
        for one in (states.distances(moves), states.usual_distances(moves), states.distances(new))
    )
    assert learned < 0.9 * later
    assert usual == pytest.approx(later, rel=0.1)


def test_a_quarter_has_no_say_in_its_own_distances():
    moves = coupled()
    states = States.learn(moves, trailing=False)
    places = states._states(moves)
    rest = states._centered(np.delete(places, np.s_[100:200], axis=1))
    np.testing.assert_array_equal(
        states.usual_distances(moves)[:, 100:200], rest.distances(moves)[:, 100:200]
    )
