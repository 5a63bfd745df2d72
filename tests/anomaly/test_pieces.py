"""A recording that is scored in pieces has the scores that it has in one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from estimator_cases import checkpoint

from sktspulse import TSPulseAnomalyDetector
from sktspulse.anomaly import piece_rows, score_piece
from sktspulse.anomaly.pieces import Piece

ALL_HEADS = ("time", "frequency", "coarse", "forecast", "level", "variation")
DETECTORS = {
    "all heads": ({"heads": ALL_HEADS, "smoothing": 8}, "noise"),
    "short averages, a cycle": ({"heads": ("time", "level"), "smoothing": 4}, "cycle"),
    "many channels": ({"smoothing": 16}, "channels"),
    "lengths chosen": ({"heads": ("time", "variation")}, "noise"),
    "causal": ({"causal": True, "heads": ("time", "forecast", "variation")}, "noise"),
    "causal, many channels": ({"causal": True, "smoothing": 8}, "channels"),
    "a counter": ({"heads": ("time", "level")}, "counter"),
}


def recording(kind: str, n: int = 4500) -> np.ndarray:
    rng = np.random.default_rng(0)
    t, noise = np.arange(n)[:, None], rng.normal(size=(n, 3))
    t = t + 7 * (t > 2400)  # the phase jumps within a part of the cycle, which is as long as fit
    X = 0.2 * noise + np.sin(2 * np.pi * t / (30, 45, 60)) * (kind != "noise")
    X[::7, 2] = np.nan
    X[1600:1900] = np.nan
    if kind != "cycle":
        X[2100:3600, 0] = np.nan  # longer than any overlap
    X[[*range(3204, 3210), *range(3700, 3710)]] += 4
    X = X if kind == "channels" else X[:, :1]
    return np.cumsum(np.abs(noise[:, :1]), axis=0) if kind == "counter" else X


def in_pieces(detector: TSPulseAnomalyDetector, X: np.ndarray, cuts: list[int]) -> np.ndarray:
    edges = [0, *cuts, len(X)]
    scores = []
    for start, stop in pairwise(edges):
        first, last = piece_rows(detector, start, stop, len(X))
        found = score_piece(detector, X[first:last], first, len(X))
        scores.append(found[start - first : stop - first])
    return np.concatenate(scores)


@pytest.mark.parametrize("name", DETECTORS)
def test_scores_in_pieces_are_those_in_one(name):
    settings, kind = DETECTORS[name]
    X = recording(kind)
    detector = TSPulseAnomalyDetector(**settings, checkpoint=checkpoint()).fit(X[:1500])
    found = in_pieces(detector, X, [3, 3203, 4450])
    np.testing.assert_allclose(found, detector.score_samples(X), rtol=0, atol=1e-6)


def test_pieces_are_bounded():
    X = recording("noise")
    detector = TSPulseAnomalyDetector("time", smoothing=8, checkpoint=checkpoint()).fit(X[:1500])
    first, last = piece_rows(detector, 10**8, 10**8 + 100, 10**9)
    assert last - first < 5000
    assert piece_rows(detector, 0, 900, 900) == (0, 900)


def test_a_piece_has_whole_parts_of_a_cycle():
    X = recording("cycle")
    detector = TSPulseAnomalyDetector(("time", "level"), smoothing=4, checkpoint=checkpoint())
    first, last = piece_rows(detector.fit(X[:500]), 2600, 2610, len(X))
    multiple = 7  # of the windows of this network
    assert first % 500 in range(500 - multiple, 500) or first % 500 == 0
    assert last % 500 == 0


def test_a_piece_knows_where_its_recording_goes_on():
    assert Piece(0, 10).cuts(10) == (False, False)
    assert Piece(2, 10).cuts(7) == (True, True)
