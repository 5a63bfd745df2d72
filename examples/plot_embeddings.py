"""
Cluster heartbeats by their embeddings
======================================

An electrocardiogram is cut into beats. The network embeds each beat, without labels and without
training. Clusters of the embeddings separate normal beats from those that begin in a ventricle.
"""

# %%
# The beats
# ---------
# Each beat is a window of 0.67 s around its peak.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from sktspulse import TSPulseTransformer
from sktspulse.datasets import load_electrocardiogram

recording, peaks, is_broad = load_electrocardiogram()
complete = (peaks > 30) & (peaks < len(recording) - 50)
peaks, is_broad = peaks[complete], is_broad[complete]
beats = np.stack([recording[peak - 20 : peak + 40, 0] for peak in peaks])
print(f"{len(beats)} beats, {is_broad.sum()} of them broad")

# %%
# Clusters
# --------
# The adjusted Rand index is 1 for the groups of the data set and 0 for random groups. The raw
# values follow the drift of the electrode. Standardised beats are nearly as good as embeddings,
# because the beats are aligned at their peaks.
standardised = (beats - beats.mean(1, keepdims=True)) / beats.std(1, keepdims=True)
features = {
    "embeddings": TSPulseTransformer(embedding="semantic").fit_transform(beats),
    "standardised values": standardised,
    "raw values": beats,
}
clusters = {}
for name, vectors in features.items():
    clusters[name] = KMeans(2, n_init=10, random_state=0).fit_predict(vectors)
    print(f"{name:<22}{adjusted_rand_score(is_broad, clusters[name]):.2f}")

# %%
# The figure
# ----------
# Left, the two directions in which the embeddings differ most. Right, the mean of each cluster,
# with the range of 80 % of its beats.
plane = PCA(2).fit_transform(features["embeddings"])
found = clusters["embeddings"]
order = np.argsort(np.bincount(found))[::-1]  # the larger cluster first
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
time = (np.arange(beats.shape[1]) - 20) / 90
styles = (("#0072b2", "o"), ("#d55e00", "^"))
for number, (cluster, (colour, marker)) in enumerate(zip(order, styles, strict=True), 1):
    of_it = found == cluster
    label = f"cluster {number}: {of_it.sum()} beats"
    left.scatter(*plane[of_it].T, s=14, color=colour, marker=marker, alpha=0.6, label=label)
    low, middle, high = np.percentile(standardised[of_it], (10, 50, 90), axis=0)
    right.fill_between(time, low, high, color=colour, alpha=0.25, lw=0)
    right.plot(time, middle, color=colour)
wrong = (found == order[1]) != is_broad
left.scatter(
    *plane[wrong].T, s=60, facecolor="none", edgecolor="black", label="other group in the data"
)
left.set(xlabel="first principal component", ylabel="second principal component")
left.legend(fontsize="small")
_ = right.set(xlabel="time from the peak [s]", ylabel="voltage [standard deviations]")
