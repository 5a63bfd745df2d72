"""
A page about a recording
========================

:func:`sktspulse.report` examines a recording and writes one HTML page: what was filled, what was
found, when and in which channel. Here it is February's weather at an airport, which holds gaps and
one impossible wind speed.
"""

# %%
# The recording
# -------------
# The detector learns from March to May. Nothing is added: gaps and errors are those of the station.
import html

import matplotlib.pyplot as plt
import pandas as pd

import sktspulse
from sktspulse.datasets import load_airport_weather

recording, hours, names = load_airport_weather()
weather = pd.DataFrame(recording, pd.DatetimeIndex(hours), names)
february, spring = weather["2013-02-01":"2013-02-21"], weather["2013-03-01":"2013-05-31"]
detector = sktspulse.TSPulseAnomalyDetector().fit(spring)
page = sktspulse.report(february, detector=detector, title="Newark airport, February 2013")
print(f"{len(page) / 1000:.0f} kB, {february.isna().to_numpy().sum()} missing values filled")

# %%
# Beside a simple rule
# --------------------
# A common rule flags values more than three standard deviations from the mean of the training part.
# It finds the wrong wind speed, too, and calls ordinary weather wrong.
segments = detector.predict_segments(february)
print(segments.to_string(index=False, float_format="%.1f"))
distance = ((february - spring.mean()) / spring.std()).abs()
print(f"alarms of the detector: {len(segments)} segments")
print(f"rows beyond three standard deviations: {(distance > 3).any(axis=1).sum()}")

# %%
# The page
# --------
# It needs no other file and no script, so it can be sent by mail.


class Frame:
    """Shows the page in these docs."""

    def _repr_html_(self):
        style = 'title="report" width="100%" height="600"'
        return f'<iframe srcdoc="{html.escape(page)}" {style}></iframe>'


Frame()

# %%
# The figure
# ----------
# Alarms of the detector are shaded, in colour in the channel that stands out most. Filled values
# are orange. Crosses are the values that the rule flags.
figure, axes = plt.subplots(5, 1, figsize=(9, 7), sharex=True, layout="constrained")
filled = sktspulse.TSPulseImputer(random_state=0).fit_transform(february)
gap = february.isna()
edges = gap.shift(1, fill_value=False) | gap.shift(-1, fill_value=False)
units = ("°C", "°C", "%", "m/s", "hPa")
for axis, name, unit in zip(axes, names, units, strict=True):
    axis.plot(filled[name].where(gap[name] | edges[name]), color="#d55e00", lw=1.2)
    axis.plot(february[name], color="#7a7a7a", lw=0.9)
    flagged = february.loc[distance[name] > 3, name]
    axis.plot(flagged, "x", color="#009e73", label="beyond three standard deviations")
    for segment in segments.itertuples():
        colour = "#b5179e" if segment.channel == name else "0.8"
        hour = pd.Timedelta("1h")
        axis.axvspan(segment.start - hour, segment.end + hour, color=colour, alpha=0.5, lw=0)
    axis.set_ylabel(f"{name.replace('_', ' ')}\n[{unit}]")
axes[3].set_yscale("symlog", linthresh=10)
axes[3].set(ylim=(0, 1000), yticks=(0, 5, 10, 100))
figure.align_ylabels()
_ = axes[0].legend(loc="lower right", fontsize="small")
