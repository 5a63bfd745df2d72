"""Recordings with what was found, made by hand."""

from __future__ import annotations

import numpy as np

from sktspulse.anomaly import AnomalyScores, find_segments
from sktspulse.reporting import RecordingFindings
from sktspulse.series import Container


def findings(n=400, names=("a", "b"), alarms=((100, 110),), gaps=((0, 20, 25),), X=None):
    """Return sines with alarms in the first channel, and gaps (channel, start, end)."""
    filled = np.sin(np.arange(n)[:, None] / 9 + np.arange(len(names)))
    values, scores = filled.copy(), np.full(n, 0.1)
    for channel, start, end in gaps:
        values[start:end, channel] = np.nan
    for strength, (start, end) in enumerate(alarms, start=2):
        scores[start:end] = strength
    answer = AnomalyScores(scores, scores[None], np.zeros((1, n), dtype=int))
    segments = find_segments(answer, -1.0, ["level"])
    container = Container(values if X is None else X)
    return RecordingFindings(
        values, filled, -scores, -1.0, segments, list(names), container, is_own_normal=True
    )
