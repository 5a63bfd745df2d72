"""
Probabilities that can be trusted
=================================

A probability of 80 % is calibrated if the class is right in 80 % of such cases. The classifier
calibrates its probabilities in ``fit``. Three classes are drowned in noise of three times their
size, so no model can be sure.
"""

# %%
# The data
# --------
# 100 series to fit, 600 to test.
import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from sktspulse import TSPulseClassifier, TSPulseTransformer
from sktspulse.datasets import make_labelled_panel

X, y = make_labelled_panel(700, n_classes=3, random_state=3)
X = X + 3 * X.std(axis=-1, keepdims=True) * np.random.default_rng(0).normal(size=X.shape)
X = X[:, 0]
train, test = slice(0, 100), slice(100, None)

# %%
# Three models
# ------------
# Naive Bayes on embeddings takes the 240 numbers for independent and is far too sure. A forest on
# the values finds nothing, as the series start anywhere in their cycle. The calibration error is
# the mean distance between confidence and accuracy in ten bins. Guessing has a log-loss of 1.10.
models = {
    "TSPulseClassifier": TSPulseClassifier(),
    "naive Bayes on embeddings": make_pipeline(TSPulseTransformer(), GaussianNB()),
    "random forest on values": RandomForestClassifier(random_state=0),
}
curves = {}
for name, model in models.items():
    probabilities = model.fit(X[train], y[train]).predict_proba(X[test])
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = predicted == y[test]
    bins = np.minimum((10 * confidence).astype(int), 9)
    used = [number for number in range(10) if (bins == number).sum() >= 10]
    sizes = np.array([(bins == number).sum() for number in used])
    sure = np.array([confidence[bins == number].mean() for number in used])
    share = np.array([right[bins == number].mean() for number in used])
    curves[name] = sure, share, sizes
    error = np.average(np.abs(sure - share), weights=sizes)
    print(
        f"{name:<28}accuracy {accuracy_score(y[test], predicted):.2f}, "
        f"log-loss {log_loss(y[test], probabilities):.2f}, calibration error {error:.2f}"
    )

# %%
# The figure
# ----------
# Points on the diagonal are calibrated. Below it a model is over-confident. The size of a point is
# the number of series.
figure, axis = plt.subplots(figsize=(5.5, 5), layout="constrained")
styles = (("#d55e00", "o"), ("#0072b2", "s"), ("#009e73", "^"))
for (name, (sure, share, sizes)), (colour, marker) in zip(curves.items(), styles, strict=True):
    axis.plot(sure, share, color=colour, lw=1)
    axis.scatter(sure, share, s=20 + sizes / 2, color=colour, marker=marker, label=name, alpha=0.8)
axis.axline((0, 0), slope=1, color="0.5", ls="--", lw=1, label="calibrated")
axis.set(xlim=(0.3, 1.02), ylim=(0, 1.02), xlabel="confidence", ylabel="share that is right")
_ = axis.legend(loc="upper left", fontsize="small")
