"""What estimators and displays share."""

from .axes import load_pyplot, one_series, single_axes, stacked_axes
from .clock import TimeBudget
from .estimator import BaseTSPulse

__all__ = [
    "BaseTSPulse",
    "TimeBudget",
    "load_pyplot",
    "one_series",
    "single_axes",
    "stacked_axes",
]
