"""
Find series that are like a query
=================================

Series of eight kinds are indexed. Those of a kind have the same shape and nearly the same pace,
but start anywhere in their cycle. Queries are other series of the same kinds, some of their
points lost. No label is used to find neighbours, only to count how many are of the kind of their
query.
"""

# %%
# Index and queries
# -----------------
import matplotlib.pyplot as plt
import numpy as np
from sklearn.neighbors import NearestNeighbors

from sktspulse import RetrievalDisplay, TSPulseRetriever
from sktspulse.datasets import make_labelled_panel

X, y = make_labelled_panel(500, n_classes=8, random_state=4)
indexed, queries = X[:400], X[400:].copy()
lost = np.random.default_rng(0).random(queries.shape) < 0.1
queries[lost] = np.nan

retriever = TSPulseRetriever(5).fit(indexed)
_, ids = retriever.kneighbors(queries)

# %%
# Beside two other ways
# ---------------------
# The usual way compares series point by point, once standardised and their gaps bridged by lines.
# It finds neighbours that happen to be in phase. The magnitude of the spectrum has no phase, and
# these series are periodic and of one length: on such it is hard to beat.


def bridged(series):
    time = np.arange(series.shape[-1])
    known = ~np.isnan(series)
    pairs = zip(series, known, strict=True)
    return np.array([np.interp(time, time[seen], one[seen]) for one, seen in pairs])


def standardised(panel):
    series = bridged(panel[:, 0])
    return (series - series.mean(1, keepdims=True)) / series.std(1, keepdims=True)


def spectrum(panel):
    return np.abs(np.fft.rfft(standardised(panel)))


found = {"TSPulseRetriever": ids}
for name, extract in {"values": standardised, "magnitude spectrum": spectrum}.items():
    search = NearestNeighbors(n_neighbors=5).fit(extract(indexed))
    found[name] = search.kneighbors(extract(queries), return_distance=False)
for name, neighbours in found.items():
    precision = (y[neighbours] == y[400:, None]).mean()
    print(f"{name:<20}{precision:.3f} of the five nearest are of the kind of the query")

# %%
# What stays when a query changes
# -------------------------------
# Of the five neighbours of an undistorted query, how many are neighbours of its distorted copy, and
# how many of those are of its kind? The detailed embedding says what happens where, so that a shift
# gives it other neighbours. To the semantic one all series of a kind are nearly equally near: a
# change swaps some of them, but for others of the same kind.
rng = np.random.default_rng(1)
whole = X[400:]
changed = {
    "shifted": np.roll(whole, 40, axis=-1),
    "ten times as large": 10 * whole,
    "noisy": whole + 0.3 * whole.std(-1, keepdims=True) * rng.normal(size=whole.shape),
    "30 % missing": np.where(rng.random(whole.shape) < 0.3, np.nan, whole),
}
shares = {}
for embedding in ("semantic", "detailed"):
    search = TSPulseRetriever(5, embedding=embedding).fit(indexed)
    before = search.kneighbors(whole, return_distance=False)
    for name, copies in changed.items():
        after = search.kneighbors(copies, return_distance=False)
        kept = (before[:, :, None] == after[:, None]).any(-1).mean()
        shares[embedding, name] = kept, (y[after] == y[400:, None]).mean()

figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained", sharey=True)
for i, (ax, title) in enumerate(zip(axes, ("neighbours kept", "of its kind"), strict=True)):
    for offset, embedding in ((0.2, "semantic"), (-0.2, "detailed")):
        values = [shares[embedding, name][i] for name in changed]
        bars = ax.barh(np.arange(len(changed)) + offset, values, 0.38, label=embedding)
        ax.bar_label(bars, fmt="%.2f", padding=3)
    ax.set_yticks(range(len(changed)), changed)
    ax.set(xlim=(0, 1.15), xlabel="share of the five nearest", title=title)
    ax.spines[["top", "right"]].set_visible(False)
_ = figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)

# %%
# One query
# ---------
# Neighbours are alike in shape and pace, wherever their cycle begins.
display = RetrievalDisplay.from_estimator(retriever, queries[7], indexed, y[:400])
