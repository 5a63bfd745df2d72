"""
Find the faults of sensors
==========================

Four coupled sensors are read every hour. They work for five weeks. In the next five weeks, three of
them have one fault each: one jumps for some hours, one becomes noisy, and one freezes at a wrong
value. The data are made, so the hours of the faults are known.
"""

# %%
# The recording
# -------------
# The detector is fitted on the first five weeks, without labels. The faults are in the rest.
import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest
from sklearn.metrics import precision_score

from sktspulse import AlarmRateDisplay, AnomalyScoreDisplay, TSPulseAnomalyDetector
from sktspulse.datasets import make_gappy_series
from sktspulse.metrics import find_period, vus_pr_score

_, sensors = make_gappy_series(1680, 5, random_state=1)
sensors = pd.DataFrame(
    sensors[:, [0, 1, 3, 4]],
    index=pd.date_range("2025-03-03", periods=1680, freq="h"),
    columns=["flow", "level", "supply", "return"],
)
X_train, X_test = sensors[:840], sensors[840:].copy()
size = X_train.std()
rng = np.random.default_rng(0)

faults = {"jump": slice(150, 156), "noise": slice(350, 398), "frozen": slice(600, 660)}
X_test.iloc[faults["jump"], 0] += 3 * size["flow"]
X_test.iloc[faults["noise"], 1] += 0.5 * size["level"] * rng.normal(size=48)
X_test.iloc[faults["frozen"], 2] = X_test.iloc[600, 2] + 2 * size["supply"]
labels = np.zeros(len(X_test), dtype=int)
for rows in faults.values():
    labels[rows] = 1

# %%
# Segments
# --------
# `predict_segments` returns a table: the first and last hour of each alarm, the hour with the
# lowest score, and the head and the sensor that stand out most at that hour. A score below -1 is
# an alarm.
detector = TSPulseAnomalyDetector().fit(X_train)
segments = detector.predict_segments(X_test)
print(segments.to_string(float_format="%.2f"))

# %%
# The display shades the segments. Blue marks on the lower axis are the faults. Scores are drawn
# with the opposite sign, so faults are peaks.
display = AnomalyScoreDisplay.from_estimator(detector, X_test)
for rows in faults.values():
    hours = X_test.index[rows]
    display.axes_[1].axvspan(hours[0], hours[-1], ymax=0.03, color="tab:blue")

# %%
# With labels, alarms can be checked: how many alarmed rows are faulty, and how many faults have an
# alarm.
alarms = detector.predict(X_test) == -1
n_found = sum(alarms.iloc[rows].any() for rows in faults.values())
print(f"{labels.mean():.1%} of the rows are faulty, {alarms.mean():.1%} are alarmed")
print(f"precision of rows  {precision_score(labels, alarms):.2f}")
print(f"faults found       {n_found} of {len(faults)}")

# %%
# The threshold
# -------------
# On a recording without labels, look at the number of alarms for each threshold. To use another
# threshold, set ``detector.offset_``; the detector need not be fitted again.
AlarmRateDisplay.from_estimator(detector, X_test)

# %%
# Other detectors
# ---------------
# VUS-PR compares scores without a threshold; 1 is perfect. `IsolationForest` scores each row
# independently. An average over eight rows adds some context.
forest = IsolationForest(random_state=0).fit(X_train)


def smoothed(scores):
    return np.convolve(np.pad(scores, (4, 3), mode="edge"), np.full(8, 1 / 8), mode="valid")


anomaly_scores = {
    "TSPulseAnomalyDetector": -detector.score_samples(X_test),
    "IsolationForest": -forest.score_samples(X_test),
    "IsolationForest, smoothed": smoothed(-forest.score_samples(X_test)),
    "squared z-score": np.square((X_test - X_train.mean()) / size).max(axis=1),
}
window = find_period(X_test["flow"])
for name, scores in anomaly_scores.items():
    print(f"{name:<28}{vus_pr_score(labels, scores, window=window):.3f}")
