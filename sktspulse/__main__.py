"""Show what works: ``python -m sktspulse`` measures each task and draws a figure of it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from . import (
    AnomalyScoreDisplay,
    EmbeddingDisplay,
    ImputationDisplay,
    RetrievalDisplay,
    TSPulseAnomalyDetector,
    TSPulseClassifier,
    TSPulseImputer,
    TSPulseRetriever,
    TSPulseTransformer,
)
from .base import load_pyplot
from .datasets import load_sea_temperature, make_gappy_series, make_labelled_panel
from .metrics import find_period, vus_pr_score

Table = np.ndarray
Display = AnomalyScoreDisplay | EmbeddingDisplay | ImputationDisplay | RetrievalDisplay


def interpolate(table: Table) -> Table:
    """Fill every channel with straight lines: the ruler to beat."""
    filled = table.copy()
    places = np.arange(len(table))
    for channel in filled.T:
        known = ~np.isnan(channel)
        channel[:] = np.interp(places, places[known], channel[known])
    return filled


def hide(table: Table, share: float) -> Table:
    """Hide points of a recording, half of them in blocks of eight."""
    rng = np.random.default_rng(0)
    hidden = table.copy()
    for start in rng.choice(len(table) // 8, round(share / 2 * len(table) / 8), replace=False):
        hidden[8 * start : 8 * start + 8] = np.nan
    hidden[rng.random(len(table)) < share / 2] = np.nan
    return hidden


def error(filled: Table, truth: Table, shown: Table) -> float:
    """Return the mean over channels of the RMSE on hidden points [standard deviations]."""
    scored = np.where(np.isnan(shown), filled - truth, np.nan) / np.nanstd(truth, 0)
    return float(np.sqrt(np.nanmean(scored**2, 0)).mean())


def compare(name: str, shown: Table, truth: Table) -> None:
    """Fill one recording by network and ruler, and report both."""
    started = time.perf_counter()
    filled = TSPulseImputer(random_state=0).fit_transform(shown)
    seconds = time.perf_counter() - started
    ours, ruler = error(filled, truth, shown), error(interpolate(shown), truth, shown)
    n_missing = int(np.isnan(shown).sum())
    print(f"{name}: {n_missing:,} of {shown.size:,} values missing, filled in {seconds:.1f} s")
    print(f"  RMSE in standard deviations {ours:.3f}, linear interpolation {ruler:.3f}\n")


def show_sea(folder: Path) -> Path:
    """Fill a real recording of which a fifth was hidden."""
    truth, months = load_sea_temperature()
    shown = hide(truth, 0.25)
    compare("Sea-surface temperature off Peru, monthly", shown, truth)
    display = ImputationDisplay.from_estimator(
        TSPulseImputer(random_state=0).fit(shown), shown, index=months
    )
    hidden = np.where(np.isnan(shown), truth, np.nan)
    display.ax_.plot(months, hidden, ".", color="tab:blue", ms=4, label="hidden truth", zorder=1)
    display.ax_.set(title="Sea-surface temperature off Peru, a fifth hidden")
    display.ax_.set(ylabel="temperature [°C]", xlim=months[[120, 360]])
    display.ax_.legend(loc="upper right", ncols=3, fontsize="small")
    return save(display, folder / "sea-temperature.png")


def show_sensors(folder: Path) -> Path:
    """Fill a table of several sensors whose truth is known."""
    shown, truth = make_gappy_series(random_state=0)
    compare("Table of six hourly sensors", shown, truth)
    display = ImputationDisplay.from_estimator(TSPulseImputer(random_state=0).fit(shown), shown)
    display.ax_.set(title="One of the sensors: two weeks", xlim=(0, 14 * 24), xlabel="time [h]")
    return save(display, folder / "sensors.png")


def show_faults(folder: Path) -> Path:
    """Find the hours in which sensors jumped, fluttered and froze."""
    sensors = make_gappy_series(1680, 5, random_state=1)[1][:, [0, 1, 3, 4]]
    usual, faulty = sensors[:840], sensors[840:].copy()
    labels = spoil(faulty, usual.std(0))
    started = time.perf_counter()
    # Faults of hours are looked for; by itself, it averages over days too.
    detector = TSPulseAnomalyDetector(smoothing=8).fit(usual)
    scores = detector.score_samples(faulty)
    seconds = time.perf_counter() - started
    ruler = IsolationForest(random_state=0).fit(usual).score_samples(faulty)
    window = find_period(faulty[:, 0])
    ours, forest = (vus_pr_score(labels, -one, window=window) for one in (scores, ruler))
    print(f"Four sensors with three faults, {len(faulty)} hours scored in {seconds:.1f} s")
    print(f"  VUS-PR {ours:.3f}, isolation forest {forest:.3f}\n")
    return save(AnomalyScoreDisplay.from_estimator(detector, faulty), folder / "faults.png")


def spoil(table: Table, size: Table) -> Table:
    """Put a fault into each of three sensors, and mark when."""
    labels = np.zeros(len(table), dtype=int)
    jump, flutter, freeze = slice(150, 156), slice(350, 398), slice(600, 660)
    table[jump, 0] += 3 * size[0]
    table[flutter, 1] += 0.5 * size[1] * np.random.default_rng(0).normal(size=48)
    table[freeze, 2] = table[freeze.start, 2] + 2 * size[2]
    for fault in (jump, flutter, freeze):
        labels[fault] = 1
    return labels


def show_classes(folder: Path) -> Path:
    """Tell classes of short series apart, by the network and by their values."""
    X, y = make_labelled_panel(n_series=200, n_classes=5, random_state=0)
    started = time.perf_counter()
    ours = TSPulseClassifier().fit(X[:100], y[:100]).score(X[100:], y[100:])
    seconds = time.perf_counter() - started
    raw = X.reshape(len(X), -1)
    ruler = KNeighborsClassifier(1).fit(raw[:100], y[:100]).score(raw[100:], y[100:])
    print(f"Panel of {len(X)} series of {len(set(y))} classes, learned and told in {seconds:.1f} s")
    print(f"  accuracy {ours:.3f}, nearest neighbour of the values {ruler:.3f}\n")
    display = EmbeddingDisplay.from_estimator(TSPulseTransformer().fit(X), X, y)
    display.ax_.set(title="Semantic embeddings of series of known classes")
    return save(display, folder / "classes.png")


def show_neighbours(folder: Path) -> Path:
    """Find series that are like a query, by the network and by their values."""
    X, y = make_labelled_panel(500, n_classes=8, random_state=4)
    indexed, queries, kinds = X[:400], X[400:], y[400:, None]
    started = time.perf_counter()
    retriever = TSPulseRetriever(5).fit(indexed)
    _, found = retriever.kneighbors(queries)
    seconds = time.perf_counter() - started
    search = NearestNeighbors(n_neighbors=5).fit(indexed[:, 0])
    ruler = search.kneighbors(queries[:, 0], return_distance=False)
    print(f"{len(indexed)} series indexed and {len(queries)} looked for in {seconds:.1f} s")
    shares = [(y[one] == kinds).mean() for one in (found, ruler)]
    print(f"  neighbours of the same kind {shares[0]:.3f}, by the values {shares[1]:.3f}\n")
    display = RetrievalDisplay.from_estimator(retriever, queries[7], indexed, y[:400])
    return save(display, folder / "neighbours.png")


def save(display: Display, path: Path) -> Path:
    """Write the figure of a display."""
    display.figure_.savefig(path, dpi=120)
    return path


TASKS: tuple[Callable[[Path], Path], ...] = (
    show_sea,
    show_sensors,
    show_faults,
    show_classes,
    show_neighbours,
)


def main() -> None:
    """Run every task, and say where the figures are."""
    parser = argparse.ArgumentParser(prog="python -m sktspulse", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("sktspulse-figures"))
    folder = parser.parse_args().output
    load_pyplot().switch_backend("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    figures = [task(folder) for task in TASKS]
    print("Figures: " + ", ".join(map(str, figures)))


if __name__ == "__main__":
    main()
