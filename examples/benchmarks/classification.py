"""Measure classification on public sets with their official splits.

    python examples/benchmarks/classification.py --data ../shared/data

Every method sees the train part of a set and is scored on the test part once a seed, of which
methods that draw at random get three; nothing is chosen on test parts. Series go in as they are,
without the padding of shorter ones. Nearest neighbours and the methods of aeon, if it is
installed, need one length: they get series resampled to the longest of the train part, z-scored
for the neighbours. Dynamic time warping has the band of a tenth of the length that is usual.

Of methods that answer with a class alone, the log-loss is that of the constant confidence that
suits their test accuracy best, which nobody knows, and the calibration error is that of certainty.
Ours is measured without each of its members, too.

Rows are written as soon as they are there, and rows that are there already are kept, so that the
script goes on where it was stopped. Delete the file to measure again.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from measures import tables
from measures.accuracy_figure import draw
from measures.panels import Part, load, paths
from scipy.special import entr
from scipy.stats import rankdata
from sklearn.base import ClassifierMixin
from sklearn.metrics import log_loss
from sklearn.neighbors import KNeighborsClassifier

from sktspulse import TSPulseClassifier
from sktspulse.network import standardize
from sktspulse.series import resample

Prepare = Callable[[list[np.ndarray], int], object]
OURS = "TSPulseClassifier"
MEMBERS = TSPulseClassifier().members
N_BINS = 15  # of confidence
PUBLISHED = "design/published/tspulse_uea_classification_accuracies.csv"


class Method(NamedTuple):
    """A classifier, and what it gets of series of any length and the length of the longest."""

    make: Callable[[int], ClassifierMixin]  # takes a seed
    prepare: Prepare
    n_seeds: int = 1
    has_probabilities: bool = False


class Row(NamedTuple):
    """One number a line: what a method reached on a set, and what was published for it."""

    collection: str
    dataset: str
    method: str
    seed: int
    accuracy: float
    log_loss: float
    calibration_error: float
    fit_seconds: float
    predict_seconds: float
    published: float | None


class Summary(NamedTuple):
    """What a method reached on the sets of a collection that all methods beside it have."""

    collection: str
    n_sets: int
    method: str
    accuracy: float  # mean over sets and seeds
    spread: float  # deviation over seeds of the mean over sets
    log_loss: float
    calibration_error: float
    mean_rank: float  # 1 is the best
    median_seconds: float  # fit and predict, of a set
    longest_seconds: float


def as_they_are(series: list[np.ndarray], length: int) -> list[np.ndarray]:
    return series


def stacked(series: list[np.ndarray], length: int) -> np.ndarray:
    return np.stack([resample(one, length) for one in series])


def scaled(series: list[np.ndarray], length: int) -> np.ndarray:
    panel = standardize(stacked(series, length)).values
    return panel.reshape(len(panel), -1, length)


def flattened(series: list[np.ndarray], length: int) -> np.ndarray:
    return scaled(series, length).reshape(len(series), -1)


def long_enough(series: list[np.ndarray], length: int) -> np.ndarray:
    """Rockets have kernels of 9 points and need more than that."""
    panel = stacked(series, max(length, 16))
    return panel.reshape(len(panel), -1, panel.shape[-1])


def methods(checkpoint: str) -> dict[str, Method]:
    found = {OURS: own(checkpoint, MEMBERS)}
    for left_out in MEMBERS:
        found[f"without {left_out}"] = own(checkpoint, [one for one in MEMBERS if one != left_out])
    neighbours = Method(lambda seed: KNeighborsClassifier(1, algorithm="brute"), flattened)
    return found | {"1-NN Euclidean": neighbours} | aeon_methods()


def own(checkpoint: str, members: Sequence[str]) -> Method:
    def make(seed: int) -> TSPulseClassifier:
        return TSPulseClassifier(checkpoint=checkpoint, members=members)

    return Method(make, as_they_are, has_probabilities=True)


def aeon_methods() -> dict[str, Method]:
    try:
        from aeon.classification.convolution_based import (
            MiniRocketClassifier,
            MultiRocketHydraClassifier,
        )
        from aeon.classification.distance_based import KNeighborsTimeSeriesClassifier
        from aeon.classification.interval_based import QUANTClassifier
    except ImportError:
        return {}
    warping = {"distance": "dtw", "distance_params": {"window": 0.1}, "n_neighbors": 1}
    return {
        "1-NN DTW": Method(lambda seed: KNeighborsTimeSeriesClassifier(**warping), scaled),
        "MiniRocket": Method(lambda seed: MiniRocketClassifier(random_state=seed), long_enough, 3),
        "MultiRocket-Hydra": Method(
            lambda seed: MultiRocketHydraClassifier(random_state=seed), long_enough, 3
        ),
        "QUANT": Method(lambda seed: QUANTClassifier(random_state=seed), long_enough, 3, True),
    }


def measure(method: Method, seed: int, train: Part, test: Part) -> tuple[float, ...]:
    """Return accuracy, log-loss, calibration error, and the seconds of fit and of predict."""
    length = max(one.shape[-1] for one in train.series)
    known, new = (method.prepare(part.series, length) for part in (train, test))
    started = time.perf_counter()
    model = method.make(seed).fit(known, train.labels)
    fitted = time.perf_counter()
    answers = model.predict_proba(new) if method.has_probabilities else model.predict(new)
    seconds = fitted - started, time.perf_counter() - fitted
    if not method.has_probabilities:
        accuracy = float(np.mean(answers == test.labels))
        return accuracy, *without_probabilities(accuracy, len(np.unique(train.labels))), *seconds
    is_right = model.classes_[answers.argmax(1)] == test.labels
    loss = log_loss(test.labels, answers, labels=model.classes_)
    return float(np.mean(is_right)), loss, calibration_error(answers.max(1), is_right), *seconds


def without_probabilities(accuracy: float, n_classes: int) -> tuple[float, float]:
    """Return the log-loss of the best constant confidence, and the calibration error of certainty.

    Other classes share what confidence leaves.
    """
    wrong = 1 - accuracy
    loss = entr(accuracy) + entr(wrong) + wrong * np.log(n_classes - 1)
    return float(loss), wrong


def calibration_error(confidence: np.ndarray, is_right: np.ndarray) -> float:
    """Return the mean distance of confidence and accuracy over bins of confidence."""
    bins = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    gaps = [(confidence - is_right)[bins == one].sum() for one in np.unique(bins)]
    return float(np.abs(gaps).sum() / len(bins))


def published(data: Path) -> dict[str, float]:
    """Read published accuracies of fine-tuned TSPulse by set, if they lie beside the data."""
    lines = tables.read(data.parent / PUBLISHED)
    return {line["Dataset"]: float(line["Accuracy"]) for line in lines}


def _read(line: dict[str, str]) -> Row:
    numbers = [float(line[name]) for name in Row._fields[4:-1]]
    known = float(line["published"]) if line["published"] else None
    names = (line["collection"], line["dataset"], line["method"])
    return Row(*names, int(line["seed"]), *numbers, known)


def measured(arguments: argparse.Namespace, done: list[Row]) -> Iterator[Row]:
    known = published(arguments.data)
    chosen = methods(arguments.checkpoint)
    names = arguments.methods or list(chosen)
    finished = {row[:4] for row in done}
    for path in chosen_paths(arguments):
        place = (path.parent.name, path.stem)
        counts = {name: min(chosen[name].n_seeds, arguments.seeds) for name in names}
        runs = [(name, seed) for name in names for seed in range(counts[name])]
        missing = [run for run in runs if (*place, *run) not in finished]
        parts = [load(path, part) for part in ("train", "test")] if missing else []
        for name, seed in missing:
            numbers = measure(chosen[name], seed, *parts)
            yield Row(*place, name, seed, *numbers, known.get(path.stem))


def chosen_paths(arguments: argparse.Namespace) -> Iterator[Path]:
    for collection in ("uea", "ucr"):
        for path in paths(arguments.data, collection):
            if not arguments.sets or path.stem in arguments.sets:
                yield path


def _written(row: Row) -> dict[str, object]:
    return row._asdict() | {
        "accuracy": f"{row.accuracy:.4f}",
        "log_loss": f"{row.log_loss:.4f}",
        "calibration_error": f"{row.calibration_error:.4f}",
        "fit_seconds": f"{row.fit_seconds:.2f}",
        "predict_seconds": f"{row.predict_seconds:.2f}",
        "published": "" if row.published is None else f"{row.published:.4f}",
    }


def summarize(rows: list[Row]) -> Iterator[Summary]:
    """Yield a row a collection and method: of those that have all sets, of all, of our members."""
    for collection in dict.fromkeys(row.collection for row in rows):
        everything = by_method(rows, collection)
        found = peers(everything)
        own = {name: by_set for name, by_set in everything.items() if name not in found}
        most = max(map(len, found.values()))
        complete = {name: by_set for name, by_set in found.items() if len(by_set) == most}
        yield from summarize_shared(rows, collection, complete)
        if len(complete) < len(found):
            yield from summarize_shared(rows, collection, found)
        if own:
            yield from summarize_shared(rows, collection, {OURS: found[OURS]} | own)


def peers(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out ours without a member."""
    return {name: by_set for name, by_set in found.items() if not name.startswith("without ")}


def summarize_shared(
    rows: list[Row], collection: str, found: dict[str, dict[str, list[float]]]
) -> Iterator[Summary]:
    """Yield a row a method, over the sets that all of them have."""
    table = shared(found)
    names = common(found)
    ranks = rankdata(-np.stack([np.mean(one, axis=0) for one in table.values()]), axis=0)
    for (name, reached), rank in zip(table.items(), ranks, strict=True):
        own = [r for r in rows if (r.collection, r.method) == (collection, name)]
        own = [r for r in own if r.dataset in names]
        seconds = [r.fit_seconds + r.predict_seconds for r in own] or [np.nan]
        losses = [mean_over_sets(own, kind) for kind in ("log_loss", "calibration_error")]
        spread = np.std(reached.mean(axis=1)) if len(reached) > 1 else np.nan
        times = (np.median(seconds), max(seconds))
        yield Summary(
            *(collection, reached.shape[1], name, reached.mean(), spread),
            *(*losses, rank.mean(), *times),
        )


def mean_over_sets(rows: list[Row], kind: str) -> float:
    """Return the mean over sets of means over seeds; NaN without rows."""
    names = {row.dataset for row in rows}
    means = [np.mean([getattr(r, kind) for r in rows if r.dataset == one]) for one in names]
    return float(np.mean(means)) if means else np.nan


def by_method(rows: list[Row], collection: str) -> dict[str, dict[str, list[float]]]:
    """Return accuracies, one a seed, by method and set."""
    found: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        if row.collection == collection:
            found.setdefault(row.method, {}).setdefault(row.dataset, []).append(row.accuracy)
            if row.published is not None:
                found.setdefault("TSPulse, published", {})[row.dataset] = [row.published]
    return found


def common(found: dict[str, dict[str, list[float]]]) -> list[str]:
    """Name the sets that all methods have."""
    return sorted(set.intersection(*map(set, found.values())))


def shared(found: dict[str, dict[str, list[float]]]) -> dict[str, np.ndarray]:
    """Return accuracies ``(n_seeds, n_sets)`` by method, of the sets that all methods have."""
    names = common(found)
    seeds = {name: min(len(by_set[one]) for one in names) for name, by_set in found.items()}
    return {
        name: np.array([by_set[one][: seeds[name]] for one in names]).T
        for name, by_set in found.items()
    }


def _shortened(one: Summary) -> dict[str, object]:
    numbers = {
        "accuracy": f"{one.accuracy:.3f}",
        "spread": f"{one.spread:.4f}",
        "log_loss": f"{one.log_loss:.3f}",
        "calibration_error": f"{one.calibration_error:.3f}",
        "mean_rank": f"{one.mean_rank:.2f}",
        "median_seconds": f"{one.median_seconds:.1f}",
        "longest_seconds": f"{one.longest_seconds:.0f}",
    }
    return one._asdict() | {name: "" if cell == "nan" else cell for name, cell in numbers.items()}


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--checkpoint", default=TSPulseClassifier().checkpoint)
    parser.add_argument("--methods", nargs="+", help="names as in the table; all by default")
    parser.add_argument("--sets", nargs="+", help="names of sets; all by default")
    parser.add_argument("--seeds", type=int, default=3, help="at most, of what is random")
    arguments = parser.parse_args()
    unknown = set(arguments.methods or []) - set(methods(arguments.checkpoint))
    if unknown:
        parser.error(f"no such methods: {sorted(unknown)}; is aeon installed?")
    return arguments


def main() -> None:
    arguments = parsed()
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / "classification.csv"
    rows = [_read(line) for line in tables.read(path)]
    for row in measured(arguments, rows):
        tables.add(_written(row), path)
        rows.append(row)
        print(*row[:4], f"{row.accuracy:.4f}", f"{row.fit_seconds:.1f} s", flush=True)
    summaries = list(summarize(rows))
    tables.write(map(_shortened, summaries), arguments.output / "classification-summary.csv")
    for one in summaries:
        print(*one[:3], f"accuracy {one.accuracy:.3f}, mean rank {one.mean_rank:.2f}")
    if importlib.util.find_spec("matplotlib"):
        for collection in dict.fromkeys(row.collection for row in rows):
            draw_collection(rows, summaries, collection, arguments.output)


def draw_collection(
    rows: list[Row], summaries: list[Summary], collection: str, folder: Path
) -> None:
    """Draw the methods that have all sets of a collection."""
    found = peers(by_method(rows, collection))
    most = max(map(len, found.values()))
    table = shared({name: by_set for name, by_set in found.items() if len(by_set) == most})
    means = {name: np.mean(reached, axis=0) for name, reached in table.items()}
    own = [one for one in summaries if (one.collection, one.n_sets) == (collection, most)]
    seconds = {one.method: one.median_seconds for one in own}
    draw(means, seconds, OURS, folder / f"classification-{collection}.png")


if __name__ == "__main__":
    main()
