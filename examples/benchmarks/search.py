"""Time the exact search beside scikit-learn's, and count what smaller storage loses.

    python examples/benchmarks/search.py --data ../shared/data

Both searches answer the same queries in the same process, by turns, each once more than it is
timed. Without ``--data`` only random vectors are searched; with it, the embeddings of the train
series of the UCR sets as well, for the recall of float16 and int8.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from measures import panels
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from sktspulse import TSPulseTransformer
from sktspulse._search import METRICS, STORES, VectorIndex

ROOT = Path(__file__).parents[2]
N_VECTORS, N_FEATURES, N_QUERIES, K = 100_000, 240, 500, 10
N_PER_SET = 50  # series of a UCR set
EMBEDDINGS = ("semantic", "detailed")
CPU = torch.device("cpu")

Row = dict[str, object]
Found = tuple[np.ndarray, np.ndarray]


def draw() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = ((N_VECTORS, N_FEATURES), (N_QUERIES, N_FEATURES))
    return tuple(rng.standard_normal(size, np.float32) for size in sizes)


def timed(runs: dict[str, Callable[[], Found]], n_times: int) -> dict[str, list[float]]:
    """Run all by turns; the first time does not count."""
    seconds = {name: [] for name in runs}
    for _ in range(n_times + 1):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    return {name: values[1:] for name, values in seconds.items()}


def speed(n_times: int) -> Iterator[Row]:
    vectors, queries = draw()
    for metric in METRICS:
        theirs = NearestNeighbors(n_neighbors=K, algorithm="brute", metric=metric).fit(vectors)
        runs = {"scikit-learn": lambda theirs=theirs: theirs.kneighbors(queries)}
        sizes = {"scikit-learn": vectors.nbytes}
        for store in STORES if metric == "euclidean" else STORES[:1]:
            index = VectorIndex.build(vectors, metric, store)
            asked = index.query(queries)
            runs[store] = lambda index=index, asked=asked: index.nearest(asked, K, CPU)
            sizes[store] = sum(
                part.nbytes for part in (index.codes, index.scales) if part is not None
            )
        truth = theirs.kneighbors(queries, return_distance=False)
        for name, seconds in timed(runs, n_times).items():
            yield {
                "vectors": f"{N_VECTORS} random",
                "metric": metric,
                "search": name,
                "ms a query": f"{1000 * statistics.median(seconds) / N_QUERIES:.2f}",
                "MB": f"{sizes[name] / 1e6:.1f}",
                "recall": f"{recall(runs[name]()[1], truth):.4f}",
            }


def losses(data: Path, checkpoint: str) -> Iterator[Row]:
    """Count the neighbours that the same search finds among vectors stored smaller."""
    parts = [panels.load(path, "train").series for path in panels.paths(data)]
    series = [one for part in parts for one in part[:N_PER_SET]]
    rows = panels.stacked(series)
    is_query = np.arange(len(rows)) % 10 == 0
    for output in EMBEDDINGS:
        vectors = TSPulseTransformer(output, checkpoint=checkpoint).fit_transform(rows)
        for metric in METRICS:
            yield from _losses(vectors[~is_query], vectors[is_query], metric, output)


def _losses(vectors: np.ndarray, queries: np.ndarray, metric: str, output: str) -> Iterator[Row]:
    truth = None
    for store in STORES:
        index = VectorIndex.build(vectors, metric, store)
        _, found = index.nearest(index.query(queries), K, CPU)
        truth = found if truth is None else truth
        yield {
            "vectors": f"{len(vectors)} UCR, {output}",
            "metric": metric,
            "search": store,
            "ms a query": "",
            "MB": f"{index.codes.nbytes / 1e6:.1f}",
            "recall": f"{recall(found, truth):.4f}",
        }


def recall(found: np.ndarray, truth: np.ndarray) -> float:
    shared = [len(set(one) & set(other)) for one, other in zip(found, truth, strict=True)]
    return sum(shared) / truth.size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with the public data")
    parser.add_argument("--checkpoint", default="tspulse-p8")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--times", type=int, default=4, help="how often each search is timed")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with threadpool_limits(arguments.threads):
        table = list(speed(arguments.times))
        if arguments.data:
            table += losses(arguments.data, arguments.checkpoint)
    with (arguments.output / "search.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)
    for row in table:
        print(*row.values(), sep="\t")


if __name__ == "__main__":
    main()
