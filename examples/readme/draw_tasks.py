"""Draw the figures of the README, one for each task, on data that the package makes.

python examples/readme/draw_tasks.py docs/images
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from sktspulse import (
    TSPulseAnomalyDetector,
    TSPulseClassifier,
    TSPulseImputer,
    TSPulseRegressor,
    TSPulseRetriever,
    TSPulseTransformer,
)
from sktspulse.datasets import make_gappy_series, make_labelled_panel

BLUE, ORANGE, RED, GRAY = "#1f6fb4", "#e8710a", "#c5221f", "#8a8f98"
STYLE = {
    "axes.edgecolor": GRAY,
    "axes.grid": True,
    "axes.labelsize": 8,
    "axes.prop_cycle": mpl.cycler(color=[BLUE, ORANGE, "#188038", RED, "#9334e6", "#12a4af"]),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9,
    "figure.dpi": 200,
    "figure.figsize": (3.6, 2.3),
    "grid.color": "#e6e8eb",
    "grid.linewidth": 0.5,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
}


def draw_imputation(ax: Axes) -> None:
    """Fill three days of a sensor, and show what was there."""
    X, X_complete = make_gappy_series(random_state=0)
    gap, shown = slice(770, 842), slice(710, 902)
    X[gap, 0] = np.nan
    filled, std = TSPulseImputer(random_state=0).fit(X).transform(X, return_std=True)
    time = np.arange(len(X))
    known, best = X[shown, 0], np.where(np.isnan(X[:, 0]), filled[:, 0], np.nan)
    band = 1.645 * std[gap, 0]
    ax.fill_between(
        time[gap], filled[gap, 0] - band, filled[gap, 0] + band, color=ORANGE, alpha=0.2, lw=0
    )
    ax.plot(time[shown], X_complete[shown, 0], color=GRAY, ls=":", label="truth")
    ax.plot(time[shown], known, color=BLUE, label="known")
    ax.plot(time[shown], best[shown], color=ORANGE, label="filled, with 90 % interval")
    ax.set(title="Fill gaps", xlabel="hour", ylabel="sensor")
    ax.set_ylim(top=ax.get_ylim()[1] + 0.35 * np.ptp(X_complete[shown, 0]))
    ax.legend(loc="upper left", ncols=3, columnspacing=1, handlelength=1.2)


def draw_anomaly(ax: Axes) -> None:
    """Find three faults of a sensor, after five weeks without."""
    sensors = make_gappy_series(1680, 5, random_state=2)[1]
    normal, watched = sensors[:840], sensors[840:1300].copy()
    size, rng = normal[:, 1].std(), np.random.default_rng(0)
    faults = [slice(80, 86), slice(190, 238), slice(340, 400)]
    watched[faults[0], 1] += 3 * size
    watched[faults[1], 1] += 0.7 * size * rng.normal(size=48)
    watched[faults[2], 1] = watched[340, 1]
    segments = TSPulseAnomalyDetector().fit(normal).predict_segments(watched)
    ax.plot(watched[:, 1], color=BLUE, label="sensor")
    for start, end in segments[["start", "end"]].tolist():
        ax.axvspan(start, end, color=RED, alpha=0.18, lw=0, label="alarm")
    for fault in faults:
        ax.axvspan(fault.start, fault.stop - 1, ymax=0.03, color=GRAY, lw=0, label="fault")
    legend = {handle.get_label(): handle for handle in ax.get_legend_handles_labels()[0]}
    ax.set(title="Detect anomalies", xlabel="hour", ylabel="sensor")
    ax.set_ylim(top=ax.get_ylim()[1] + 0.3 * np.ptp(watched[:, 1]))
    ax.legend(legend.values(), legend, loc="upper left", ncols=3, handlelength=1.2)


def draw_classification(ax: Axes) -> None:
    """Learn six classes from few series."""
    X, y = make_labelled_panel(n_series=480, n_classes=6, random_state=0)
    sizes = [12, 24, 48, 96, 192]
    models = {
        "TSPulseClassifier": TSPulseClassifier(),
        "nearest neighbour": KNeighborsClassifier(1),
    }
    for (name, model), color in zip(models.items(), (ORANGE, GRAY), strict=True):
        panel = X if name == "TSPulseClassifier" else X[:, 0]
        values = [model.fit(panel[:n], y[:n]).score(panel[240:], y[240:]) for n in sizes]
        ax.plot(sizes, values, marker="o", markersize=3.5, color=color, label=name)
    ax.set(xscale="log", xticks=sizes, xticklabels=sizes, ylim=(0, 1.04))
    ax.minorticks_off()
    ax.set(title="Classify", xlabel="training series of 6 classes", ylabel="accuracy")
    ax.legend(loc="lower right")


def draw_regression(ax: Axes) -> None:
    """Predict how fast a rhythm slows down."""
    rng = np.random.default_rng(0)
    slowing = rng.uniform(0, 0.9, 240)
    panel = []
    for one in slowing:
        time = np.linspace(0, 1, rng.integers(150, 400))
        phase = rng.uniform(0, 6.28) + 60 * (time - one * time**2 / 2)
        panel.append((np.sin(phase) + 0.5 * rng.normal(size=len(time)))[None])
    model = TSPulseRegressor().fit(panel[:160], slowing[:160])
    predicted, std = model.predict(panel[160:], return_std=True)
    bars = {"fmt": "o", "markersize": 3, "elinewidth": 0.8, "color": ORANGE, "ecolor": "#f6c08f"}
    ax.errorbar(
        slowing[160:], predicted, yerr=1.645 * std, label="prediction, 90 % interval", **bars
    )
    ax.axline((0, 0), slope=1, color=GRAY, linewidth=0.8)
    ax.set(title="Predict numbers", xlabel="slowing of a noisy rhythm", ylabel="prediction")
    ax.legend(loc="upper left")


def draw_embedding(ax: Axes) -> None:
    """Embed series of five kinds without their labels."""
    X, y = make_labelled_panel(n_series=300, n_classes=5, random_state=1)
    points = PCA(2).fit_transform(TSPulseTransformer().fit_transform(X))
    for kind in range(5):
        ax.scatter(*points[y == kind].T, s=9, alpha=0.8, linewidth=0, label=f"kind {kind + 1}")
    ax.set(title="Embed, without labels", xlabel="first direction", ylabel="second direction")
    ax.set(xticks=[], yticks=[])
    ax.legend(loc="best", handletextpad=0.1, markerscale=1.5)


def draw_retrieval(ax: Axes) -> None:
    """Find the three series most like a query that lost a tenth of its points."""
    X, _ = make_labelled_panel(500, n_classes=8, random_state=4)
    query = X[405].copy()
    query[:, np.random.default_rng(0).random(query.shape[1]) < 0.1] = np.nan
    _, ids = TSPulseRetriever(3).fit(X[:400]).kneighbors(query[None])
    rows = [query[0], *X[ids[0], 0]]
    for i, series in enumerate(rows):
        height = np.nanmax(np.abs(series))
        ax.plot(series / height - 2.2 * i, color=BLUE if i == 0 else ORANGE)
    ax.set(title="Search", xlabel="time point", ylim=(-8.0, 1.2))
    ax.set_yticks([-2.2 * i for i in range(4)], ["query", "1st", "2nd", "3rd"])
    ax.grid(axis="y", visible=False)


TASKS: dict[str, Callable[[Axes], None]] = {
    "imputation": draw_imputation,
    "anomaly": draw_anomaly,
    "classification": draw_classification,
    "regression": draw_regression,
    "embedding": draw_embedding,
    "retrieval": draw_retrieval,
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in TASKS.items():
        with mpl.rc_context(STYLE):
            figure, ax = plt.subplots(layout="constrained")
            draw(ax)
            figure.savefig(folder / f"{name}.png", metadata={"Software": None})
            plt.close(figure)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
