"""
From a long table to a classifier
=================================

Databases return one row per machine and moment. :func:`~sktspulse.panel_from_long` makes a panel
of such a table, with series of unequal length and rows in any order, and returns the ids that the
labels are looked up by.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from sktspulse import TSPulseClassifier, panel_from_long, panel_to_long
from sktspulse.datasets import make_labelled_panel

# %%
# The table: 240 machines of four kinds, each with two sensors, in random order. Machines run for
# 70 to 128 minutes.
rng = np.random.default_rng(0)
series, kinds = make_labelled_panel(240, n_classes=4, n_channels=2, random_state=0)
series = [one[:, : rng.integers(70, 129)] for one in series]
names = [f"machine {i}" for i in rng.permutation(240)]
table = panel_to_long(series, names, id="machine", time="minute", columns=["pressure", "flow"])
table = table.sample(frac=1, random_state=0)
kind_of = pd.Series(kinds, index=names)
print(table.head())

# %%
# The panel, with the labels in the same order.
X, ids, _ = panel_from_long(table, id="machine", time="minute")
y = kind_of.loc[ids].to_numpy()
print(
    f"{len(X)} series of {X[0].shape[0]} channels and {min(x.shape[1] for x in X)} or more minutes"
)

# %%
# Accuracy on the last 120 machines, after fitting the first 12, 24, ... 96. The baseline sees mean,
# standard deviation, minimum and maximum of each sensor.
summary = table.groupby("machine")[["pressure", "flow"]].agg(["mean", "std", "min", "max"])
summary = summary.loc[ids].to_numpy()
sizes, test = [12, 24, 48, 96], slice(120, None)
models = {
    "TSPulseClassifier on the series": (TSPulseClassifier(), X),
    "random forest on summaries": (RandomForestClassifier(random_state=0), summary),
}
scores = {
    name: [model.fit(data[:n], y[:n]).score(data[test], y[test]) for n in sizes]
    for name, (model, data) in models.items()
}
for name, values in scores.items():
    print(f"{name}: accuracy {values[-1]:.2f} after {sizes[-1]} machines")

# %%
# Left, one machine of each kind, its pressure in units of its standard deviation; right, the
# accuracy.
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for kind in range(4):
    pressure = X[np.flatnonzero(y == kind)[0]][0]
    left.plot(0.25 * (pressure - pressure.mean()) / pressure.std() - kind, linewidth=0.8)
left.set(yticks=-np.arange(4), yticklabels=range(4), xlabel="minute", ylabel="kind of machine")
for name, values in scores.items():
    right.plot(sizes, values, marker="o", label=name)
right.set(xscale="log", xticks=sizes, xticklabels=sizes, ylim=(0, 1.02))
right.minorticks_off()
right.set(xlabel="machines fitted", ylabel="accuracy on 120 other machines")
_ = right.legend(loc="lower right")
