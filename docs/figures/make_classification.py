"""Draw the first figure of the guide to classification."""

import matplotlib.pyplot as plt
import numpy as np
from figure_style import BLUE, GREEN, MARKERS, ORANGE, save

from sktspulse import TSPulseClassifier
from sktspulse.datasets import make_labelled_panel

NAMES, COLORS = ("leaking", "normal", "worn"), (ORANGE, BLUE, GREEN)


def draw() -> None:
    """Draw one series of each class, and the probabilities of all test series."""
    X, y = make_labelled_panel(90, n_classes=3, n_channels=2, random_state=0)
    rng = np.random.default_rng(0)
    X += rng.normal(size=X.shape)
    X[rng.random(X.shape) < 0.05] = np.nan
    probabilities = TSPulseClassifier().fit(X[:12], y[:12]).predict_proba(X[12:48])
    figure = plt.figure(figsize=(6.4, 3.8), layout="constrained")
    grid = figure.add_gridspec(3, 2, width_ratios=(1, 2))
    shared = None
    for i, (name, color) in enumerate(zip(NAMES, COLORS, strict=True)):
        ax = figure.add_subplot(grid[i, 0], sharex=shared, sharey=shared)
        shared = shared or ax
        ax.plot(X[np.flatnonzero(y[:12] == i)[0], 0], color=color, lw=1)
        ax.set_title(name)
        ax.tick_params(labelbottom=i == 2)
    ax.set_xlabel("time [ms]")
    figure.supylabel("pressure [kPa]", fontsize="medium")
    ax = figure.add_subplot(grid[:, 1])
    y = y[12:48]
    order = np.lexsort((-probabilities[np.arange(len(y)), y], y))
    below = np.zeros(len(y))
    for i, (name, color) in enumerate(zip(NAMES, COLORS, strict=True)):
        bars = probabilities[order, i]
        ax.bar(range(len(y)), bars, 1, bottom=below, color=color, label=name)
        below += bars
        true = np.flatnonzero(y[order] == i)
        ax.plot(
            true, np.full(len(true), 1.05), MARKERS[i], color=color, label=f"truly {name}", ms=3
        )
    ax.set(xlabel="test series, by true class", ylabel="probability", xlim=(-1, len(y)))
    ax.set_yticks([0, 0.5, 1])
    handles, labels = ax.get_legend_handles_labels()
    pairs = np.arange(6).reshape(2, 3).T.ravel()  # the legend fills columns first
    figure.legend(
        [handles[i] for i in pairs], [labels[i] for i in pairs], loc="outside lower right", ncols=3
    )
    save(figure, "classification")


if __name__ == "__main__":
    draw()
