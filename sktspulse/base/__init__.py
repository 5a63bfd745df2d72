"""What estimators and displays share.

What needs more than NumPy is imported on first use: exported models run without it.
"""

from typing import TYPE_CHECKING

from ..lazy import on_first_use
from .clock import TimeBudget
from .values import ValueDecoder, ValueEncoder

if TYPE_CHECKING:
    from .axes import (
        ALARM,
        CLASS_STYLES,
        ESTIMATE,
        MANY_POINTS,
        RECORDING,
        TRUTH,
        draw_channels,
        draw_legend,
        draw_series,
        ink,
        load_pyplot,
        merged_spans,
        one_series,
        plain_text,
        shade,
        single_axes,
        stacked_axes,
        thinned,
    )
    from .estimator import BaseTSPulse, fitted_network, load_opened
    from .interactive import interactive_figure
    from .saving import KIND, find_class_name, safetensors_path
    from .times import TimeAxis

__all__ = [
    "ALARM",
    "CLASS_STYLES",
    "ESTIMATE",
    "KIND",
    "MANY_POINTS",
    "RECORDING",
    "TRUTH",
    "BaseTSPulse",
    "TimeAxis",
    "TimeBudget",
    "ValueDecoder",
    "ValueEncoder",
    "draw_channels",
    "draw_legend",
    "draw_series",
    "find_class_name",
    "fitted_network",
    "ink",
    "interactive_figure",
    "load_opened",
    "load_pyplot",
    "merged_spans",
    "one_series",
    "plain_text",
    "safetensors_path",
    "shade",
    "single_axes",
    "stacked_axes",
    "thinned",
]

__getattr__ = on_first_use(
    __name__,
    {
        "axes": (
            "ALARM CLASS_STYLES ESTIMATE MANY_POINTS RECORDING TRUTH draw_channels draw_legend "
            "draw_series ink load_pyplot merged_spans one_series plain_text shade single_axes "
            "stacked_axes thinned"
        ),
        "estimator": "BaseTSPulse fitted_network load_opened",
        "interactive": "interactive_figure",
        "saving": "KIND find_class_name safetensors_path",
        "times": "TimeAxis",
    },
)
