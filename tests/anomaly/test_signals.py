"""Heads are chosen by what is available; commands have no signal of their own."""

from __future__ import annotations

import numpy as np
import pytest
from anomaly.test_multichannel import coupled

from sktspulse.anomaly.signals import (
    DIRECT_HEADS,
    HeadSignals,
    choose_heads,
    individual_channels,
)
from sktspulse.network import TSPulseConfig

ALL = np.ones(3, bool)


def no_network(series):
    return {}


@pytest.mark.parametrize(
    ("shape", "causal", "expected"),
    [
        ((1000, 1), False, ("time", "frequency", "coarse", "level", "variation")),
        ((1000, 1), True, ("time", "frequency", "level", "variation")),
        ((100, 1), False, ("time", "frequency", "level", "variation")),
        ((1000, 2), False, ("time", "frequency", "variation", "channels", "states")),
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
    signals = HeadSignals.fit(scaled, ("time", *DIRECT_HEADS), ALL, trailing=False)
    joint, *channels = signals(scaled, lambda series: {"time": 2 * series})
    assert np.isnan(joint[:4]).all()
    assert np.isfinite(joint[4]).all()
    for channel, (time, level, variation, errors, distances) in enumerate(channels):
        np.testing.assert_array_equal(time, 2 * scaled[channel])
        np.testing.assert_array_equal(level, scaled[channel])
        np.testing.assert_array_equal(variation[1:], np.diff(scaled[channel]) ** 2)
        np.testing.assert_array_equal(errors, signals.regression.errors(channel, scaled))
        np.testing.assert_array_equal(distances, signals.states.distances(scaled)[channel])


def test_commands_are_not_given_to_the_network_and_have_joint_signals_only():
    scaled = coupled()
    scaled[0] = scaled[0] > 1
    seen = []
    signals = HeadSignals.fit(scaled, DIRECT_HEADS, individual_channels(scaled.T), trailing=False)
    _, command, *others = signals(scaled, lambda series: seen.append(series) or {})
    assert len(seen) == 2
    assert np.isnan(command[:3]).all()
    assert np.isfinite(command[3]).all()
    assert all(np.isfinite(one[:, 1:]).all() for one in others)


@pytest.mark.parametrize("first", [64, 100])
def test_signals_from_a_later_point_on_are_the_same(first):
    scaled = coupled()
    signals = HeadSignals.fit(scaled, DIRECT_HEADS, ALL, trailing=True)
    whole = np.array(list(signals(scaled, no_network)))
    late = np.array(list(signals(scaled, no_network, first=first)))
    np.testing.assert_allclose(late, whole[:, :, first:])


def test_the_input_is_unchanged():
    scaled = coupled()
    before = scaled.copy()
    signals = HeadSignals.fit(scaled, DIRECT_HEADS, ALL, trailing=False)
    for block in signals(scaled, no_network):
        block[:] = 7
    np.testing.assert_array_equal(scaled, before)
