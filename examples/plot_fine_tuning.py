"""
Fine-tune the network for a task
================================

By default the classifier leaves the network as it is. With ``TSLens`` as strategy, ``fit`` trains
its decoder on the labelled series. The task is to tell normal heartbeats from broad ones.
"""

# %%
# The data
# --------
# Beats of the first two minutes are for fitting, those of the last minute for the test.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier

from sktspulse import TSLens, TSPulseClassifier
from sktspulse.datasets import load_electrocardiogram

recording, peaks, is_broad = load_electrocardiogram()
complete = (peaks > 30) & (peaks < len(recording) - 50)
peaks, is_broad = peaks[complete], is_broad[complete]
beats = np.stack([recording[peak - 20 : peak + 40, 0] for peak in peaks])
train, test = peaks < 120 * 90, peaks > 240 * 90
print(f"{train.sum()} beats to fit, {is_broad[train].sum()} of them broad; {test.sum()} to test")

# %%
# Fine-tune
# ---------
# A fifth of the training beats is held out. The weights with the lowest loss on them are kept.
options = TSLens(max_epochs=12, n_iter_no_change=12)
tuned = TSPulseClassifier(options, random_state=0).fit(beats[train], is_broad[train])

# %%
# Beside the default and a baseline
# ---------------------------------
# The default combines the frozen network with random kernels and trees. It takes less time, and on
# most data sets it is as good or better, so try it first. Here TSLens is slightly ahead.
standardised = (beats - beats.mean(1, keepdims=True)) / beats.std(1, keepdims=True)
default = TSPulseClassifier().fit(beats[train], is_broad[train])
nearest = KNeighborsClassifier(1).fit(standardised[train], is_broad[train])
answers = {
    "TSLens": tuned.predict(beats[test]),
    "frozen network, default": default.predict(beats[test]),
    "1-NN on values": nearest.predict(standardised[test]),
}
for name, answer in answers.items():
    print(f"{name:<26}balanced accuracy {balanced_accuracy_score(is_broad[test], answer):.3f}")

# %%
# The figure
# ----------
# Left, the losses. Right, the probabilities that the tuned network gives to the two kinds of beats.
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
history = tuned.history_
best = int(np.argmin(history["valid_loss"]))
left.plot(history["epoch"], history["train_loss"], color="#7a7a7a", label="training")
left.plot(history["epoch"], history["valid_loss"], color="#d55e00", marker="o", label="held out")
left.axvline(history["epoch"][best], color="black", ls=":", lw=1, label="weights kept")
left.set(xlabel="epoch", ylabel="log-loss", yscale="log")
left.legend(fontsize="small")
probability = tuned.predict_proba(beats[test])[:, 1]
bins = np.linspace(0, 1, 21)
for kind, colour, hatch in ((False, "#0072b2", None), (True, "#d55e00", "//")):
    label = "broad beats" if kind else "normal beats"
    of_it = probability[is_broad[test] == kind]
    right.hist(of_it, bins, color=colour, alpha=0.7, hatch=hatch, label=label)
right.set(xlabel="probability of a broad beat", ylabel="beats in the test", yscale="log")
_ = right.legend(fontsize="small")
