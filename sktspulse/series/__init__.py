"""Time-series arrays in and out: validation, windows, gaps, time stamps.

What needs more than NumPy is imported on first use: exported models run without it.
"""

from typing import TYPE_CHECKING

from ..lazy import on_first_use
from .checks import (
    check_length,
    check_n_channels,
    check_no_infinity,
    check_same_channels,
    check_series_axes,
    check_series_length,
    is_panel,
    one_series_advice,
    recording_advice,
    split_array,
    stacked,
    trim_ends,
)
from .interpolation import Neighbors, interpolate_cubic, interpolate_linear
from .outliers import find_wild
from .runs import runs
from .seasonality import moving_sum, seasonal_period
from .stacks import stacks
from .time_index import Pace, asfreq, warn_user
from .types import Flags, Floats, Indices, Integers, Panel, Values
from .windows import Stitcher, downsample, resample, take_windows, window_starts

if TYPE_CHECKING:
    from .constraints import validated
    from .containers import Container
    from .conversion import convert_panel
    from .fitting import fitted_copy
    from .frames import channel_table
    from .long_tables import panel_from_long, panel_to_long
    from .numbers import read_floats
    from .output import OutputMixin
    from .panels import parse_panel, parse_series
    from .tabular import PanelToTabular, TabularToPanel
    from .validation import check_panel, check_restorable_panel, check_series

__all__ = [
    "Container",
    "Flags",
    "Floats",
    "Indices",
    "Integers",
    "Neighbors",
    "OutputMixin",
    "Pace",
    "Panel",
    "PanelToTabular",
    "Stitcher",
    "TabularToPanel",
    "Values",
    "asfreq",
    "channel_table",
    "check_length",
    "check_n_channels",
    "check_no_infinity",
    "check_panel",
    "check_restorable_panel",
    "check_same_channels",
    "check_series",
    "check_series_axes",
    "check_series_length",
    "convert_panel",
    "downsample",
    "find_wild",
    "fitted_copy",
    "interpolate_cubic",
    "interpolate_linear",
    "is_panel",
    "moving_sum",
    "one_series_advice",
    "panel_from_long",
    "panel_to_long",
    "parse_panel",
    "parse_series",
    "read_floats",
    "recording_advice",
    "resample",
    "runs",
    "seasonal_period",
    "split_array",
    "stacked",
    "stacks",
    "take_windows",
    "trim_ends",
    "validated",
    "warn_user",
    "window_starts",
]

__getattr__ = on_first_use(
    __name__,
    {
        "constraints": "validated",
        "containers": "Container",
        "conversion": "convert_panel",
        "fitting": "fitted_copy",
        "frames": "channel_table",
        "long_tables": "panel_from_long panel_to_long",
        "numbers": "read_floats",
        "output": "OutputMixin",
        "panels": "parse_panel parse_series",
        "tabular": "PanelToTabular TabularToPanel",
        "validation": "check_panel check_restorable_panel check_series",
    },
)
