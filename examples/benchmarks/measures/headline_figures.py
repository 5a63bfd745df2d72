"""Figures of the short tables, narrow enough to be read on a phone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib import pyplot
from matplotlib.axes import Axes

from . import tables

__all__ = ["draw_all"]

BLUE, ORANGE, GREEN, PURPLE, GREY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7f7f7f"
MARKS = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (PURPLE, "D"), (GREY, "v"))
WIDTH = 6.4  # inches
DPI = 170
PLACES = {  # of labels that would lie on each other
    "scikit-learn": {"xytext": (-6, -3), "ha": "right"},
    "float32": {"xytext": (0, 6), "ha": "center"},
}
FALSE = "false alarms, %"


def draw_all(folder: Path) -> None:
    """Draw every figure from the table of its name."""
    draw_dots(folder, "anomaly", ["one channel", "several channels"], "mean VUS-PR", (0, 0.85))
    draw_dots(
        folder,
        "retrieval",
        ["set, shifted", "set, crops, source removed", "class, crops, source removed"],
        "PREC@3",
        (0, 0.9),
    )
    heads = ["ETTh1 block", "ETTh1 hybrid", "ETTm1 block", "ETTm1 hybrid"]
    draw_dots(folder, "imputation", heads, "mean squared error (log scale)", (0.02, 1.3))
    draw_dots(
        folder,
        "regression",
        ["R², TSPulse", "R², Rocket", "R², ridge"],
        "R² on the test part",
        (-0.05, 1),
    )
    draw_dots(
        folder, "classification", ["UCR accuracy", "UEA accuracy"], "mean accuracy", (0.65, 0.9)
    )
    draw_dots(folder, "speed", ["ratio"], "granite-tsfm over sktspulse (log scale)", (0.7, 250))
    draw_probe(folder)
    draw_everyday(folder)
    draw_search(folder)


def draw_dots(
    folder: Path, topic: str, heads: Sequence[str], label: str, limits: tuple[float, float]
) -> None:
    """Draw one row a method and one kind of mark a column."""
    rows = tables.read(folder / f"{topic}-headline.csv")
    height = (0.36 if topic == "anomaly" else 0.27) * len(rows) + 1.2
    figure, axes = pyplot.subplots(figsize=(WIDTH, height), layout="constrained")
    for head, (colour, mark) in zip(heads, MARKS, strict=False):
        points = [(float(row[head]), y) for y, row in enumerate(rows) if row[head]]
        name = head.removeprefix("R², ")
        axes.plot(
            *zip(*points, strict=True), mark, color=colour, label=name, alpha=0.8, markersize=7
        )
    axes.set(xlabel=label, xlim=limits, ylim=(len(rows) - 0.5, -0.5))
    axes.set_xscale("log" if "log scale" in label else "linear")
    if topic == "speed":
        axes.axvline(1, color=GREY)
    name_rows(axes, [row[""] for row in rows])
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    save(figure, folder / f"{topic}-headline.png")


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Write the names of methods, ours bold, and a line for the eye to follow."""
    axes.set_yticks(range(len(names)), [name.replace(", fitted", ",\nfitted") for name in names])
    for text, name in zip(axes.get_yticklabels(), names, strict=True):
        is_ours = name.startswith(("TSPulse", "tspulse", "both")) and "published" not in name
        text.set_fontweight("bold" if is_ours else "normal")
    axes.grid(alpha=0.3)


def draw_probe(folder: Path) -> None:
    """Draw the accuracy of linear models on embeddings."""
    rows = tables.read(folder / "checkpoints-probe.csv")
    names = [row["method"].replace(", sizes of", ",").replace(" tokens", "") for row in rows]
    values = [float(row["test: accuracy"]) for row in rows]
    colours = [BLUE if name.startswith("tspulse") else GREY for name in names]
    figure, axes = pyplot.subplots(figsize=(WIDTH, 3.4), layout="constrained")
    bars = axes.barh(range(len(rows)), values, color=colours)
    axes.bar_label(bars, fmt="%.3f", padding=3)
    axes.set(xlabel="mean accuracy on 51 UCR sets", xlim=(0, 1.05), ylim=(len(rows) - 0.4, -0.6))
    name_rows(axes, names)
    axes.grid(axis="y", visible=False)
    save(figure, folder / "checkpoints-headline.png")


def draw_everyday(folder: Path) -> None:
    """Draw false alarms over faults found."""
    rows = tables.read(folder / "everyday-headline.csv")
    figure, panels = pyplot.subplots(
        1, 2, figsize=(WIDTH, 3.6), sharex=True, sharey=True, layout="constrained"
    )
    titles = {"made": "16 synthetic signals", "excerpts": "8 real excerpts"}
    for axes, (signals, title) in zip(panels, titles.items(), strict=True):
        for row, (colour, mark) in zip(rows, MARKS, strict=True):
            point = [float(row[f"{signals}: {x}"]) for x in ("faults found, %", FALSE)]
            label = row[""] if signals == "made" else None
            axes.plot(*point, mark, color=colour, markersize=9, label=label)
        axes.set(title=title, xlabel="faults found, %", xlim=(0, 105), yscale="log")
        axes.set_ylim(0.01, 100)
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("false alarms, % of rows")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    save(figure, folder / "everyday-headline.png")


def draw_search(folder: Path) -> None:
    """Draw recall over time: random vectors on the left, embeddings on the right."""
    kinds = ("", "-faiss")
    titles = ("100,000 random vectors", "60,000 embeddings")
    figure, panels = pyplot.subplots(1, 2, figsize=(WIDTH, 2.8), sharey=True, layout="constrained")
    for axes, kind, title in zip(panels, kinds, titles, strict=True):
        for row in tables.read(folder / f"search{kind}-headline.csv"):
            name = row[""]
            point = (float(row["ms a query"]), float(row["recall"]))
            is_other = "scikit" in name or "faiss" in name
            axes.plot(*point, "s" if is_other else "o", color=ORANGE if is_other else BLUE)
            place = PLACES.get(name, {"xytext": (0, -13), "ha": "center"})
            axes.annotate(name, point, textcoords="offset points", size=8, **place)
        axes.set(title=title, xlabel="ms a query", xlim=(0, 1.8), ylim=(0.98, 1.003))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("recall of ten nearest")
    save(figure, folder / "search-headline.png")


def save(figure: pyplot.Figure, path: Path) -> None:
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
    pyplot.close(figure)
