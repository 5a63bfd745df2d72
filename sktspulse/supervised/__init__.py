"""Classes and numbers."""

from .classifier import TSPulseClassifier
from .occlusion_display import OcclusionDisplay
from .regressor import TSPulseRegressor

__all__ = ["OcclusionDisplay", "TSPulseClassifier", "TSPulseRegressor"]
