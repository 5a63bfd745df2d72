"""Time-series arrays in and out: validation, windows, gaps, time stamps."""

from .constraints import validated
from .containers import Container
from .fitting import fitted_copy
from .interpolation import Neighbors, interpolate_cubic, interpolate_linear
from .long_tables import panel_from_long, panel_to_long
from .numbers import read_floats
from .outliers import find_wild
from .output import OutputMixin
from .panels import parse_panel, parse_series
from .runs import runs
from .seasonality import moving_sum, seasonal_period
from .stacks import stacks
from .tabular import PanelToTabular, TabularToPanel
from .time_index import Pace, asfreq, warn_user
from .types import Flags, Floats, Indices, Integers, Panel, Values
from .validation import check_panel, check_restorable_panel, check_series
from .windows import Stitcher, downsample, resample, take_windows, window_starts

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
    "check_panel",
    "check_restorable_panel",
    "check_series",
    "downsample",
    "find_wild",
    "fitted_copy",
    "interpolate_cubic",
    "interpolate_linear",
    "moving_sum",
    "panel_from_long",
    "panel_to_long",
    "parse_panel",
    "parse_series",
    "read_floats",
    "resample",
    "runs",
    "seasonal_period",
    "stacks",
    "take_windows",
    "validated",
    "warn_user",
    "window_starts",
]
