"""What the estimators and displays share."""

from .axes import load_pyplot
from .clock import Clock
from .estimator import BaseTSPulse
from .parameters import check_choice, check_choices, check_number, check_range, check_resolutions

__all__ = [
    "BaseTSPulse",
    "Clock",
    "check_choice",
    "check_choices",
    "check_number",
    "check_range",
    "check_resolutions",
    "load_pyplot",
]
