"""Gaps and what to fill them with."""

from .display import ImputationDisplay
from .imputer import TSPulseImputer

__all__ = ["ImputationDisplay", "TSPulseImputer"]
