"""A linear model on embeddings of the frozen network."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np

from ...base import TimeBudget
from ...embedding import EmbeddingSpec, Windowing, embed_panel
from ...network import Progress, TSPulse
from ...series import Floats, Panel, Values
from ..levels import level_features
from ..samples import Samples
from .features import FeatureScaler, Layout, n_sampled_points, sampled_values
from .kernels import KernelBank
from .logistic import LogisticHead
from .representations import REPRESENTATIONS, Representation
from .ridge import RidgeHead

__all__ = ["FeatureExtractor", "LinearHead", "Probe"]

LinearHead = LogisticHead | RidgeHead

_MAX_CONCATENATED = 32  # channels; of more, mean and standard deviation over them are kept
_BLOCK_ROWS = 4096  # channels of series embedded at once
_EMBEDDING_SHARE = 0.6  # of the time budget, after which no further representation is embedded


class FeatureExtractor(NamedTuple):
    """Turn series into embeddings of representations, sampled values, and levels."""

    windowing: Windowing
    n_representations: int
    uses_values: bool
    kernels: KernelBank

    def embed(
        self,
        network: TSPulse,
        panel: Panel,
        batch_size: int,
        progress: Progress | None,
        budget: TimeBudget | None = None,
    ) -> list[Values]:
        """Embed the first representations: at least one, others only within the time budget."""
        embeddings: list[Values] = []
        for representation in REPRESENTATIONS[self.windowing][: self.n_representations]:
            n = len(embeddings)
            if n and budget and budget.spent_fraction * (1 + 1 / n) > _EMBEDDING_SHARE:
                break
            embeddings.append(self._embed(network, panel, representation, batch_size, progress))
        return embeddings

    def _embed(
        self,
        network: TSPulse,
        panel: Panel,
        representation: Representation,
        batch_size: int,
        progress: Progress | None,
    ) -> Values:
        spec = EmbeddingSpec(("semantic",), self.windowing)
        step = max(1, _BLOCK_ROWS // len(panel[0]))
        blocks = []
        for first in range(0, len(panel), step):
            series = [representation(one) for one in panel[first : first + step]]
            embedded = embed_panel(network, series, spec, batch_size, progress)
            blocks.append(_join_channels(embedded))
        return np.vstack(blocks)

    def join(self, embeddings: list[Values], panel: Panel) -> Floats:
        """Put embeddings, sampled values and levels side by side."""
        values = [sampled_values(panel)] if self.uses_values else []
        return np.hstack([*embeddings, self.kernels(panel), *values, level_features(panel)])

    def layout(self, n_features: int, n_channels: int) -> Layout:
        """Return how many columns of what kind ``join`` gives."""
        n_values = n_sampled_points(n_channels) * n_channels * self.uses_values
        n_kernels, n_levels = self.kernels.n_features, 2 * n_channels
        n_embedded = n_features - n_kernels - n_values - n_levels
        return Layout(self.n_representations, n_embedded, n_kernels, n_values, n_levels)


def _join_channels(embedded: Values) -> Values:
    """Turn ``(n_series, n_channels, n_features)`` into one row for each series."""
    if embedded.shape[1] > _MAX_CONCATENATED:
        embedded = np.stack([embedded.mean(1), embedded.std(1)], axis=1)
    return embedded.reshape(len(embedded), -1)


class Probe(NamedTuple):
    """A fitted linear model with the features it needs."""

    extractor: FeatureExtractor
    scaler: FeatureScaler
    head: Any  # LinearHead

    @classmethod
    def fit(
        cls,
        extractor: FeatureExtractor,
        embeddings: list[Values],
        samples: Samples,
        head_class: type[LinearHead],
        budget: TimeBudget,
    ) -> Self:
        """Fit scaling and linear model to the embeddings of ``samples``."""
        extractor = extractor._replace(n_representations=len(embeddings))
        features = extractor.join(embeddings, samples.X)
        layout = extractor.layout(features.shape[1], len(samples.X[0]))
        scaler = FeatureScaler.fit(features, samples.weights, layout)
        rows = samples._replace(X=scaler(features))
        groups = layout.groups(extractor.windowing)
        head = head_class.fit(rows, groups, lambda: budget.left <= 0)
        return cls(extractor, scaler, head)

    @property
    def temperature(self) -> float:
        """Temperature of a classifier."""
        return float(self.head.temperature)

    def outputs(
        self, network: TSPulse, panel: Panel, batch_size: int, progress: Progress | None
    ) -> Floats:
        """Return log-odds or predictions, ``(n_series, n_outputs)``."""
        embeddings = self.extractor.embed(network, panel, batch_size, progress)
        features = self.scaler(self.extractor.join(embeddings, panel))
        return features @ self.head.coefficients.T + self.head.intercept
