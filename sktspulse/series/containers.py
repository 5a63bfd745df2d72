"""Answers about a recording in the container it came in: array, pandas or polars data frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import narwhals as nw
import numpy as np
from numpy.typing import ArrayLike

from .time_index import row_index
from .types import Integers, Values

__all__ = ["Container", "Restore", "as_frame", "restorer", "to_library"]

Restore = Callable[[Values], Any]


def as_frame(X: Any) -> nw.DataFrame[Any] | None:
    """Wrap a data frame of any library; None for everything else."""
    if isinstance(X, np.ndarray):  # which narwhals takes a while to find out
        return None
    frame = nw.from_native(X, pass_through=True, eager_only=True)
    return frame if isinstance(frame, nw.DataFrame) else None


def restorer(X: Any) -> Restore:
    """Return a function that puts values of the same shape into the container of X.

    Parameters
    ----------
    X : array-like or data frame
        The input.

    Returns
    -------
    callable
        Turns an array into a data frame with the library, index and column names of X;
        columns of float32 stay so, others become float64. If X is no data frame, it
        returns the array.
    """
    frame = as_frame(X)
    if frame is None:
        return lambda values: values
    dtypes = {
        name: dtype if dtype == nw.Float32 else nw.Float64 for name, dtype in frame.schema.items()
    }

    def restore(values: Values) -> Any:
        columns = [
            nw.new_series(name, column, dtype, backend=frame.implementation)
            for (name, dtype), column in zip(dtypes.items(), values.T, strict=True)
        ]
        return frame.with_columns(*columns).to_native()

    return restore


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
        The table. An index is kept.
    """
    frame = as_frame(X)
    is_table = frame is not None or (isinstance(X, np.ndarray) and X.ndim == 2)
    if library == "default" or not is_table:
        return X
    if len(names) != X.shape[1]:
        names = [f"x{i}" for i in range(X.shape[1])]
    if frame is None:
        table = nw.from_numpy(X, schema=list(names), backend=library).to_native()
        return table if index is None or library != "pandas" else table.set_axis(index)
    if frame.implementation != nw.Implementation.from_backend(library):
        columns = (column.to_numpy() for column in frame.iter_columns())
        return nw.from_dict(dict(zip(names, columns, strict=True)), backend=library).to_native()
    if frame.implementation.is_pandas_like():
        return X.set_axis(list(names), axis=1)
    return frame.rename(dict(zip(frame.columns, names, strict=True))).to_native()


class Container:
    """The kind of container of a recording, with its index and column names.

    Libraries like pandas have an index, polars and the others have none.

    Parameters
    ----------
    X : array-like or data frame of shape (n_timepoints, n_channels)
        The recording.
    """

    def __init__(self, X: Any) -> None:
        frame = as_frame(X)
        self.is_frame = frame is not None
        self._backend = None if frame is None else frame.implementation
        has_index = frame is not None and frame.implementation.is_pandas_like()
        self.index: Any = X.index if has_index else None
        self._names: Any = getattr(X, "columns", None)

    def series(self, values: Values) -> Any:
        """Return one value a row: a series with the index if there is one, or the array."""
        if self.index is None:
            return values
        return self._library.Series(values, index=self.index)

    def table(self, values: Values, names: Sequence[str] | None = None) -> Any:
        """Return columns as a data frame with the index, or as the array.

        Their names are by default those of the channels.
        """
        if not self.is_frame:
            return values
        columns = self._names if names is None else list(names)
        if self.index is None:
            return self.new(dict(zip(columns, values.T, strict=True)))
        return self._library.DataFrame(values, index=self.index, columns=columns)

    def new(self, columns: Mapping[str, ArrayLike]) -> Any:
        """Return a data frame of the same library, with an index of its own."""
        if self.index is None:
            return nw.from_dict(columns, backend=self._backend).to_native()
        return self._library.DataFrame(columns)

    def labels(self, rows: Integers) -> Any:
        """Return what the index says of rows, without levels that are the same in all."""
        return row_index(self)[rows]

    def places(self, labels: Any) -> Integers:
        """Return the rows that have labels."""
        return np.asarray(row_index(self).get_indexer(labels))

    def channels(self, places: Integers) -> Any:
        """Return the names of channels."""
        if self.index is None:
            return np.array(self._names, dtype=str)[places]
        return self._names.to_flat_index()[places]

    def channel_places(self, names: ArrayLike) -> Integers:
        """Return the numbers of channels with names."""
        known = list(self._names)
        return np.array([known.index(name) for name in np.asarray(names)], dtype=int)

    def positions(self, n_rows: int) -> Any:
        """Return where rows lie on an axis of time: labels of the index, or row numbers."""
        if self.index is None:
            return np.arange(n_rows)
        index = row_index(self)
        return np.asarray(index.to_timestamp() if hasattr(index, "to_timestamp") else index)

    @property
    def _library(self) -> Any:
        return self._backend.to_native_namespace() if self._backend else None
