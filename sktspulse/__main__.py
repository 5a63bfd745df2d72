"""Show what works: ``python -m sktspulse`` measures each task and draws a figure of it."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from . import EmbeddingDisplay, ImputationDisplay, TSPulseImputer, TSPulseTransformer
from .datasets import load_sea_temperature, make_gappy_series, make_labelled_panel

Table = np.ndarray


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


def show_embeddings(folder: Path) -> Path:
    """Classify short series by their embeddings and by their values."""
    X, y = make_labelled_panel(n_series=200, n_classes=5, random_state=0)
    embed = TSPulseTransformer()
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    started = time.perf_counter()
    ours = cross_val_score(linear, embed.fit_transform(X), y).mean()
    seconds = time.perf_counter() - started
    raw = cross_val_score(linear, X.reshape(len(X), -1), y).mean()
    print(f"Panel of {len(X)} series of {len(set(y))} classes, embedded in {seconds:.1f} s")
    print(f"  accuracy of a linear classifier {ours:.3f}, on the raw values {raw:.3f}\n")
    display = EmbeddingDisplay.from_estimator(embed, X, y)
    display.ax_.set(title="Semantic embeddings of series of known classes")
    return save(display, folder / "embeddings.png")


def save(display: ImputationDisplay | EmbeddingDisplay, path: Path) -> Path:
    """Write the figure of a display."""
    display.figure_.savefig(path, dpi=120)
    return path


def main() -> None:
    """Run every task that works, and say where the figures are."""
    parser = argparse.ArgumentParser(prog="python -m sktspulse", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("sktspulse-figures"))
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    mpl.use("Agg")
    tasks: tuple[Callable[[Path], Path], ...] = (show_sea, show_sensors, show_embeddings)
    figures = [task(folder) for task in tasks]
    print("Figures: " + ", ".join(map(str, figures)))


if __name__ == "__main__":
    main()
