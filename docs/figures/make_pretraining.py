"""Draw the first figure of the guide to pre-training."""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from figure_style import BLUE, GREEN, ORANGE, save
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from sktspulse import OptimizerOptions, TSPulseConfig, TSPulsePretrainer, TSPulseTransformer
from sktspulse.datasets import make_labelled_panel, make_series


def train(max_epochs: int = 10, steps_per_epoch: int = 50, lr: float = 5e-3) -> TSPulsePretrainer:
    """Train a network of two layers on made series."""
    small = TSPulseConfig(context_length=128, d_model=16, n_layers=2, n_signature_bins=64)
    pretrainer = TSPulsePretrainer(
        small,
        max_epochs=max_epochs,
        steps_per_epoch=steps_per_epoch,
        batch_size=32,
        lr=lr,
        optimizer=OptimizerOptions(warmup_steps=20),
        random_state=0,
    )
    return pretrainer.fit(make_series(2000, 512, random_state=0))


def embed(pretrainer: TSPulsePretrainer, X: np.ndarray) -> np.ndarray:
    """Embed series with the network of a pre-trainer."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.safetensors"
        pretrainer.save(path)
        return TSPulseTransformer(checkpoint=path).fit_transform(X)


def draw() -> None:
    """Draw the losses of a small run, and how well its embeddings tell ten classes apart."""
    trained, untrained = train(), train(1, 1, 0.0)
    X, y = make_labelled_panel(100, n_classes=10, random_state=0)
    vectors = {
        "raw values": X[:, 0],
        "random weights": embed(untrained, X),
        "trained network": embed(trained, X),
        "amplitude spectrum": np.abs(np.fft.rfft(X[:, 0])),
    }
    nearest = KNeighborsClassifier(1)
    accuracy = [cross_val_score(nearest, features, y).mean() for features in vectors.values()]
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 2.8), layout="constrained")
    windows = 32e-3 * np.array(trained.history_["n_steps"])
    for name, color, marker in (("time", ORANGE, "o"), ("frequency", BLUE, "^")):
        left.plot(windows, trained.history_[name], color=color, marker=marker, ms=4, label=name)
    left.set(
        xlabel="windows [thousands]",
        ylabel="loss [variance]",
        ylim=(0, None),
        title="hidden points",
    )
    left.legend(title="head")
    bars = right.barh(list(vectors), accuracy, color=["#999999", "#999999", ORANGE, GREEN])
    right.bar_label(bars, fmt="%.2f", padding=3)
    right.set(xlim=(0, 1.15), xlabel="accuracy", title="1-nearest neighbour")
    save(figure, "pretraining")


if __name__ == "__main__":
    draw()
