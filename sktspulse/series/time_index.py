"""Time stamps of pandas data frames: checked on input, put back on output.

pandas is optional. A time index can only come from a program that has imported it.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any, NamedTuple

import numpy as np

__all__ = ["TimeIndex", "asfreq", "check_sorted"]


class TimeIndex(NamedTuple):
    """The time stamps of the rows of a recording, or None if it has none."""

    stamps: Any

    @classmethod
    def from_input(cls, X: Any, after: Any = None) -> TimeIndex:
        """Read the index of a recording in any container, if it holds times.

        Time stamps that are missing or not strictly increasing are an error; irregular
        ones raise a warning. ``after`` is the last time stamp before X, if there is one.
        """
        pandas = sys.modules.get("pandas")
        index = getattr(X, "index", None)
        if pandas is None or not isinstance(index, pandas.DatetimeIndex | pandas.TimedeltaIndex):
            return cls(None)
        check_sorted(index)
        if after is not None and index[0] <= after:
            raise _unsorted(0, index[0], after)
        _warn_if_irregular(index)
        return cls(index)

    def restore(self, values: Any, columns: Any = None) -> Any:
        """Return values of the rows as a Series or DataFrame, or as they are without stamps."""
        if self.stamps is None:
            return values
        pandas = sys.modules["pandas"]
        if values.ndim == 1:
            return pandas.Series(values, index=self.stamps)
        return pandas.DataFrame(values, index=self.stamps, columns=columns)


def asfreq(X: Any, freq: str) -> Any:
    """Insert rows of NaN for missing time stamps, so that rows are evenly spaced.

    Like :meth:`pandas.DataFrame.asfreq`, but time stamps that do not fit are an error.
    """
    pandas = sys.modules.get("pandas")
    index = getattr(X, "index", None)
    if pandas is None or not isinstance(index, pandas.DatetimeIndex):
        raise ValueError(
            f"freq={freq!r} needs a pandas data frame with a DatetimeIndex, but X is of type "
            f"{type(X).__name__} without one. Set the index, or leave freq out."
        )
    check_sorted(index)
    grid = pandas.date_range(index[0], index[-1], freq=freq, name=index.name)
    off = index.difference(grid)
    if len(off):
        raise ValueError(
            f"{len(off)} of the {len(index)} time stamps of X do not fit freq={freq!r}; the first "
            f"is {off[0]}. Resample X, or pass the time between its rows as freq."
        )
    return X.reindex(grid)


def check_sorted(index: Any) -> None:
    """Raise at the first time stamp that is missing or not later than the one before."""
    for row in np.flatnonzero(index.isna())[:1]:
        raise ValueError(
            f"Row {row} of X has no time stamp (NaT), but each row needs one. Set it or drop the "
            "row."
        )
    for row in np.flatnonzero(index[1:] <= index[:-1])[:1] + 1:
        raise _unsorted(row, index[row], index[row - 1])


def _unsorted(row: int, stamp: Any, previous: Any) -> ValueError:
    return ValueError(
        f"The time stamps of X are not strictly increasing: row {row} has {stamp}, after "
        f"{previous}. Sort the rows and drop duplicates."
    )


def _warn_if_irregular(index: Any) -> None:
    steps = index[1:] - index[:-1]
    if len(steps) and steps.min() != steps.max():
        warnings.warn(
            f"The time stamps of X are irregular: from {steps.min()} to {steps.max()} apart. Rows "
            "are treated as evenly spaced. Resample X, with NaN where nothing was recorded.",
            UserWarning,
            stacklevel=4,
        )
