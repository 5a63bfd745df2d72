"""What the rows of the everyday benchmark come to: tables of means, and the targets."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pandas as pd

from . import alarms, gaps, tables, verdict_figure
from .recordings import REAL

ASKED_CONDITIONS = ("clean", "outage", "half missing")
LONG = 1000  # rows of a recording from which the effect of one wild reading is counted
EXAMPLE = Path(__file__).parents[2] / "plot_anomaly.py"
Row = dict[str, object]


def write(detection: list[Row], imputation: list[Row], seconds: list[Row], folder: Path) -> None:
    """Write and print the summaries."""
    targets: list[Row] = []
    if detection:
        table = alarm_table(detection)
        save(methods(table), folder / "everyday-methods.csv")
        save(by_signal(table), folder / "everyday-signals.csv")
        save(by_condition(table), folder / "everyday-conditions.csv")
        save(by_fault(table), folder / "everyday-faults.csv")
        targets += alarm_targets(table) + example_targets()
    if imputation:
        table = ratios(imputation)
        save(by_gap(table), folder / "everyday-gaps.csv")
        targets += gap_targets(table)
    for row in seconds:
        targets.append(target(f"seconds: {row['what']}, over before", "<= 1.3", row["ratio"]))
    save(pd.DataFrame(targets), folder / "everyday-summary.csv")
    alarmed = by_length(alarm_table(detection)) if detection else None
    verdict_figure.draw(folder, alarmed, folder / "everyday.png")


def save(frame: pd.DataFrame, path: Path) -> None:
    print(f"\n{frame.to_string(index=False)}")
    tables.write(frame.to_dict("records"), path)


def target(measure: str, asked: str, reached: object) -> Row:
    return {"measure": measure, "asked": asked, "reached": reached}


def alarm_table(rows: list[Row]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    names = ["signal", "length", "condition", "fault", "method", "code"]
    counts = table.columns.difference(names)
    table[counts] = table[counts].replace("", 0).astype(float)
    table["share"] = 100 * table["alarmed"] / table["rows"].clip(lower=1)
    return table


def clean_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Take the recordings without a fault, one row a signal, length and condition."""
    return table[(table["fault"] == "none") & table["condition"].isin(ASKED_CONDITIONS)]


def faulty_cells(table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["fault"] != "none") & (table["condition"] == "clean")]


def made_only(table: pd.DataFrame) -> pd.DataFrame:
    return table[~table["signal"].isin(REAL)]


def real_only(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["signal"].isin(REAL)]


def precision(table: pd.DataFrame) -> float:
    """Return the mean over signals, as faults of minute data last longer than others."""
    sums = table.groupby("signal")[["fault_rows_alarmed", "alarmed"]].sum()
    return float((sums["fault_rows_alarmed"] / sums.sum(axis=1)).mean())


def found(table: pd.DataFrame) -> float:
    return 100 * table["found"].sum() / max(table["faults"].sum(), 1)


def delay(table: pd.DataFrame) -> float:
    return table["delay"].sum() / max(table["found"].sum(), 1)


def changed(table: pd.DataFrame, condition: str) -> pd.Series:
    """Return percentages of rows whose decision a wild reading changes, by signal."""
    cells = table[(table["fault"] == "none") & (table["condition"] == condition)]
    cells = cells[cells["length"].astype(float) >= LONG]
    sums = cells.groupby("signal")[["changed", "rows"]].sum()
    return 100 * sums["changed"] / sums["rows"]


def methods(table: pd.DataFrame) -> pd.DataFrame:
    """One row a method; made signals and real ones apart."""
    rows = []
    for kind, part in (("made", made_only(table)), ("excerpts", real_only(table))):
        for name in dict.fromkeys(part["method"]):
            own = part[part["method"] == name]
            clean, faulty = clean_cells(own), faulty_cells(own)
            rows.append(
                {
                    "signals": kind,
                    "method": name,
                    "clean rows alarmed, %": f"{clean['share'].mean():.2f}",
                    "worst cell, %": f"{clean['share'].max():.1f}",
                    "cells over 3 %": f"{100 * (clean['share'] > 3).mean():.0f} %",
                    "faults found, %": f"{found(faulty):.0f}",
                    "precision of rows": f"{precision(faulty):.2f}",
                    "mean delay, rows": f"{delay(faulty):.1f}",
                    "changed by a wild value, %": f"{changed(own, 'wild value').mean():.1f}",
                    "by one in fit, %": f"{changed(own, alarms.WILD_IN_FIT).mean():.1f}",
                }
            )
    return pd.DataFrame(rows)


def by_length(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean percentages of clean rows alarmed in made signals, by length and method."""
    clean = clean_cells(made_only(table))
    lengths = clean["length"].astype(int)
    wide = clean.groupby([lengths, "method"])["share"].mean().unstack()
    return wide[[name for name in alarms.METHODS if name in wide]]


def by_signal(table: pd.DataFrame) -> pd.DataFrame:
    """One row a signal, of the package's detector."""
    own, rows = table[table["method"] == alarms.OURS], []
    for name in dict.fromkeys(own["signal"]):
        part = own[own["signal"] == name]
        clean, faulty = clean_cells(part), faulty_cells(part)
        worst = clean.loc[clean["share"].idxmax()]
        rows.append(
            {
                "signal": name,
                "clean rows alarmed, %": f"{clean['share'].mean():.2f}",
                "worst, %": f"{worst['share']:.1f}",
                "worst at": f"{worst['length']} rows, {worst['condition']}",
                "faults": int(faulty["faults"].sum()),
                "found, %": f"{found(faulty):.0f}",
                "precision of rows": f"{precision(faulty):.2f}",
            }
        )
    return pd.DataFrame(rows)


def by_condition(table: pd.DataFrame) -> pd.DataFrame:
    """One row a condition, of the package's detector; faults are those of long recordings."""
    own, rows = table[table["method"] == alarms.OURS], []
    for condition in dict.fromkeys(own["condition"]):
        part = own[own["condition"] == condition]
        clean = part[part["fault"] == "none"]
        faulty = part[(part["fault"] != "none") & (part["length"] == "long")]
        rows.append(
            {
                "condition": condition,
                "clean rows alarmed, %": f"{clean['share'].mean():.2f}",
                "worst cell, %": f"{clean['share'].max():.1f}",
                "faults": int(faulty["faults"].sum()),
                "found, %": f"{found(faulty):.0f}" if len(faulty) else "",
                "precision of rows": f"{precision(faulty):.2f}" if len(faulty) else "",
            }
        )
    return pd.DataFrame(rows)


def by_fault(table: pd.DataFrame) -> pd.DataFrame:
    """Percentages of faults found in made signals, by kind and method, and our precision."""
    cells = faulty_cells(made_only(table))
    shares = cells.groupby(["fault", "method"])[["found", "faults"]].sum()
    wide = (100 * shares["found"] / shares["faults"]).unstack().round(0).astype(int)
    wide = wide[[name for name in alarms.METHODS if name in wide]]
    own = cells[cells["method"] == alarms.OURS].groupby("fault")
    wide.insert(0, "faults", own["faults"].sum().astype(int))
    wide["precision of rows"] = [f"{precision(part):.2f}" for _, part in own]
    wide["mean delay, rows"] = [f"{delay(part):.1f}" for _, part in own]
    order = [kind for kind in alarms.KINDS if kind in wide.index]
    return wide.loc[order].reset_index()


def alarm_targets(table: pd.DataFrame) -> list[Row]:
    own = table[table["method"] == alarms.OURS]
    rows = []
    for kind, part in (("made signals", made_only), ("excerpts", real_only)):
        clean, faulty = clean_cells(part(own)), faulty_cells(part(own))
        others = [faulty_cells(one) for name, one in part(table).groupby("method")]
        best = max(map(found, others)), max(map(precision, others))
        rows += [
            target(
                f"{kind}: clean rows alarmed, mean", "<= 0.3 %", f"{clean['share'].mean():.2f} %"
            ),
            target(f"{kind}: worst cell", "<= 3 %", f"{clean['share'].max():.1f} %"),
            target(f"{kind}: faults found", ">= 90 %, best", beside(found(faulty), best[0], ".1f")),
            target(
                f"{kind}: precision of rows", ">= 0.7, best", beside(precision(faulty), best[1])
            ),
        ]
    for condition in ("wild value", alarms.WILD_IN_FIT):
        shares = changed(own, condition)
        reached = f"{shares.mean():.2f} %, worst {shares.max():.1f} %"
        rows.append(target(f"decisions changed by one {condition}", "<= 1 %", reached))
    return rows


def beside(own: float, best: float, form: str = ".2f") -> str:
    """Say a value, and that of the best method where it is another."""
    return f"{own:{form}}" + (f" (best: {best:{form}})" if best > own else "")


def example_targets() -> list[Row]:
    """Run the gallery's example of faults of sensors, and count."""
    import matplotlib as mpl

    mpl.use("Agg")
    example = runpy.run_path(str(EXAMPLE))
    flags = example["detector"].predict(example["X_test"]) == -1
    labels = example["labels"].astype(bool)
    edges = np.flatnonzero(np.diff(np.r_[0, labels.astype(int), 0]))
    hits = [flags[a:b].any() for a, b in zip(edges[::2], edges[1::2], strict=True)]
    value = (flags & labels).sum() / max(flags.sum(), 1)
    return [
        target("gallery example, precision of rows", ">= 0.7", f"{value:.2f}"),
        target("gallery example, faults found", f"{len(hits)}", f"{sum(hits)}"),
    ]


def ratios(rows: list[Row]) -> pd.DataFrame:
    """Divide every error by the best of line, seasonal naive and network alone."""
    table = pd.DataFrame(rows)
    table["error"] = table["error"].astype(float)
    table["covered"] = pd.to_numeric(table["covered"], errors="coerce")
    table["hidden"] = table["hidden"].astype(float)
    simple = table[table["method"].isin(gaps.BASES)]
    best = simple.groupby(["signal", "gap"])["error"].min().rename("best")
    table = table.join(best, on=["signal", "gap"])
    floor = 0.01 * table["step"].astype(float)  # where all is exact, nothing is to be won
    table["ratio"] = (table["error"] + floor) / (table["best"] + floor)
    return table


def mean_ratio(part: pd.DataFrame) -> float:
    return float(np.exp(np.log(part["ratio"]).mean()))


def coverage(part: pd.DataFrame) -> float:
    return float(100 * (part["covered"] / part["hidden"]).mean())


def by_gap(table: pd.DataFrame) -> pd.DataFrame:
    """One row a kind of gap: geometric means over signals of the errors over the best."""
    rows = []
    for gap in [name for name in gaps.GAPS if name in set(table["gap"])]:
        part = table[table["gap"] == gap]
        row: Row = {"gap": gap}
        for name in gaps.METHODS:
            own = part[part["method"] == name]
            row[name] = f"{mean_ratio(own):.2f}" if len(own) else ""
        own = part[part["method"] == gaps.OURS]
        worst = own.loc[own["ratio"].idxmax()]
        row["worst signal"] = f"{worst['ratio']:.2f} ({worst['signal']})"
        row["interval of 90 % holds, %"] = f"{coverage(own):.0f}"
        rows.append(row)
    return pd.DataFrame(rows)


def gap_targets(table: pd.DataFrame) -> list[Row]:
    own = table[table["method"] == gaps.OURS]
    parts = {gap: part for gap, part in own.groupby("gap")}
    means = {gap: mean_ratio(part) for gap, part in parts.items()}
    held = {gap: coverage(part) for gap, part in parts.items()}
    worst = max(means, key=lambda gap: means[gap])
    least, most = min(held, key=lambda g: held[g]), max(held, key=lambda g: held[g])
    cells = (own["ratio"] > 1.05).mean()
    return [
        target("error over best, worst kind of gap", "<= 1.05", f"{means[worst]:.2f} ({worst})"),
        target("error over best, mean", "<= 0.9", f"{mean_ratio(own):.2f}"),
        target("signals and gaps over 1.05", "0 %", f"{100 * cells:.0f} %"),
        target(
            "interval of 90 % holds, by kind of gap",
            "85 to 95 %",
            f"{held[least]:.0f} % ({least}) to {held[most]:.0f} % ({most})",
        ),
    ]
