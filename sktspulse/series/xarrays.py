"""Objects of xarray, whose dimensions say which axis is which.

xarray is optional. Its objects can only come from a program that has imported it.
"""

from __future__ import annotations

import sys
from typing import Any

from .time_index import TIME_NAMES, is_time_index
from .types import Values

__all__ = [
    "is_xarray",
    "like_panel",
    "like_recording",
    "panel_array",
    "recording_frame",
    "reindexed",
    "time_coordinate",
]

_CHANNEL_NAMES = {"channel", "channels", "variable", "variables", "feature", "features", "sensor"}


def is_xarray(X: Any) -> bool:
    """Return whether X is a DataArray or a Dataset."""
    xarray = sys.modules.get("xarray")
    return xarray is not None and isinstance(X, (xarray.DataArray, xarray.Dataset))


def time_coordinate(X: Any) -> Any:
    """Return the time stamps of X as an index of pandas, or None."""
    return X.indexes.get(_time_dim(X))


def reindexed(X: Any, stamps: Any) -> Any:
    """Return X with a row for each of the time stamps, NaN where there was none."""
    return X.reindex({_time_dim(X): stamps})


def recording_frame(X: Any) -> Any:
    """Return a recording as a data frame of pandas with an index of time."""
    if not hasattr(X, "data_vars"):
        values = _time_first(X)
        return values.to_pandas() if X.ndim == 2 else values.to_series().to_frame(X.name or "x0")
    if len(X.dims) != 1:
        raise ValueError(
            f"X is a Dataset with the dimensions {list(X.dims)}, expected one, time. Select one "
            "recording, as by X.isel(station=0), or pass X.to_dataarray()."
        )
    return X.reset_coords(drop=True).to_dataframe()


def like_recording(X: Any, values: Values) -> Any:
    """Put values (n_timepoints, n_channels) into an object like a recording of xarray."""
    if hasattr(X, "data_vars"):
        return X.copy(data=dict(zip(X.data_vars, values.T, strict=True)))
    first = _time_first(X)
    return first.copy(data=values.reshape(first.shape)).transpose(*X.dims)


def panel_array(X: Any) -> Any:
    """Return a panel with the axes of series, channels, if there is one, and time."""
    array = X.to_dataarray("channel") if hasattr(X, "data_vars") else X
    time = _time_dim(array) or array.dims[-1]
    others = [name for name in array.dims if name != time]
    channels = [name for name in others if str(name).lower() in _CHANNEL_NAMES]
    if len(others) == 1 and channels:
        raise ValueError(
            f"X has the dimensions {list(array.dims)}, so it is one recording, but a panel of "
            "series is needed. Pass X.expand_dims('series')."
        )
    return array.transpose(*[name for name in others if name not in channels], *channels, time)


def like_panel(X: Any, values: Values) -> Any:
    """Put values of the shape of :func:`panel_array` into an object like a panel of xarray."""
    array = panel_array(X)
    array = array.copy(data=values.reshape(array.shape))
    if not hasattr(X, "data_vars"):
        return array.transpose(*X.dims)
    columns = {name: array.sel(channel=name).transpose(*X[name].dims).data for name in X.data_vars}
    return X.copy(data=columns)


def _time_first(X: Any) -> Any:
    if X.ndim not in (1, 2):
        raise ValueError(
            f"X has the dimensions {list(X.dims)}, expected time and channels. Select one "
            "recording, as by X.isel(station=0)."
        )
    time = _time_dim(X) or X.dims[0]
    return X.transpose(time, *[name for name in X.dims if name != time])


def _time_dim(X: Any) -> Any:
    """Return the dimension with time stamps, or with the name of time, or None."""
    stamped = [name for name in X.dims if is_time_index(X.indexes.get(name))]
    named = [name for name in X.dims if str(name).lower() in TIME_NAMES]
    return next(iter([*stamped, *named]), None)
