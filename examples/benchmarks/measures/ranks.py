"""Draw how methods rank over many sets, and one against another set by set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata, studentized_range

CONFIDENCE = 0.95


def draw(accuracies: dict[str, np.ndarray], ours: str, path: Path) -> None:
    """Draw mean ranks on the left, and ours against each other method on the right.

    Parameters
    ----------
    accuracies : dict of str to ndarray of shape (n_sets,)
        Of each method, on the same sets in the same order.
    ours : str
        The method to set against the others.
    path : Path
        Of the picture.
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(
        1, 2, figsize=(9, 3.8), layout="constrained", width_ratios=(1.2, 1)
    )
    draw_ranks(left, accuracies, ours)
    draw_pairs(right, accuracies, ours)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_ranks(ax: Any, accuracies: dict[str, np.ndarray], ours: str) -> None:
    ranks = rankdata(-np.stack(list(accuracies.values())), axis=0).mean(axis=1)
    order = np.argsort(ranks)[::-1]
    names = [list(accuracies)[i] for i in order]
    colours = ["C1" if name == ours else "C0" for name in names]
    ax.hlines(range(len(names)), 1, ranks[order], color="lightgray", zorder=0)
    ax.scatter(ranks[order], range(len(names)), color=colours)
    n_sets = len(next(iter(accuracies.values())))
    width = critical_difference(len(names), n_sets)
    ax.plot([1, 1 + width], [len(names) - 0.3] * 2, color="black", lw=3)
    ax.text(1 + width / 2, len(names) - 0.15, "critical difference", ha="center", fontsize="small")
    ax.set(yticks=range(len(names)), yticklabels=names, xlim=(0.9, len(names) + 0.1))
    ax.set(ylim=(-0.5, len(names) + 0.3), xlabel=f"mean rank over {n_sets} sets, 1 is best")


def critical_difference(n_methods: int, n_sets: int) -> float:
    """Return by how much mean ranks must differ to tell two methods apart (Nemenyi)."""
    quantile = studentized_range.ppf(CONFIDENCE, n_methods, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(n_methods * (n_methods + 1) / (6 * n_sets)))


def draw_pairs(ax: Any, accuracies: dict[str, np.ndarray], ours: str) -> None:
    own = accuracies[ours]
    for i, (name, other) in enumerate(accuracies.items()):
        if name != ours:
            won, lost = (own > other).sum(), (own < other).sum()
            label = f"{name}: {won} won, {lost} lost"
            ax.scatter(other, own, s=14, color=f"C{i}", label=label, alpha=0.8)
    ax.axline((0, 0), slope=1, color="gray", lw=0.8)
    least = min(one.min() for one in accuracies.values()) - 0.03
    ax.set(xlim=(least, 1.02), ylim=(least, 1.02), aspect="equal")
    ax.set(xlabel="accuracy of the other method", ylabel=f"accuracy of {ours}")
    ax.legend(loc="lower right", fontsize="x-small")
