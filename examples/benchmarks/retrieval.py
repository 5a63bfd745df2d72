"""Measure similarity search: does a distorted series find its data set, and its class?

    python examples/benchmarks/retrieval.py --data ../shared/data --on corpus
    python examples/benchmarks/retrieval.py --data ../shared/data

The first command measures embeddings on recordings set aside from the pre-training corpus, which
the defaults of TSPulseRetriever were chosen by; the second measures all methods on the UCR sets.
How queries are made is told in `measures/retrieval.py`. Every search is exact.

Times are those of the processor, on one thread, so that other work on the machine counts less.
Rows are written as soon as they are there, and rows that are there already are kept, so that the
script goes on where it was stopped; tables and figure are made of whatever is there. Delete the
file to measure again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from measures import retrieval, tables
from measures.features import collections, embed, plain
from measures.panels import bridged
from measures.retrieval import METRICS, SOURCES, Case, K, Segments
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from sktspulse import TSPulseRetriever
from sktspulse.network import infer, load_checkpoint
from sktspulse.pretraining import Corpus
from sktspulse.retrieval import bridge_short_gaps

PROTOCOLS = {
    "shifted": retrieval.shifted,
    "crops": retrieval.crops,
    "gaps": retrieval.gaps,
}
CHECKPOINTS = ("tspulse-p8", "tspulse-p16")
EMBEDDINGS = ("semantic", "time", "frequency", "detailed")
ASIDE = 50  # one series in so many was set aside from the corpus
STRETCHES, N_STRETCHES = (160, 320, 640, 1280), 10  # time points; of each length, of a recording
SAMPLE = 27  # one query in so many, for what is slow
DTW_WINDOW = 0.1  # of the length
LABELS = ("family", "class")
DRAWN = (  # from below
    "Euclidean",
    "catch22",
    "DTW",
    "MiniRocket",
    "magnitude spectrum",
    "tspulse-p8, semantic",
    "tspulse-p16, semantic",
)
NUMBERS = tuple(f"{label} {metric}" for label in LABELS for metric in METRICS)
TIMES = ("ms a series", "ms a query")
HEADER = ("protocol", "source", "queries", "method", *NUMBERS, *TIMES)


class Answer(NamedTuple):
    """The nearest four of some queries, and what they cost."""

    found: np.ndarray  # (n_queries, 4), rows of the index
    queries: np.ndarray  # (n_queries,), which they are: those made of the same rows of the index
    index_seconds: float
    query_seconds: float


Method = Callable[[Case], Answer]
Extract = Callable[[np.ndarray], np.ndarray]


def by_estimator(case: Case, **parameters: str) -> Answer:
    model = TSPulseRetriever(K + 1, **parameters)
    model.fit(case.index[:2, None]).kneighbors(case.queries[:1, None], 1)  # warm
    started = time.process_time()
    model.fit(case.index[:, None])
    indexed = time.process_time()
    found = model.kneighbors(case.queries[:, None], return_distance=False)
    done = time.process_time()
    return Answer(found, np.arange(len(found)), indexed - started, done - indexed)


def by_vectors(case: Case, make: Callable[[np.ndarray], Extract]) -> Answer:
    """Search exactly among whatever vectors, made by something that may learn from the index."""
    extract = make(case.index)
    extract(case.index[:2])  # warm
    started = time.process_time()
    search = NearestNeighbors(n_neighbors=K + 1, algorithm="brute").fit(extract(case.index))
    indexed = time.process_time()
    found = search.kneighbors(extract(case.queries), return_distance=False)
    done = time.process_time()
    return Answer(found, np.arange(len(found)), indexed - started, done - indexed)


def by_dtw(case: Case) -> Answer:
    from aeon.distances import pairwise_distance

    settings = {"method": "dtw", "window": DTW_WINDOW}
    queries = np.arange(0, len(case.queries), SAMPLE)
    asked, index = without_gaps(case.queries[queries])[:, None], case.index[:, None]
    pairwise_distance(asked[:1], index[:1], **settings)  # warm
    started = time.process_time()
    distances = pairwise_distance(asked, index, **settings)
    found = distances.argsort(1, kind="stable")[:, : K + 1]
    return Answer(found, queries, 0.0, time.process_time() - started)


def without_gaps(panel: np.ndarray) -> np.ndarray:
    """Bridge gaps of any length, for methods that cannot see them."""
    return np.stack([bridged(one) for one in panel])


def parts(panel: np.ndarray, checkpoint: str) -> dict[str, np.ndarray]:
    """Give all embeddings of a network, each of length 1, and the signature it predicts."""
    rows = np.stack([bridge_short_gaps(one[None])[0] for one in panel])
    vectors = embed(checkpoint, rows)
    vectors["detailed"] = np.hstack([vectors["time"], vectors["frequency"]])
    vectors["signature"] = signature(rows, checkpoint)
    return {name: normalize(one) for name, one in vectors.items()}


def signature(rows: np.ndarray, checkpoint: str) -> np.ndarray:
    """Return the root of the predicted share of each frequency, whose length is 1."""

    def read(network, x, observed):
        return network(x, observed).heads["signature"][:, 0].div(2).exp()

    network = load_checkpoint(checkpoint)
    return infer(network, rows, read, batch_size=32)


def mixed(panel: np.ndarray, chosen: tuple[tuple[str, str], ...]) -> np.ndarray:
    """Put embeddings of equal length side by side: squared distances add."""
    known = {checkpoint: parts(panel, checkpoint) for checkpoint, _ in dict.fromkeys(chosen)}
    return np.hstack([known[checkpoint][name] for checkpoint, name in chosen])


def our_methods() -> dict[str, Method]:
    methods = {
        f"{checkpoint}, {embedding}": partial(
            by_estimator, checkpoint=checkpoint, embedding=embedding
        )
        for checkpoint in CHECKPOINTS
        for embedding in EMBEDDINGS
    }
    for checkpoint in CHECKPOINTS:
        settings = {"checkpoint": checkpoint, "metric": "cosine"}
        methods[f"{checkpoint}, semantic, cosine"] = partial(by_estimator, **settings)
    p8, p16 = CHECKPOINTS
    mixes = {f"{one}, signature": ((one, "signature"),) for one in CHECKPOINTS}
    mixes[f"{p16}, semantic + signature"] = ((p16, "semantic"), (p16, "signature"))
    mixes[f"{p16}, semantic + detailed"] = ((p16, "semantic"), (p16, "detailed"))
    mixes["both networks, semantic"] = ((p8, "semantic"), (p16, "semantic"))
    for name, chosen in mixes.items():
        methods[name] = _extracting(partial(mixed, chosen=chosen))
    for checkpoint in CHECKPOINTS:
        name = f"{checkpoint}, semantic, short gaps not bridged"
        methods[name] = _extracting(
            lambda panel, checkpoint=checkpoint: embed(checkpoint, panel)["semantic"]
        )
    return methods


def other_methods() -> dict[str, Method]:
    chosen = {"z-scored series": "Euclidean", "spectrum": "magnitude spectrum"}
    methods = {
        label: _extracting(lambda panel, name=name: plain()[name](without_gaps(panel)))
        for name, label in chosen.items()
    }
    try:
        import aeon  # noqa: F401
    except ImportError:
        print("aeon is not installed: MiniRocket, catch22 and DTW are left out.", flush=True)
        return methods
    for name in ("MiniRocket", "catch22"):
        methods[name] = partial(by_vectors, make=partial(_collection, name=name))
    return methods | {"DTW": by_dtw}


def _extracting(extract: Extract) -> Method:
    return partial(by_vectors, make=lambda index: extract)


def _collection(index: np.ndarray, name: str) -> Extract:
    extract = collections(index)[name]
    return lambda panel: extract(without_gaps(panel))


def corpus_segments(data: Path) -> Segments:
    """Cut ten stretches out of recordings set aside: a class a recording, a family a source."""
    corpus = Corpus.from_files(sorted((data / "pretrain").glob("corpus-*.npz"))).split(ASIDE)[1]
    rng = np.random.default_rng(0)
    series, families, classes = [], [], []
    for i, (start, stop) in enumerate(zip(corpus.offsets, corpus.offsets[1:], strict=False)):
        for length in STRETCHES:
            drawn = _stretches(corpus.values[start:stop].astype(np.float64), length, rng)
            series += drawn
            families += [f"{corpus.source[i]} {length}"] * len(drawn)
            classes += [f"{i} {length}"] * len(drawn)
    return Segments(series, {"family": np.array(families), "class": np.array(classes)})


def _stretches(recording: np.ndarray, length: int, rng: np.random.Generator) -> list[np.ndarray]:
    n_stretches = len(recording) // length
    cut = recording[: n_stretches * length].reshape(n_stretches, length)
    usable = np.flatnonzero(np.isfinite(cut).all(1) & (cut.std(1) > 1e-2))
    if len(usable) < N_STRETCHES:
        return []
    return list(cut[rng.choice(usable, N_STRETCHES, replace=False)])


def measured(segments: Segments, methods: dict[str, Method], done: list[dict]) -> Iterator[dict]:
    finished = {(row["protocol"], row["method"]) for row in done}
    for protocol, make in PROTOCOLS.items():
        missing = [name for name in methods if (protocol, name) not in finished]
        case = make(segments.series) if missing else None
        for name in missing:
            yield from rows(protocol, name, methods[name](case), segments.labels, case)


def rows(
    protocol: str, name: str, answer: Answer, labels: dict[str, np.ndarray], case: Case
) -> Iterator[dict]:
    costs = {
        "ms a series": f"{1000 * answer.index_seconds / len(case.index):.2f}",
        "ms a query": f"{1000 * answer.query_seconds / len(answer.queries):.2f}",
    }
    is_sampled = answer.queries % SAMPLE == 0
    groups = {"sample": is_sampled}
    if not is_sampled.all():
        groups = {"all": np.ones_like(is_sampled), **groups}
    for source, places in retrieval.by_source(answer.found, answer.queries).items():
        for queries, chosen in groups.items():
            where = {"protocol": protocol, "source": source, "queries": queries, "method": name}
            yield where | _scores(places[chosen], answer.queries[chosen], labels) | costs


def _scores(
    places: np.ndarray, queries: np.ndarray, labels: dict[str, np.ndarray]
) -> dict[str, str]:
    scores = [
        retrieval.scores(labels[label][places] == labels[label][queries][:, None])
        for label in LABELS
    ]
    return {name: f"{x:.4f}" for name, x in zip(NUMBERS, np.concatenate(scores), strict=True)}


def published() -> Iterator[dict]:
    where = {"protocol": "shifted", "source": SOURCES[0], "queries": "all"}
    for method in dict.fromkeys(method for method, _ in retrieval.PUBLISHED):
        row = dict.fromkeys(HEADER, "") | where | {"method": method}
        for label in LABELS:
            values = retrieval.PUBLISHED.get((method, label), ())
            names = (f"{label} {metric}" for metric in METRICS)
            row |= {name: f"{value:.4f}" for name, value in zip(names, values, strict=False)}
        yield row


def summary(table: list[dict], queries: str) -> list[dict]:
    """Put precisions side by side, a line a method; times are those of one protocol."""
    chosen = [row for row in table if row["queries"] == queries]
    columns = [
        f"{protocol}, {source}: {label}"
        for protocol in PROTOCOLS
        for source in SOURCES
        for label in LABELS
    ]
    times = [name for name in TIMES if name in table[0]]
    empty = dict.fromkeys(("method", *columns, *times), "")
    lines = {row["method"]: empty | {"method": row["method"]} for row in chosen}
    for row in chosen:
        for label in LABELS:
            name = f"{row['protocol']}, {row['source']}: {label}"
            lines[row["method"]][name] = row[f"{label} PREC@3"]
        if row["protocol"] == "crops":
            lines[row["method"]] |= {name: row[name] for name in times}
    return list(lines.values())


def metrics(table: list[dict]) -> list[dict]:
    """Return all metrics of the published protocol."""
    case = ("shifted", SOURCES[0], "all")
    rows = [row for row in table if (row["protocol"], row["source"], row["queries"]) == case]
    return [{name: row[name] for name in ("method", *NUMBERS)} for row in rows]


def draw(table: list[dict], path: Path) -> None:
    """Draw a panel a protocol and label; the query's source counted above, removed below."""
    import matplotlib.pyplot as plt

    # What was asked all queries comes last, and stays.
    ordered = sorted(table, key=lambda row: row["queries"] == "all")
    numbers = {
        tuple(row[name] for name in ("protocol", "source", "method")): row for row in ordered
    }
    names = [f"{name} (a sample)" if name == "DTW" else name for name in DRAWN]
    figure, axes = plt.subplots(
        len(LABELS), len(PROTOCOLS), figsize=(13, 6.5), layout="constrained", sharey=True
    )
    for (i, label), (j, protocol) in product(enumerate(LABELS), enumerate(PROTOCOLS)):
        axis = axes[i, j]
        for source, style in zip(SOURCES, ({"color": "C0"}, {"color": "0.7"}), strict=True):
            rows = [numbers.get((protocol, source, name)) for name in DRAWN]
            values = [float(row[f"{label} PREC@3"]) if row else np.nan for row in rows]
            offset = 0.2 if source == SOURCES[0] else -0.2
            bars = axis.barh(np.arange(len(DRAWN)) + offset, values, 0.4, label=source, **style)
            axis.bar_label(bars, fmt="%.2f", padding=2, fontsize=7)
        axis.set_title(f"{protocol}: {label} PREC@3", fontsize=10)
        axis.set_yticks(np.arange(len(DRAWN)), names, fontsize=8)
        axis.set_xlim(0, 1)
        axis.spines[["top", "right"]].set_visible(False)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def present(table: list[dict], path: Path, is_choice: bool) -> None:
    tables.write(summary(table, "all"), path.with_stem(f"{path.stem}-summary"))
    if is_choice:
        return
    shown = [row for row in table if row["method"] in DRAWN]
    tables.write(summary(shown, "sample"), path.with_stem(f"{path.stem}-sample"))
    tables.write(metrics(table), path.with_stem(f"{path.stem}-metrics"))
    try:
        draw(table, path.with_suffix(".png"))
    except ImportError:
        print("matplotlib is not installed: the figure is left out.", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--on", choices=("ucr", "corpus"), default="ucr")
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--methods", nargs="+", help="all unless given")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    is_choice = arguments.on == "corpus"
    segments = corpus_segments(arguments.data) if is_choice else retrieval.sample(arguments.data)
    methods = our_methods() | ({} if is_choice else other_methods())
    if arguments.methods:
        methods = {name: methods[name] for name in arguments.methods}
    path = arguments.output / ("retrieval-choice.csv" if is_choice else "retrieval.csv")
    header = [name for name in HEADER if not (is_choice and name in TIMES)]
    table = tables.read(path) or ([] if is_choice else list(published()))
    torch.set_num_threads(arguments.threads)
    with threadpool_limits(arguments.threads):
        for row in measured(segments, methods, list(table)):
            table.append({name: row[name] for name in header})
            tables.write(table, path)
            print(*row.values(), sep="\t", flush=True)
    present(table, path, is_choice)


if __name__ == "__main__":
    main()
