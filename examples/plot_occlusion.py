"""
What a prediction rests on
==========================

Two classes of three channels differ in one thing: in class 1, channel 1 has a short burst, anywhere
between a quarter and three quarters of its time. A classifier is fitted to the panel as it is.
Hiding one span of one channel after the other, as missing values, and watching the probability of
the class that was predicted shows whether it looks at the burst.
"""

import matplotlib.pyplot as plt
import numpy as np

from sktspulse import OcclusionDisplay, TSPulseClassifier

rng = np.random.default_rng(0)
n_series, n_timepoints, width = 120, 256, 32
phases = rng.uniform(0, 2 * np.pi, (n_series, 3, 1))
X = np.sin(phases + 0.1 * np.arange(n_timepoints)) + 0.2 * rng.normal(
    size=(n_series, 3, n_timepoints)
)
y = np.arange(n_series) % 2
starts = rng.integers(n_timepoints // 4, 3 * n_timepoints // 4 - width, n_series)
burst = 2 * np.hanning(width) * np.sin(1.2 * np.arange(width))
for i in np.flatnonzero(y):
    X[i, 1, starts[i] : starts[i] + width] += burst

model = TSPulseClassifier().fit(X[:80], y[:80])
print(f"accuracy on 40 new series: {model.score(X[80:], y[80:]):.3f}")

# %%
# For ten new series with a burst that are told, the span of 16 x 3 whose hiding costs most. It is
# right if it overlaps the burst.
new = np.arange(80, n_series)
told = new[(y[new] == 1) & (model.predict(X[new]) == 1)][:10]
displays = {i: OcclusionDisplay.from_estimator(model, X[i]) for i in told}
plt.close("all")


def is_found(i):
    display = displays[i]
    channel, span = np.unravel_index(
        display.probability_drops.argmax(), display.probability_drops.shape
    )
    first, last = display.edges[[span, span + 1]]
    return bool(channel == 1 and first < starts[i] + width and last > starts[i])


found = [is_found(i) for i in told]
print(f"the burst is where hiding costs most in {sum(found)} of {len(told)} series")

# %%
# One of them. Red spans speak for the class; the black bar on top marks where the burst was put.
chosen = told[0]
display = displays[chosen].plot()
display.axes_[1].hlines(
    X[chosen, 1].max() * 1.05, starts[chosen], starts[chosen] + width, color="black", lw=4
)
_ = display.figure_
