"""
Detect anomalies in a stream
============================

Values of an electrocardiogram arrive in packets of 0.1 s. The detector scores them while they
arrive, and the scores are those that the complete recording would have. Around second 209 the
electrode is disturbed for four seconds.
"""

# %%
# Fit on the past
# ---------------
# ``causal=True`` makes scores independent of what comes later than 63 rows, which is 0.7 s here.
# The training part holds normal and premature beats.
import matplotlib.pyplot as plt
import numpy as np

from sktspulse import TSPulseAnomalyDetector
from sktspulse.datasets import load_electrocardiogram

RATE = 90  # values a second
recording, _, _ = load_electrocardiogram()
past, live = recording[100 * RATE : 200 * RATE], recording[200 * RATE : 225 * RATE]
detector = TSPulseAnomalyDetector(causal=True).fit(past)

# %%
# Feed the stream
# ---------------
# An update returns the scores of the rows that are complete, which may be none. For every score it
# is noted when it was known.
stream = detector.stream()
scores, known_at = [], []
for first in range(0, len(live), 9):
    new = stream.update(live[first : first + 9])
    scores.append(new)
    known_at.append(np.full(len(new), first + 9))
scores.append(stream.finish())
known_at.append(np.full(len(scores[-1]), len(live)))
scores, known_at = np.concatenate(scores), np.concatenate(known_at)
difference = np.abs(scores - detector.score_samples(live)).max()
print(f"largest difference from score_samples: {difference:.1e}")

# %%
# Beside a limit on the voltage
# -----------------------------
# The usual guard is a pair of limits, here those of the training part. The limits react sooner, at
# the peak of the disturbance, and then see nothing wrong. The detector marks the seconds in which
# no beat can be read.
disturbed = np.zeros(len(live), dtype=bool)
disturbed[int(9.0 * RATE) : int(13.3 * RATE)] = True
alarms = {
    "TSPulseAnomalyDetector": scores < detector.offset_,
    "limits on the voltage": ((live < past.min()) | (live > past.max()))[:, 0],
}
for name, alarm in alarms.items():
    found, false = alarm[disturbed].mean(), alarm[~disturbed].mean()
    print(f"{name:<24}{found:.0%} of the disturbance, {false:.1%} of the rest alarmed")
first = np.flatnonzero(alarms["TSPulseAnomalyDetector"])[0]
row, known = 200 + first / RATE, 200 + known_at[first] / RATE
print(f"first alarmed row: second {row:.1f}, known at {known:.1f}")

# %%
# The figure
# ----------
time = 200 + np.arange(len(live)) / RATE
figure, (above, below) = plt.subplots(2, 1, figsize=(9, 4.5), sharex=True, layout="constrained")
above.plot(time, live[:, 0], color="#7a7a7a", lw=0.8)
alarm = alarms["TSPulseAnomalyDetector"]
above.fill_between(
    time,
    0,
    1,
    alarm,
    transform=above.get_xaxis_transform(),
    color="#b5179e",
    alpha=0.3,
    lw=0,
    label="alarm",
)
above.axhline(past.max(), color="black", ls=":", lw=1, label="limits of the training part")
above.axhline(past.min(), color="black", ls=":", lw=1)
above.set(ylabel="voltage [mV]")
above.legend(loc="upper right", fontsize="small")
below.plot(time, -scores, color="#d55e00", lw=1)
below.axhline(-detector.offset_, color="#b5179e", ls="--", lw=1, label="threshold")
below.axvline(200 + known_at[first] / RATE, color="black", lw=1, label="first alarm is known")
below.set(xlabel="time [s]", ylabel="anomaly score")
_ = below.legend(loc="upper right", fontsize="small")
