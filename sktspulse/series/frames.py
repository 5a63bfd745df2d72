"""Data frames of any library: which columns are channels, and which one holds the time."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import narwhals as nw
import numpy as np

from .xarrays import is_xarray, recording_frame, reindexed, time_coordinate

__all__ = ["as_frame", "channel_table", "time_column", "time_labels", "with_stamps"]

_TIMES = (nw.Datetime, nw.Date, nw.Duration)


def as_frame(X: Any) -> nw.DataFrame[Any] | None:
    """Wrap a data frame of any library; None for everything else."""
    if isinstance(X, np.ndarray):  # which narwhals takes a while to find out
        return None
    frame = nw.from_native(X, pass_through=True, eager_only=True)
    return frame if isinstance(frame, nw.DataFrame) else None


def time_column(frame: nw.DataFrame[Any] | None) -> str | None:
    """Return the column that holds the time stamps of a recording, if it has one.

    Libraries with an index have the stamps there. A ValueError says if there are several columns.
    """
    if frame is None or frame.implementation.is_pandas_like():
        return None
    names = [column.name for column in frame.iter_columns() if column.dtype in _TIMES]
    if len(names) > 1:
        raise ValueError(
            f"X has several columns of time stamps or durations, {names[:3]}. Keep the one that "
            "says when a row was recorded, and drop or convert the others."
        )
    return names[0] if names else None


def channel_table(X: Any) -> Any:
    """Return what holds the channels of a recording: X without time stamps, as a data frame."""
    if is_xarray(X):
        return recording_frame(X)
    frame = as_frame(X)
    name = time_column(frame)
    return X if frame is None or name is None else frame.drop(name).to_native()


def time_labels(X: Any) -> Any:
    """Return the time stamps of xarray, or of a column, as an index of pandas; None without."""
    if is_xarray(X):
        return time_coordinate(X)
    frame = as_frame(X)
    name = time_column(frame)
    if frame is None or name is None:
        return None
    column = frame.get_column(name)
    column = column.cast(nw.Datetime) if column.dtype == nw.Date else column
    zone = getattr(column.dtype, "time_zone", None)
    index = _load_pandas(name).Index(column.to_numpy(), name=name)
    return index if zone is None else index.tz_localize("UTC").tz_convert(zone)


def with_stamps(X: Any, stamps: Any) -> Any:
    """Return a recording without a pandas index with a row for each of the time stamps."""
    frame = as_frame(X)
    name = time_column(frame)
    if frame is None or name is None:
        return reindexed(X, stamps)
    dtype = frame.schema[name]
    utc = stamps.tz_convert("UTC").tz_localize(None) if getattr(stamps, "tz", None) else stamps
    column = nw.new_series(name, utc.to_numpy(), backend=frame.implementation)
    if getattr(dtype, "time_zone", None):
        column = column.dt.replace_time_zone("UTC")
    rows = column.cast(dtype).to_frame()
    return rows.join(frame, on=name, how="left").select(frame.columns).sort(name).to_native()


def _load_pandas(name: str) -> Any:
    try:
        return import_module("pandas")
    except ImportError as error:
        raise ImportError(
            f"The time stamps in column {name!r} of X are checked by pandas, which is not "
            "installed: pip install pandas. Or drop the column."
        ) from error
