"""
Anomalies of many devices with Dask
===================================

A fleet writes one file a week, with the rows of all devices. :mod:`sktspulse.distributed` fits a
detector for each device and scores all weeks, file by file, on a cluster of Dask. Scores do not
depend on where the files begin and end.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from dask.distributed import Client
from sklearn.metrics import average_precision_score

from sktspulse import TSPulseAnomalyDetector
from sktspulse.distributed import fit_detectors, load_detectors, score_anomalies

# %%
# Eight pumps, three weeks, one row every five minutes. The flow has a cycle of 6 hours. Five times
# in the last two weeks a pump runs twice as fast for three hours, at the usual flow.
rng = np.random.default_rng(0)
N_PUMPS, WEEK, CYCLE, FAULT = 8, 2016, 72, 36
times = pd.date_range("2026-01-05", periods=3 * WEEK, freq="5min")
faults = {pump: WEEK + int(start) for pump, start in enumerate(rng.integers(100, 3900, 5))}
parts = []
for pump in range(N_PUMPS):
    phase = 2 * np.pi * np.arange(3 * WEEK) / CYCLE
    is_fault = np.zeros(3 * WEEK, bool)
    if pump in faults:
        is_fault[faults[pump] : faults[pump] + FAULT] = True
    flow = 10 + pump + np.sin(phase * np.where(is_fault, 2, 1)) + 0.3 * rng.normal(size=3 * WEEK)
    table = {"pump": f"pump {pump}", "time": times, "flow": flow, "is_fault": is_fault}
    parts.append(pd.DataFrame(table))
table = pd.concat(parts)
weeks = [week for _, week in table.groupby((table["time"] - times[0]).dt.days // 7)]

# %%
# The files, and a cluster. This one lives in the threads of this process; pass the address of a
# scheduler to use another one.
folder = TemporaryDirectory()
for number, week in enumerate(weeks):
    week.drop(columns="is_fault").to_parquet(Path(folder.name) / f"week-{number}.parquet")
client = Client(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0")

# %%
# A detector for each pump, fitted to the first week. The table of detectors may be stored as
# parquet, too.
roles = {"by": "pump", "time": "time"}
first_week = Path(folder.name) / "week-0.parquet"
fitted = fit_detectors(first_week, TSPulseAnomalyDetector(), **roles)
detectors = load_detectors(fitted.compute(), by="pump")

# %%
# Nothing is computed until ``compute``, or ``write_partitions`` for answers larger than memory.
lazy = score_anomalies(folder.name, detectors, **roles, partitions="ordered")
scores = lazy.compute()
client.close()
scores = scores.merge(table, on=["pump", "time"]).sort_values(["pump", "time"])
print(lazy)

# %%
# The baseline is the distance from the mean of each pump.
later = scores[scores["time"] >= times[WEEK]]
groups = later.groupby("pump")["flow"]
distance = ((later["flow"] - groups.transform("mean")) / groups.transform("std")).abs()
for name, values in {"detectors": -later["score"], "distance from the mean": distance}.items():
    print(f"{name}: average precision {average_precision_score(later['is_fault'], values):.2f}")

# %%
# The lowest score of every pump and hour; frames mark the faults.
hourly = scores.set_index("time").groupby("pump")["score"].resample("h").min().unstack()
figure, axis = plt.subplots(figsize=(9, 3.2), layout="constrained")
image = axis.imshow(hourly, aspect="auto", cmap="inferno_r", vmin=-3, vmax=0, interpolation="none")
for pump, start in faults.items():
    box = (start / 12 - 2, pump - 0.5), FAULT / 12 + 4, 1
    axis.add_patch(plt.Rectangle(*box, fill=False, edgecolor="tab:blue", linewidth=1.5))
axis.set(yticks=range(N_PUMPS), yticklabels=hourly.index, xlabel="hour")
figure.colorbar(image, label="lowest score")
folder.cleanup()
