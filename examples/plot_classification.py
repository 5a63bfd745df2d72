"""
Tell speakers apart by a vowel
==============================

Nine speakers say "ae". Each utterance is a series of twelve channels and 7 to 29 moments. Who
speaks? Series of unequal length go into the classifier as a list.
"""

# %%
# The data
# --------
# Up to ten utterances of each speaker are for fitting, eight others are the test. So short series
# raise a warning that channels and time may be swapped. They are not, so the warning is ignored.
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier

from sktspulse import TSPulseClassifier
from sktspulse.datasets import load_vowels

warnings.filterwarnings("ignore", "X is read as")
X, y = load_vowels()
X_test, y_test = X[270:], y[270:]
print(f"{len(X_test)} series in the test, {X[0].shape[0]} channels")

# %%
# Beside two baselines
# --------------------
# The nearest neighbour compares values, resampled to 20 moments. The forest sees mean, standard
# deviation, minimum and maximum of each channel. Both are good here, and faster.


def resampled(series):
    moments = np.linspace(0, 1, series.shape[1])
    return np.concatenate([np.interp(np.linspace(0, 1, 20), moments, one) for one in series])


flat = np.array([resampled(one) for one in X])
summaries = np.array([np.r_[x.mean(1), x.std(1), x.min(1), x.max(1)] for x in X])
models = {
    "TSPulseClassifier": (TSPulseClassifier(), X),
    "random forest on summaries": (RandomForestClassifier(random_state=0), summaries),
    "1-NN on values": (KNeighborsClassifier(1), flat),
}
counts = [2, 5, 10]
accuracy = {name: [] for name in models}
for count in counts:
    train = np.flatnonzero(np.arange(270) % 30 < count)
    for name, (model, data) in models.items():
        model.fit([data[i] for i in train], y[train])
        accuracy[name].append(model.score(data[270:], y_test))
for name, values in accuracy.items():
    print(f"{name:<28}" + ", ".join(f"{value:.2f}" for value in values))

# %%
# The figure
# ----------
# Left, the first coefficient of three speakers. Right, the accuracy. The dotted line is guessing.
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
colours = ("#0072b2", "#d55e00", "#009e73")
for speaker, colour, style in zip((1, 4, 7), colours, ("-", "--", ":"), strict=True):
    for i in np.flatnonzero(y == speaker)[:8]:
        label = f"speaker {speaker}" if i == np.flatnonzero(y == speaker)[0] else None
        left.plot(X[i][0], color=colour, ls=style, lw=1, label=label)
left.set(xlabel="moment", ylabel="first coefficient")
left.legend(fontsize="small")
styles = (("#d55e00", "o"), ("#0072b2", "s"), ("#009e73", "^"))
for (name, values), (colour, marker) in zip(accuracy.items(), styles, strict=True):
    right.plot(counts, values, color=colour, marker=marker, label=name)
right.axhline(1 / 9, color="0.5", ls=":", lw=1)
right.set(
    xlabel="utterances of each speaker in fit", ylabel="accuracy", ylim=(0, 1.02), xticks=counts
)
_ = right.legend(loc="lower right", fontsize="small")
