"""Draw the figure of the page on streams: a stuck sensor, and when its alarm is reported."""

import matplotlib.pyplot as plt
import numpy as np
from figure_style import BLACK, BLUE, ORANGE, save

from sktspulse import TSPulseAnomalyDetector
from sktspulse.datasets import make_gappy_series

FIRST, SHOWN = 1000, slice(1190, 1400)


def draw() -> None:
    """Draw the sensor above the scores, both with the row after which the alarm is known."""
    X = make_gappy_series(1500, 2, random_state=0)[1]
    X[1250:1310, 0] = 0.5
    detector = TSPulseAnomalyDetector(causal=True).fit(X[:FIRST])
    stream, reported = detector.stream(), 0
    scores = np.full(len(X), np.nan)
    for start in range(FIRST, len(X), 25):
        n_before = FIRST + stream.n_scored
        new = stream.update(X[start : start + 25])
        scores[n_before : n_before + len(new)] = new
        if not reported and (new < detector.offset_).any():
            reported = start + 24
    rows = np.arange(len(X))
    figure, axes = plt.subplots(2, 1, figsize=(6.4, 3.2), sharex=True, layout="constrained")
    axes[0].plot(rows[SHOWN], X[SHOWN, 0], color=BLACK, lw=0.9)
    axes[0].plot([1250, 1309], [X[SHOWN, 0].min() - 0.2] * 2, color=BLUE, lw=4, label="fault")
    axes[1].plot(rows[SHOWN], scores[SHOWN], color=BLACK, lw=0.9)
    threshold = axes[1].axhline(detector.offset_, color=ORANGE, ls="--", lw=1)
    for ax in axes:
        line = ax.axvline(reported, color=ORANGE, lw=2)
    axes[0].set(ylabel="sensor")
    axes[1].set(ylabel="score", xlabel="row")
    handles = [axes[0].lines[1], threshold, line]
    names = ["fault", "threshold", "alarm reported"]
    figure.legend(handles, names, loc="outside upper right", ncols=3)
    save(figure, "stream")


if __name__ == "__main__":
    draw()
