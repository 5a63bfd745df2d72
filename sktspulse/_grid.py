"""Rows that a recording lacks altogether: put in where its time stamps leave them out."""

from __future__ import annotations

import sys
from typing import Any

from ._time_index import refuse_unsorted

__all__ = ["on_grid"]


def on_grid(X: Any, freq: str) -> Any:
    """Put rows without values in, so that time stamps are evenly spaced.

    Parameters
    ----------
    X : DataFrame with a DatetimeIndex
        The recording.
    freq : str
        Step of the grid, as pandas writes it.

    Returns
    -------
    DataFrame
        A copy with a row for every time of the grid from the first stamp to the last.

    Raises
    ------
    ValueError
        If X is no such data frame, if its stamps do not grow or are not on the grid, or if
        pandas does not know the frequency.
    """
    pandas = sys.modules.get("pandas")
    index = getattr(X, "index", None)
    if pandas is None or not isinstance(index, pandas.DatetimeIndex):
        raise ValueError(
            f"freq is {freq!r}, but X is of type {type(X).__name__} without time stamps. Pass a "
            "pandas data frame with a DatetimeIndex, or leave freq out."
        )
    refuse_unsorted(index)
    grid = pandas.date_range(index[0], index[-1], freq=freq, name=index.name)
    off = index.difference(grid)
    if len(off):
        raise ValueError(
            f"freq is {freq!r}, but {len(off)} of {len(index)} time stamps are not on that grid, "
            f"the first {off[0]}. Resample X, or name the step it has."
        )
    return X.reindex(grid)
