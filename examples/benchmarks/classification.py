"""Measure classification on public sets with their official splits.

    python examples/benchmarks/classification.py --data ../shared/data

Every method sees the train part of a set and is scored on the test part once; nothing is chosen
on test parts. Series go in as they are, without the padding of shorter ones. Nearest
neighbours and the methods of aeon, if it is installed, need one length: they get
series resampled to the longest of the train part, z-scored for the neighbours.

Rows are written as soon as they are there, and rows that are there already are kept, so that the
script goes on where it was stopped. Delete the file to measure again.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from measures.panels import Part, load, paths
from sklearn.base import ClassifierMixin
from sklearn.neighbors import KNeighborsClassifier

from sktspulse import TSPulseClassifier
from sktspulse._windows import resample, standardize

Prepare = Callable[[list[np.ndarray], int], object]
PUBLISHED = "design/published/tspulse_uea_classification_accuracies.csv"


class Method(NamedTuple):
    """A classifier, and what it gets of series of any length and the length of the longest."""

    make: Callable[[], ClassifierMixin]
    prepare: Prepare


class Row(NamedTuple):
    """One number a line: what a method reached on a set, and what was published for it."""

    collection: str
    dataset: str
    method: str
    accuracy: float
    fit_seconds: float
    predict_seconds: float
    published: float | None


def as_they_are(series: list[np.ndarray], length: int) -> list[np.ndarray]:
    return series


def stacked(series: list[np.ndarray], length: int) -> np.ndarray:
    return np.stack([resample(one, length) for one in series])


def flattened(series: list[np.ndarray], length: int) -> np.ndarray:
    return standardize(stacked(series, length)).values.reshape(len(series), -1)


def methods(checkpoint: str) -> dict[str, Method]:
    found = {
        "TSPulseClassifier": Method(lambda: TSPulseClassifier(checkpoint=checkpoint), as_they_are),
        "1-NN Euclidean": Method(lambda: KNeighborsClassifier(1, algorithm="brute"), flattened),
    }
    try:
        from aeon.classification.convolution_based import (
            MiniRocketClassifier,
            MultiRocketHydraClassifier,
        )
    except ImportError:
        return found
    rockets = {"MiniRocket": MiniRocketClassifier, "MultiRocket-Hydra": MultiRocketHydraClassifier}
    makers = {name: lambda cls=cls: cls(random_state=0) for name, cls in rockets.items()}
    return found | {name: Method(make, long_enough) for name, make in makers.items()}


def long_enough(series: list[np.ndarray], length: int) -> np.ndarray:
    """Rockets have kernels of 9 points and need more than that."""
    panel = stacked(series, max(length, 16))
    return panel.reshape(len(panel), -1, panel.shape[-1])


def measure(method: Method, train: Part, test: Part) -> tuple[float, float, float]:
    """Return accuracy and the seconds of fit and of predict."""
    length = max(one.shape[-1] for one in train.series)
    known, new = (method.prepare(part.series, length) for part in (train, test))
    started = time.perf_counter()
    model = method.make().fit(known, train.labels)
    fitted = time.perf_counter()
    answers = model.predict(new)
    done = time.perf_counter()
    return float(np.mean(answers == test.labels)), fitted - started, done - fitted


def published(data: Path) -> dict[str, float]:
    """Read published accuracies of fine-tuned TSPulse by set, if they lie beside the data."""
    path = data.parent / PUBLISHED
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        return {line["Dataset"]: float(line["Accuracy"]) for line in csv.DictReader(file)}


def kept(path: Path) -> list[Row]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [_read(line) for line in csv.DictReader(file)]


def _read(line: dict[str, str]) -> Row:
    names = ("accuracy", "fit_seconds", "predict_seconds")
    numbers = [float(line[name]) for name in names]
    known = float(line["published"]) if line["published"] else None
    return Row(line["collection"], line["dataset"], line["method"], *numbers, known)


def measured(arguments: argparse.Namespace, done: list[Row]) -> Iterator[Row]:
    known = published(arguments.data)
    chosen = methods(arguments.checkpoint)
    names = arguments.methods or list(chosen)
    finished = {(row.collection, row.dataset, row.method) for row in done}
    for path in chosen_paths(arguments):
        missing = [one for one in names if (path.parent.name, path.stem, one) not in finished]
        parts = [load(path, part) for part in ("train", "test")] if missing else []
        for name in missing:
            numbers = measure(chosen[name], *parts)
            yield Row(path.parent.name, path.stem, name, *numbers, known.get(path.stem))


def chosen_paths(arguments: argparse.Namespace) -> Iterator[Path]:
    for collection in ("uea", "ucr"):
        for path in paths(arguments.data, collection):
            if not arguments.sets or path.stem in arguments.sets:
                yield path


def write(row: Row, path: Path) -> None:
    """Add one row; the header too, if the file is new."""
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(Row._fields)
        published_ = "" if row.published is None else f"{row.published:.4f}"
        seconds = [f"{one:.2f}" for one in (row.fit_seconds, row.predict_seconds)]
        writer.writerow([*row[:3], f"{row.accuracy:.4f}", *seconds, published_])


def summary(rows: list[Row]) -> Iterator[str]:
    """Yield a line a collection and method, over the sets that all its methods have."""
    for collection in dict.fromkeys(row.collection for row in rows):
        own = [row for row in rows if row.collection == collection]
        names = list(dict.fromkeys(row.method for row in own))
        by_method = {name: {r.dataset: r for r in own if r.method == name} for name in names}
        shared = sorted(set.intersection(*(set(found) for found in by_method.values())))
        for name in names if shared else []:
            accuracy = np.mean([by_method[name][one].accuracy for one in shared])
            seconds = [
                by_method[name][one].fit_seconds + by_method[name][one].predict_seconds
                for one in shared
            ]
            yield (
                f"{collection}, {len(shared)} sets: {name} accuracy {accuracy:.3f}, "
                f"median {np.median(seconds):.1f} s, longest {max(seconds):.1f} s"
            )
        told = [own_row.published for own_row in by_method[names[0]].values() if own_row.published]
        if told:
            yield f"{collection}, {len(told)} sets: published TSPulse accuracy {np.mean(told):.3f}"


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--checkpoint", default=TSPulseClassifier().checkpoint)
    parser.add_argument("--methods", nargs="+", help="names as in the table; all by default")
    parser.add_argument("--sets", nargs="+", help="names of sets; all by default")
    arguments = parser.parse_args()
    unknown = set(arguments.methods or []) - set(methods(arguments.checkpoint))
    if unknown:
        parser.error(f"no such methods: {sorted(unknown)}; is aeon installed?")
    return arguments


def main() -> None:
    arguments = parsed()
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / "classification.csv"
    rows = kept(path)
    for row in measured(arguments, rows):
        write(row, path)
        rows.append(row)
        print(*row[:3], f"{row.accuracy:.4f}", f"{row.fit_seconds:.1f} s", flush=True)
    for line in summary(rows):
        print(line)


if __name__ == "__main__":
    main()
