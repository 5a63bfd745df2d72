"""
From three tables to results
============================

Three CSV files as loggers and databases write them: a building in local time, with empty cells,
missing rows and the end of summer time; a machine with eight sensors; and gestures in a long table.
From files to results takes ten lines after the imports. The guide of the
:doc:`command line </command_line>` does the same in five commands.
"""

import runpy
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from sktspulse import TSPulseAnomalyDetector, TSPulseClassifier, TSPulseImputer, panel_from_long

# %%
# Make the files.
make = runpy.run_path("data/make_tables.py")
folder = TemporaryDirectory()
make["write_tables"](Path(folder.name))

# %%
# The whole job. ``ambiguous="infer"`` says which 02:00 is which when summer time ends, and
# ``freq="h"`` inserts the missing rows. Energy is not negative, so ``bounds`` keeps filled values
# between the lowest and the highest known one. The detector is fitted to the first half hour.
# The first 200 gestures are labelled, the others are to be classified.
building = pd.read_csv(f"{folder.name}/building.csv", index_col="time", parse_dates=True)
building = building.tz_localize("Europe/Berlin", ambiguous="infer")
filled = TSPulseImputer(freq="h", bounds="observed").fit_transform(building)
machine = pd.read_csv(f"{folder.name}/machine.csv", index_col="time", parse_dates=True)
alarms = TSPulseAnomalyDetector().fit(machine[:1800]).predict_segments(machine[1800:])
gestures = pd.read_csv(f"{folder.name}/gestures.csv")
X, ids, _ = panel_from_long(gestures, id="id", time="time", columns=["x", "y", "z"])
kinds = gestures.groupby("id")["kind"].first().loc[ids].to_numpy()
predicted = TSPulseClassifier().fit(X[:200], kinds[:200]).predict(X[200:])

# %%
# How good the results are. The error of the filled values is compared with that of linear
# interpolation, and the accuracy with that of a random forest on mean, standard deviation, minimum
# and maximum of each axis.
truth = make["make_building"]()[1]
gaps = building.reindex(filled.index).isna()
line = building.reindex(filled.index).interpolate(limit_direction="both")
for name in filled.columns:
    hidden = gaps[name]
    ours, baseline = (np.sqrt(((x - truth)[name][hidden] ** 2).mean()) for x in (filled, line))
    print(f"{name}: RMSE {ours:.2f} at {hidden.sum()} hours; linear interpolation {baseline:.2f}")
summary = np.array([[*x.mean(1), *x.std(1), *x.min(1), *x.max(1)] for x in X])
forest = RandomForestClassifier(random_state=0).fit(summary[:200], kinds[:200])
print(alarms[["start", "end", "channel"]].to_string(index=False))
print(f"accuracy: {(predicted == kinds[200:]).mean():.3f}; forest on summaries: ", end="")
print(f"{forest.score(summary[200:], kinds[200:]):.3f}")

# %%
# Above, five days of the building, with filled values in orange.
# Below, four sensors of the machine; alarms are shaded.
figure, axes = plt.subplots(6, 1, figsize=(9, 8), layout="constrained")
days = slice("2024-09-17", "2024-09-21")
for ax, name in zip(axes, ["electricity_kwh", "heating_kwh"], strict=False):
    ax.plot(filled[name][days], color="tab:orange", linewidth=1)
    ax.plot(building[name].reindex(filled.index)[days], color="tab:blue", linewidth=1)
    ax.set_ylabel(name.replace("_kwh", " [kWh]"))
for ax, name in zip(axes[2:], make["FAULTS"], strict=True):
    ax.plot(machine[name][1800:], linewidth=0.6)
    for alarm in alarms.itertuples():
        is_named = alarm.channel == name
        ax.axvspan(alarm.start, alarm.end, color="tab:red", alpha=0.35 if is_named else 0.1)
    ax.set_ylabel(name.replace("_", "\n"))
figure.align_ylabels()
folder.cleanup()
