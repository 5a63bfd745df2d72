"""Write the short tables and two figures of docs/benchmarks, from the tables of results.

    python examples/benchmarks/headlines.py

Each takes some rows and columns of one table that a benchmark wrote, rounded; no number is typed.
Run it after a benchmark; the tests fail where a short table no longer is what its source says.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib import pyplot
from measures import tables

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Column:
    """A column of the source, of its rows that have these values in other columns."""

    name: str
    among: Mapping[str, str] = field(default_factory=dict)
    digits: int = 3


@dataclass(frozen=True)
class Headline:
    source: str
    key: str  # column that names a row
    rows: Mapping[str, str]  # label here -> name in the source
    columns: Mapping[str, Column]

    def table(self, folder: Path) -> list[dict[str, str]]:
        source = tables.read(folder / self.source)
        return [
            {"": label} | {head: self._cell(source, name, c) for head, c in self.columns.items()}
            for label, name in self.rows.items()
        ]

    def _cell(self, source: list[dict[str, str]], name: str, column: Column) -> str:
        wanted = {self.key: name, **column.among}
        found = [row for row in source if wanted.items() <= row.items()]
        value = found[0][column.name] if found else ""
        try:
            return f"{float(value):.{column.digits}f}"
        except ValueError:  # words, or nothing
            return value


def same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def of_both(column: str) -> dict[str, Column]:
    return {kind: Column(column, {"set": kind}) for kind in ("one channel", "several channels")}


def of_archives(columns: Mapping[str, tuple[str, int]]) -> dict[str, Column]:
    archives = {"UCR": {"collection": "ucr", "n_sets": "51"}, "UEA": {"collection": "uea"}}
    return {
        f"{archive} {label}": Column(name, among, digits)
        for archive, among in archives.items()
        for label, (name, digits) in columns.items()
    }


HEADLINES = {
    "anomaly-headline.csv": Headline(
        "anomaly-summary.csv",
        "method",
        {
            "TSPulseAnomalyDetector, fitted on the first part": "sktspulse",
            "TSPulseAnomalyDetector, fitted on the whole": "sktspulse, fitted on the whole",
            "TSPulse zero-shot ensemble, published": "TSPulse ZS ensemble, published",
            "TSPulse fine-tuned ensemble, published": "TSPulse FT ensemble, published",
            "PCA of windows, fitted on the whole": "PCA of windows, fitted on the whole",
            "KMeansAD, fitted on the whole": "KMeansAD, fitted on the whole",
            "squared z-score, average of 96 points": "squared z-score, average of 96",
            **same("matrix profile"),
            "IsolationForest, fitted on the whole": "IsolationForest, fitted on the whole",
        },
        of_both("mean VUS-PR"),
    ),
    "classification-headline.csv": Headline(
        "classification-summary.csv",
        "method",
        same(
            "TSPulseClassifier",
            "MultiRocket-Hydra",
            "MiniRocket",
            "QUANT",
            "1-NN DTW",
            "1-NN Euclidean",
            "TSPulse, published",
        ),
        of_archives(
            {
                "accuracy": ("accuracy", 3),
                "log-loss": ("log_loss", 3),
                "calibration error": ("calibration_error", 3),
                "median s": ("median_seconds", 1),
            }
        ),
    ),
    "everyday-headline.csv": Headline(
        "everyday-methods.csv",
        "method",
        same(
            "TSPulseAnomalyDetector",
            "z-score on the profile",
            "robust z-score",
            "isolation forest",
            "KMeansAD",
        ),
        {
            f"{signals}: {label}": Column(name, {"signals": signals}, digits)
            for signals in ("made", "excerpts")
            for label, name, digits in (
                ("false alarms, % of rows", "clean rows alarmed, %", 2),
                ("faults found, %", "faults found, %", 0),
                ("precision", "precision of rows", 2),
            )
        },
    ),
    "imputation-headline.csv": Headline(
        "imputation-summary.csv",
        "method",
        {
            "TSPulseImputer": "sktspulse",
            "TSPulseImputer(fine_tune=True)": "sktspulse, fine-tuned",
            "TSPulseImputer(blend=False)": "sktspulse, network alone",
            **same("TSPulse, published zero-shot", "TSPulse, published fine-tuned"),
            **same("linear interpolation", "seasonal naive", "IterativeImputer", "KNNImputer"),
            **same("SAITS (PyPOTS)", "Transformer (PyPOTS)"),
        },
        {
            name: Column(name)
            for name in ("ETTh1 block", "ETTh1 hybrid", "ETTm1 block", "ETTm1 hybrid")
        },
    ),
    "regression-headline.csv": Headline(
        "regression.csv",
        "dataset",
        same(
            *(f"{bone}PhalanxOutlineAgeGroup" for bone in ("Distal", "Middle", "Proximal")),
            *(f"{bone}PhalanxTW" for bone in ("Distal", "Middle", "Proximal")),
            "ETTh1",
            "ETTm1",
        ),
        {
            **{
                f"R², {method}": Column("r2", {"method": method})
                for method in ("TSPulseRegressor", "RocketRegressor", "Ridge on raw series")
            },
            "coverage of the 90 % interval": Column("coverage", {"method": "TSPulseRegressor"}, 2),
        },
    ),
    "retrieval-headline.csv": Headline(
        "retrieval-summary.csv",
        "method",
        {
            "tspulse-p16, semantic (default)": "tspulse-p16, semantic",
            "tspulse-p8, semantic": "tspulse-p8, semantic",
            "both networks, semantic": "both networks, semantic",
            "tspulse-p16, detailed": "tspulse-p16, detailed",
            **same("MiniRocket", "magnitude spectrum", "catch22", "Euclidean"),
            **same("TSPulse, published", "MOMENT-small, published", "Chronos, published"),
        },
        {
            "set, shifted": Column("shifted, source counted: family"),
            "class, shifted": Column("shifted, source counted: class"),
            "set, crops, source removed": Column("crops, source removed: family"),
            "class, crops, source removed": Column("crops, source removed: class"),
            "ms a query": Column("ms a query", digits=2),
        },
    ),
    "search-headline.csv": Headline(
        "search.csv",
        "search",
        same("scikit-learn", "float32", "float16", "int8"),
        {
            f"{metric}: {name}": Column(
                name, {"vectors": "100000 random", "metric": metric}, digits
            )
            for metric in ("euclidean", "cosine")
            for name, digits in (("ms a query", 2), ("MB", 1), ("recall", 4))
        },
    ),
    "search-faiss-headline.csv": Headline(
        "search.csv",
        "search",
        same("float32, exact", "float32, faiss", "int8, exact", "int8, faiss"),
        {
            name: Column(name, {"vectors": "60000 windows, semantic"}, digits)
            for name, digits in (("ms a query", 2), ("MB", 1), ("recall", 4))
        },
    ),
}


BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"  # for colour-blind eyes
PLACES = {  # of labels that would lie on each other
    "scikit-learn": {"xytext": (-6, -3), "ha": "right"},
    "float32": {"xytext": (0, 6), "ha": "center"},
}
MARKS = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"))


def draw_regression(folder: Path) -> None:
    """Draw R² of every method, one row a set."""
    rows = tables.read(folder / "regression-headline.csv")
    heads = [head for head in rows[0] if head.startswith("R²")]
    figure, axes = pyplot.subplots(figsize=(7, 3.2), layout="constrained")
    for head, (colour, mark) in zip(heads, MARKS, strict=True):
        values = [float(row[head]) for row in rows]
        axes.plot(
            values, range(len(rows)), mark, color=colour, label=head.removeprefix("R², "), alpha=0.8
        )
    axes.set(xlabel="R² on the test part", xlim=(-0.05, 1), ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticks(range(len(rows)), [row[""] for row in rows])
    axes.grid(axis="x", alpha=0.3)
    axes.legend(loc="lower left")
    figure.savefig(folder / "regression.png", dpi=150)


def draw_search(folder: Path) -> None:
    """Draw recall over time: random vectors on the left, embeddings on the right."""
    random = tables.read(folder / "search-headline.csv")
    embeddings = tables.read(folder / "search-faiss-headline.csv")
    figure, panels = pyplot.subplots(1, 2, figsize=(7, 2.8), sharey=True, layout="constrained")
    titles = ("100,000 random vectors", "60,000 embeddings")
    for axes, rows, prefix, title in zip(
        panels, (random, embeddings), ("euclidean: ", ""), titles, strict=True
    ):
        for row in rows:
            name = row[""]
            x, y = float(row[f"{prefix}ms a query"]), float(row[f"{prefix}recall"])
            is_other = "scikit" in name or "faiss" in name
            axes.plot(x, y, "s" if is_other else "o", color=ORANGE if is_other else BLUE)
            place = PLACES.get(name, {"xytext": (0, -13), "ha": "center"})
            axes.annotate(name, (x, y), textcoords="offset points", size=8, **place)
        axes.set(title=title, xlabel="ms a query", xlim=(0, 1.8), ylim=(0.98, 1.003))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("recall of ten nearest")
    figure.savefig(folder / "search.png", dpi=150)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks")
    folder = parser.parse_args().output
    for name, headline in HEADLINES.items():
        tables.write(headline.table(folder), folder / name)
    draw_regression(folder)
    draw_search(folder)


if __name__ == "__main__":
    main()
