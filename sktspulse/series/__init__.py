"""Time-series arrays in and out: validation, windows, gaps, time stamps."""

from .constraints import validated
from .containers import Container, restorer, to_library
from .fitting import fitted_copy
from .interpolation import Neighbors, interpolate_cubic, interpolate_linear
from .outliers import find_wild
from .runs import runs
from .seasonality import moving_sum, seasonal_period
from .tabular import PanelToTabular, TabularToPanel
from .time_index import Pace, asfreq
from .types import Flags, Floats, Indices, Integers, Panel, Values
from .validation import check_panel, check_series, read_floats
from .windows import Stitcher, resample, take_windows, window_starts

__all__ = [
    "Container",
    "Flags",
    "Floats",
    "Indices",
    "Integers",
    "Neighbors",
    "Pace",
    "Panel",
    "PanelToTabular",
    "Stitcher",
    "TabularToPanel",
    "Values",
    "asfreq",
    "check_panel",
    "check_series",
    "find_wild",
    "fitted_copy",
    "interpolate_cubic",
    "interpolate_linear",
    "moving_sum",
    "read_floats",
    "resample",
    "restorer",
    "runs",
    "seasonal_period",
    "take_windows",
    "to_library",
    "validated",
    "window_starts",
]
