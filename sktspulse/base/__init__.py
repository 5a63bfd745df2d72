"""What estimators and displays share."""

from .axes import load_pyplot, one_series, single_axes, stacked_axes
from .clock import TimeBudget
from .estimator import BaseTSPulse
from .threads import one_threaded_products, side_by_side

__all__ = [
    "BaseTSPulse",
    "TimeBudget",
    "load_pyplot",
    "one_series",
    "one_threaded_products",
    "side_by_side",
    "single_axes",
    "stacked_axes",
]
