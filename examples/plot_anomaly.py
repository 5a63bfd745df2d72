"""
Find the faults of sensors
==========================

Four coupled sensors were read every hour. They ran well for five weeks, and in the five weeks after
that each of three faults happened once: one sensor jumped for some hours, one fluttered, and one
froze at a wrong level. The data are made, so it is known when, and scores can be measured.
"""

# %%
# The recording
# -------------
# The first part is normal; the detector learns from it what errors are usual. The faults are put
# into the second part.
import numpy as np
from sklearn.ensemble import IsolationForest

from sktspulse import AnomalyScoreDisplay, TSPulseAnomalyDetector
from sktspulse.datasets import make_gappy_series
from sktspulse.metrics import find_period, vus_pr_score

_, sensors = make_gappy_series(1680, 5, random_state=1)
sensors = sensors[:, [0, 1, 3, 4]]  # the third is mostly zero, as rain is
X_train, X_test = sensors[:840], sensors[840:].copy()
size = X_train.std(axis=0)
rng = np.random.default_rng(0)

labels = np.zeros(len(X_test), dtype=int)
jump, flutter, shift = slice(150, 156), slice(350, 398), slice(600, 660)
X_test[jump, 0] += 3 * size[0]
X_test[flutter, 1] += 0.5 * size[1] * rng.normal(size=48)
X_test[shift, 2] = X_test[shift.start, 2] + 2 * size[2]
for fault in (jump, flutter, shift):
    labels[fault] = 1

# %%
# Scores
# ------
# Higher is more normal, as in every outlier detector of scikit-learn. VUS-PR wants high values at
# anomalies. `IsolationForest` looks at one row at a time and knows nothing of time; an average
# moved over 8 rows, one of those that the detector takes, gives it a little of that.
detector = TSPulseAnomalyDetector().fit(X_train)
forest = IsolationForest(random_state=0).fit(X_train)


def smoothed(scores):
    return np.convolve(np.pad(scores, (4, 3), mode="edge"), np.full(8, 1 / 8), mode="valid")


anomaly_scores = {
    "TSPulseAnomalyDetector": -detector.score_samples(X_test),
    "IsolationForest": -forest.score_samples(X_test),
    "IsolationForest, smoothed": smoothed(-forest.score_samples(X_test)),
    "squared z-score": np.square((X_test - X_train.mean(axis=0)) / size).max(axis=1),
}
window = find_period(X_test[:, 0])
for name, scores in anomaly_scores.items():
    print(f"{name:<28}{vus_pr_score(labels, scores, window=window):.3f}")

# %%
# Segments
# --------
# What stands out, with the sensor and the head that raised it: the jump by a guess from the other
# sensors, the flutter by the size of the steps, the frozen sensor by the network. A segment is
# wider than its fault, as scores are averaged over up to a quarter of what was fitted.
segments = detector.predict_segments(X_test)
for one in segments:
    print(
        f"{one['start']:>4} to {one['end']:<4} sensor {one['channel']}, {one['head']}, "
        f"score {one['score']:.1f}"
    )

# %%
# The figure
# ----------
# Above the sensors with the segments, below the scores, upside down so that faults peak. The blue
# marks are the hours of the faults.
display = AnomalyScoreDisplay.from_estimator(detector, X_test)
for fault in (jump, flutter, shift):
    display.axes_[1].axvspan(fault.start, fault.stop, ymax=0.03, color="tab:blue")
