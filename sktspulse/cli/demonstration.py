"""Each task on real or synthetic data: results next to baselines, and figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from ..anomaly import AnomalyScoreDisplay, TSPulseAnomalyDetector
from ..base import load_pyplot
from ..datasets import load_sea_temperature, make_gappy_series, make_labelled_panel
from ..embedding import EmbeddingDisplay, TSPulseTransformer
from ..imputation import ImputationDisplay, TSPulseImputer
from ..metrics import find_period, vus_pr_score
from ..retrieval import RetrievalDisplay, TSPulseRetriever
from ..supervised import TSPulseClassifier

__all__ = ["TASKS", "demonstrate"]

Recording = np.ndarray
Display = AnomalyScoreDisplay | EmbeddingDisplay | ImputationDisplay | RetrievalDisplay


def interpolate(recording: Recording) -> Recording:
    """Fill each channel by linear interpolation, the baseline."""
    filled = recording.copy()
    time_points = np.arange(len(recording))
    for channel in filled.T:
        known = ~np.isnan(channel)
        channel[:] = np.interp(time_points, time_points[known], channel[known])
    return filled


def mask_points(recording: Recording, fraction: float) -> Recording:
    """Hide a fraction of the points, half of it in blocks of eight."""
    rng = np.random.default_rng(0)
    n, masked = len(recording), recording.copy()
    for block in rng.choice(n // 8, round(fraction / 2 * n / 8), replace=False):
        masked[8 * block : 8 * block + 8] = np.nan
    masked[rng.random(n) < fraction / 2] = np.nan
    return masked


def rmse(filled: Recording, truth: Recording, masked: Recording) -> float:
    """Return the RMSE of the hidden values in standard deviations, averaged over channels."""
    errors = np.where(np.isnan(masked), filled - truth, np.nan) / np.nanstd(truth, 0)
    return float(np.sqrt(np.nanmean(errors**2, 0)).mean())


@contextmanager
def compared(task: str, measure: str, baseline: str) -> Iterator[list[float]]:
    """Print how long a task took, and its result next to that of a baseline, which follow."""
    started = time.perf_counter()
    results: list[float] = []
    yield results
    ours, other = results
    print(f"{task}, in {time.perf_counter() - started:.1f} s")
    print(f"  {measure}: {ours:.3f}; {baseline}: {other:.3f}\n")


def impute_and_draw(task: str, masked: Recording, truth: Recording, index: Any = None) -> Any:
    """Fill a recording by the imputer and the baseline, and draw a channel."""
    n_missing = int(np.isnan(masked).sum())
    what = f"{task}: {n_missing:,} of {masked.size:,} values filled"
    with compared(what, "RMSE in standard deviations", "linear interpolation") as results:
        imputer = TSPulseImputer(random_state=0).fit(masked)
        for filled in (imputer.transform(masked), interpolate(masked)):
            results.append(rmse(filled, truth, masked))
    return ImputationDisplay.from_estimator(imputer, masked, truth, index=index)


def impute_sea_temperature(folder: Path) -> Path:
    """Impute a real recording, a fifth of which is hidden."""
    truth, months = load_sea_temperature()
    masked = mask_points(truth, 0.25)
    task = "Monthly sea-surface temperature off Peru"
    display = impute_and_draw(task, masked, truth, months)
    display.ax_.set(title="Sea-surface temperature off Peru, a fifth of the values hidden")
    display.ax_.set(ylabel="temperature [°C]", xlim=months[[120, 360]])
    return save(display, folder / "sea-temperature.png")


def impute_sensors(folder: Path) -> Path:
    """Impute a synthetic recording of several sensors."""
    display = impute_and_draw("Six hourly sensors", *make_gappy_series(random_state=0))
    display.ax_.set(title="Two weeks of one sensor", xlim=(0, 14 * 24), xlabel="time [h]")
    return save(display, folder / "sensors.png")


def detect_faults(folder: Path) -> Path:
    """Detect the hours in which sensors jumped, became noisy or froze."""
    sensors = make_gappy_series(1680, 5, random_state=1)[1][:, [0, 1, 3, 4]]
    normal = sensors[:840]
    faulty, labels = with_faults(sensors[840:], normal.std(0))
    window = find_period(faulty[:, 0])
    task = f"Four sensors with three faults: {len(faulty)} hours scored"
    with compared(task, "VUS-PR", "isolation forest") as results:
        # The faults last for hours; by default, the detector also averages over days.
        detector = TSPulseAnomalyDetector(smoothing=8).fit(normal)
        for model in (detector, IsolationForest(random_state=0).fit(normal)):
            results.append(vus_pr_score(labels, -model.score_samples(faulty), window=window))
    return save(AnomalyScoreDisplay.from_estimator(detector, faulty), folder / "faults.png")


def with_faults(recording: Recording, scale: Recording) -> tuple[Recording, Recording]:
    """Return a copy with a fault in each of three sensors, and the labels of all points."""
    faulty, labels = recording.copy(), np.zeros(len(recording), dtype=int)
    jump, noise, freeze = slice(150, 156), slice(350, 398), slice(600, 660)
    faulty[jump, 0] += 3 * scale[0]
    faulty[noise, 1] += 0.5 * scale[1] * np.random.default_rng(0).normal(size=48)
    faulty[freeze, 2] = faulty[freeze.start, 2] + 2 * scale[2]
    for fault in (jump, noise, freeze):
        labels[fault] = 1
    return faulty, labels


def classify(folder: Path) -> Path:
    """Classify short series, and plot their embeddings."""
    X, y = make_labelled_panel(n_series=200, n_classes=5, random_state=0)
    task = f"{len(X)} series of {len(set(y))} classes: half learned, half predicted"
    with compared(task, "accuracy", "nearest neighbour of the raw values") as results:
        results.append(TSPulseClassifier().fit(X[:100], y[:100]).score(X[100:], y[100:]))
        raw = X.reshape(len(X), -1)
        neighbour = KNeighborsClassifier(1).fit(raw[:100], y[:100])
        results.append(neighbour.score(raw[100:], y[100:]))
    display = EmbeddingDisplay.from_estimator(TSPulseTransformer().fit(X), X, y)
    display.ax_.set(title="Embeddings of series, coloured by class")
    return save(display, folder / "classes.png")


def search(folder: Path) -> Path:
    """Search for series similar to a query."""
    X, y = make_labelled_panel(500, n_classes=8, random_state=4)
    indexed, queries = X[:400], X[400:]
    task = f"{len(indexed)} series indexed, {len(queries)} queries answered"
    with compared(task, "precision@5", "nearest neighbours of the raw values") as results:
        retriever = TSPulseRetriever(5).fit(indexed)
        raw = NearestNeighbors(n_neighbors=5).fit(indexed[:, 0])
        for found in (retriever.kneighbors(queries)[1], raw.kneighbors(queries[:, 0])[1]):
            results.append((y[found] == y[400:, None]).mean())
    display = RetrievalDisplay.from_estimator(retriever, queries[7], indexed, y[:400])
    return save(display, folder / "neighbours.png")


def save(display: Display, path: Path) -> Path:
    """Save the figure of a display."""
    display.figure_.savefig(path, dpi=120)
    return path


TASKS: tuple[Callable[[Path], Path], ...] = (
    impute_sea_temperature,
    impute_sensors,
    detect_faults,
    classify,
    search,
)


def demonstrate(folder: Path) -> list[Path]:
    """Run every task, and return where the figures are."""
    load_pyplot().switch_backend("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    return [task(folder) for task in TASKS]
