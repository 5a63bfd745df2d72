"""Draw the first figure of the guide to regression."""

import matplotlib.pyplot as plt
import numpy as np
from figure_style import BLACK, BLUE, ORANGE, save

from sktspulse import TSPulseRegressor


def draw() -> None:
    """Draw two signals of a rotor that slows down, and predictions with intervals."""
    rng = np.random.default_rng(0)
    friction = rng.uniform(0.1, 1.0, 120)
    time = np.arange(400) / 200
    speed = rng.uniform(20, 40, (120, 1))
    turns = speed / friction[:, None] * (1 - np.exp(-friction[:, None] * time))
    X = np.sin(2 * np.pi * (turns + rng.uniform(size=(120, 1))))
    X += 0.5 * rng.normal(size=X.shape)
    X[rng.random(X.shape) < 0.05] = np.nan
    predicted, std = TSPulseRegressor().fit(X[:80], friction[:80]).predict(X[80:], return_std=True)
    figure = plt.figure(figsize=(6.4, 3.2), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 1))
    for row, (i, color) in enumerate(((friction.argmin(), ORANGE), (friction.argmax(), BLUE))):
        ax = figure.add_subplot(grid[row, 0])
        ax.plot(time, X[i], color=color, lw=0.9)
        ax.set(ylim=(-3, 3), ylabel="vibration [g]", title=f"friction {friction[i]:.2f} 1/s")
    ax.set_xlabel("time [s]")
    ax = figure.add_subplot(grid[:, 1])
    ax.axline((0, 0), slope=1, color=BLACK, lw=0.8)
    ax.errorbar(friction[80:], predicted, yerr=1.645 * std, fmt="o", ms=3, lw=0.8, color=BLUE)
    ax.set(xlabel="true friction [1/s]", ylabel="predicted friction [1/s]", aspect="equal")
    ax.set_title("40 test signals")
    save(figure, "regression")


if __name__ == "__main__":
    draw()
