"""A sum of models on the frozen network and on features of the series themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np

from ...network import Network, Progress
from ...series import Floats, Panel
from ..samples import Samples
from .extraction import FeatureExtractor, NetworkReader
from .features import FeatureScaler
from .logistic import LogisticHead
from .ridge import RidgeHead
from .trees import Trees

__all__ = ["LinearHead", "Probe"]

LinearHead = LogisticHead | RidgeHead


class Probe(NamedTuple):
    """Fitted models with the features they need."""

    extractor: FeatureExtractor
    scaler: FeatureScaler
    trees: Trees | None
    head: Any  # LinearHead

    @classmethod
    def fit(
        cls,
        extractor: FeatureExtractor,
        reader: NetworkReader,
        samples: Samples,
        fit_head: Callable[..., LinearHead],
        *,
        with_trees: bool,
        is_late: Callable[[], bool],
    ) -> Self:
        """Fit scaling and models to ``samples``; there are no trees once it is late."""
        features, layout = extractor(reader, samples.X)
        scaler = FeatureScaler.fit(features, samples.weights, layout)
        rows = scaler(features)
        trees, answers = None, None
        if with_trees and not is_late():
            trees, answers = Trees.fit(samples, layout.levels_of(rows))
        head = fit_head(samples._replace(X=rows), layout.groups(), answers, is_late)
        return cls(extractor, scaler, trees, head)

    @property
    def temperature(self) -> float:
        """Temperature of a classifier."""
        return float(self.head.temperature)

    def outputs(
        self, network: Network, panel: Panel, batch_size: int, progress: Progress | None
    ) -> Floats:
        """Return log-odds or predictions, ``(n_series, n_outputs)``."""
        features, layout = self.extractor(NetworkReader(network, batch_size, progress), panel)
        rows = self.scaler(features)
        outputs = rows @ self.head.coefficients.T + self.head.intercept
        if self.trees is None:
            return np.asarray(outputs)
        return np.asarray(outputs + self.head.share * self.trees(panel, layout.levels_of(rows)))
