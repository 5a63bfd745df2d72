"""Time stamps of recordings in data frames: checked on the way in, put back on the way out."""

from __future__ import annotations

import sys
import warnings
from typing import Any, NamedTuple

import numpy as np

__all__ = ["TimeIndex", "on_grid", "refuse_disorder", "refuse_unsorted"]


class TimeIndex(NamedTuple):
    """The index of a data frame if it holds times, else None."""

    stamps: Any

    @classmethod
    def of(cls, X: Any) -> TimeIndex:
        """Read the index of a recording.

        Parameters
        ----------
        X : object
            The recording, of any kind.

        Returns
        -------
        TimeIndex
            Its time stamps, if it is a pandas data frame that has some.

        Raises
        ------
        ValueError
            If a stamp is missing, or they do not grow from row to row.

        Warns
        -----
        UserWarning
            If they are not evenly spaced.
        """
        pandas = sys.modules.get("pandas")
        index = getattr(X, "index", None)
        if pandas is None or not isinstance(index, pandas.DatetimeIndex | pandas.TimedeltaIndex):
            return cls(None)
        refuse_unsorted(index)
        steps = np.diff(index.asi8)
        if len(steps) and steps.min() != steps.max():
            shortest, longest = (pandas.Timedelta(index[i + 1] - index[i]) for i in _ends(steps))
            warnings.warn(
                f"The time stamps of X are irregular: from {shortest} to {longest} apart. Rows "
                "are taken as evenly spaced; resample them, with NaN where nothing was read.",
                UserWarning,
                stacklevel=2,
            )
        return cls(index)

    def restore(self, values: Any, columns: Any = None) -> Any:
        """Give an array of one row a time stamp its index, if there is one.

        Parameters
        ----------
        values : ndarray of shape (n_timepoints,) or (n_timepoints, n_columns)
            What was computed.
        columns : sequence, default=None
            Names of the columns.

        Returns
        -------
        ndarray, Series or DataFrame
            The values.
        """
        if self.stamps is None:
            return values
        pandas = sys.modules["pandas"]
        if values.ndim == 1:
            return pandas.Series(values, index=self.stamps)
        return pandas.DataFrame(values, index=self.stamps, columns=columns)


def refuse_unsorted(index: Any) -> None:
    """Raise at the first row of an index of pandas that has no time, or where it does not grow."""
    for row in np.flatnonzero(index.isna())[:1]:
        raise ValueError(
            f"Row {row} of X has no time stamp: it is NaT, expected times that grow from row to "
            "row. Give it its time, or drop it."
        )
    for row in np.flatnonzero(index[1:] <= index[:-1])[:1] + 1:
        refuse_disorder(row, index[row], index[row - 1])


def refuse_disorder(row: int, stamp: Any, before: Any) -> None:
    """Raise if time goes backwards or stands still.

    Parameters
    ----------
    row : int
        Where the time stamp stands.
    stamp : Timestamp or Timedelta
        The time stamp.
    before : Timestamp or Timedelta
        The one before it.

    Raises
    ------
    ValueError
        If ``stamp`` is not later than ``before``.
    """
    if stamp <= before:
        raise ValueError(
            f"The time stamps of X do not grow: row {row} has {stamp}, after {before}. Sort the "
            "rows, and drop those that are there twice."
        )


def _ends(steps: Any) -> tuple[int, int]:
    return int(steps.argmin()), int(steps.argmax())


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
