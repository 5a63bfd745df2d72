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
# `blend=False` leaves the network alone; by default it is blended with interpolation, by weights
# learned from known values that ``fit`` hides. `KNNImputer` looks at the other sensors at the same
# hour and knows nothing of time; the table is scaled for it.


def interpolate(table):
    places = np.arange(len(table))
    columns = [
        np.interp(places, places[~np.isnan(column)], column[~np.isnan(column)])
        for column in table.T
    ]
    return np.stack(columns, axis=1)


loc, scale = np.nanmean(X, axis=0), np.nanstd(X, axis=0)
imputer = TSPulseImputer(random_state=0).fit(X)
filled = {
    "TSPulseImputer": imputer.transform(X),
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
# A day that was never read
# -------------------------
# The longest gap, with what it hides. The third sensor is left out: it is mostly zero, as rain is,
# and nothing tells when a shower was missed.
edges = np.diff(np.pad(missing, ((1, 1), (0, 0))).astype(int), axis=0).T
edges[2] = 0
starts, stops = np.argwhere(edges == 1), np.argwhere(edges == -1)
longest = np.argmax(stops[:, 1] - starts[:, 1])
channel, start = starts[longest]
shown = slice(max(0, start - 72), stops[longest, 1] + 72)

display = ImputationDisplay.from_predictions(
    X[shown], filled["TSPulseImputer"][shown], channel=channel, index=np.arange(len(X))[shown]
)
ax = display.ax_
truth = X_complete[shown, channel]
ax.plot(display.index, truth, color="tab:blue", lw=0.8, ls=":", label="hidden truth")
ax.set(xlabel="time [h]", ylabel=f"sensor {channel}")
_ = ax.legend(loc="best", fontsize="small")
