"""Sensitivity: how far does an embedding move when its series is distorted?

The published figures call it distortion in per cent and do not say of what. Three readings are
given: the mean of ``|e(x') - e(x)| / |e(x)|``; the sum of the squares of the first over that of the
squares of the second; and the mean of ``|e(x') - e(x)|`` over the mean distance of the embeddings
of different series, which tells whether neighbours stay neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
from scipy.spatial.distance import pdist

from . import Checkpoints, Row, panels
from .features import embed
from .retrieval import SHIFT

N_PER_SET = 20
MISSING, NOISE = 0.3, 0.5  # share of the points; deviation, of series with deviation 1
LENGTHS, SQUARES = "% of length", "% of squared length"
DISTANCES = "% of distance between series"
PUBLISHED = {
    "missing": {"time": 8.3, "frequency": 27.4, "semantic": 4.6},
    "noise": {"time": 2.7, "frequency": 6.8, "semantic": 2.5},
    "shift": {"time": 130.0, "frequency": 21.0, "semantic": 12.0},
}


def rows(data: Path, checkpoints: Checkpoints) -> Iterator[Row]:
    panel = sample(data)
    changed = distortions(panel)
    for method, checkpoint in checkpoints.items():
        before = embed(checkpoint, panel)
        spread = {kind: pdist(vectors).mean() for kind, vectors in before.items()}
        for distortion, other in changed.items():
            for kind, after in embed(checkpoint, other).items():
                moved = np.linalg.norm(after - before[kind], axis=1)
                lengths = np.linalg.norm(before[kind], axis=1)
                shares = {
                    LENGTHS: (moved / lengths).mean(),
                    SQUARES: np.square(moved).sum() / np.square(lengths).sum(),
                    DISTANCES: moved.mean() / spread[kind],
                }
                metric = f"{distortion}, {kind}"
                for reading, share in shares.items():
                    yield Row("sensitivity", reading, "", metric, method, 100 * float(share))
    yield from published()


def sample(data: Path) -> np.ndarray:
    """Draw up to twenty series of the train part of every set."""
    drawn = []
    for path in panels.paths(data):
        series = panels.load(path, "train").series
        order = np.random.default_rng(0).permutation(len(series))
        drawn += [series[i] for i in order[:N_PER_SET]]
    return panels.stacked(drawn)


def distortions(panel: np.ndarray) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(42)
    n_series, length = panel.shape
    ranks = rng.random(panel.shape).argsort(1).argsort(1)
    most = int(SHIFT * length)
    steps = rng.integers(-most, most, n_series, endpoint=True)
    return {
        "missing": np.where(ranks < int(MISSING * length), np.nan, panel),
        "noise": panel + rng.normal(0, NOISE, panel.shape),
        "shift": np.stack([np.roll(one, k) for one, k in zip(panel, steps, strict=True)]),
    }


def published() -> Iterator[Row]:
    """Yield the published numbers in both readings they may have."""
    for reading, (distortion, kinds) in product((LENGTHS, SQUARES), PUBLISHED.items()):
        for kind, value in kinds.items():
            metric = f"{distortion}, {kind}"
            yield Row("sensitivity", reading, "", metric, "TSPulse, published", published=value)
