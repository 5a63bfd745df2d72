"""Measure regression on outlines of finger bones and on electricity transformers.

    python examples/benchmarks/regression.py --data ../shared/data

*Bones*: six sets of the UCR archive hold outlines of finger bones from X-rays, with the age that
belongs to them: a group of three, or a stage of development of six. These are ordered, and here
they are numbers to predict. Splits are the official ones.

*Transformers*: a case is a window of 8 days of the six loads of a transformer, and the temperature
of its oil at the end of the window is to be told without seeing the oil. Windows begin every other
day. Time is cut into blocks of 32 days, of which every third is for testing; windows that
cross into another block are left out, so that no time point is on both sides. (With one cut
through time, ours, ridge and the mean all miss by more than the test part varies.)

Rows are written as soon as they are there, and rows that are there already are kept.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from measures import tables, transformers
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktspulse import PanelToTabular, TSPulseRegressor

DAY = {"ETTh1": 24, "ETTm1": 96}  # time points
IN_90_PERCENT = 1.645  # deviations of a normal distribution on either side
N_DAYS, EVERY, BLOCK = 8, 2, 32  # days
BONES = [
    f"{bone}Phalanx{target}"
    for target in ("OutlineAgeGroup", "TW")
    for bone in ("Distal", "Middle", "Proximal")
]


class Split(NamedTuple):
    """Panels ``(n, C, T)`` and numbers ``(n,)`` for fitting and for testing."""

    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


class Method(NamedTuple):
    """A regressor of panels, and the seeds it is run with."""

    make: Callable[[int], Any]
    n_seeds: int = 1


class Row(NamedTuple):
    """What a method reached on one set."""

    dataset: str
    method: str
    seed: int
    r2: float
    mae: float  # groups, stages or degrees Celsius
    coverage: float  # share of targets in intervals of 90 %; NaN for methods without
    seconds: float  # fit and predict


def load(folder: Path, name: str) -> Split:
    return transformer(folder, name) if name in DAY else bones(folder, name)


def bones(folder: Path, name: str) -> Split:
    with np.load(folder / "eval" / "ucr" / f"{name}.npz") as archive:
        parts = [archive[f"{kind}_{part}"] for part in ("train", "test") for kind in "Xy"]
    X_train, y_train, X_test, y_test = (part.astype(float) for part in parts)
    return Split(X_train[:, None], y_train, X_test[:, None], y_test)


def transformer(folder: Path, name: str) -> Split:
    table = transformers.table(folder, name)
    length = N_DAYS * DAY[name]
    starts = np.arange(0, len(table) - length + 1, EVERY * DAY[name])
    first, last = (at // (BLOCK * DAY[name]) for at in (starts, starts + length - 1))
    windows = np.stack([table[start : start + length].T for start in starts])
    train, test = (windows[(first == last) & ((first % 3 == 2) == held)] for held in (False, True))
    return Split(train[:, :6], train[:, 6, -1], test[:, :6], test[:, 6, -1])


def methods() -> dict[str, Method]:
    flat = (PanelToTabular(), StandardScaler())
    ridge = RidgeCV(np.logspace(-2, 6, 17))
    found = {
        "TSPulseRegressor": Method(lambda seed: TSPulseRegressor()),
        "Ridge on raw series": Method(lambda seed: make_pipeline(*flat, ridge)),
        "mean": Method(lambda seed: make_pipeline(PanelToTabular(), DummyRegressor())),
    }
    try:
        from aeon.regression.convolution_based import RocketRegressor
    except ImportError:
        return found
    rocket = Method(lambda seed: RocketRegressor(random_state=seed), 3)
    return found | {"RocketRegressor": rocket}


def measured(arguments: argparse.Namespace, done: set[tuple[str, str, str]]) -> Iterator[Row]:
    chosen = methods()
    names = arguments.methods or list(chosen)
    runs = [(seed, name) for seed in range(3) for name in names if seed < chosen[name].n_seeds]
    for seed, name in runs:
        for dataset in (*BONES, *DAY):
            if (dataset, name, str(seed)) not in done:
                yield Row(
                    dataset,
                    name,
                    seed,
                    *measure(chosen[name].make(seed), load(arguments.data, dataset)),
                )


def measure(model: Any, data: Split) -> tuple[float, float, float, float]:
    """Return share of variance, mean absolute error, coverage, and seconds."""
    started = time.perf_counter()
    told, std = model.fit(data.X_train, data.y_train).predict(data.X_test), np.nan
    seconds = time.perf_counter() - started
    if isinstance(model, TSPulseRegressor):
        told, std = model.predict(data.X_test, return_std=True)
    errors = np.abs(told - data.y_test)
    coverage = np.nan if np.isnan(std).any() else float(np.mean(errors <= IN_90_PERCENT * std))
    return r2_score(data.y_test, told), errors.mean(), coverage, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--methods", nargs="+", help="names as in the table; all by default")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / "regression.csv"
    done = {(line["dataset"], line["method"], line["seed"]) for line in tables.read(path)}
    for row in measured(arguments, done):
        numbers = {"r2": f"{row.r2:.3f}", "mae": f"{row.mae:.3f}", "seconds": f"{row.seconds:.1f}"}
        numbers["coverage"] = "" if np.isnan(row.coverage) else f"{row.coverage:.3f}"
        tables.add(row._asdict() | numbers, path)
        print(*row[:3], f"R2 {row.r2:.3f}, MAE {row.mae:.3f}", f"{row.seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
