"""What estimators and displays share.

What needs more than NumPy is imported on first use: exported models run without it.
"""

from typing import TYPE_CHECKING

from ..lazy import on_first_use
from .clock import TimeBudget
from .values import ValueDecoder, ValueEncoder

if TYPE_CHECKING:
    from .axes import load_pyplot, one_series, shorten_dates, single_axes, stacked_axes
    from .estimator import BaseTSPulse, fitted_network, load_opened
    from .saving import KIND, find_class_name, safetensors_path

__all__ = [
    "KIND",
    "BaseTSPulse",
    "TimeBudget",
    "ValueDecoder",
    "ValueEncoder",
    "find_class_name",
    "fitted_network",
    "load_opened",
    "load_pyplot",
    "one_series",
    "safetensors_path",
    "shorten_dates",
    "single_axes",
    "stacked_axes",
]

__getattr__ = on_first_use(
    __name__,
    {
        "axes": "load_pyplot one_series shorten_dates single_axes stacked_axes",
        "estimator": "BaseTSPulse fitted_network load_opened",
        "saving": "KIND find_class_name safetensors_path",
    },
)
