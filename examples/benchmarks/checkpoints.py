"""Measure what checkpoints are good for as they are: zero-shot, without any tuning.

    python examples/benchmarks/checkpoints.py --data ../shared/data --checkpoint tspulse-p8

Five measures, each in a module of `measures` that says how it is taken: retrieval, a linear probe,
sensitivity to distortions, anomalies and imputation. `probe-cv` is the probe on train parts
only, to choose between checkpoints. Where it says something, a network of random weights stands
beside them, and so do feature collections of aeon, if it is installed. What an earlier run wrote
of other measures is kept, so that they can be taken one by one.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from measures import (
    Checkpoints,
    Row,
    anomaly,
    imputation,
    probe,
    retrieval,
    sensitivity,
    tables,
)

from sktspulse.network import TSPulse, load_checkpoint, save_checkpoint

DEFAULT = ("retrieval", "probe", "sensitivity", "anomaly", "imputation")

# Where an untrained network says something about the trained one.
WITH_RANDOM = ("retrieval", "probe", "sensitivity", "anomaly")

# How the metrics end that stand in the table of a measure.
SHOWN = dict.fromkeys((*DEFAULT, "probe-cv"), "")
SHOWN |= {"retrieval": "PREC@3", "sensitivity": ", semantic"}

# Title of a panel of the figure: measure, protocol and metrics shown there.
PANELS = {
    "Similar series, shifted: PREC@3": (
        "retrieval",
        "shifted, source counted",
        ("family PREC@3",),
    ),
    "Similar series, crops, source removed: PREC@3": (
        "retrieval",
        "crops, source removed",
        ("family PREC@3",),
    ),
    "Linear probe: mean accuracy": ("probe", "test", ("accuracy",)),
    "Anomalies: mean VUS-PR": (
        "anomaly",
        "mean of files",
        ("VUS-PR, average of 96", "VUS-PR, as published"),
    ),
}
STYLES = {
    "checkpoint": {"facecolor": "C0"},
    "measured beside it": {"facecolor": "0.75"},
    "published": {"facecolor": "white", "edgecolor": "0.4", "hatch": "////"},
}


def all_measures(every: int) -> dict[str, Callable[[Path, Checkpoints], Iterator[Row]]]:
    return {
        "retrieval": retrieval.rows,
        "probe": probe.rows,
        "probe-cv": probe.cv_rows,
        "sensitivity": sensitivity.rows,
        "anomaly": anomaly.rows,
        "imputation": partial(imputation.rows, every=every),
    }


def named(checkpoints: list[str]) -> dict[str, str]:
    """Give short names to paths, where these tell them apart."""
    short = [Path(one).name.removesuffix(".safetensors") for one in checkpoints]
    names = short if len(set(short)) == len(short) else checkpoints
    return dict(zip(names, checkpoints, strict=True))


def with_random(checkpoints: Checkpoints, folder: Path) -> dict[str, str]:
    """Add an untrained network of each size."""
    configs = {load_checkpoint(one).config: name for name, one in checkpoints.items()}
    added = {}
    for config, name in configs.items():
        torch.manual_seed(0)
        path = folder / f"{len(added)}.safetensors"
        save_checkpoint(TSPulse(config), path)
        label = "random weights" if len(configs) == 1 else f"random weights, sizes of {name}"
        added[label] = str(path)
    return {**checkpoints, **added}


def measured(arguments: argparse.Namespace) -> Iterator[Row]:
    checkpoints = named(arguments.checkpoint)
    measures = all_measures(arguments.every)
    with tempfile.TemporaryDirectory() as folder:
        compared = with_random(checkpoints, Path(folder))
        for name in arguments.measures:
            started = time.perf_counter()
            own = compared if name in WITH_RANDOM else checkpoints
            yield from measures[name](arguments.data, own)
            print(f"{name} took {time.perf_counter() - started:.0f} s", flush=True)


def pivots(table: list[Row], folder: Path) -> Iterator[str]:
    """Write a table a measure, a line a method; yield each as text. Data sets are left out."""
    overall = [row for row in table if not row.dataset and row.metric.endswith(SHOWN[row.measure])]
    for measure in dict.fromkeys(row.measure for row in overall):
        lines = list(_lines([row for row in overall if row.measure == measure]))
        tables.write(lines, folder / f"checkpoints-{measure}.csv")
        width = max(len(line["method"]) for line in lines)
        cells = [list(lines[0]), *(list(line.values()) for line in lines)]
        yield "\n".join(" | ".join([name.ljust(width), *rest]) for name, *rest in cells)


def _lines(table: list[Row]) -> Iterator[dict[str, str]]:
    numbers = {(row.method, _column(row)): row for row in table}
    columns = list(dict.fromkeys(map(_column, table)))
    for method in dict.fromkeys(row.method for row in table):
        cells = {column: _cell(numbers.get((method, column))) for column in columns}
        yield {"method": method, **cells}


def _column(row: Row) -> str:
    # What was published of one protocol stands beside what was measured of it.
    metric = row.metric.replace("as published", "average of 96")
    return f"{row.protocol}: {metric}"


def _cell(row: Row | None) -> str:
    number = None if row is None else row.published if row.value is None else row.value
    return "" if number is None else f"{number:.3f}"


def kept(path: Path, measures: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of an earlier run of other measures."""
    for row in tables.read(path):
        numbers = {name: float(row[name]) if row[name] else None for name in Row._fields[-2:]}
        if row["measure"] not in measures:
            yield Row(**{**row, **numbers})


def written(rows: Iterable[Row], path: Path) -> list[Row]:
    """Write and print every row as soon as it is there."""
    table, lines = [], []
    for row in rows:
        table.append(row)
        numbers = {"value": row.value, "published": row.published}
        rounded = {name: "" if one is None else f"{one:.4f}" for name, one in numbers.items()}
        lines.append(row._asdict() | rounded)
        tables.write(lines, path)
        print(*lines[-1].values(), flush=True)
    return table


def draw(table: list[Row], checkpoints: Checkpoints, path: Path) -> None:
    """Draw a panel a chosen number, a bar a method, the best on top."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import Patch

    chosen = {title: _chosen(table, *where) for title, where in PANELS.items()}
    chosen = {title: rows for title, rows in chosen.items() if rows}
    if not chosen:
        return
    n_lines = -(-len(chosen) // 2)
    size = (14, n_lines * (1 + 0.26 * max(map(len, chosen.values()))))
    figure, axes = plt.subplots(n_lines, 2, figsize=size, layout="constrained", squeeze=False)
    for axis in axes.flat[len(chosen) :]:
        axis.set_axis_off()
    for axis, (title, rows) in zip(axes.flat, chosen.items(), strict=False):
        _draw_bars(axis, rows, checkpoints)
        axis.set_title(title, fontsize=10)
    patches = [Patch(label=name, **style) for name, style in STYLES.items()]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches))
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _chosen(table: list[Row], measure: str, protocol: str, metrics: tuple[str, ...]) -> list[Row]:
    case = (measure, protocol, "")
    rows = [row for row in table if row[:3] == case and row.metric in metrics]
    return sorted(rows, key=lambda row: row.value or row.published)


def _draw_bars(axis: Any, rows: list[Row], checkpoints: Checkpoints) -> None:
    numbers = [row.value or row.published for row in rows]
    bars = axis.barh([row.method for row in rows], numbers, height=0.7)
    for bar, row in zip(bars, rows, strict=True):
        bar.set(**STYLES[_origin(row, checkpoints)])
    axis.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
    axis.set_xlim(0, 1.1 * max(numbers))
    axis.tick_params(axis="y", labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)


def _origin(row: Row, checkpoints: Checkpoints) -> str:
    if row.published is not None:
        return "published"
    ours = row.method.startswith(tuple(f"{name}, " for name in checkpoints))
    return "checkpoint" if ours else "measured beside it"


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("--checkpoint", nargs="+", default=["tspulse-p8"])
    parser.add_argument("--measures", nargs="+", choices=all_measures(1), default=DEFAULT)
    parser.add_argument(
        "--every", type=int, default=7, help="fill every so-many-th window; take an odd number"
    )
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    arguments.output.mkdir(parents=True, exist_ok=True)
    path = arguments.output / "checkpoints.csv"
    earlier = list(kept(path, arguments.measures))
    table = written(chain(earlier, measured(arguments)), path)
    draw(table, named(arguments.checkpoint), arguments.output / "checkpoints.png")
    for text in pivots(table, arguments.output):
        print(f"\n{text}")


if __name__ == "__main__":
    main()
