"""Benchmark zero-shot imputation on the electricity-transformer recordings.

    python examples/benchmarks/imputation.py --data ../shared/data

Every 512-step window of the test part is one case. Channels are standardised by the train
part; each channel of each window gets its own gaps, either whole patches of 8 steps (block)
or half patches, half single points (hybrid). The score is the mean squared error over all
hidden points. What a method learns, it learns on the train part.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from scipy.interpolate import CubicSpline
from sklearn.impute import KNNImputer

from sktspulse import TSPulseImputer
from sktspulse._masking import block_mask, hybrid_mask

LENGTH, PATCH = 512, 8
RATIOS = (0.125, 0.25, 0.375, 0.5)
# Name: steps of the train, validation and test part, steps in a day.
DATASETS = {"ETTh1": (8640, 2880, 2880, 24), "ETTm1": (34560, 11520, 11520, 96)}
# Zero-shot, of the published network alone (Ekambaram et al., 2025; reference repository).
PUBLISHED = {
    ("ETTh1", "block"): (0.209, 0.225, 0.246, 0.272),
    ("ETTh1", "hybrid"): (0.146, 0.155, 0.168, 0.183),
    ("ETTm1", "block"): (0.068, 0.081, 0.100, 0.128),
    ("ETTm1", "hybrid"): (0.049, 0.053, 0.058, 0.066),
}
# Nearest neighbours take minutes per thousand windows; they see every so-many-th of them.
KNN_EVERY = 13

Fill = Callable[[np.ndarray], np.ndarray]  # (n, C, T) with NaN -> filled


def load(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the standardised train table, and the test windows ``(n, C, 512)``."""
    with gzip.open(folder / "eval" / "ltsf" / f"{name}.csv.gz", "rt") as file:
        columns = len(next(csv.reader(file)))
        table = np.loadtxt(file, delimiter=",", usecols=range(1, columns))
    n_train, n_validation, n_test, _ = DATASETS[name]
    train = table[:n_train]
    table = (table - train.mean(0)) / train.std(0)
    start = n_train + n_validation
    test = table[start - LENGTH : start + n_test]
    windows = np.lib.stride_tricks.sliding_window_view(test, LENGTH, axis=0)
    return table[:n_train], windows


def masks(shape: tuple[int, ...], kind: str, ratio: float) -> np.ndarray:
    """Draw which points are shown, always the same for the same arguments."""
    generator = torch.Generator().manual_seed(42)
    if kind == "block":
        n_patches = int(LENGTH // PATCH * ratio)
        return block_mask(shape, n_patches, PATCH, generator).numpy()
    return hybrid_mask(shape, ratio, PATCH, generator).numpy()


def by_series(fill: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Fill:
    """Apply a rule for one series, given the places and values of its known points."""

    def filled(panel: np.ndarray) -> np.ndarray:
        result = panel.copy()
        for series in result.reshape(-1, panel.shape[-1]):
            known = np.flatnonzero(~np.isnan(series))
            missing = np.isnan(series)
            series[missing] = fill(known, series[known])[missing]
        return result

    return filled


def linear(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.interp(np.arange(LENGTH), places, values)


def spline(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    inside = np.clip(np.arange(LENGTH), places[0], places[-1])
    return CubicSpline(places, values)(inside)


def forward(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    last = np.searchsorted(places, np.arange(LENGTH), side="right") - 1
    return values[np.maximum(last, 0)]


def seasonal(period: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Take the value one day away, nearest first; the line where no day has one."""

    def fill(places: np.ndarray, values: np.ndarray) -> np.ndarray:
        series = np.full(LENGTH, np.nan)
        series[places] = values
        days = [d for k in range(1, LENGTH // period + 1) for d in (-k, k)]
        for day in days:
            moved = np.full(LENGTH, np.nan)
            shift = day * period
            source = np.arange(LENGTH) + shift
            inside = (source >= 0) & (source < LENGTH)
            moved[inside] = np.where(
                np.isin(source[inside], places), series[source[inside]], np.nan
            )
            known = np.isnan(series) & ~np.isnan(moved)
            series[known] = moved[known]
        return np.where(np.isnan(series), linear(places, values), series)

    return fill


def neighbours(train: np.ndarray) -> Fill:
    """Fill each time point from the five train rows most like what is known of it."""
    imputer = KNNImputer().fit(train[:: max(1, len(train) // 4000)])

    def fill(panel: np.ndarray) -> np.ndarray:
        rows = panel.swapaxes(1, 2).reshape(-1, panel.shape[1])
        return imputer.transform(rows).reshape(len(panel), LENGTH, -1).swapaxes(1, 2)

    return fill


def methods(train: np.ndarray, period: int, checkpoint: str) -> Iterator[tuple[str, Fill, int]]:
    """Yield name, filler and window step of everything compared."""
    settings = {"checkpoint": checkpoint, "random_state": 0}
    yield "sktspulse", TSPulseImputer(**settings).fit(train).transform, 1
    yield (
        "sktspulse, network alone",
        TSPulseImputer(blend=False, **settings).fit(train).transform,
        1,
    )
    yield "linear interpolation", by_series(linear), 1
    yield "cubic spline", by_series(spline), 1
    yield "forward fill", by_series(forward), 1
    yield "seasonal naive", by_series(seasonal(period)), 1
    yield "KNNImputer", neighbours(train), KNN_EVERY


def rows(arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Yield one row a data set, kind, ratio and method."""
    for name, (*_, period) in DATASETS.items():
        train, windows = load(arguments.data, name)
        windows = windows[:: arguments.stride]
        fillers = list(methods(train, period, arguments.checkpoint))
        for kind in ("hybrid", "block"):
            for ratio, published in zip(RATIOS, PUBLISHED[name, kind], strict=True):
                case = {"dataset": name, "mask": kind, "ratio": ratio}
                shown = masks(windows.shape, kind, ratio)
                for method, fill, step in fillers:
                    scored = score(fill, windows[::step], shown[::step])
                    yield {**case, "method": method, **scored, "published_tspulse": published}


def score(fill: Fill, truth: np.ndarray, shown: np.ndarray) -> dict[str, object]:
    """Fill the windows and return error, number of windows and time."""
    started = time.perf_counter()
    filled = fill(np.where(shown, truth, np.nan))
    seconds = time.perf_counter() - started
    return {
        "mse": round(float(np.mean((filled - truth)[~shown] ** 2)), 4),
        "windows": len(truth),
        "ms_per_window": round(1000 * seconds / len(truth), 3),
    }


def summary(table: list[dict[str, object]]) -> Iterator[dict[str, object]]:
    """Yield one row a method: the mean error over the four ratios, a column a set and kind."""
    cases = list(PUBLISHED)
    for method in dict.fromkeys(row["method"] for row in table):
        own = [row for row in table if row["method"] == method]
        means = {}
        for name, kind in cases:
            errors = [row["mse"] for row in own if (row["dataset"], row["mask"]) == (name, kind)]
            means[f"{name} {kind}"] = f"{np.mean(errors):.3f}"
        speed = np.median([row["ms_per_window"] for row in own])
        yield {"method": method, **means, "ms per window": f"{speed:.1f}"}
    published = {f"{name} {kind}": f"{np.mean(PUBLISHED[name, kind]):.3f}" for name, kind in cases}
    yield {"method": "TSPulse, published", **published, "ms per window": ""}


def write(table: list[dict[str, object]], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


def draw(table: list[dict[str, object]], path: Path) -> None:
    """Draw the error against the share of hidden points, a panel a set and kind."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained", sharex=True)
    for axis, (name, kind) in zip(axes.flat, PUBLISHED, strict=True):
        own = [row for row in table if (row["dataset"], row["mask"]) == (name, kind)]
        for method in dict.fromkeys(row["method"] for row in own):
            errors = [row["mse"] for row in own if row["method"] == method]
            ours = str(method).startswith("sktspulse")
            axis.plot(RATIOS, errors, marker="o", lw=2.5 if ours else 1, label=method)
        axis.plot(RATIOS, PUBLISHED[name, kind], "k--", label="published TSPulse")
        axis.set(title=f"{name}, {kind} gaps", ylabel="MSE [variance of the train part]")
        axis.set(ylim=(0, 1.6 * max(row["mse"] for row in own if "linear" in row["method"])))
    for axis in axes[-1]:
        axis.set(xlabel="share of points hidden", xticks=RATIOS)
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=4, fontsize=8)
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--checkpoint", default="tspulse-p8")
    parser.add_argument(
        "--stride",
        type=int,
        default=1,
        help="use every so-many-th window; take an odd number, as even "
        "ones let the hidden patches of 8 fall on the same hours of all days",
    )
    arguments = parser.parse_args()
    table = []
    for row in rows(arguments):
        table.append(row)
        print(*row.values(), flush=True)
    arguments.output.mkdir(parents=True, exist_ok=True)
    write(table, arguments.output / "imputation.csv")
    write(list(summary(table)), arguments.output / "imputation-summary.csv")
    draw(table, arguments.output / "imputation.png")


if __name__ == "__main__":
    main()
