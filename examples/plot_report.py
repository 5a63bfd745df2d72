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
        return f'<iframe srcdoc="{html.escape(page)}" title="report" width="100%" height="600"></iframe>'


Frame()

# %%
# The figure of the alarms
# ------------------------
# Scores with their threshold. The scale is that of the wrong wind speed.
_ = sktspulse.AnomalyScoreDisplay.from_estimator(detector, february)
