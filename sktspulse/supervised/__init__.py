"""Classification and regression of time series.

What needs torch is imported on first use: exported models run without it.
"""

from typing import TYPE_CHECKING

from ..lazy import on_first_use
from .answers import class_codes, class_decisions, class_probabilities, in_target_units

if TYPE_CHECKING:
    from .base import supervised_parts
    from .classifier import TSPulseClassifier
    from .occlusion_display import OcclusionDisplay
    from .probe.logistic import LogisticHead
    from .probe.probe import Probe
    from .probe.ridge import RidgeHead
    from .regressor import TSPulseRegressor, regressor_units
    from .strategies import TSLens

__all__ = [
    "LogisticHead",
    "OcclusionDisplay",
    "Probe",
    "RidgeHead",
    "TSLens",
    "TSPulseClassifier",
    "TSPulseRegressor",
    "class_codes",
    "class_decisions",
    "class_probabilities",
    "in_target_units",
    "regressor_units",
    "supervised_parts",
]

__getattr__ = on_first_use(
    __name__,
    {
        "base": "supervised_parts",
        "classifier": "TSPulseClassifier",
        "occlusion_display": "OcclusionDisplay",
        "probe.logistic": "LogisticHead",
        "probe.probe": "Probe",
        "probe.ridge": "RidgeHead",
        "regressor": "TSPulseRegressor regressor_units",
        "strategies": "TSLens",
    },
)
