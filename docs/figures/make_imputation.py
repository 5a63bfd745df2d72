"""Draw the first figure of the guide to imputation."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from figure_style import BLACK, ORANGE, PURPLE, save
from matplotlib.dates import ConciseDateFormatter

from sktspulse import TSPulseImputer
from sktspulse.datasets import make_gappy_series

GAP = slice("2026-01-05 06:00", "2026-01-07 05:00")


def draw() -> None:
    """Draw a gap of two days: what was hidden, what was filled, and a straight line."""
    _, values = make_gappy_series(600, 2, random_state=0)
    hours = pd.date_range("2026-01-01", periods=600, freq="h")
    complete = pd.DataFrame(values + np.array([4, 2]), index=hours, columns=["flow", "level"])
    X = complete.mask(np.random.default_rng(0).random(complete.shape) < 0.05)
    X.loc[GAP, "flow"] = np.nan
    filled, std = TSPulseImputer(random_state=0).fit(X).transform(X, return_std=True)
    std = pd.DataFrame(std, index=hours, columns=X.columns)
    shown = slice("2026-01-03", "2026-01-09")
    figure, ax = plt.subplots(figsize=(6.4, 3.2), layout="constrained")
    value, error = filled.loc[GAP, "flow"], 1.645 * std.loc[GAP, "flow"]
    ax.fill_between(value.index, value - error, value + error, color=ORANGE, alpha=0.25, lw=0)
    ax.plot(complete.loc[GAP, "flow"], color=BLACK, lw=1, ls=":")
    ax.plot(X["flow"].interpolate("time").loc[GAP], color=PURPLE, lw=1.2, ls="--")
    ax.plot(value, color=ORANGE, lw=1.8)
    ax.plot(X.loc[shown, "flow"], color=BLACK, lw=1)
    single = X["flow"].isna() & ~X.index.isin(value.index)
    ax.plot(filled.loc[shown, "flow"][single.loc[shown]], "o", color=ORANGE, ms=4)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(ax.xaxis.get_major_locator()))
    ax.set(ylabel="flow [m³/h]")
    names = ["90 % interval", "hidden truth", "straight line", "filled", "known"]
    handles = [ax.collections[0], *ax.lines[:4]]
    figure.legend(handles, names, loc="outside upper right", ncols=3, fontsize="small")
    save(figure, "imputation")


if __name__ == "__main__":
    draw()
