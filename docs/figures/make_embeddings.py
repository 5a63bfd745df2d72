"""Draw the first figure of the guide to embeddings."""

import matplotlib.pyplot as plt
import numpy as np
from figure_style import BLUE, GREEN, MARKERS, ORANGE, PURPLE, save
from sklearn.decomposition import PCA

from sktspulse import TSPulseTransformer
from sktspulse.datasets import make_labelled_panel

COLORS = (ORANGE, BLUE, GREEN, PURPLE)


def draw() -> None:
    """Draw a series of each of four kinds, and principal components of embeddings and values."""
    X, y = make_labelled_panel(120, n_classes=4, random_state=0)
    planes = {
        "embeddings": TSPulseTransformer().fit_transform(X),
        "values": X[:, 0],
    }
    figure = plt.figure(figsize=(6.4, 3.2), layout="constrained")
    grid = figure.add_gridspec(4, 3, width_ratios=(2, 3, 3))
    shared = None
    for i, color in enumerate(COLORS):
        ax = figure.add_subplot(grid[i, 0], sharex=shared, sharey=shared)
        shared = shared or ax
        ax.plot(X[np.flatnonzero(y == i)[0], 0], color=color, lw=1)
        ax.tick_params(labelbottom=i == 3)
    ax.set_xlabel("time [samples]")
    figure.supylabel("value [arbitrary units]", fontsize="medium")
    for column, (name, vectors) in enumerate(planes.items(), start=1):
        ax = figure.add_subplot(grid[:, column])
        plane = PCA(2).fit_transform(vectors)
        for i, (color, marker) in enumerate(zip(COLORS, MARKERS, strict=True)):
            ax.scatter(*plane[y == i].T, s=18, color=color, marker=marker, label=f"kind {i + 1}")
        ax.set(xlabel="1st component", ylabel="2nd component", title=f"PCA of the {name}")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower right", ncols=4)
    save(figure, "embeddings")


if __name__ == "__main__":
    draw()
