"""
Find a fault that one channel does not show
===========================================

At an airport, five channels of the weather are recorded every hour. In July the hygrometer reads 20
% too low for a day and a half. Every value is usual for its channel. Only the relation to
temperature and dew point is broken.
"""

# %%
# The recording
# -------------
# The weather and its gaps are real. The fault is added.
import matplotlib.pyplot as plt
import pandas as pd

from sktspulse import TSPulseAnomalyDetector
from sktspulse.datasets import load_airport_weather
from sktspulse.metrics import vus_pr_score

recording, hours, names = load_airport_weather()
weather = pd.DataFrame(recording, pd.DatetimeIndex(hours), names)
spring = weather["2013-02-15":"2013-05-31"]
summer = weather["2013-06-01":"2013-07-31"].copy()
summer.loc["2013-07-10 00:00":"2013-07-11 12:00", "humidity"] -= 20
labels = pd.Series(0, index=summer.index)
labels["2013-07-10 00:00":"2013-07-11 12:00"] = 1
print(f"lowest humidity in spring {spring['humidity'].min():.0f} %, in the fault ", end="")
print(f"{summer['humidity'][labels == 1].min():.0f} %")

# %%
# All channels at once
# --------------------
# The head ``"channels"`` predicts each channel from the others. Its alarm names the channel that
# disagrees most. If three channels depend on each other, that need not be the broken one.
joint = TSPulseAnomalyDetector().fit(spring)
print(joint.predict_segments(summer).to_string(index=False, float_format="%.2f"))

# %%
# Each channel alone
# ------------------
# The baseline has one detector a channel, and the most anomalous channel counts. VUS-PR compares
# scores without a threshold; 1 is perfect.
alone = {
    name: -TSPulseAnomalyDetector().fit(spring[[name]]).score_samples(summer[[name]])
    for name in names
}
scores = {
    "all channels at once": -joint.score_samples(summer),
    "each channel alone": pd.DataFrame(alone).max(axis=1),
    "humidity alone": alone["humidity"],
}
for name, score in scores.items():
    alarmed = (score[labels == 1] > 1).mean()
    vus = vus_pr_score(labels, score, window=24)
    print(f"{name:<22}VUS-PR {vus:.2f}, {alarmed:.0%} of the fault alarmed")

# %%
# The figure
# ----------
shown = slice("2013-07-05", "2013-07-16")
figure, axes = plt.subplots(4, 1, figsize=(9, 6.5), sharex=True, layout="constrained")
units = {"temperature": "°C", "dew_point": "°C", "humidity": "%"}
for axis, (name, unit) in zip(axes, units.items(), strict=False):
    axis.plot(summer.loc[shown, name], color="#7a7a7a", lw=1)
    axis.set_ylabel(f"{name.replace('_', ' ')}\n[{unit}]")
axes[2].plot(weather.loc[shown, "humidity"], color="#0072b2", ls=":", label="true humidity")
axes[2].legend(loc="upper right", fontsize="small")
axes[3].plot(scores["all channels at once"][shown], color="#d55e00", label="all channels at once")
axes[3].plot(scores["each channel alone"][shown], color="#7a7a7a", label="each channel alone")
axes[3].axhline(1, color="#b5179e", ls="--", lw=1, label="threshold")
axes[3].set(ylabel="anomaly\nscore")
axes[3].legend(loc="upper right", fontsize="small")
for axis in axes:
    axis.axvspan(
        labels[labels == 1].index[0],
        labels[labels == 1].index[-1],
        color="#0072b2",
        alpha=0.12,
        lw=0,
    )
figure.align_ylabels()
