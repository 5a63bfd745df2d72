"""Gaps and what to fill them with.

What needs torch is imported on first use: exported models run without it.
"""

from typing import TYPE_CHECKING

from ..lazy import on_first_use
from .candidates import CandidateReader
from .gap_filler import GapFiller

if TYPE_CHECKING:
    from .display import ImputationDisplay
    from .imputer import TSPulseImputer, imputer_parts

__all__ = [
    "CandidateReader",
    "GapFiller",
    "ImputationDisplay",
    "TSPulseImputer",
    "imputer_parts",
]

__getattr__ = on_first_use(
    __name__,
    {"display": "ImputationDisplay", "imputer": "TSPulseImputer imputer_parts"},
)
