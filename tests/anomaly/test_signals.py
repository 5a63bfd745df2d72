"""Heads are chosen by what is available; commands have no signal of their own."""

from __future__ import annotations

import naive_anomaly
import numpy as np
import pytest
from anomaly.test_multichannel import coupled

from sktspulse.anomaly.multichannel import joint_distance
from sktspulse.anomaly.signals import (
    DIRECT_HEADS,
    HeadSignals,
    choose_heads,
    individual_channels,
)
from sktspulse.network import TSPulseConfig

ALL = np.ones(3, bool)


no_network = naive_anomaly.NoNetwork()


@pytest.mark.parametrize(
    ("shape", "causal", "expected"),
    [
        ((4096, 1), False, ("time", "frequency", "coarse", "level", "variation")),
        ((4095, 1), False, ("time", "frequency", "level", "variation")),
        ((5000, 1), True, ("time", "frequency", "level", "variation")),
        ((100, 1), False, ("time", "frequency", "level", "variation")),
        ((5000, 2), False, ("time", "frequency", "variation", "channels", "states")),
        ((300, 2), False, ("time", "frequency", "variation", "channels", "states")),
    ],
)
def test_automatic_heads_depend_on_the_recording(shape, causal, expected):
    assert choose_heads("auto", TSPulseConfig(), shape, "tspulse-p8", causal) == expected


def test_heads_of_several_channels_need_several_channels():
    with pytest.raises(ValueError, match=r"heads is 'states', expected .* 1 channels and causal=F"):
        choose_heads("states", TSPulseConfig(), (1000, 1), "tspulse-p8", causal=False)


@pytest.mark.parametrize(
    ("columns", "individual"),
    [
        ([[0, 1, 0, 1], [1, 2, 3, 1], [5, 5, 5, 5]], [False, True, False]),
        ([[0, 1, 0, 1], [0, np.nan, 0, 1]], [True, True]),
        ([[np.nan] * 4, [1, 2, 3, np.nan]], [False, True]),
    ],
)
def test_channels_of_two_values_are_individual_only_if_there_are_no_others(columns, individual):
    assert individual_channels(np.array(columns, float).T).tolist() == individual


def test_each_head_has_its_signal():
    scaled = coupled()
    errors = naive_anomaly.NoNetwork(lambda series, shown: {"time": 2 * series})
    signals = HeadSignals.fit(scaled, ("time", *DIRECT_HEADS), ALL, False, errors)
    joint, *channels = signals(scaled, errors)
    assert np.isnan(joint[:4]).all()
    assert np.isfinite(joint[4]).all()
    for channel, (time, level, variation, regression, distances) in enumerate(channels):
        values, one = scaled[channel], signals.channels[channel]
        np.testing.assert_array_equal(time, 2 * values)
        np.testing.assert_array_equal(level, one.cycle.deviations(values))
        np.testing.assert_array_equal(variation, one.steps(values))
        np.testing.assert_array_equal(regression, signals.regression.errors(scaled)[channel])
        np.testing.assert_array_equal(distances, signals.states.distances(scaled)[channel])


def fit_one(values: np.ndarray, heads: tuple[str, ...], errors) -> HeadSignals:
    return HeadSignals.fit(values[None], heads, ALL[:1], False, errors)


@pytest.mark.parametrize("wild", [30.0, -1e6])
def test_wild_values_are_hidden_from_the_network(wild):
    seen = []
    errors = naive_anomaly.NoNetwork(lambda series, shown: seen.append(shown.copy()) or {})
    signals = fit_one(coupled()[0], ("time", "level"), errors)
    values = coupled()[0]
    values[100] = wild
    list(signals(values[None], errors))
    assert np.flatnonzero(np.isnan(seen[-1])).tolist() == [100]


def test_a_level_that_is_not_predictable_has_no_signal_unless_it_is_the_only_one():
    walk = np.arange(400.0) / 100
    for heads, known in ((("time", "level"), False), (("level",), True)):
        (block,) = fit_one(walk, heads, no_network)(walk[None], no_network)
        assert np.isfinite(block[-1]).all() == known


def test_commands_are_not_given_to_the_network_and_have_joint_signals_only():
    scaled = coupled()
    scaled[0] = scaled[0] > 1
    seen = []
    errors = naive_anomaly.NoNetwork(lambda series, shown: seen.append(series) or {})
    individual = individual_channels(scaled.T)
    signals = HeadSignals.fit(scaled, DIRECT_HEADS, individual, False, errors)
    _, command, *others = signals(scaled, errors)
    assert len(seen) == 2
    assert np.isnan(command[:3]).all()
    assert np.isfinite(command[3]).all()
    assert all(np.isfinite(one[:, 1:]).all() for one in others)


@pytest.mark.parametrize("first", [64, 100])
def test_signals_from_a_later_point_on_are_the_same(first):
    scaled = coupled()
    signals = HeadSignals.fit(scaled, DIRECT_HEADS, ALL, True, no_network)
    whole = np.array(list(signals(scaled, no_network)))
    late = np.array(list(signals(scaled, no_network, first=first)))
    np.testing.assert_allclose(late, whole[:, :, first:])


def test_training_blocks_differ_where_the_recording_was_fitted_to():
    scaled = np.stack([np.tile(np.sin(np.arange(24) / 3.8), 10), coupled()[1, :240]])
    scaled[0] += 0.2 * coupled()[0, :240]
    signals = HeadSignals.fit(scaled, DIRECT_HEADS, ALL[:2], False, no_network)
    blocks = list(signals(scaled, no_network))
    training = [signals.training_block(n, block, scaled) for n, block in enumerate(blocks)]
    held_out = signals.states.cross_validated_distances(scaled)
    np.testing.assert_array_equal(training[0][3], joint_distance(held_out))
    optimism = signals.channels[0].cycle.optimism
    assert optimism > 1.05
    np.testing.assert_array_equal(training[1][0], optimism * blocks[1][0])
    np.testing.assert_array_equal(training[1][1:], blocks[1][1:])
    assert not any(one is other for one, other in zip(training, blocks, strict=True))


def test_the_input_is_unchanged():
    scaled = coupled()
    before = scaled.copy()
    signals = HeadSignals.fit(scaled, DIRECT_HEADS, ALL, False, no_network)
    for block in signals(scaled, no_network):
        block[:] = 7
    np.testing.assert_array_equal(scaled, before)


def test_a_head_is_chosen_once():
    config = TSPulseConfig()
    assert choose_heads(("time", "level"), config, (900, 1), "", False) == ("time", "level")
    with pytest.raises(ValueError, match="each once"):
        choose_heads(("time", "level", "time"), config, (900, 1), "", False)
