"""TSPulse for scikit-learn: one pre-trained network for many tasks on time series.

Classify, regress, detect anomalies, impute, embed and search.

Names are imported on first use, so that ``import sktspulse`` is quick and loads neither
torch nor scikit-learn.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from . import adapters, datasets, distributed, metrics, onnx
    from .anomaly import (
        AlarmRateDisplay,
        AnomalyScoreDisplay,
        AnomalyStream,
        TSPulseAnomalyDetector,
    )
    from .embedding import EmbeddingDisplay, TSPulseTransformer
    from .imputation import ImputationDisplay, TSPulseImputer
    from .network import TSPulseConfig
    from .onnx import export_onnx
    from .pretraining import (
        OptimizerOptions,
        TrainingDisplay,
        TSPulsePretrainer,
        WindowSampling,
    )
    from .reporting import report
    from .retrieval import RetrievalDisplay, TSPulseRetriever
    from .saving import load
    from .series import (
        PanelToTabular,
        TabularToPanel,
        convert_panel,
        panel_from_long,
        panel_to_long,
    )
    from .supervised import OcclusionDisplay, TSLens, TSPulseClassifier, TSPulseRegressor

__all__ = [
    "AlarmRateDisplay",
    "AnomalyScoreDisplay",
    "AnomalyStream",
    "EmbeddingDisplay",
    "ImputationDisplay",
    "OcclusionDisplay",
    "OptimizerOptions",
    "PanelToTabular",
    "RetrievalDisplay",
    "TSLens",
    "TSPulseAnomalyDetector",
    "TSPulseClassifier",
    "TSPulseConfig",
    "TSPulseImputer",
    "TSPulsePretrainer",
    "TSPulseRegressor",
    "TSPulseRetriever",
    "TSPulseTransformer",
    "TabularToPanel",
    "TrainingDisplay",
    "WindowSampling",
    "adapters",
    "convert_panel",
    "datasets",
    "distributed",
    "export_onnx",
    "load",
    "metrics",
    "onnx",
    "panel_from_long",
    "panel_to_long",
    "report",
]
__version__ = "0.2.0"

_HOME = {
    "AlarmRateDisplay": "anomaly",
    "AnomalyScoreDisplay": "anomaly",
    "AnomalyStream": "anomaly",
    "EmbeddingDisplay": "embedding",
    "ImputationDisplay": "imputation",
    "OcclusionDisplay": "supervised",
    "OptimizerOptions": "pretraining",
    "PanelToTabular": "series",
    "RetrievalDisplay": "retrieval",
    "TSLens": "supervised",
    "TSPulseAnomalyDetector": "anomaly",
    "TSPulseClassifier": "supervised",
    "TSPulseConfig": "network",
    "TSPulseImputer": "imputation",
    "TSPulsePretrainer": "pretraining",
    "TSPulseRegressor": "supervised",
    "TSPulseRetriever": "retrieval",
    "TSPulseTransformer": "embedding",
    "TabularToPanel": "series",
    "TrainingDisplay": "pretraining",
    "WindowSampling": "pretraining",
    "convert_panel": "series",
    "export_onnx": "onnx",
    "load": "saving",
    "panel_from_long": "series",
    "panel_to_long": "series",
    "report": "reporting",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f".{_HOME[name]}", __name__), name)
    if name in __all__:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _FormerModules:
    """Explain why a pickle of version 0.1 cannot be loaded: its modules have moved."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if path is not None and name.startswith(f"{__name__}._"):
            raise ModuleNotFoundError(
                f"{name} is a module of sktspulse 0.1. If a pickle names it, fit the estimator "
                "again, or load the pickle with sktspulse 0.1.0.",
                name=name,
            )


sys.meta_path.append(_FormerModules)
