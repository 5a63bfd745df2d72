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
# The longest gap of the first sensor, with what it hides.
edges = np.flatnonzero(np.diff(np.r_[False, missing[:, 0], False]))
starts, stops = edges[::2], edges[1::2]
longest = np.argmax(stops - starts)
middle = (starts[longest] + stops[longest]) // 2

display = ImputationDisplay.from_estimator(imputer, X)
ax = display.ax_
ax.plot(X_complete[:, 0], color="tab:blue", lw=0.8, ls=":", label="hidden truth")
ax.set(xlim=(middle - 96, middle + 96), xlabel="time [h]", ylabel="first sensor")
_ = ax.legend(loc="best", fontsize="small")
