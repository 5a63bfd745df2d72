"""What estimators and displays share."""

from .axes import load_pyplot, one_series, single_axes, stacked_axes
from .clock import TimeBudget
from .estimator import BaseTSPulse, fitted_network
from .saving import KIND, find_class_name, safetensors_path

__all__ = [
    "KIND",
    "BaseTSPulse",
    "TimeBudget",
    "find_class_name",
    "fitted_network",
    "load_pyplot",
    "one_series",
    "safetensors_path",
    "single_axes",
    "stacked_axes",
]
