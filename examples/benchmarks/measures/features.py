"""Ways to turn series into vectors: a network, and what it has to beat."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from sklearn.preprocessing import StandardScaler

from sktspulse import TSPulseTransformer
from sktspulse.network import load_checkpoint, standardize

KINDS = ("time", "frequency", "semantic")
Features = dict[str, np.ndarray]  # one array a kind, series first
Extract = Callable[[np.ndarray], np.ndarray]  # (n_series, n_timepoints) -> (n_series, n_features)


def tokens(checkpoint: str, series: Iterable[np.ndarray]) -> Features:
    """Embed series of any length, a vector a token: ``(n_series, n_tokens, d_model)``."""
    model = TSPulseTransformer(embedding="all", checkpoint=checkpoint)
    vectors = model.fit_transform([one[None] for one in series])
    config = load_checkpoint(checkpoint).config
    ends = [config.n_patches, config.n_register_start]
    parts = np.split(vectors.reshape(len(vectors), -1, config.d_model), ends, axis=1)
    return dict(zip(KINDS, parts, strict=True))


def embed(checkpoint: str, series: Iterable[np.ndarray]) -> Features:
    """Embed series of any length: ``(n_series, n_features)`` a kind."""
    return {kind: flat(one) for kind, one in tokens(checkpoint, series).items()}


def flat(vectors: np.ndarray) -> np.ndarray:
    return vectors.reshape(len(vectors), -1)


def spectrum(panel: np.ndarray) -> np.ndarray:
    return np.abs(np.fft.rfft(standardize(panel).values))[:, 1:]


def log_spectrum(panel: np.ndarray) -> np.ndarray:
    return np.log1p(spectrum(panel))


def plain() -> dict[str, Extract]:
    """Name what takes no learning and no other package."""
    return {
        "series": lambda panel: panel,
        "z-scored series": lambda panel: standardize(panel).values,
        "spectrum": spectrum,
        "log spectrum": log_spectrum,
    }


def collections(train: np.ndarray) -> dict[str, Extract]:
    """Name the feature collections of aeon, scaled by a train panel; none without aeon."""
    try:
        from aeon.transformations.collection.convolution_based import MiniRocket
        from aeon.transformations.collection.feature_based import Catch22
    except ImportError:
        print("aeon is not installed: catch22 and MiniRocket are left out.", flush=True)
        return {}
    makers = {"catch22": Catch22(replace_nans=True), "MiniRocket": MiniRocket(random_state=0)}
    return {name: _scaled(maker, train) for name, maker in makers.items()}


def _scaled(maker: object, train: np.ndarray) -> Extract:
    scaler = StandardScaler().fit(maker.fit_transform(_panel(train)))
    return lambda panel: scaler.transform(maker.transform(_panel(panel)))


def _panel(panel: np.ndarray) -> np.ndarray:
    return standardize(panel).values[:, None]
