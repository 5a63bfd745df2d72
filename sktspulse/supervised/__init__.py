"""Classification and regression of time series."""

from .classifier import TSPulseClassifier
from .occlusion_display import OcclusionDisplay
from .regressor import TSPulseRegressor
from .strategies import TSLens

__all__ = ["OcclusionDisplay", "TSLens", "TSPulseClassifier", "TSPulseRegressor"]
