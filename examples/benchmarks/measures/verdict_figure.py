"""Draw what the everyday benchmark found."""

from __future__ import annotations

from pathlib import Path
from re import sub
from typing import Any

import numpy as np
import pandas as pd

from . import alarms, gaps

FEW = 0.01  # percent; less is drawn as this
ASKED = 0.3
DARK = 0.4


def draw(folder: Path, alarmed: pd.DataFrame | None, path: Path) -> None:
    """Draw tables of a folder: alarms above, faults and gaps by method below.

    Parameters
    ----------
    folder : Path
        Of the summaries.
    alarmed : DataFrame or None
        Percentages of clean rows, a row a length and a column a method.
    path : Path
        Of the picture.
    """
    import matplotlib.pyplot as plt

    names = ("methods", "faults", "gaps")
    files = {name: folder / f"everyday-{name}.csv" for name in names}
    if alarmed is None or not all(file.exists() for file in files.values()):
        return
    figure, axes = plt.subplots(2, 2, figsize=(12, 10), layout="constrained")
    draw_alarmed(axes[0, 0], alarmed)
    draw_methods(axes[0, 1], pd.read_csv(files["methods"]))
    faults = pd.read_csv(files["faults"], index_col=0)[list(alarmed.columns)]
    draw_table(axes[1, 0], faults, "Faults found, % (made signals)", "Greens", (0, 100), "{:.0f}")
    ratios = pd.read_csv(files["gaps"], index_col=0)[list(gaps.METHODS)].astype(float)
    title = "Error of filled gaps over the best of\nline, seasonal naive and network alone"
    draw_table(axes[1, 1], ratios, title, "RdYlGn_r", (0.5, 1.5), "{:.2f}")
    figure.savefig(path, dpi=130)
    plt.close(figure)


def draw_alarmed(ax: Any, alarmed: pd.DataFrame) -> None:
    for i, (name, shares) in enumerate(alarmed.items()):
        style = {"lw": 3, "zorder": 3} if name == alarms.OURS else {"lw": 1.3}
        ax.plot(shares.index, shares.clip(lower=FEW), "o-", color=f"C{i}", label=name, **style)
    ax.axhline(ASKED, color="gray", ls=":", label=f"asked: {ASKED} %")
    ax.set(xscale="log", yscale="log", ylim=(FEW * 0.7, 1500), xlabel="rows of the recording")
    ax.set_xticks(list(alarmed.index), [f"{length:,}" for length in alarmed.index])
    ax.minorticks_off()
    ax.set_yticks([0.01, 0.1, 1, 10, 100], ["≤ 0.01", "0.1", "1", "10", "100"])
    ax.set(ylabel="clean rows alarmed, %", title="False alarms, made signals")
    ax.legend(fontsize="small", loc="upper left", ncols=2)


def draw_methods(ax: Any, table: pd.DataFrame) -> None:
    names = list(dict.fromkeys(table["method"]))
    for kind, marker in (("made", "o"), ("excerpts", "^")):
        part = table[table["signals"] == kind]
        for row in part.itertuples(index=False):
            colour, values = (
                f"C{names.index(row.method)}",
                dict(zip(part.columns, row, strict=True)),
            )
            size = 160 if row.method == alarms.OURS else 60
            place = values["precision of rows"], values["faults found, %"]
            ax.scatter(*place, color=colour, marker=marker, s=size, alpha=0.85)
    ax.axhspan(90, 103, xmin=0.7 / 1.03, color="tab:green", alpha=0.12)
    ax.text(0.71, 91, "asked", color="tab:green")
    for marker, kind in (("o", "made signals"), ("^", "real excerpts")):
        ax.scatter([], [], color="gray", marker=marker, label=kind)
    ax.legend(loc="lower left", fontsize="small")
    ax.set(xlim=(0, 1.03), ylim=(0, 103), xlabel="precision of rows", ylabel="faults found, %")
    ax.set_title("Faults (colours as on the left)")


def draw_table(
    ax: Any, table: pd.DataFrame, title: str, colours: str, limits: tuple[float, float], form: str
) -> None:
    values = table.to_numpy(float)
    image = ax.imshow(values, cmap=colours, vmin=limits[0], vmax=limits[1], aspect="auto")
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            is_dark = np.mean(image.cmap(image.norm(value))[:3]) < DARK
            ink = {"color": "white" if is_dark else "black", "fontsize": "small"}
            ax.text(j, i, form.format(value), ha="center", va="center", **ink)
    columns = [sub(r" |(?<=[a-z])(?=[A-Z][a-z])", "\n", name) for name in table.columns]
    ax.set_xticks(range(len(columns)), columns, fontsize="small")
    ax.set_yticks(range(len(table)), table.index)
    ax.set_title(title)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
