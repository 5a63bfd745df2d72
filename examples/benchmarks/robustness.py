"""Count the neighbours that stay when a query is shifted, scaled, noisy or full of gaps.

    python examples/benchmarks/robustness.py --data ../shared/data

The series are those of the benchmark of retrieval. Of the ten nearest of a series, itself left
out, the share is counted that is among the ten nearest of its distorted copy as well, for
every embedding and for the series as they are. The published figures say how far embeddings
move; this says what that does to a search.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
from measures import panels, retrieval, tables
from measures.features import plain
from sklearn.neighbors import NearestNeighbors

from sktspulse import TSPulseRetriever

EVERY, K = 10, 10  # one query in so many; neighbours
OURS = (
    ("tspulse-p16", "semantic"),
    ("tspulse-p16", "detailed"),
    ("tspulse-p16", "time"),
    ("tspulse-p16", "frequency"),
    ("tspulse-p8", "semantic"),
    ("tspulse-p8", "detailed"),
)
MEASURES = ("neighbours kept", "of the same set")
HEADER = ("distortion", "strength", "method", *MEASURES)
SHOWN = {"shift": 0.1, "scale": 10, "noise": 0.2, "missing": 0.3}  # in the table of the page
AXES = {
    "shift": "rolled by [share of the length]",
    "scale": "multiplied by",
    "noise": "noise [deviations of the series]",
    "missing": "missing [share of the points]",
}
STYLES = {
    "tspulse-p16, semantic": {"color": "C0", "lw": 2, "marker": "o"},
    "tspulse-p16, detailed": {"color": "C1", "lw": 2, "marker": "s"},
    "series as they are": {"color": "0.5", "ls": "--", "marker": "."},
}

Find = Callable[[np.ndarray], np.ndarray]  # (n_queries, 512) -> (n_queries, K + 1)


def shift(panel: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    steps = np.rint(strength * panel.shape[1] * rng.choice([-1, 1], len(panel))).astype(int)
    return np.stack([np.roll(one, step) for one, step in zip(panel, steps, strict=True)])


def scale(panel: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    return strength * panel


def noise(panel: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    return panel + strength * rng.normal(size=panel.shape)


def missing(panel: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    ranks = rng.random(panel.shape).argsort(1).argsort(1)
    return np.where(ranks < strength * panel.shape[1], np.nan, panel)


DISTORTIONS = {
    shift: (0.02, 0.05, 0.1, 0.2, 0.4),
    scale: (0.1, 0.5, 0.8, 1.2, 2, 10),
    noise: (0.05, 0.1, 0.2, 0.5, 1),
    missing: (0.1, 0.2, 0.3, 0.5, 0.7),
}


def searches(index: np.ndarray) -> Iterator[tuple[str, Find]]:
    for checkpoint, embedding in OURS:
        model = TSPulseRetriever(K + 1, checkpoint=checkpoint, embedding=embedding)
        model.fit(index[:, None])
        yield (
            f"{checkpoint}, {embedding}",
            lambda panel, model=model: model.kneighbors(panel[:, None], return_distance=False),
        )
    search = NearestNeighbors(n_neighbors=K + 1, algorithm="brute").fit(index)
    yield "series as they are", lambda panel: search.kneighbors(_filled(panel))[1]
    spectrum = plain()["spectrum"]
    of_spectra = NearestNeighbors(n_neighbors=K + 1, algorithm="brute").fit(spectrum(index))
    yield "spectrum", lambda panel: of_spectra.kneighbors(spectrum(_filled(panel)))[1]


def _filled(panel: np.ndarray) -> np.ndarray:
    return np.stack([panels.bridged(one) for one in panel])


def rows(index: np.ndarray, families: np.ndarray) -> Iterator[dict[str, object]]:
    chosen = np.arange(0, len(index), EVERY)
    for method, find in searches(index):
        before = others(find(index[chosen]), chosen)
        for distort, strengths in DISTORTIONS.items():
            for strength in strengths:
                changed = distort(index[chosen], strength, np.random.default_rng(0))
                after = others(find(changed), chosen)
                kept = (before[:, :, None] == after[:, None]).any(-1).mean()
                same = (families[after] == families[chosen][:, None]).mean()
                numbers = (distort.__name__, strength, method, f"{kept:.3f}", f"{same:.3f}")
                yield dict(zip(HEADER, numbers, strict=True))


def others(found: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Leave the series itself out; where it was not found, the farthest."""
    own = found == chosen[:, None]
    own[~own.any(1), -1] = True
    return found[~own].reshape(-1, K)


def summary(table: list[dict[str, object]]) -> list[dict[str, object]]:
    """Put both shares at one strength a distortion side by side, a line a method."""
    lines: dict[object, dict[str, object]] = {}
    for row in table:
        if row["strength"] == SHOWN[row["distortion"]]:
            line = lines.setdefault(row["method"], {"method": row["method"]})
            for measure in MEASURES:
                line[f"{row['distortion']} {row['strength']}: {measure}"] = row[measure]
    return list(lines.values())


def draw(table: list[dict[str, object]], path: Path) -> None:
    import matplotlib.pyplot as plt

    size = (12, 5.5)
    figure, axes = plt.subplots(2, 4, figsize=size, layout="constrained", sharey=True, sharex="col")
    for (i, measure), (j, distortion) in product(enumerate(MEASURES), enumerate(AXES)):
        for method, style in STYLES.items():
            points = [
                (float(row["strength"]), float(row[measure]))
                for row in table
                if (row["distortion"], row["method"]) == (distortion, method)
            ]
            axes[i, j].plot(*zip(*points, strict=True), label=method, **style)
        axes[i, j].set(ylim=(-0.03, 1.03), xscale="log" if distortion == "scale" else "linear")
        axes[i, j].spines[["top", "right"]].set_visible(False)
        axes[0, j].set_title(distortion)
        axes[1, j].set_xlabel(AXES[distortion])
        axes[i, 0].set_ylabel(measure)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    arguments = parser.parse_args()
    segments = retrieval.sample(arguments.data)
    table = list(rows(panels.stacked(segments.series), segments.labels["family"]))
    path = arguments.output / "retrieval-robustness.csv"
    tables.write(table, path)
    tables.write(summary(table), path.with_stem(f"{path.stem}-summary"))
    draw(table, path.with_suffix(".png"))


if __name__ == "__main__":
    main()
