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
# One query
# ---------
# Neighbours are alike in shape and pace, wherever their cycle begins.
display = RetrievalDisplay.from_estimator(retriever, queries[7], indexed, y[:400])
