"""What the tests of imputation share: a recording with gaps, and one way to fill it."""

from __future__ import annotations

import numpy as np
from estimator_cases import checkpoint

from sktspulse import TSPulseImputer

NETWORK = {"blend": False, "batch_size": 8, "checkpoint": checkpoint(512)}


def recording(n_timepoints: int = 300, n_channels: int = 2, rate: float = 0.2) -> np.ndarray:
    t = np.arange(n_timepoints)[:, None]
    rng = np.random.default_rng(0)
    X = np.sin(t / (7 + 5 * np.arange(n_channels))) + 0.1 * rng.normal(size=(len(t), n_channels))
    X[rng.random(X.shape) < rate] = np.nan
    return X


def fill(X, **parameters):
    return TSPulseImputer(random_state=0, batch_size=8).set_params(**parameters).fit_transform(X)


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and one.tobytes() == other.tobytes()
