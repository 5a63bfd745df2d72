"""The classes that a fitted classifier or regressor consists of, and that a file may hold."""

from __future__ import annotations

from ..embedding import EmbeddingSpec, TSPulseTransformer
from ..network import TSLensConfig
from .levels import ColumnScaler, RobustLevelScaler
from .probe.extraction import FeatureExtractor
from .probe.features import FeatureScaler, Layout
from .probe.forest import Forest
from .probe.kernels import KernelBank
from .probe.logistic import LogisticHead
from .probe.probe import Probe
from .probe.quantiles import Interval, QuantileBank
from .probe.ridge import RidgeHead
from .probe.trees import Trees
from .strategies import TSLens
from .tslens.training import MomentScaler, TSLensModel

__all__ = ["SAVED_CLASSES"]

SAVED_CLASSES = (
    ColumnScaler,
    EmbeddingSpec,
    FeatureExtractor,
    FeatureScaler,
    Forest,
    Interval,
    KernelBank,
    Layout,
    LogisticHead,
    MomentScaler,
    Probe,
    QuantileBank,
    RidgeHead,
    RobustLevelScaler,
    TSLens,
    TSLensConfig,
    TSLensModel,
    TSPulseTransformer,  # as a member
    Trees,
)
