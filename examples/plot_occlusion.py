"""
Explain a prediction
====================

Which part of a series does the classifier use? Each span of each channel is hidden in turn, as
missing values. If the probability of the predicted class falls, the span matters. Here it is known
what should matter: in class 1, channel 1 has a short burst at a random time.
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
# For ten correctly classified series with a burst: the span whose hiding lowers the probability
# most, of 16 spans in 3 channels. It is right if it overlaps the burst. The baseline is a random
# span.
new = np.arange(80, n_series)
correct = new[(y[new] == 1) & (model.predict(X[new]) == 1)][:10]
displays = {i: OcclusionDisplay.from_estimator(model, X[i]) for i in correct}
plt.close("all")


def is_found(i):
    display = displays[i]
    channel, span = np.unravel_index(
        display.probability_drops.argmax(), display.probability_drops.shape
    )
    first, last = display.edges[[span, span + 1]]
    return bool(channel == 1 and first < starts[i] + width and last > starts[i])


found = [is_found(i) for i in correct]
overlaps = [
    ((displays[i].edges[:-1] < starts[i] + width) & (displays[i].edges[1:] > starts[i])).sum()
    for i in correct
]
chance = np.mean(overlaps) / displays[correct[0]].probability_drops.size
print(f"most important span   overlaps the burst in {np.mean(found):.0%} of {len(found)} series")
print(f"random span           overlaps the burst in {chance:.0%}")

# %%
# One of them. The black bar marks the burst.
chosen = correct[0]
display = displays[chosen].plot()
display.axes_[1].hlines(
    X[chosen, 1].max() * 1.05, starts[chosen], starts[chosen] + width, color="black", lw=4
)
_ = display.figure_
