"""Benchmark label-free anomaly detection on files of TSB-AD.

    python examples/benchmarks/anomaly.py --data ../shared/data

Every file is scored by detectors with one setting for all files and without labels; the
score is VUS-PR as the benchmark has it, with the period of the first channel as window. Rows
are written as soon as a file is done, and what has them is not run again, so a run that was
stopped goes on where it was; those of another network are measured anew. The matrix profile
needs stumpy, and is left out without it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from measures import tables
from scipy.ndimage import uniform_filter1d
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.preprocessing import StandardScaler

from sktspulse import TSPulseAnomalyDetector
from sktspulse.metrics import find_period, vus_pr_score, vus_roc_score
from sktspulse.network import fingerprint, load_checkpoint, save_checkpoint

OURS, TUNED = "sktspulse", "sktspulse, fine-tuned"
SMOOTHING = 96  # points, of the baselines that are smoothed
N_CLUSTERS = 10  # as the benchmark has it, and the length of windows of several channels
WINDOW_OF_CHANNELS = 40
RUNS = ("zero-shot", "fine-tuned", "whole", "baselines", "profile")
CAPTION = {"U": "one channel", "M": "several channels"}
# Columns of the published numbers that are shown beside ours.
PUBLISHED = {
    "U": (
        "TSPulse ZS time",
        "TSPulse ZS fft",
        "TSPulse ZS future",
        "TSPulse ZS ensemble",
        "TSPulse FT time",
        "TSPulse FT ensemble",
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
        "TSPulse FT time",
        "TSPulse FT ensemble",
        "KMeansAD",
        "CNN",
        "OmniAnomaly",
        "PCA",
        "IForest",
    ),
}
COLUMNS = ("set", "file", "run", "method", "network", "vus_pr", "vus_roc", "seconds")

Row = dict[str, object]
Scores = Iterator[tuple[str, np.ndarray]]  # name of the method, high where anomalous
Run = Callable[["Recording"], Scores]


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


def zero_shot(recording: Recording, make: Callable[..., TSPulseAnomalyDetector]) -> Scores:
    """Yield the default, fitted on the first part, and its heads."""
    detector = make().fit(recording.values[: recording.train_end])
    yield OURS, -detector.score_samples(recording.values)
    heads = -detector.score_heads(recording.values)
    for name, scores in zip(detector.heads_, heads.T, strict=True):
        yield f"{OURS}, {name} head", scores


def fine_tuned(recording: Recording, make: Callable[..., TSPulseAnomalyDetector]) -> Scores:
    """Yield the default with a network trained on the first part, fitted there and on the whole."""
    detector = make(fine_tune=True, random_state=0)
    detector.fit(recording.values[: recording.train_end])
    yield TUNED, -detector.score_samples(recording.values)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tuned.safetensors"
        save_checkpoint(detector.network_, path)
        scores = make(checkpoint=path).fit(recording.values).score_samples(recording.values)
    yield f"{TUNED}, fitted on the whole", -scores


def whole(recording: Recording, make: Callable[..., TSPulseAnomalyDetector]) -> Scores:
    """Yield the default, fitted on all that is scored."""
    scores = make().fit(recording.values).score_samples(recording.values)
    yield f"{OURS}, fitted on the whole", -scores


def baselines(recording: Recording) -> Scores:
    """Yield detectors without a network; distances are from what is usual in the first part."""
    values, train = recording.values, recording.values[: recording.train_end]
    forest = IsolationForest(random_state=0).fit(values)
    yield "IsolationForest, fitted on the whole", -forest.score_samples(values)
    scaler = StandardScaler().fit(train)
    distance = np.square(scaler.transform(values)).max(1)
    yield "squared z-score", distance
    yield (
        f"squared z-score, average of {SMOOTHING}",
        uniform_filter1d(distance, SMOOTHING, mode="nearest"),
    )
    yield "PCA of windows, fitted on the whole", windowed_pca(scaler.transform(values))
    yield "KMeansAD, fitted on the whole", clustered(values)


def windowed_pca(values: np.ndarray) -> np.ndarray:
    """Return what components that hold 90 % of the variance miss of the window around a point.

    A window has the length of the period with one channel, and of one point with several.
    """
    length = find_period(values[:, 0]) if values.shape[1] == 1 else 1
    windows = flat_windows(values, length)
    pca = PCA(0.9, svd_solver="covariance_eigh").fit(windows)
    misses = np.square(windows - pca.inverse_transform(pca.transform(windows))).sum(1)
    before = length // 2
    return np.pad(misses, (before, len(values) - len(misses) - before), mode="edge")


def clustered(values: np.ndarray) -> np.ndarray:
    """Average, over the windows over a point, the distances of these to the nearest mean.

    As the benchmark has it, each window is standardised, over all channels together.
    """
    length = find_period(values[:, 0]) if values.shape[1] == 1 else WINDOW_OF_CHANNELS
    windows = flat_windows(values, length)
    scale = windows.std(1, keepdims=True)
    windows = (windows - windows.mean(1, keepdims=True)) / np.where(scale > 0, scale, 1)
    distances = KMeans(N_CLUSTERS, random_state=0).fit(windows).transform(windows).min(1)
    sums = np.convolve(distances, np.ones(length))
    return sums / np.convolve(np.ones(len(distances)), np.ones(length))


def flat_windows(values: np.ndarray, length: int) -> np.ndarray:
    views = np.lib.stride_tricks.sliding_window_view(values, length, axis=0)
    return views.reshape(len(views), -1).astype(np.float32)


def profile(recording: Recording) -> Scores:
    """Yield the mean matrix profile of the channels that move, windows a period long."""
    if find_spec("stumpy") is None:
        return
    import stumpy

    values, length = recording.values, find_period(recording.values[:, 0])
    moving = values.T[np.ptp(values, axis=0) > 0]
    distances = np.mean([stumpy.stump(one, length)[:, 0].astype(float) for one in moving], axis=0)
    before = length // 2
    yield (
        "matrix profile",
        np.pad(distances, (before, len(values) - len(distances) - before), mode="edge"),
    )


def measured(recording: Recording, name: str, network: str, run: Run) -> Iterator[Row]:
    """Yield one row a method; seconds count from the row before, fit included."""
    window = find_period(recording.values[:, 0])
    started = time.perf_counter()
    for method, scores in run(recording):
        seconds = time.perf_counter() - started
        yield {
            "set": recording.kind,
            "file": recording.name,
            "run": name,
            "method": method,
            "network": network,
            "vus_pr": round(vus_pr_score(recording.labels, scores, window=window), 4),
            "vus_roc": round(vus_roc_score(recording.labels, scores, window=window), 4),
            "seconds": round(seconds, 2),
        }
        started = time.perf_counter()


def published(folder: Path, kind: str, files: set[str]) -> dict[str, dict[str, float]]:
    """Return the published VUS-PR by method and file."""
    rows = tables.read(folder / f"{kind}-published-vus-pr.csv")
    rows = [row for row in rows if Path(row["file"]).stem in files]
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
        there = [values for values in heads if values.keys() >= set(files)]
        winner = max(there, key=lambda values: np.mean([values[file] for file in files]))
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
        for method, everywhere in (label_free | marked).items():
            values = {file: value for file, value in everywhere.items() if file in own[OURS]}
            ahead = np.array([own[OURS][file] - value for file, value in values.items()])
            yield {
                "set": caption,
                "method": method,
                "files": len(values),
                "mean VUS-PR": f"{np.mean(list(values.values())):.3f}",
                f"{OURS} less this": "" if method == OURS else f"{ahead.mean():+.3f}",
                f"files {OURS} leads": "" if method == OURS else int((ahead > 0).sum()),
            }


def draw(means: list[Row], path: Path) -> None:
    """Draw the mean of every method that was run on all files of a set."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(CAPTION), figsize=(11, 6), layout="constrained")
    for axis, caption in zip(axes, CAPTION.values(), strict=True):
        rows = [row for row in means if row["set"] == caption]
        most = max((int(str(row["files"])) for row in rows), default=0)
        rows = [row for row in rows if row["files"] == most]
        rows.sort(key=lambda row: float(str(row["mean VUS-PR"])))
        names = [str(row["method"]).split(" (not")[0] for row in rows]
        colors = [colour(name) for name in names]
        values = [float(str(row["mean VUS-PR"])) for row in rows]
        axis.bar_label(axis.barh(names, values, color=colors), fmt="%.3f", padding=2, fontsize=8)
        axis.set(title=f"{caption}, {most} files", xlabel="mean VUS-PR", xlim=(0, 0.9))
        axis.tick_params(axis="y", labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def colour(name: str) -> str:
    """Tell the default, its parts, what was run beside it, and published numbers apart."""
    if name.endswith("published"):
        return "0.8"
    if "by labels" in name:
        return "tab:pink"
    if name == OURS:
        return "tab:blue"
    return "lightsteelblue" if name.startswith(OURS) else "tab:orange"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--checkpoint", default="tspulse-p8")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--limit", type=int, help="files of each set, the smallest first")
    parser.add_argument("--runs", nargs="+", choices=RUNS, default=RUNS)
    return parser.parse_args()


def chosen_runs(arguments: argparse.Namespace) -> dict[str, tuple[str, Run]]:
    """Return what is run, with the network it depends on."""
    network = fingerprint(load_checkpoint(arguments.checkpoint))[:12]
    make = partial(TSPulseAnomalyDetector, checkpoint=arguments.checkpoint, device=arguments.device)
    runs: dict[str, tuple[str, Run]] = {
        "zero-shot": (network, partial(zero_shot, make=make)),
        "fine-tuned": (network, partial(fine_tuned, make=make)),
        "whole": (network, partial(whole, make=make)),
        "baselines": ("", baselines),
        "profile": ("", profile),
    }
    return {name: runs[name] for name in arguments.runs}


def main() -> None:
    arguments = parse()
    folder, runs = arguments.data / "eval" / "anomaly", chosen_runs(arguments)
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / "anomaly.csv"
    known = ("", fingerprint(load_checkpoint(arguments.checkpoint))[:12])
    table: list[Row] = [row for row in tables.read(path) if row["network"] in known]
    count = dict.fromkeys(CAPTION, 0)
    for recording in recordings(folder):
        count[recording.kind] += 1
        if arguments.limit and count[recording.kind] > arguments.limit:
            continue
        done = {row["run"] for row in table if row["file"] == recording.name}
        for name, (network, run) in runs.items():
            if name not in done:
                table += measured(recording, name, network, run)
        tables.write(table, path, COLUMNS)
    if means := list(summary(table, folder)):
        tables.write(means, arguments.output / "anomaly-summary.csv")
        draw(means, arguments.output / "anomaly.png")


if __name__ == "__main__":
    main()
