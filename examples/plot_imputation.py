"""
Fill the gaps of a sensor table
===============================

Six coupled sensors were read every hour for twelve weeks. A tenth of their values is missing:
single readings, and blocks that are a day long on average. The data are made, so what the gaps
hide is known, and every way of filling them can be scored.
"""

# %%
# The recording
# -------------
# One row is one hour, one column one sensor, NaN is missing.
import numpy as np
from sklearn.impute import KNNImputer

from sktspulse import ImputationDisplay, TSPulseImputer
from sktspulse.datasets import make_gappy_series

X, X_complete = make_gappy_series(random_state=0)
missing = np.isnan(X)
print(f"{X.shape[0]} hours, {X.shape[1]} sensors, {missing.mean():.0%} missing")

# %%
# Four ways to fill it
# --------------------
# `blend=False` leaves the network alone; by default it is blended with interpolation and other
# days, by weights learned from known values that ``fit`` hides, and then moved towards what the
# other sensors show at the same hour. `KNNImputer` looks at the other sensors only and knows
# nothing of time; the table is scaled for it.


def interpolate(table):
    places = np.arange(len(table))
    columns = [
        np.interp(places, places[~np.isnan(column)], column[~np.isnan(column)])
        for column in table.T
    ]
    return np.stack(columns, axis=1)


loc, scale = np.nanmean(X, axis=0), np.nanstd(X, axis=0)
imputer = TSPulseImputer(random_state=0).fit(X)
best, std = imputer.transform(X, return_std=True)
filled = {
    "TSPulseImputer": best,
    "TSPulseImputer(blend=False)": TSPulseImputer(blend=False).fit_transform(X),
    "linear interpolation": interpolate(X),
    "KNNImputer": KNNImputer().fit_transform((X - loc) / scale) * scale + loc,
}

# %%
# The error
# ---------
# Root mean square over the missing values, in standard deviations of each sensor.
for name, table in filled.items():
    error = ((table - X_complete) / scale)[missing]
    print(f"{name:<28}{np.sqrt(np.mean(error**2)):.3f}")

# %%
# How far off?
# ------------
# Nine errors in ten should lie within 1.645 of the standard deviations that ``transform`` returns.
inside = np.abs(best - X_complete) < 1.645 * std
print(f"{inside[missing].mean():.0%} of the hidden values lie in the band")

# %%
# A day that was never read
# -------------------------
# The longest gap, with what it hides and the band. The third sensor is left out: it is mostly zero,
# as rain is, and nothing tells when a shower was missed.
edges = np.diff(np.pad(missing, ((1, 1), (0, 0))).astype(int), axis=0).T
edges[2] = 0
starts, stops = np.argwhere(edges == 1), np.argwhere(edges == -1)
longest = np.argmax(stops[:, 1] - starts[:, 1])
channel, start = starts[longest]
shown = slice(max(0, start - 72), stops[longest, 1] + 72)

display = ImputationDisplay.from_predictions(
    X[shown], best[shown], std[shown], channel=channel, index=np.arange(len(X))[shown]
)
ax = display.ax_
truth = X_complete[shown, channel]
ax.plot(display.index, truth, color="tab:blue", lw=0.8, ls=":", label="hidden truth")
ax.set(xlabel="time [h]", ylabel=f"sensor {channel}")
_ = ax.legend(loc="best", fontsize="small")

# %%
# A sensor that was gone for three weeks
# --------------------------------------
# The other sensors went on meanwhile, and the days repeat.
gone = slice(700, 700 + 21 * 24)
X_gone = X.copy()
X_gone[gone, channel] = np.nan
shown = slice(gone.start - 72, gone.start + 168)
imputer = TSPulseImputer(random_state=0).fit(X_gone)
three_weeks, std = imputer.transform(X_gone, return_std=True)
for name, table in (("TSPulseImputer", three_weeks), ("linear interpolation", interpolate(X_gone))):
    error = (table - X_complete)[gone, channel] / scale[channel]
    print(f"{name:<28}{np.sqrt(np.mean(error**2)):.3f}")

display = ImputationDisplay.from_predictions(
    X_gone[shown], three_weeks[shown], std[shown], channel=channel, index=np.arange(len(X))[shown]
)
ax = display.ax_
ax.plot(display.index, X_complete[shown, channel], color="tab:blue", lw=0.8, ls=":", label="truth")
ax.set(xlabel="time [h]", ylabel=f"sensor {channel}")
_ = ax.legend(loc="best", fontsize="small")
