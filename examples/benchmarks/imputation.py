"""Benchmark imputation on the electricity-transformer recordings.

    python examples/benchmarks/imputation.py --data ../shared/data

SAITS and the Transformer run where PyPOTS is installed, which this project does not need.

Every 512-step window of the test part is one case. Channels are standardised by the train
part; each channel of each window gets its own gaps, either whole patches of 8 steps (block)
or half patches, half single points (hybrid). The score is the mean squared error over all
hidden points. What a method learns, it learns on the train part.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from measures import tables, transformers
from scipy.interpolate import CubicSpline
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer

from sktspulse import TSPulseImputer
from sktspulse.network import block_mask, hybrid_mask

LENGTH, PATCH = 512, 8
RATIOS = (0.125, 0.25, 0.375, 0.5)
# Name: steps of the train, validation and test part, steps in a day.
DATASETS = {"ETTh1": (8640, 2880, 2880, 24), "ETTm1": (34560, 11520, 11520, 96)}
# Of the published network (Ekambaram et al., 2025; reference repository), zero-shot.
PUBLISHED = {
    ("ETTh1", "block"): (0.209, 0.225, 0.246, 0.272),
    ("ETTh1", "hybrid"): (0.146, 0.155, 0.168, 0.183),
    ("ETTm1", "block"): (0.068, 0.081, 0.100, 0.128),
    ("ETTm1", "hybrid"): (0.049, 0.053, 0.058, 0.066),
}
# The same, fine-tuned for each recording, kind and ratio.
FINE_TUNED = {
    ("ETTh1", "block"): (0.053, 0.069, 0.098, 0.129),
    ("ETTh1", "hybrid"): (0.044, 0.051, 0.066, 0.081),
    ("ETTm1", "block"): (0.023, 0.029, 0.038, 0.053),
    ("ETTm1", "hybrid"): (0.018, 0.022, 0.026, 0.032),
}
# Nearest neighbours take minutes per thousand windows; they see every so-many-th of them.
KNN_EVERY = 13
POTS_WINDOWS, POTS_EPOCHS = 500, 20  # what the networks of PyPOTS are trained on, and how long

CASE = ("dataset", "mask", "ratio", "method")  # what tells a row from the others

Fill = Callable[[np.ndarray], np.ndarray]  # (n, C, T) with NaN -> filled


def load(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the standardised train table, and the test windows ``(n, C, 512)``."""
    table = transformers.table(folder, name)
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


def by_rows(imputer: IterativeImputer | KNNImputer, train: np.ndarray) -> Fill:
    """Fill each time point from the train rows, as an imputer does that knows no time."""
    imputer.fit(train[:: max(1, len(train) // 4000)])

    def fill(panel: np.ndarray) -> np.ndarray:
        rows = panel.swapaxes(1, 2).reshape(-1, panel.shape[1])
        return imputer.transform(rows).reshape(len(panel), LENGTH, -1).swapaxes(1, 2)

    return fill


def pots(name: str, train: np.ndarray) -> Fill:
    """Train a network of PyPOTS on windows with gaps of all kinds and ratios."""
    from pypots.imputation import SAITS, Transformer

    windows = np.lib.stride_tricks.sliding_window_view(train, LENGTH, axis=0)
    windows = windows[:: max(1, len(windows) // POTS_WINDOWS)]
    kinds = [masks(windows.shape, kind, ratio) for kind in ("hybrid", "block") for ratio in RATIOS]
    chosen = np.random.default_rng(0).integers(len(kinds), size=len(windows))
    shown = np.stack(kinds)[chosen, np.arange(len(windows))]
    sizes = {"n_layers": 2, "d_model": 64, "n_heads": 4, "d_k": 16, "d_v": 16, "d_ffn": 128}
    shape = {"n_steps": LENGTH, "n_features": train.shape[1]}
    model = {"SAITS": SAITS, "Transformer": Transformer}[name](
        **shape, **sizes, epochs=POTS_EPOCHS, batch_size=32, device="cpu", verbose=False
    )
    model.fit({"X": np.where(shown, windows, np.nan).swapaxes(1, 2)})
    return lambda panel: model.impute({"X": panel.swapaxes(1, 2)}).swapaxes(1, 2)


def methods(
    train: np.ndarray, period: int, checkpoint: str
) -> Iterator[tuple[str, Callable[[], Fill], int]]:
    """Yield name, what learns and returns a filler, and window step of everything compared."""
    settings = {"checkpoint": checkpoint, "random_state": 0}

    def ours(**more: bool) -> Callable[[], Fill]:
        return lambda: TSPulseImputer(**settings, **more).fit(train).transform

    yield "sktspulse", ours(), 1
    yield "sktspulse, fine-tuned", ours(fine_tune=True), 1
    yield "sktspulse, network alone", ours(blend=False), 1
    yield "linear interpolation", lambda: by_series(linear), 1
    yield "cubic spline", lambda: by_series(spline), 1
    yield "forward fill", lambda: by_series(forward), 1
    yield "seasonal naive", lambda: by_series(seasonal(period)), 1
    yield "IterativeImputer", lambda: by_rows(IterativeImputer(random_state=0), train), 1
    yield "KNNImputer", lambda: by_rows(KNNImputer(), train), KNN_EVERY
    if importlib.util.find_spec("pypots"):
        yield "SAITS (PyPOTS)", lambda: pots("SAITS", train), 1
        yield "Transformer (PyPOTS)", lambda: pots("Transformer", train), 1


def rows(arguments: argparse.Namespace) -> Iterator[dict[str, object]]:
    """Yield one row a data set, method, kind and ratio."""
    for name in arguments.datasets:
        *_, period = DATASETS[name]
        train, windows = load(arguments.data, name)
        windows = windows[:: arguments.stride]
        for method, learn, step in methods(train, period, arguments.checkpoint):
            if arguments.methods and method not in arguments.methods:
                continue
            started = time.perf_counter()
            fill = learn()
            seconds = round(time.perf_counter() - started, 1)
            for kind in ("hybrid", "block"):
                for ratio in RATIOS:
                    case = {"dataset": name, "mask": kind, "ratio": ratio, "method": method}
                    shown = masks(windows.shape, kind, ratio)
                    yield {**case, **score(fill, windows[::step], shown[::step]), "fit_s": seconds}


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
            means[f"{name} {kind}"] = f"{np.mean(errors):.3f}" if errors else ""
        speed = np.median([row["ms_per_window"] for row in own])
        fit = np.mean([row["fit_s"] for row in own])
        yield {"method": method, **means, "ms per window": f"{speed:.1f}", "fit [s]": f"{fit:.0f}"}
    for title, known in (("zero-shot", PUBLISHED), ("fine-tuned", FINE_TUNED)):
        # Halves are rounded up, as where they were published.
        means = {f"{n} {k}": f"{np.mean(known[n, k]) + 1e-9:.3f}" for n, k in cases}
        row = {"method": f"TSPulse, published {title}", **means}
        yield {**row, "ms per window": "", "fit [s]": ""}


def kept(path: Path) -> list[dict[str, object]]:
    names = ("dataset", "mask", "method")
    return [{k: v if k in names else float(v) for k, v in row.items()} for row in tables.read(path)]


def draw(table: list[dict[str, object]], path: Path) -> None:
    """Draw the error against the share of hidden points, a panel a set and kind."""
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(row["method"] for row in table))
    figure, axes = plt.subplots(2, 2, figsize=(10, 7), layout="constrained", sharex=True)
    for axis, (name, kind) in zip(axes.flat, PUBLISHED, strict=True):
        own = [row for row in table if (row["dataset"], row["mask"]) == (name, kind)]
        for method in dict.fromkeys(row["method"] for row in own):
            errors = [row["mse"] for row in own if row["method"] == method]
            ours = str(method).startswith("sktspulse")
            again, colour = divmod(names.index(method), 10)
            style = {"color": f"C{colour}", "lw": 2.5 if ours else 1, "ls": "-." if again else "-"}
            axis.plot(RATIOS, errors, marker="o", label=method, **style)
        axis.plot(RATIOS, PUBLISHED[name, kind], "k--", label="published, zero-shot")
        axis.plot(RATIOS, FINE_TUNED[name, kind], "k:", label="published, fine-tuned")
        axis.set(title=f"{name}, {kind} gaps", ylabel="MSE [variance of the train part]")
        axis.set(ylim=(0, 6 * max(FINE_TUNED[name, kind])))
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
    parser.add_argument("--datasets", nargs="*", choices=list(DATASETS), default=list(DATASETS))
    parser.add_argument("--methods", nargs="*", help="names of rows to run; all by default")
    parser.add_argument(
        "--keep", action="store_true", help="keep the other rows of the table that is there"
    )
    arguments = parser.parse_args()
    path = arguments.output / "imputation.csv"
    arguments.output.mkdir(parents=True, exist_ok=True)
    table = kept(path) if arguments.keep else []
    for row in rows(arguments):
        case = [row[name] for name in CASE]
        table = [old for old in table if [old[name] for name in CASE] != case] + [row]
        print(*row.values(), flush=True)
        tables.write(table, path)
    tables.write(summary(table), arguments.output / "imputation-summary.csv")
    draw(table, arguments.output / "imputation.png")


if __name__ == "__main__":
    main()
