"""Draw what methods reach over many sets: accuracy beside seconds, and ours against each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

COLOURS = {
    "TSPulseClassifier": "C1",
    "TSPulse, published": "C0",
    "MultiRocket-Hydra": "C2",
    "MiniRocket": "C3",
    "QUANT": "C4",
    "1-NN DTW": "C5",
    "1-NN Euclidean": "C7",
}


def draw(
    accuracies: dict[str, np.ndarray], seconds: dict[str, float], ours: str, path: Path
) -> None:
    """Draw mean accuracy over median seconds on the left, and ours against others on the right.

    Parameters
    ----------
    accuracies : dict of str to ndarray of shape (n_sets,)
        Of each method, on the same sets in the same order.
    seconds : dict of str to float
        Median of fit and predict; NaN where only accuracies were published.
    ours : str
        The method to set against the others.
    path : Path
        Of the picture.
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(
        1, 2, figsize=(9, 5), layout="constrained", width_ratios=(1.2, 1)
    )
    draw_means(left, accuracies, seconds)
    draw_pairs(right, accuracies, ours)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_means(ax: Any, accuracies: dict[str, np.ndarray], seconds: dict[str, float]) -> None:
    for name, values in accuracies.items():
        mean, colour = values.mean(), COLOURS.get(name, "gray")
        label = f"{name}: {mean:.3f}"
        if np.isnan(seconds[name]):
            ax.axhline(mean, color=colour, linestyle="--", linewidth=1, label=label)
        else:
            ax.scatter(max(seconds[name], 0.01), mean, s=50, color=colour, label=label)
    n_sets = len(next(iter(accuracies.values())))
    ax.set(xscale="log", xlabel="median seconds of fit and predict", ylabel="mean accuracy")
    ax.set_title(f"{n_sets} sets")
    legend_below(ax)


def draw_pairs(ax: Any, accuracies: dict[str, np.ndarray], ours: str) -> None:
    own = accuracies[ours]
    for name, other in accuracies.items():
        if name != ours:
            won, lost = (own > other).sum(), (own < other).sum()
            label, colour = f"{name}: {won} won, {lost} lost", COLOURS.get(name, "gray")
            ax.scatter(other, own, s=14, color=colour, label=label, alpha=0.8)
    ax.axline((0, 0), slope=1, color="gray", lw=0.8)
    least = min(one.min() for one in accuracies.values()) - 0.03
    ax.set(xlim=(least, 1.02), ylim=(least, 1.02), aspect="equal")
    ax.set(xlabel="accuracy of the other method", ylabel=f"accuracy of {ours}")
    legend_below(ax)


def legend_below(ax: Any) -> None:
    """Name the methods where they hide no point."""
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2, fontsize="x-small")
