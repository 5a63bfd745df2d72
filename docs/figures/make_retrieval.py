"""Draw the first figure of the guide to retrieval."""

import matplotlib.pyplot as plt
import numpy as np
from figure_style import BLACK, BLUE, GREEN, ORANGE, PURPLE, save

from sktspulse import TSPulseRetriever
from sktspulse.datasets import load_sea_temperature

STYLES = ((ORANGE, "-"), (BLUE, "--"), (GREEN, "-."), (PURPLE, ":"))


def draw() -> None:
    """Draw four years of sea temperature, and where something like them happened."""
    recording, months = load_sea_temperature()
    X = recording.T[None]
    search = TSPulseRetriever(window=48, stride=6).fit(X)
    start = int(np.flatnonzero(months == np.datetime64("1982-01"))[0])
    ids = search.kneighbors(
        X[:, :, start : start + 48], 4, min_separation=48, return_distance=False
    )
    starts = search.locate(ids)[1][0]
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(6.4, 4.6), layout="constrained", height_ratios=(2, 3)
    )
    top.plot(months, recording[:, 0], color=BLACK, lw=0.6)
    for i, (first, (color, line)) in enumerate(zip(starts, STYLES, strict=True)):
        part = slice(first, first + 48)
        top.axvspan(months[first], months[first + 47], color=color, alpha=0.3, lw=0)
        name = "query" if i == 0 else f"hit {i}"
        top.text(months[first + 24], 30.6, name, ha="center", fontsize="small", color=color)
        label = f"{name}: from {months[first].astype(object):%B %Y}"
        bottom.plot(recording[part, 0], color=color, ls=line, lw=2 if i == 0 else 1.3, label=label)
    top.set(ylabel="sea surface [°C]", ylim=(18, 32), xlim=(months[0], months[-1]))
    bottom.set(xlabel="months from the start of the window", ylabel="sea surface [°C]")
    figure.legend(loc="outside lower center", ncols=2, fontsize="small")
    save(figure, "retrieval")


if __name__ == "__main__":
    draw()
