"""Time the exact search beside scikit-learn's, and count what smaller storage loses.

    python examples/benchmarks/search.py --data ../shared/data

Both searches answer the same queries in the same process, by turns, each once more than it is
timed. Without ``--data`` only random vectors are searched; with it, the embeddings of windows of
the pre-training corpus as well, for the recall of faiss, and those of the train series of the UCR
sets, for the recall of float16 and int8. ``--memory`` measures the peak of a million vectors
instead, in a process of its own for each way to store them.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
import torch
from measures import panels, tables
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from sktspulse import TSPulseTransformer, WindowSampling
from sktspulse.pretraining import Corpus, WindowStream
from sktspulse.retrieval import (
    METRICS,
    STORES,
    Entries,
    FaissIndex,
    IndexSpec,
    SearchContext,
    SeriesIndex,
    VectorIndex,
    load_faiss,
    prepared,
)

ROOT = Path(__file__).parents[2]
N_VECTORS, N_FEATURES, N_QUERIES, K = 100_000, 240, 500, 10
N_PER_SET = 50  # series of a UCR set
EMBEDDINGS = ("semantic", "detailed")
N_WINDOWS, N_ASKED = 60_000, 500  # of the corpus, indexed and as queries
N_MANY = 1_000_000  # vectors whose memory is measured

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
            started = time.process_time()
            run()
            seconds[name].append(time.process_time() - started)
    return {name: values[1:] for name, values in seconds.items()}


def speed(n_times: int) -> Iterator[Row]:
    vectors, queries = draw()
    for metric in METRICS:
        theirs = NearestNeighbors(n_neighbors=K, algorithm="brute", metric=metric).fit(vectors)
        runs = {"scikit-learn": lambda theirs=theirs: theirs.kneighbors(queries)}
        sizes = {"scikit-learn": vectors.nbytes}
        for store in STORES if metric == "euclidean" else STORES[:1]:
            index = VectorIndex.fit(prepared(vectors, metric), metric, store)
            asked = prepared(queries, metric)
            runs[store] = lambda index=index, asked=asked: index.nearest(asked, K)
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
    for embedding in EMBEDDINGS:
        vectors = TSPulseTransformer(embedding, checkpoint=checkpoint).fit_transform(rows)
        for metric in METRICS:
            yield from _losses(vectors[~is_query], vectors[is_query], metric, embedding)


def _losses(vectors: np.ndarray, queries: np.ndarray, metric: str, embedding: str) -> Iterator[Row]:
    truth = None
    for store in STORES:
        index = VectorIndex.fit(prepared(vectors, metric), metric, store)
        _, found = index.nearest(prepared(queries, metric), K)
        truth = found if truth is None else truth
        yield {
            "vectors": f"{len(vectors)} UCR, {embedding}",
            "metric": metric,
            "search": store,
            "ms a query": "",
            "MB": f"{index.codes.nbytes / 1e6:.1f}",
            "recall": f"{recall(found, truth):.4f}",
        }


def approximate(data: Path, checkpoint: str, n_times: int) -> Iterator[Row]:
    """Compare faiss with the exact search among embeddings of windows of the corpus."""
    corpus = Corpus.from_files(sorted((data / "pretrain").glob("corpus-*.npz")))
    sampling = WindowSampling(synthetic_fraction=0.0, resolutions=(1, 2, 4), augment=False)
    windows = WindowStream(corpus, 512, N_WINDOWS + N_ASKED, sampling, seed=0).batch(0)
    vectors = TSPulseTransformer(checkpoint=checkpoint).fit_transform(windows)
    runs, sizes = {}, {}
    for store in ("float32", "int8"):
        for name, cls in {"exact": VectorIndex, "faiss": FaissIndex}.items():
            index = cls.fit(vectors[N_ASKED:], "euclidean", store)
            label = f"{store}, {name}"
            runs[label] = lambda index=index: index.nearest(vectors[:N_ASKED], K)
            sizes[label] = index.codes.nbytes + (index.codes.size if name == "faiss" else 0)
    truth = runs["float32, exact"]()[1]
    for name, seconds in timed(runs, n_times).items():
        yield {
            "vectors": f"{N_WINDOWS} windows, semantic",
            "metric": "euclidean",
            "search": name,
            "ms a query": f"{1000 * statistics.median(seconds) / N_ASKED:.2f}",
            "MB": f"{sizes[name] / 1e6:.1f}",
            "recall": f"{recall(runs[name]()[1], truth):.4f}",
        }


def peak(metric: str, store: str) -> str:
    """Index and search many vectors, and return the peak memory of this process."""
    rng = np.random.default_rng(0)
    context = SearchContext(
        lambda panel: rng.standard_normal((len(panel), N_FEATURES), np.float32), None
    )
    panel = np.broadcast_to(np.zeros((1, 2)), (N_MANY, 1, 2))
    spec = IndexSpec(metric, store, "exact")
    index = SeriesIndex.fit(panel, Entries().following(panel), spec, context)
    index.nearest(panel[:N_QUERIES], K, context)
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return f"{metric}, {store}: {gigabytes:.2f} GB"


def recall(found: np.ndarray, truth: np.ndarray) -> float:
    shared = [len(set(one) & set(other)) for one, other in zip(found, truth, strict=True)]
    return sum(shared) / truth.size


def measure(arguments: argparse.Namespace) -> None:
    torch.set_num_threads(1)
    if arguments.data:
        load_faiss()  # so that its threads are limited as well
    with threadpool_limits(1):
        table = list(speed(arguments.times))
        if arguments.data:
            table += approximate(arguments.data, arguments.checkpoint, arguments.times)
            table += losses(arguments.data, arguments.checkpoint)
    tables.write(table, arguments.output / "search.csv")
    for row in table:
        print(*row.values(), sep="\t")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with the public data")
    parser.add_argument("--checkpoint", default="tspulse-p16")
    parser.add_argument("--times", type=int, default=4, help="how often each search is timed")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks")
    parser.add_argument("--memory", nargs="*", metavar=("METRIC", "STORE"), help="see above")
    arguments = parser.parse_args()
    if arguments.memory:
        print(peak(*arguments.memory))
    elif arguments.memory is not None:
        for kind in product(METRICS, STORES):
            subprocess.run([sys.executable, __file__, "--memory", *kind], check=True)  # noqa: S603
    else:
        measure(arguments)


if __name__ == "__main__":
    main()
