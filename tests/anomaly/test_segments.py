"""Segments of outliers, with the head and channel that stand out."""

from __future__ import annotations

import naive_anomaly
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sktspulse.anomaly.normal_model import AnomalyScores
from sktspulse.anomaly.segments import find_segments


@settings(max_examples=50)
@given(st.lists(st.floats(0, 3), min_size=1, max_size=30), st.floats(-2, -1))
def test_segments_equal_a_loop(combined, offset):
    combined = np.array(combined)
    expected = naive_anomaly.segments(-combined, offset)
    zeros = np.zeros((1, len(combined)), int)
    found = find_segments(AnomalyScores(combined, zeros, zeros), offset, ("time",))
    assert [tuple(one) for one in found[["start", "end", "peak"]].tolist()] == expected


def test_a_segment_names_head_and_channel_of_the_highest_score_at_its_peak():
    combined = np.array([0.0, 4, 6, 0])
    heads = np.array([[0, 5, 5, 0], [0, 0, 7, 0]])
    top_channels = np.array([[9, 9, 9, 9], [0, 1, 2, 3]])
    scores = AnomalyScores(combined, heads, top_channels)
    assert find_segments(scores, -3, ("time", "level")).tolist() == [(1, 3, 2, -6.0, "level", 2)]
