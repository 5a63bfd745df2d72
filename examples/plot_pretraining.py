"""
Pre-train a small network
=========================

A network of two layers is trained for some seconds on synthetic series that carry no
labels. Then it embeds new series of ten classes: how often is the nearest neighbour of a
series of its class? The same network with random weights, the raw values and the
amplitude spectrum stand beside it.
"""

import tempfile
from pathlib import Path

import numpy as np
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from sktspulse import (
    OptimizerOptions,
    TrainingDisplay,
    TSPulseConfig,
    TSPulsePretrainer,
    TSPulseTransformer,
)
from sktspulse.datasets import make_labelled_panel, make_series

small = TSPulseConfig(context_length=128, d_model=16, n_layers=2, n_signature_bins=64)
optimizer = OptimizerOptions(warmup_steps=20)
settings = {"batch_size": 32, "optimizer": optimizer, "random_state": 0}
pretrainer = TSPulsePretrainer(small, max_epochs=10, steps_per_epoch=50, lr=5e-3, **settings)
trained = pretrainer.fit(make_series(2000, 512, random_state=0))

# %%
# All losses fall. Each has a scale of its own, and its last value stands above. The grey
# area is the learning rate, which goes down to zero in the end.
display = TrainingDisplay.from_estimator(trained)

# %%
# One step with a learning rate of zero leaves the weights as they were drawn.
frozen = TSPulsePretrainer(small, max_epochs=1, steps_per_epoch=1, lr=0, **settings)
untrained = frozen.fit(make_series(50, 512, random_state=0))


# %%
# A checkpoint is what the other estimators take.
def embed(pretrainer, X):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.safetensors"
        pretrainer.save(path)
        return TSPulseTransformer(checkpoint=path).fit_transform(X)


# %%
# Ten series of each of ten classes, which differ in period and shape. Each series starts
# anywhere in its cycle, so that raw values of one class need not be alike.
X, y = make_labelled_panel(n_series=100, n_classes=10, random_state=0)
vectors = {
    "trained network": embed(trained, X),
    "random weights": embed(untrained, X),
    "raw values": X[:, 0],
    "amplitude spectrum": np.abs(np.fft.rfft(X[:, 0])),
}
nearest = KNeighborsClassifier(n_neighbors=1)
for name, features in vectors.items():
    print(f"{name:18} {cross_val_score(nearest, features, y).mean():.2f}")

# %%
# Training is what makes the embedding. The spectrum is better still here, as periods and
# harmonics are all that these classes were made of; the network had to find that out.
