"""
Find a pattern in a long recording
==================================

An electrocardiogram of five minutes holds about 500 heartbeats. Some are broad: they begin in a
ventricle and come early. One of them is the query. The retriever indexes overlapping windows of the
recording and returns the places that are most like it.
"""

# %%
# The recording and the query
# ---------------------------
# The rule that marked the beats is part of the data set. It is used only to count hits.
import matplotlib.pyplot as plt
import numpy as np

from sktspulse import TSPulseRetriever
from sktspulse.datasets import load_electrocardiogram

RATE, WIDTH, STRIDE = 90, 72, 5  # values a second; window and step [time points]
recording, peaks, is_broad = load_electrocardiogram()
broad = peaks[is_broad]
start = broad[75] - 27
query = recording[start : start + WIDTH].T[None]
print(f"{len(peaks)} beats, {len(broad)} of them broad; the query is at second {start / RATE:.1f}")

# %%
# Search
# ------
# Windows begin every 0.06 s, so one beat fills several of them. Of overlapping hits, the best is
# kept.
retriever = TSPulseRetriever(200, window=WIDTH, stride=STRIDE).fit([recording.T])
_, ids = retriever.kneighbors(query)
_, starts = retriever.locate(ids[0])


def best_places(starts, count=40):
    kept = []
    for one in starts:
        if abs(one - start) >= WIDTH and all(abs(one - other) >= WIDTH for other in kept):
            kept.append(one)
    return np.array(kept[:count])


# %%
# Beside two baselines
# --------------------
# The Euclidean distance compares windows point by point. These beats have one shape and one width,
# so it finds them as well, and it is simpler. Embeddings pay off if shapes are stretched, shifted
# or partly missing. The share of all windows is what guessing would find.
windows = np.lib.stride_tricks.sliding_window_view(recording[:, 0], WIDTH)[::STRIDE]


def by_distance(windows, query):
    return np.argsort(np.square(windows - query).sum(axis=1)) * STRIDE


def standardised(x):
    return (x - x.mean(axis=-1, keepdims=True)) / x.std(axis=-1, keepdims=True)


places = {
    "TSPulseRetriever": best_places(starts),
    "standardised values": best_places(by_distance(standardised(windows), standardised(query[0]))),
    "raw values": best_places(by_distance(windows, query[0])),
    "all windows": np.arange(len(windows)) * STRIDE,
}


def holds_broad_beat(one):
    return ((broad >= one) & (broad < one + WIDTH)).any()


for name, found in places.items():
    share = np.mean([holds_broad_beat(one) for one in found])
    print(f"{name:<22}{share:.0%} of {len(found)} places hold a broad beat")

# %%
# The figure
# ----------
# Half a minute with the places found, and all 40 of them on top of each other.
figure, (above, below) = plt.subplots(
    2, 1, figsize=(9, 5), layout="constrained", height_ratios=(1, 1.3)
)
shown = np.arange(150 * RATE, 180 * RATE)
above.plot(shown / RATE, recording[shown, 0], color="#7a7a7a", lw=0.7)
for one in places["TSPulseRetriever"]:
    if shown[0] <= one < shown[-1]:
        above.axvspan(one / RATE, (one + WIDTH) / RATE, color="#d55e00", alpha=0.4, lw=0)
above.set(xlabel="time [s]", ylabel="voltage [mV]", title="places found", xlim=(150, 180))
time = np.arange(WIDTH) / RATE
for one in places["TSPulseRetriever"]:
    below.plot(time, standardised(recording[one : one + WIDTH, 0]), color="#d55e00", lw=0.6)
below.plot(time, standardised(query[0, 0]), color="black", lw=2, label="query")
below.set(xlabel="time in the window [s]", ylabel="voltage [standard deviations]")
_ = below.legend(loc="upper right")
