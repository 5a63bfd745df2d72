"""Draw the first figure of the guide to anomaly detection."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from figure_style import BLACK, BLUE, ORANGE, save
from matplotlib.dates import ConciseDateFormatter

from sktspulse import TSPulseAnomalyDetector
from sktspulse.datasets import make_gappy_series

FAULTS = {
    "level": ("2025-02-20 00:00", "2025-02-20 05:00"),
    "flow": ("2025-02-24 04:00", "2025-02-26 15:00"),
}


def draw() -> None:
    """Draw two sensors with their faults and alarms, above the score."""
    _, values = make_gappy_series(1500, 2, random_state=0)
    hours = pd.date_range("2025-01-01", periods=1500, freq="h")
    X = pd.DataFrame(values + np.array([4, 2]), index=hours, columns=["flow", "level"])
    X_train, X_test = X[:1000], X[1000:].copy()
    X_test.loc[slice(*FAULTS["level"]), "level"] += 0.65
    X_test.loc[slice(*FAULTS["flow"]), "flow"] = 4.5
    detector = TSPulseAnomalyDetector().fit(X_train)
    segments, scores = detector.predict_segments(X_test), detector.score_samples(X_test)
    figure, axes = plt.subplots(3, 1, figsize=(6.4, 4.2), sharex=True, layout="constrained")
    for ax, name, unit in zip(axes[:2], ("flow", "level"), ("m³/h", "m"), strict=True):
        ax.plot(X_test[name], color=BLACK, lw=0.9)
        ax.set(ylabel=f"{name} [{unit}]")
        start, end = map(pd.Timestamp, FAULTS[name])
        ax.plot([start, end], [X_test[name].min() - 0.2] * 2, color=BLUE, lw=4, label="fault")
    axes[2].plot(scores, color=BLACK, lw=0.9)
    axes[2].axhline(-1, color=ORANGE, ls="--", lw=1, label="threshold")
    axes[2].set(ylabel="score")
    for ax in axes:
        for i, segment in segments.iterrows():
            label = "alarm" if i == 0 else None
            ax.axvspan(
                segment["start"], segment["end"], color=ORANGE, alpha=0.25, lw=0, label=label
            )
    axes[2].xaxis.set_major_formatter(ConciseDateFormatter(axes[2].xaxis.get_major_locator()))
    handles = [*axes[0].get_legend_handles_labels()[0], axes[2].lines[1]]
    figure.legend(handles, ["fault", "alarm", "threshold"], loc="outside upper right", ncols=3)
    save(figure, "anomaly")


if __name__ == "__main__":
    draw()
