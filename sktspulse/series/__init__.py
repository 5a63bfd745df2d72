"""Time-series arrays in and out: validation, windows, gaps, time stamps."""

from .constraints import validated
from .interpolation import Neighbours, cubic, linear
from .runs import runs
from .tabular import PanelToTabular, TabularToPanel
from .time_index import TimeIndex, on_grid, refuse_disorder
from .types import Flags, Floats, Indices, Integers, Panel, Values
from .validation import check_panel, check_series, restorer
from .windows import Stitcher, resample, take_windows, window_starts

__all__ = [
    "Flags",
    "Floats",
    "Indices",
    "Integers",
    "Neighbours",
    "Panel",
    "PanelToTabular",
    "Stitcher",
    "TabularToPanel",
    "TimeIndex",
    "Values",
    "check_panel",
    "check_series",
    "cubic",
    "linear",
    "on_grid",
    "refuse_disorder",
    "resample",
    "restorer",
    "runs",
    "take_windows",
    "validated",
    "window_starts",
]
