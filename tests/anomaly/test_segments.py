"""Stretches that stand out, and what raised them."""

from __future__ import annotations

import naive_anomaly
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sktspulse.anomaly.segments import find_segments, loudest_channels
from sktspulse.series.runs import runs


@settings(max_examples=50)
@given(st.lists(st.floats(-3, 0), min_size=1, max_size=30), st.floats(-2, -1))
def test_segments_equal_a_loop(scores, offset):
    scores = np.array(scores)
    expected = naive_anomaly.segments(scores, offset)
    assert [tuple(run) for run in runs(scores < offset)] == [(a, b) for a, b, _ in expected]
    nothing = np.zeros((1, len(scores)), int)
    found = find_segments(scores, offset, nothing[0], nothing, ("time",))
    assert [tuple(one) for one in found[["start", "end", "peak"]].tolist()] == expected


def test_the_loudest_channel_of_each_head_is_told():
    channels = np.random.default_rng(0).normal(size=(4, 2, 9))
    told = []
    passed = list(loudest_channels(iter(channels), told))
    np.testing.assert_array_equal(passed, channels)
    np.testing.assert_array_equal(told[0], channels.argmax(0))


def test_a_segment_names_what_is_loudest_at_its_peak():
    scores = np.array([0.0, -4, -6, 0])
    heads = np.array([0, 0, 1, 0])
    channels = np.array([[9, 9, 9, 9], [0, 1, 2, 3]])
    (found,) = find_segments(scores, -3, heads, channels, ("time", "level")).tolist()
    assert found == (1, 3, 2, -6.0, "level", 2)
