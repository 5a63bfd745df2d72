"""Every estimator with a network that answers at once, its input, and its answer as an array."""

from __future__ import annotations

import os
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.base import BaseEstimator, clone

from sktspulse import (
    PanelToTabular,
    TabularToPanel,
    TSLens,
    TSPulseAnomalyDetector,
    TSPulseClassifier,
    TSPulseConfig,
    TSPulseImputer,
    TSPulseRegressor,
    TSPulseRetriever,
    TSPulseTransformer,
)
from sktspulse.network.checkpoints import save_checkpoint
from sktspulse.network.tspulse import TSPulse

N_SERIES, N_CHANNELS, N_TIMEPOINTS = 20, 2, 40
N_ROWS = 160
# Narrower networks round differently in batches of other sizes.
SIZES = {"context_length": 64, "d_model": 8, "n_layers": 1, "n_decoder_layers": 1}
SIZES |= {"n_registers": 2, "n_register_layers": 1, "n_signature_bins": 16, "forecast_length": 4}


@cache
def checkpoint(n_timepoints: int = 64) -> str:
    """Save an untrained network of 64 time points, once per process; return its path."""
    path = f"{os.environ['SKTSPULSE_TEST_FOLDER']}/tiny-{n_timepoints}.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_checkpoint(TSPulse(TSPulseConfig(**SIZES | {"context_length": n_timepoints})), path)
    return path


class Case(NamedTuple):
    """An estimator and how to use it."""

    estimator: BaseEstimator
    method: str
    kind: str  # "panel", "series" or "table"
    target: str | None = None  # "classes" or "numbers"

    def new(self, **parameters: Any) -> BaseEstimator:
        """Return an estimator that is not fitted."""
        if "checkpoint" in self.estimator.get_params():
            parameters = {"checkpoint": checkpoint(), **parameters}
        return clone(self.estimator).set_params(**parameters)

    def fit(self, X: Any, **parameters: Any) -> BaseEstimator:
        """Fit a new estimator, with targets that depend on the place of the series."""
        return self.new(**parameters).fit(X, self.targets(len(X)))

    def targets(self, n: int) -> np.ndarray | None:
        """Return targets for n series."""
        if self.target is None:
            return None
        return np.arange(n) % 2 if self.target == "classes" else np.sin(np.arange(n)) * 3 + 5

    def answer(self, model: BaseEstimator, X: Any) -> np.ndarray:
        """Return the answer of a fitted estimator."""
        found = getattr(model, self.method)(X)
        return np.asarray(found[0] if isinstance(found, tuple) else found, dtype=np.float64)

    def data(self, seed: int = 0) -> np.ndarray:
        """Draw input with structure, noise and gaps."""
        rng = np.random.default_rng(seed)
        if self.kind == "series":
            phase = np.arange(N_ROWS)[:, None] / 5 + np.arange(N_CHANNELS)
            X = np.sin(phase) + 0.3 * rng.normal(size=phase.shape) + [3, -1]
            X[rng.random(X.shape) < 0.05] = np.nan
            X[30:36, 0] = np.nan
            return X
        t = np.arange(N_TIMEPOINTS)
        speed = (
            0.3
            + 0.3 * (np.arange(N_SERIES) % 2)[:, None, None]
            + 0.1 * rng.random((N_SERIES, 2, 1))
        )
        X = np.sin(speed * t + rng.uniform(0, 6, (N_SERIES, 2, 1)))
        X += 0.3 * rng.normal(size=X.shape) + rng.normal(size=(N_SERIES, N_CHANNELS, 1))
        X[rng.random(X.shape) < 0.02] = np.nan
        return X if self.kind == "panel" else X.reshape(len(X), -1)


QUICK = TSLens(max_epochs=3, lr=0.01, batch_size=8)
CASES: dict[str, Case] = {
    "classifier": Case(TSPulseClassifier(), "decision_function", "panel", "classes"),
    "classifier-sliding": Case(
        TSPulseClassifier(windowing="sliding"), "decision_function", "panel", "classes"
    ),
    "classifier-tslens": Case(
        TSPulseClassifier(QUICK, random_state=0), "decision_function", "panel", "classes"
    ),
    "regressor": Case(TSPulseRegressor(), "predict", "panel", "numbers"),
    "regressor-tslens": Case(
        TSPulseRegressor(QUICK, random_state=0), "predict", "panel", "numbers"
    ),
    "transformer": Case(TSPulseTransformer(), "transform", "panel"),
    "transformer-mean": Case(
        TSPulseTransformer("all", channels="mean", windowing="sliding"), "transform", "panel"
    ),
    "retriever": Case(TSPulseRetriever(), "kneighbors", "panel"),
    "retriever-levels": Case(
        TSPulseRetriever(3, normalize=False, metric="cosine"), "kneighbors", "panel"
    ),
    "detector": Case(TSPulseAnomalyDetector(), "score_samples", "series"),
    "detector-causal": Case(
        TSPulseAnomalyDetector("level", causal=True, combine="mean"), "score_samples", "series"
    ),
    "imputer": Case(TSPulseImputer(stride=32, random_state=0), "transform", "series"),
    "imputer-network": Case(TSPulseImputer(blend=False, stride=32), "transform", "series"),
    "imputer-panel": Case(TSPulseImputer("panel", stride=32, random_state=0), "transform", "panel"),
    "to-table": Case(PanelToTabular(), "transform", "panel"),
    "to-panel": Case(TabularToPanel(N_CHANNELS), "transform", "table"),
}
