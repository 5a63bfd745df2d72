"""Benchmark zero-shot anomaly detection on files of TSB-AD.

    python examples/benchmarks/anomaly.py --data ../shared/data

Every file is scored by detectors with one setting for all files and without labels; the
score is VUS-PR as the benchmark has it, with the period of the first channel as window. Rows
are written as soon as a file is done, and a file that has them is not run again, so a run
that was stopped goes on where it was. Rows of another network are measured anew.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.ndimage import uniform_filter1d
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.preprocessing import StandardScaler

from sktspulse import TSPulseAnomalyDetector
from sktspulse._base import fingerprint
from sktspulse._checkpoints import load_checkpoint
from sktspulse.metrics import find_period, vus_pr_score, vus_roc_score

OURS = "sktspulse"
SMOOTHING = 96  # points, of the baselines that are smoothed
CAPTION = {"U": "one channel", "M": "several channels"}
# Columns of the published numbers that are shown beside ours.
PUBLISHED = {
    "U": (
        "TSPulse ZS time",
        "TSPulse ZS fft",
        "TSPulse ZS future",
        "TSPulse ZS ensemble",
        "POLY",
        "MOMENT (ZS)",
        "Sub-PCA",
        "KShapeAD",
        "IForest",
    ),
    "M": (
        "TSPulse ZS time",
        "TSPulse ZS fft",
        "TSPulse ZS future",
        "TSPulse ZS ensemble",
        "KMeansAD",
        "CNN",
        "OmniAnomaly",
        "PCA",
        "IForest",
    ),
}
COLUMNS = ("set", "file", "method", "network", "vus_pr", "vus_roc", "seconds")

Row = dict[str, object]
Scores = Iterator[tuple[str, np.ndarray]]  # name of the method, high where anomalous


class Recording(NamedTuple):
    """One file of the benchmark."""

    kind: str  # U or M
    name: str
    values: np.ndarray  # (n_timepoints, n_channels)
    labels: np.ndarray
    train_end: int


def recordings(folder: Path) -> Iterator[Recording]:
    """Yield the files, small ones first."""
    for kind in CAPTION:
        for path in sorted((folder / kind).glob("*.npz"), key=lambda path: path.stat().st_size):
            with np.load(path) as archive:
                values = archive["x"].astype(np.float64)
                yield Recording(
                    kind, path.stem, values, archive["label"], int(archive["train_end"])
                )


def ours(recording: Recording, checkpoint: str, device: str) -> Scores:
    """Yield the default, its heads, and what fitting on all there is does."""
    make = partial(TSPulseAnomalyDetector, checkpoint=checkpoint, device=device)
    detector = make().fit(recording.values[: recording.train_end])
    heads = -detector.score_heads(recording.values)
    # The highest head is the score, whatever the number of channels.
    yield OURS, heads.max(1)
    for name, scores in zip(detector.heads_, heads.T, strict=True):
        yield f"{OURS}, {name} head", scores
    yield (
        f"{OURS}, fitted on the whole",
        -make().fit(recording.values).score_samples(recording.values),
    )


def baselines(recording: Recording) -> Scores:
    """Yield detectors without a network; distances are from what is usual in the first part."""
    values, train = recording.values, recording.values[: recording.train_end]
    forest = IsolationForest(random_state=0).fit(values)
    yield "IsolationForest, fitted on the whole", -forest.score_samples(values)
    scaler = StandardScaler().fit(train)
    distance = np.square(scaler.transform(values)).max(1)
    yield "squared z-score", distance
    yield f"squared z-score, average of {SMOOTHING}", smoothed(distance)
    yield "PCA of windows, fitted on the whole", windowed_pca(scaler.transform(values))


def smoothed(scores: np.ndarray) -> np.ndarray:
    return uniform_filter1d(scores, SMOOTHING, mode="nearest")


def windowed_pca(values: np.ndarray) -> np.ndarray:
    """Return what components that hold 90 % of the variance miss of the window around a point.

    A window has the length of the period with one channel, and of one point with several.
    """
    length = find_period(values[:, 0]) if values.shape[1] == 1 else 1
    views = np.lib.stride_tricks.sliding_window_view(values, length, axis=0)
    windows = views.reshape(len(views), -1).astype(np.float32)
    pca = PCA(0.9, svd_solver="covariance_eigh").fit(windows)
    misses = np.square(windows - pca.inverse_transform(pca.transform(windows))).sum(1)
    before = length // 2
    return np.pad(misses, (before, len(values) - len(misses) - before), mode="edge")


def measured(recording: Recording, network: str, run: Callable[[], Scores]) -> Iterator[Row]:
    """Yield one row a method; seconds count from the row before, fit included."""
    window = find_period(recording.values[:, 0])
    started = time.perf_counter()
    for method, scores in run():
        seconds = time.perf_counter() - started
        yield {
            "set": recording.kind,
            "file": recording.name,
            "method": method,
            "network": network,
            "vus_pr": round(vus_pr_score(recording.labels, scores, window=window), 4),
            "vus_roc": round(vus_roc_score(recording.labels, scores, window=window), 4),
            "seconds": round(seconds, 2),
        }
        started = time.perf_counter()


def read(path: Path, network: str) -> list[Row]:
    """Read the rows done, without those of another network."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if row["network"] in ("", network)]


def write(table: list[Row], columns: tuple[str, ...], path: Path) -> None:
    draft = path.with_suffix(".draft")
    with draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    draft.replace(path)


def published(folder: Path, kind: str, files: set[str]) -> dict[str, dict[str, float]]:
    """Return the published VUS-PR by method and file."""
    with (folder / f"{kind}-published-vus-pr.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if Path(row["file"]).stem in files]
    return {
        f"{name}, published": {Path(row["file"]).stem: float(row[name]) for row in rows}
        for name in PUBLISHED[kind]
    }


def chosen_by_labels(own: dict[str, dict[str, float]]) -> dict[str, float]:
    """Take, for every source, the head that is best on it by the labels."""
    heads = [values for name, values in own.items() if name.endswith(" head")]
    sources: dict[str, list[str]] = {}
    for file in own[OURS]:
        sources.setdefault(file.split("_")[1], []).append(file)
    best = {}
    for files in sources.values():
        winner = max(heads, key=lambda values: np.mean([values[file] for file in files]))
        best |= {file: winner[file] for file in files}
    return best


def summary(table: list[Row], folder: Path) -> Iterator[Row]:
    """Yield one row a set and method: mean, and how ours compares file by file."""
    for kind, caption in CAPTION.items():
        own: dict[str, dict[str, float]] = {}
        for row in table:
            if row["set"] == kind:
                own.setdefault(str(row["method"]), {})[str(row["file"])] = float(str(row["vus_pr"]))
        if OURS not in own:
            continue
        label_free = own | published(folder, kind, set(own[OURS]))
        marked = {f"{OURS}, head chosen by labels (not label-free)": chosen_by_labels(own)}
        for method, values in (label_free | marked).items():
            ahead = np.array([own[OURS][file] - values[file] for file in values])
            yield {
                "set": caption,
                "method": method,
                "files": len(values),
                "mean VUS-PR": f"{np.mean(list(values.values())):.3f}",
                f"{OURS} less this": "" if method == OURS else f"{ahead.mean():+.3f}",
                f"files {OURS} leads": "" if method == OURS else int((ahead > 0).sum()),
            }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--checkpoint", default="tspulse-p8")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--limit", type=int, help="files of each set, the smallest first")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    folder = arguments.data / "eval" / "anomaly"
    network = fingerprint(load_checkpoint(arguments.checkpoint))[:12]
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / "anomaly.csv"
    table = read(path, network)
    count = dict.fromkeys(CAPTION, 0)
    for recording in recordings(folder):
        count[recording.kind] += 1
        if arguments.limit and count[recording.kind] > arguments.limit:
            continue
        runs = {
            network: partial(ours, recording, arguments.checkpoint, arguments.device),
            "": partial(baselines, recording),
        }
        done = {row["network"] for row in table if row["file"] == recording.name}
        for name in [name for name in runs if name not in done]:
            for row in list(measured(recording, name, runs[name])):
                print(*row.values(), flush=True)
                table.append(row)
        write(table, COLUMNS, path)
    means = list(summary(table, folder))
    write(means, tuple(means[0]), arguments.output / "anomaly-summary.csv")


if __name__ == "__main__":
    main()
