"""What estimators and displays share."""

from .axes import load_pyplot, one_series, single_axes, stacked_axes
from .clock import TimeBudget
from .estimator import BaseTSPulse
from .parameters import check_choice, check_choices, check_number, check_range, check_resolutions

__all__ = [
    "BaseTSPulse",
    "TimeBudget",
    "check_choice",
    "check_choices",
    "check_number",
    "check_range",
    "check_resolutions",
    "load_pyplot",
    "one_series",
    "single_axes",
    "stacked_axes",
]
