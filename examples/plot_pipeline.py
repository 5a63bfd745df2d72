"""
Choose parameters by grid search
================================

The transformer is a step of a scikit-learn pipeline, and its parameters can be searched like any
other. Series of six classes differ in rhythm and shape, start anywhere in their cycle, and are
noisy.
"""

# %%
# The data
# --------
# 120 series to fit, 300 to test.
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktspulse import TSPulseTransformer
from sktspulse.datasets import make_labelled_panel

X, y = make_labelled_panel(420, n_classes=6, random_state=2)
X = X + X.std(axis=-1, keepdims=True) * np.random.default_rng(0).normal(size=X.shape)
X_train, y_train, X_test, y_test = X[:120], y[:120], X[120:], y[120:]

# %%
# The grid
# --------
# Three embeddings and four strengths of regularisation. ``memory`` stores what the network says, so
# that each fold is embedded once for each embedding.
grid = {
    "tspulsetransformer__embedding": ["semantic", "frequency", "all"],
    "logisticregression__C": [1e-4, 1e-2, 1],
}
with TemporaryDirectory() as cache:
    pipeline = make_pipeline(
        TSPulseTransformer(), StandardScaler(), LogisticRegression(max_iter=2000), memory=cache
    )
    search = GridSearchCV(pipeline, grid, cv=3).fit(X_train, y_train)
    accuracy = search.score(X_test, y_test)
print(search.best_params_)

# %%
# Beside a baseline
# -----------------
# The nearest neighbour among the spectra is hard to beat on periodic series; that among the values
# is lost, as the series are out of phase.
features = {"values": X[:, 0], "amplitude spectrum": np.abs(np.fft.rfft(X[:, 0]))}
print(f"best pipeline               {accuracy:.3f}")
for name, vectors in features.items():
    nearest = KNeighborsClassifier(1).fit(vectors[:120], y_train)
    print(f"1-NN, {name:<22}{nearest.score(vectors[120:], y_test):.3f}")

# %%
# The figure
# ----------
# Mean accuracy of three folds for each combination. The black frame is the best.
shape = [len(values) for values in grid.values()][::-1]
results = search.cv_results_["mean_test_score"].reshape(shape)  # C varies slowest
figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
image = axis.pcolormesh(results, cmap="cividis", edgecolor="white")
row, column = np.unravel_index(results.argmax(), results.shape)
axis.add_patch(plt.Rectangle((column, row), 1, 1, fill=False, edgecolor="black", lw=3))
for (i, j), value in np.ndenumerate(results):
    light = value > (results.min() + results.max()) / 2
    axis.text(
        j + 0.5,
        i + 0.5,
        f"{value:.2f}",
        ha="center",
        va="center",
        color="black" if light else "white",
    )
embeddings, strengths = grid.values()
axis.set_xticks(np.arange(len(embeddings)) + 0.5, embeddings)
axis.set_yticks(np.arange(len(strengths)) + 0.5, strengths)
axis.set(xlabel="embedding", ylabel="C of the logistic regression")
_ = figure.colorbar(image, label="accuracy in cross-validation")
