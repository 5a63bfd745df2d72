"""Measure a network at several times of its training: what would more training bring?

    python examples/benchmarks/curve.py --data ../shared/data runs/p8-3008000.safetensors ...

A file is a checkpoint whose name ends in the number of windows it was trained on. Writes
`curve.csv` and `curve.png`, and keeps the rows of other files that it finds there.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from imputation import PUBLISHED, load
from measures import imputation, retrieval, tables
from measures.features import embed

EVERY = 49  # windows of the recordings: one in so many; odd, to meet all hours


def measures(data: Path) -> dict[str, Callable[[str], float]]:
    """Name the numbers, each a function of a checkpoint; data are read once."""
    segments = retrieval.sample(data)
    cases = {
        "retrieval, shifted": retrieval.shifted(segments.series),
        "retrieval, crops": retrieval.crops(segments.series),
    }
    found: dict[str, Callable[[str], float]] = {
        name: _precision(case, segments.labels["family"]) for name, case in cases.items()
    }
    for name in dict.fromkeys(name for name, _ in PUBLISHED):
        train, windows = load(data, name)
        for kind in ("hybrid", "block"):
            found[f"{name}, {kind}"] = _error(train, windows[::EVERY], kind)
    return found


def _precision(case: retrieval.Case, families: np.ndarray) -> Callable[[str], float]:
    def measure(checkpoint: str) -> float:
        vectors = retrieval.Case(*(embed(checkpoint, part)["semantic"] for part in case))
        places = retrieval.neighbours(vectors)["source counted"]
        return float((families[places] == families[:, None]).mean())

    return measure


def _error(train: np.ndarray, windows: np.ndarray, kind: str) -> Callable[[str], float]:
    def measure(checkpoint: str) -> float:
        return imputation.mean_error(imputation.filler(checkpoint, train), windows, kind)

    return measure


def rows(data: Path, files: list[Path]) -> Iterator[dict[str, object]]:
    """Yield one row a file."""
    functions = measures(data)
    for file in files:
        name, windows = file.stem.rsplit("-", 1)
        numbers = {title: round(of(str(file)), 4) for title, of in functions.items()}
        yield {"checkpoint": name, "windows": int(windows), **numbers}


def kept(path: Path, files: list[Path]) -> list[dict[str, object]]:
    """Read the rows of earlier runs, but for those of the files to measure."""
    earlier = tables.read(path)
    anew = {file.stem for file in files}
    return [_read(row) for row in earlier if f"{row['checkpoint']}-{row['windows']}" not in anew]


def _read(row: dict[str, str]) -> dict[str, object]:
    name, windows, *numbers = row.values()
    return dict(zip(row, [name, int(windows), *map(float, numbers)], strict=True))


def _order(row: dict[str, object]) -> tuple[int, str, int]:
    return len(row["checkpoint"]), row["checkpoint"], row["windows"]


def draw(table: list[dict[str, object]], path: Path) -> None:
    """Draw a panel a number, a line a network."""
    import matplotlib.pyplot as plt

    titles = list(table[0])[2:]
    figure, axes = plt.subplots(2, 3, figsize=(12, 6), layout="constrained", sharex=True)
    for axis, title in zip(axes.flat, titles, strict=True):
        for name in dict.fromkeys(row["checkpoint"] for row in table):
            own = [row for row in table if row["checkpoint"] == name]
            windows = [row["windows"] / 1e6 for row in own]
            axis.plot(windows, [row[title] for row in own], marker="o", ms=4, label=name)
        axis.set_title(title)
        axis.spines[["top", "right"]].set_visible(False)
    for axis, unit in ((axes[0, 0], "family PREC@3"), (axes[1, 0], "mean squared error")):
        axis.set_ylabel(unit)
    for axis in axes[-1]:
        axis.set_xlabel("windows trained on [million]")
    axes[0, 0].legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    arguments = parser.parse_args()
    path = arguments.output / "curve.csv"
    table = kept(path, arguments.files)
    for row in rows(arguments.data, arguments.files):
        table = sorted([*table, row], key=_order)
        print(*row.values(), flush=True)
        tables.write(table, path)
    draw(table, arguments.output / "curve.png")


if __name__ == "__main__":
    main()
