"""Answers about a recording in the container it came in: array, pandas or polars data frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import narwhals as nw
import numpy as np
from numpy.typing import ArrayLike

from .frames import as_frame, time_column, time_labels
from .time_index import row_index
from .types import Integers, Values
from .xarrays import is_xarray, like_recording, recording_frame

__all__ = ["Container", "Restore", "restorer", "to_library"]


Restore = Callable[[Any], Any]


def restorer(X: Any) -> Restore:
    """Return a function that puts values of the same shape into the container of X.

    Parameters
    ----------
    X : array-like, data frame or object of xarray
        The input, a recording.

    Returns
    -------
    callable
        Turns an array into a data frame with the library, index, time stamps and names of
        X. Columns have the type of those of X. Only if values of a column of integers are
        not those of X, or not whole where X has none, it becomes one of floats of the same
        kind, nullable or of Arrow. If X is no data frame, it returns the array.
    """
    if is_xarray(X):
        return partial(like_recording, X)
    frame = as_frame(X)
    return _unchanged if frame is None else partial(_restore_frame, X, frame)


def _unchanged(values: Values) -> Values:
    return values


def _restore_frame(X: Any, frame: nw.DataFrame[Any], values: Values) -> Any:
    time = time_column(frame)
    channels = [column for column in frame.iter_columns() if column.name != time]
    pairs = zip(channels, values.T, strict=True)
    table = frame.with_columns(*(_restore_column(*pair) for pair in pairs)).to_native()
    if getattr(X, "attrs", None):
        table.attrs = X.attrs
    return table


def _restore_column(column: nw.Series[Any], values: Values) -> nw.Series[Any]:
    if column.dtype.is_integer() or column.dtype == nw.Boolean:
        missing = column.is_null().to_numpy()
        whole = np.array(column.fill_null(0 if column.dtype.is_integer() else False).to_numpy())
        with np.errstate(invalid="ignore"):  # for NaN
            whole[missing] = values[missing].astype(whole.dtype)
        if (whole.astype(values.dtype) == values).all():  # so that the largest stay exact
            return _like(column, whole, column.dtype)
    return _like(column, values, column.dtype if column.dtype.is_float() else nw.Float64())


def _like(column: nw.Series[Any], values: Any, dtype: Any) -> nw.Series[Any]:
    """Return values as a column of the same kind: nullable or of Arrow, if that is."""
    new = nw.new_series(column.name, values, backend=column.implementation)
    if not column.implementation.is_pandas_like():
        return new.cast(dtype)
    native = new.to_native().set_axis(column.to_native().index)
    return nw.from_native(native.astype(_pandas_dtype(column, dtype)), series_only=True)


def _pandas_dtype(column: nw.Series[Any], dtype: Any) -> Any:
    if dtype == column.dtype:
        return column.to_native().dtype
    if column.dtype.is_integer() or column.dtype == nw.Boolean:
        return column[:0].cast(dtype).to_native().dtype
    return np.float64


def to_library(
    X: Any,
    library: Literal["default", "pandas", "polars"],
    names: Sequence[str],
    index: Any = None,
) -> Any:
    """Return a table as a data frame of a library, as ``set_output`` of scikit-learn asks.

    Parameters
    ----------
    X : array-like or data frame
        The table. Anything without two axes is returned as it is.
    library : {"default", "pandas", "polars"}
        The library; "default" returns X as it is.
    names : sequence of str
        Names of the columns. Others than there are columns are replaced by x0, x1, ...
    index : pandas.Index, default=None
        Labels of the rows of an array, for pandas.

    Returns
    -------
    data frame or array-like
        The table. An index is kept, and so are time stamps in a column: they are the index
        of pandas.
    """
    frame = as_frame(X)
    time = time_column(frame)
    is_table = frame is not None or (isinstance(X, np.ndarray) and X.ndim == 2)
    if library == "default" or not is_table:
        return X
    n_columns = X.shape[1] - (time is not None)
    if len(names) != n_columns:
        names = [f"x{i}" for i in range(n_columns)]
    if frame is None:
        table = nw.from_numpy(X, schema=list(names), backend=library).to_native()
        return table if index is None or library != "pandas" else table.set_axis(index)
    if frame.implementation != nw.Implementation.from_backend(library):
        columns = (one.to_numpy() for one in frame.iter_columns() if one.name != time)
        data = dict(zip(names, columns, strict=True))
        table = nw.from_dict(data, backend=library).to_native()
        return table if time is None or library != "pandas" else table.set_axis(time_labels(X))
    if frame.implementation.is_pandas_like():
        return X.set_axis(list(names), axis=1)
    channels = [name for name in frame.columns if name != time]
    return frame.rename(dict(zip(channels, names, strict=True))).to_native()


class Container:
    """The kind of container of a recording, with what says when its rows are, and column names.

    That is an index in libraries like pandas, the column of time stamps, if there is one, in
    others. Objects of xarray are as their data frame of pandas.

    Parameters
    ----------
    X : array-like, data frame or object of xarray, of shape (n_timepoints, n_channels)
        The recording.
    """

    def __init__(self, X: Any) -> None:
        X = recording_frame(X) if is_xarray(X) else X
        frame = as_frame(X)
        time = time_column(frame)
        self.is_frame = frame is not None
        self._backend = None if frame is None else frame.implementation
        has_index = frame is not None and frame.implementation.is_pandas_like()
        self.index: Any = X.index if has_index else None
        self._times = None if frame is None or time is None else frame.get_column(time)
        names = [] if frame is None else [name for name in frame.columns if name != time]
        self._names: Any = X.columns if has_index else names

    @property
    def has_labels(self) -> bool:
        """Whether rows have labels: those of an index, or time stamps."""
        return self.index is not None or self._times is not None

    def series(self, values: Values) -> Any:
        """Return one value a row: a series with the index if there is one, or the array."""
        if self.index is None:
            return values
        return self._library.Series(values, index=self.index)

    def table(self, values: Values, names: Sequence[str] | None = None) -> Any:
        """Return columns as a data frame with the index or the time stamps, or as the array.

        Their names are by default those of the channels.
        """
        if not self.is_frame:
            return values
        columns = self._names if names is None else list(names)
        if self.index is not None:
            return self._library.DataFrame(values, index=self.index, columns=columns)
        times = {} if self._times is None else {self._times.name: self._times}
        return self.new({**times, **dict(zip(columns, values.T, strict=True))})

    def new(self, columns: Mapping[str, ArrayLike]) -> Any:
        """Return a data frame of the same library, with an index of its own."""
        if self.index is None:
            data = {name: nw.to_native(one, pass_through=True) for name, one in columns.items()}
            return nw.from_dict(data, backend=self._backend).to_native()
        return self._library.DataFrame(columns)

    def labels(self, rows: Integers) -> Any:
        """Return what labels rows, without levels of an index that are the same in all."""
        return row_index(self)[rows] if self._times is None else self._times[rows.tolist()]

    def places(self, labels: Any) -> Integers:
        """Return the rows that have labels."""
        if self._times is None:
            return np.asarray(row_index(self).get_indexer(labels))
        return np.searchsorted(self._times.to_numpy(), np.asarray(labels))  # they are sorted

    def channels(self, places: Integers) -> Any:
        """Return the names of channels."""
        if self.index is None:
            return np.array(self._names, dtype=str)[places]
        return self._names.to_flat_index()[places]

    def channel_places(self, names: ArrayLike) -> Integers:
        """Return the numbers of channels with names."""
        known = list(self._names)
        return np.array([known.index(name) for name in np.asarray(names)], dtype=int)

    def row_labels(self, n_rows: int) -> Any:
        """Return labels of all rows: an index of one level, time stamps, or row numbers."""
        if self._times is not None:
            return nw.to_native(self._times)
        return np.arange(n_rows) if self.index is None else row_index(self)

    @property
    def _library(self) -> Any:
        return self._backend.to_native_namespace() if self._backend else None
