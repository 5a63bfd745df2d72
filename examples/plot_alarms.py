"""
Choose the threshold of a detector
==================================

A building's table has a row for every hour: the temperature and the humidity of a room, and the
power that the building draws. The detector learns from the first twelve weeks, and watches the six
weeks after. The data are made, so it is known what happened.
"""

# %%
# The table
# ---------
# The faults: for a day and a half the thermometer repeats one value, the humidity jumps for half a
# day, and the power meter once reports the fill value -999. For four days nothing is recorded.
import numpy as np
import pandas as pd

from sktspulse import AlarmRateDisplay, AnomalyScoreDisplay, TSPulseAnomalyDetector

rng = np.random.default_rng(0)
hours = pd.date_range("2026-01-05", periods=18 * 7 * 24, freq="h", name="time")
day = np.sin(2 * np.pi * (hours.hour - 9) / 24)
works = (hours.day_of_week < 5) & (hours.hour >= 7) & (hours.hour < 19)
table = pd.DataFrame(
    {
        "temperature": 21 + 2 * day + 0.3 * rng.normal(size=len(hours)),
        "humidity": 45 - 5 * day + 1.0 * rng.normal(size=len(hours)),
        "power": 20 + 60 * works + 4 * rng.normal(size=len(hours)),
    },
    index=hours,
)
normal, watched = table[: 12 * 7 * 24], table[12 * 7 * 24 :].copy()

stuck = slice("2026-04-02 06:00", "2026-04-03 18:00")
jump = slice("2026-04-14 08:00", "2026-04-14 20:00")
watched.loc[stuck, "temperature"] = watched.loc["2026-04-02 06:00", "temperature"]
watched.loc[jump, "humidity"] += 8
watched.loc["2026-04-22 03:00", "power"] = -999
watched.loc["2026-05-01":"2026-05-04"] = np.nan

# %%
# What raised an alarm
# --------------------
# A row is an outlier if its score is below ``offset_``, -1 by default. Segments of outliers have
# time stamps, and name the channel and the head that stand out most.
detector = TSPulseAnomalyDetector().fit(normal)
segments = detector.predict_segments(watched)
print(segments.drop(columns="peak").to_string(index=False, float_format="%.1f"))

# %%
# The figure
# ----------
# Above the table, with the segments; below the scores, upside down so that faults peak. A missing
# row raises no alarm.
AnomalyScoreDisplay.from_estimator(detector, watched)

# %%
# How many alarms
# ---------------
# The default threshold expects at most one alarmed row in 1,000 normal rows. A higher one raises
# fewer alarms: the curve counts them, and the dotted line is the threshold of the detector.
# sphinx_gallery_thumbnail_number = 2  # noqa: ERA001
AlarmRateDisplay.from_estimator(detector, watched)

# %%
# Another threshold
# -----------------
# ``offset_`` can be set. The scores stay as they are, and nothing is fitted again.
for offset in (-0.5, -1, -10):
    detector.offset_ = offset
    print(f"scores below {offset}: {len(detector.predict_segments(watched))} segments")

# %%
# Beside a simple rule
# --------------------
# The usual rule raises an alarm at three standard deviations from the mean of the normal part. It
# finds the fill value only. The stuck thermometer and the jump stay within the usual range.
distance = ((watched - normal.mean()) / normal.std()).abs()
wrong = pd.Series(False, watched.index)
for span in (stuck, jump, slice("2026-04-22 03:00", "2026-04-22 03:00")):
    wrong[span] = True
detector.offset_ = -1
alarms = {
    "detector": detector.predict(watched) == -1,
    "three deviations": (distance > 3).any(axis=1),
}
for name, alarmed in alarms.items():
    share, n_false = alarmed[wrong].mean(), alarmed[~wrong].sum()
    print(f"{name:<18}{share:.0%} of the faulty hours, {n_false} false alarms")
