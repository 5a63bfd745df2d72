"""Write the short tables and figures of docs/benchmarks, from the tables of results.

    python examples/benchmarks/headlines.py

Each takes some rows and columns of one table that a benchmark wrote, rounded; no number is typed.
Run it after a benchmark; the tests fail where a short table no longer is what its source says.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from measures import headline_figures as figures
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
                ("false alarms, %", "clean rows alarmed, %", 2),
                ("faults found, %", "faults found, %", 0),
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
            f"R², {label}": Column("r2", {"method": method})
            for label, method in (
                ("TSPulse", "TSPulseRegressor"),
                ("Rocket", "RocketRegressor"),
                ("ridge", "Ridge on raw series"),
            )
        }
        | {
            "interval coverage": Column("coverage", {"method": "TSPulseRegressor"}, 2),
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
            name: Column(name, {"vectors": "100000 random", "metric": "euclidean"}, digits)
            for name, digits in (("ms a query", 2), ("MB", 1), ("recall", 4))
        }
        | {
            "cosine: ms a query": Column(
                "ms a query", {"vectors": "100000 random", "metric": "cosine"}, 2
            )
        },
    ),
    "scale-headline.csv": Headline(
        "scale.csv",
        "recordings",
        {"100,000 rows": "100", "1,000,000 rows": "1000"},
        {
            f"{label}, {by}": Column(name, {"by": by}, digits)
            for label, name, digits in (("s", "seconds", 1), ("MB", "peak of a process [MB]", 0))
            for by in ("plain loop", "2 workers")
        },
    ),
    "speed-headline.csv": Headline(
        "speed.csv",
        "what",
        {
            "forward pass, ms": "forward, 128 windows",
            "forward pass, peak MB": "peak memory: forward, 128 windows",
            "training step, ms": "training step, 128 windows",
            "training step, peak MB": "peak memory: training step, 128 windows",
            "ours by the recipe, ms": "the same step, ours by the recipe",
            "ours by the recipe, peak MB": "peak memory: the same step, ours by the recipe",
            "embedding, ms": "embedding of 10,000 windows",
            "embedding, peak MB": "peak memory: embedding of 10,000 windows",
            "import of the package, ms": "import of the package",
            "import of a model, ms": "import of a model",
            "installed without torch, MB": "installed, torch left out",
        },
        {
            "sktspulse": Column("sktspulse", digits=0),
            "granite-tsfm": Column("granite-tsfm", digits=0),
            "ratio": Column("ratio", digits=2),
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks")
    folder = parser.parse_args().output
    for name, headline in HEADLINES.items():
        tables.write(headline.table(folder), folder / name)
    figures.draw_all(folder)


if __name__ == "__main__":
    main()
