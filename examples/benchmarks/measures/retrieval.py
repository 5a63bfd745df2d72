"""Retrieval: are the nearest neighbours of a distorted series of its data set, of its class?

Ten train series a class, of every set whose classes all have ten, are stretched to 512 points
and standardised. "shifted" is the published protocol (Ekambaram et al., 2025): a query is an
indexed series, rolled, scaled, with noise. In "crops" index and query are two random stretches
of the same series, and in "gaps" a third of the query is missing as well. The source of a query
is once counted as a hit, as published, and once taken out of the index.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from . import Checkpoints, Row, panels
from .features import collections, embed, plain

N_PER_CLASS, K = 10, 3
SHIFT, CROP, NOISE = 0.2, 0.8, 0.1  # of the window; of the series; of the mean magnitude
SCALE = (0.8, 1.2)
GAP = 0.15  # of the window, once as single points and once as a block
METRICS = ("PREC@3", "MRR@3", "AP@3", "NDCG@3")
SOURCES = ("source counted", "source removed")
# Real data, mean of the first four by the authors' rerun; one number each by the paper.
PUBLISHED = {
    ("TSPulse, published rerun", "family"): (0.6125, 0.8575, 0.5833, 0.6555),
    ("TSPulse, published rerun", "class"): (0.4304, 0.7522, 0.4016, 0.4890),
    ("TSPulse, published", "family"): (0.645,),
    ("MOMENT-small, published", "family"): (0.389,),
    ("Chronos, published", "family"): (0.116,),
}


class Segments(NamedTuple):
    """Sampled series with the two labels of each."""

    series: list[np.ndarray]
    labels: dict[str, np.ndarray]


class Case(NamedTuple):
    """What is searched, and what for: row i of both comes from the same series."""

    index: np.ndarray  # (n, 512)
    queries: np.ndarray  # (n, 512)


def rows(data: Path, checkpoints: Checkpoints) -> Iterator[Row]:
    segments = sample(data)
    cases = {"shifted": shifted(segments.series), "crops": crops(segments.series)}
    for name, case in cases.items():
        for method, vectors in embedded(case, checkpoints):
            yield from _rows(name, method, neighbours(vectors), segments.labels)
    yield from published()


def sample(data: Path) -> Segments:
    """Draw ten series a class from the train parts of the sets that have as many."""
    series, families, classes = [], [], []
    for path in panels.paths(data):
        part = panels.load(path, "train")
        names, counts = np.unique(part.labels, return_counts=True)
        if counts.min() < N_PER_CLASS:
            continue
        rng = np.random.default_rng(0)
        for name in names:
            members = np.flatnonzero(part.labels == name)
            series += [part.series[i] for i in rng.choice(members, N_PER_CLASS, replace=False)]
            families += [path.stem] * N_PER_CLASS
            classes += [f"{path.stem} {name}"] * N_PER_CLASS
    return Segments(series, {"family": np.array(families), "class": np.array(classes)})


def shifted(series: list[np.ndarray]) -> Case:
    rng = np.random.default_rng(42)
    index = panels.stacked(series)
    most = int(SHIFT * panels.LENGTH)
    steps = rng.integers(-most, most, len(index), endpoint=True)
    rolled = np.stack([np.roll(one, step) for one, step in zip(index, steps, strict=True)])
    return Case(index, distorted(rolled, rng))


def crops(series: list[np.ndarray]) -> Case:
    rng = np.random.default_rng(42)
    index = panels.stacked([crop(one, rng) for one in series])
    queries = panels.stacked([crop(one, rng) for one in series])
    return Case(index, distorted(queries, rng))


def gaps(series: list[np.ndarray]) -> Case:
    """Take values out of the queries of the crops: single points and a block each."""
    index, queries = crops(series)
    rng = np.random.default_rng(43)
    n_queries, length = queries.shape
    n_missing = int(GAP * length)
    places = np.arange(length)
    starts = rng.integers(length - n_missing, size=(n_queries, 1))
    is_block = (places >= starts) & (places < starts + n_missing)
    is_single = rng.random(queries.shape).argsort(1).argsort(1) < n_missing
    return Case(index, np.where(is_block | is_single, np.nan, queries))


def crop(series: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    length = round(CROP * len(series))
    start = rng.integers(len(series) - length, endpoint=True)
    return series[start : start + length]


def distorted(panel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    scaled = panel * rng.uniform(*SCALE, (len(panel), 1))
    deviation = NOISE * np.abs(scaled).mean(1, keepdims=True)
    return scaled + rng.normal(size=panel.shape) * deviation


def embedded(case: Case, checkpoints: Checkpoints) -> Iterator[tuple[str, Case]]:
    """Yield every method with its vectors."""
    for name, checkpoint in checkpoints.items():
        index, queries = (embed(checkpoint, part) for part in case)
        semantic = Case(index["semantic"], queries["semantic"])
        yield f"{name}, semantic", semantic
        yield f"{name}, semantic, cosine", Case(*map(normalize, semantic))
        yield f"{name}, detailed", Case(_detailed(index), _detailed(queries))
    for name, extract in {**plain(), **collections(case.index)}.items():
        yield name, Case(*map(extract, case))


def _detailed(features: dict[str, np.ndarray]) -> np.ndarray:
    return np.hstack([features["time"], features["frequency"]])


def neighbours(vectors: Case) -> dict[str, np.ndarray]:
    """Find the nearest three of every query, with and without its own source."""
    search = NearestNeighbors(n_neighbors=K + 1, algorithm="brute").fit(vectors.index)
    found = search.kneighbors(vectors.queries, return_distance=False)
    return by_source(found, np.arange(len(found)))


def by_source(found: np.ndarray, sources: np.ndarray) -> dict[str, np.ndarray]:
    """Return the nearest three of four, once as they are and once without the query's source."""
    own = found == sources[:, None]
    own[~own.any(1), K] = True  # the last is one too many where the source is not among them
    return dict(zip(SOURCES, (found[:, :K], found[~own].reshape(-1, K)), strict=True))


def scores(hits: np.ndarray) -> np.ndarray:
    """Return the four metrics, given which of the three nearest are relevant."""
    ranks = np.arange(1, K + 1)
    precision = hits.cumsum(1) / ranks
    gains = 1 / np.log2(ranks + 1)
    reciprocal = (hits / ranks).max(1)
    average, gain = (precision * hits).mean(1), hits @ gains / gains.sum()
    return np.array([precision[:, -1], reciprocal, average, gain]).mean(1)


def _rows(
    name: str, method: str, found: dict[str, np.ndarray], labels: dict[str, np.ndarray]
) -> Iterator[Row]:
    for source, places in found.items():
        for label, values in labels.items():
            hits = values[places] == values[:, None]
            for metric, value in zip(METRICS, scores(hits), strict=True):
                yield Row(
                    "retrieval", f"{name}, {source}", "", f"{label} {metric}", method, float(value)
                )


def published() -> Iterator[Row]:
    for (method, label), values in PUBLISHED.items():
        for metric, value in zip(METRICS, values, strict=False):
            protocol = f"shifted, {SOURCES[0]}"
            yield Row("retrieval", protocol, "", f"{label} {metric}", method, published=value)
