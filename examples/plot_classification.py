"""
Classes from few examples
=========================

Series of six classes differ in rhythm and shape, and start anywhere in their cycle. The pre-trained
network has seen enough series to describe them well. With random kernels and trees beside it, which
learn what these series have of their own, few examples are enough, where the nearest neighbour
among the raw series needs many.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from sktspulse import TSPulseClassifier
from sktspulse.datasets import make_labelled_panel

X, y = make_labelled_panel(n_series=480, n_classes=6, random_state=0)
test = slice(240, None)

# %%
# Accuracy on 240 new series after fitting 12, 24, ... 192.
sizes = [12, 24, 48, 96, 192]
models = {
    "TSPulseClassifier": TSPulseClassifier(),
    "the network alone": TSPulseClassifier(members=["network"]),
    "kernels and trees alone": TSPulseClassifier(members=["kernels", "quantiles"]),
    "1-NN on raw series": KNeighborsClassifier(1),
}
flat = X[:, 0]
scores = {
    name: [model.fit(flat[:n], y[:n]).score(flat[test], y[test]) for n in sizes]
    for name, model in models.items()
}
for name, values in scores.items():
    few, many = (f"{values[i]:.3f} from {sizes[i]} series" for i in (0, -1))
    print(f"{name}: accuracy {few}, {many}")

# %%
# Left, two series of each class, one above the other; right, accuracy over the number of series
# fitted.
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
for label in range(6):
    for series in flat[y == label][:2]:
        left.plot(0.25 * series / series.std() - label, color=f"C{label}", linewidth=0.8)
left.set(yticks=-np.arange(6), yticklabels=range(6), xlabel="time point", ylabel="class")
for name, values in scores.items():
    right.plot(sizes, values, marker="o", label=name)
right.set(xscale="log", xticks=sizes, xticklabels=sizes, ylim=(0, 1.02))
right.minorticks_off()
right.set(xlabel="series fitted", ylabel="accuracy on 240 new series")
_ = right.legend(loc="lower right")
