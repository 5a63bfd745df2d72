"""Benchmark imputation in the protocol of TSI-Bench, on ETTh1.

    python examples/benchmarks/imputation_tsi.py --data ../shared/data

Every window of 48 hours of the last five months is one case. Channels are standardised by the first
14 months, where values are missing in the same way; what a method learns, it learns there.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from measures import tables, transformers

from sktspulse import TSPulseImputer

N_TRAIN, N_VALIDATION = 10248, 3672  # hours: 14 months, 5 months
LENGTH = 48
KINDS = ("points 10 %", "points 50 %", "blocks 50 %", "subsequences 50 %")
# Mean squared error of the best of the 24 networks of the benchmark, each trained for this kind.
PUBLISHED = dict(zip(KINDS, (0.047, 0.107, 0.340, 0.731), strict=True))


def windows(table: np.ndarray) -> np.ndarray:
    """Cut a table into consecutive windows ``(n, n_channels, 48)``."""
    n = len(table) // LENGTH
    return table[: n * LENGTH].reshape(n, LENGTH, -1).swapaxes(1, 2)


def hidden(shape: tuple[int, ...], kind: str, rng: np.random.Generator) -> np.ndarray:
    """Draw what is hidden, as PyGrinder does with the settings of the benchmark."""
    n, n_channels, _ = shape
    mask = np.zeros(shape, bool)
    if kind.startswith("points"):
        return rng.random(shape) < float(kind.split()[1]) / 100
    if kind.startswith("subsequences"):  # 36 hours in two thirds of the rows
        count = int(np.ceil(n * n_channels * 0.5 * LENGTH / 36))
        for row in rng.choice(n * n_channels, count, replace=False):
            start = rng.integers(LENGTH - 36)
            mask[row // n_channels, row % n_channels, start : start + 36] = True
        return mask
    for _ in range(int(np.ceil(2 * n * 0.36 * LENGTH * n_channels / 36))):  # 6 hours x 6 channels
        row, channel, start = rng.integers(n), rng.integers(2), rng.integers(LENGTH - 5)
        mask[row, channel : channel + 6, start : start + 6] = True
    return mask


def rows(folder: Path) -> Iterator[dict[str, object]]:
    """Yield one row a kind of gap and method."""
    table = transformers.table(folder, "ETTh1")
    train = table[:N_TRAIN]
    table = (table - train.mean(0)) / train.std(0)
    train, test = windows(table[:N_TRAIN]), windows(table[N_TRAIN + N_VALIDATION :])
    for kind in KINDS:
        rng = np.random.default_rng(2024)
        known = np.where(hidden(train.shape, kind, rng), np.nan, train)
        recording = known.swapaxes(1, 2).reshape(-1, known.shape[1])
        mask = hidden(test.shape, kind, rng)
        for name, blend in (("sktspulse", True), ("sktspulse, network alone", False)):
            imputer = TSPulseImputer(blend=blend, random_state=0).fit(recording)
            errors = (imputer.transform(np.where(mask, np.nan, test)) - test)[mask]
            mse, mae = np.mean(errors**2), np.mean(np.abs(errors))
            yield {"gaps": kind, "method": name, "MSE": f"{mse:.3f}", "MAE": f"{mae:.3f}"}
        best = f"{PUBLISHED[kind]:.3f}"
        yield {"gaps": kind, "method": "best trained network of TSI-Bench", "MSE": best, "MAE": ""}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    arguments = parser.parse_args()
    table = []
    for row in rows(arguments.data):
        print(*row.values(), flush=True)
        table.append(row)
    tables.write(table, arguments.output / "imputation-tsi.csv")


if __name__ == "__main__":
    main()
