"""Convert between panels and long tables, which have a row for each moment of each series."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Literal

import narwhals as nw
import numpy as np
from numpy.typing import ArrayLike

from .frames import as_frame
from .numbers import as_floats, is_numeric
from .panels import parse_panel
from .types import Floats, Integers, Values

__all__ = ["panel_from_long", "panel_to_long"]


def panel_from_long(
    frame: Any, id: Hashable, time: Hashable, columns: Sequence[Hashable] | None = None
) -> tuple[list[Values], Any, list[Any]]:
    """Convert a long table to a panel.

    A long table has a row for each moment of each series, with the id of the series and the
    time in columns. Rows may be in any order and series of any length.

    Parameters
    ----------
    frame : pandas, polars or other data frame
        The table. For pandas, ``id`` and ``time`` may also be names of levels of the index.
    id : hashable
        Name of the column that says which series a row belongs to. Ids may have any type.
    time : hashable
        Name of the column to sort the rows of each series by: time stamps or numbers.
    columns : sequence of hashable, default=None
        Names of the columns to take as channels. None takes all others, which must be numbers.

    Returns
    -------
    X : list of ndarray of shape (n_channels, n_timepoints_i)
        The series, in the order in which their ids first appear.
    ids : Series of shape (n_series,)
        The id of each series, with the library and the type of the column.
    times : list of Series of shape (n_timepoints_i,)
        The times of each series, ascending.

    Raises
    ------
    ValueError
        If names are not those of columns, if channels are not numbers, if an id or a time is
        missing, or if a series has the same time twice.
    TypeError
        If ``frame`` is not a data frame.

    See Also
    --------
    panel_to_long : Convert a panel to a long table.
    PanelToTabular : Convert a panel to a table with one row per series.

    Notes
    -----
    Nulls are NaN. Rows are treated as evenly spaced: if times are irregular, resample the table
    first. Columns of float32 alone stay float32.

    Examples
    --------
    >>> import pandas as pd
    >>> from sktspulse import panel_from_long
    >>> table = pd.DataFrame(
    ...     {"pump": ["b", "a", "b", "b"], "hour": [2, 1, 1, 3], "flow": [0.2, 5.0, 0.1, 0.3]}
    ... )
    >>> X, ids, times = panel_from_long(table, id="pump", time="hour")
    >>> ids.tolist(), [series.tolist() for series in X]
    (['b', 'a'], [[[0.1, 0.2, 0.3]], [[5.0]]])
    """
    table = _with_index(frame, (id, time))
    channels: list[Any] = [name for name in table.columns if name not in (id, time)]
    channels = channels if columns is None else list(columns)
    _check_names(table.columns, id, time, channels)
    values = _channel_values(table, channels)
    ids, stamps = table.get_column(id), table.get_column(time)  # type: ignore[arg-type]
    _check_known(ids, stamps)
    codes, first = _codes(ids)
    ranks = stamps.rank("dense").to_numpy()
    order = np.lexsort((ranks, codes))
    _check_distinct(ids, stamps, order[1:][_are_repeated(codes[order], ranks[order])])
    rows = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    X = [np.ascontiguousarray(values[places].T) for places in rows]
    return X, _take(ids, first), [_take(stamps, places) for places in rows]


def panel_to_long(
    X: Any,
    ids: ArrayLike | None = None,
    times: Sequence[ArrayLike] | None = None,
    *,
    id: Hashable = "id",
    time: Hashable = "time",
    columns: Sequence[Hashable] | None = None,
    library: Literal["pandas", "polars"] | None = None,
) -> Any:
    """Convert a panel to a long table.

    A long table has a row for each moment of each series, with the id of the series and the
    time in columns.

    Parameters
    ----------
    X : array-like of shape (n_series, n_timepoints) or (n_series, n_channels, \
n_timepoints), or list of arrays of shape (n_channels, n_timepoints_i)
        The panel, in any container that the estimators take.
    ids : array-like of shape (n_series,), default=None
        The id of each series; None numbers them.
    times : sequence of array-like of shape (n_timepoints_i,), default=None
        The times of each series; None numbers the time points of each.
    id : hashable, default="id"
        Name of the column of ids.
    time : hashable, default="time"
        Name of the column of times.
    columns : sequence of hashable, default=None
        Names of the channels; None takes ``ch0``, ``ch1``, ...
    library : {"pandas", "polars"}, default=None
        Library of the data frame; None takes that of ``ids``, or pandas.

    Returns
    -------
    data frame
        Columns of ids, of times, and of each channel. Missing values stay, as NaN.

    Raises
    ------
    ValueError
        If X is no panel, or if there are not as many ids, times or names as needed.

    See Also
    --------
    panel_from_long : Convert a long table to a panel.
    PanelToTabular : Convert a panel to a table with one row per series.

    Examples
    --------
    >>> from sktspulse import panel_to_long
    >>> table = panel_to_long([[0.1, 0.2], [5.0]], ids=["b", "a"], columns=["flow"])
    >>> table.to_numpy().tolist()
    [['b', 0, 0.1], ['b', 1, 0.2], ['a', 0, 5.0]]
    """
    panel = parse_panel(X).values
    names = [f"ch{c}" for c in range(len(panel[0]))] if columns is None else list(columns)
    lengths = [series.shape[1] for series in panel]
    series = nw.from_native(ids, pass_through=True, series_only=True)
    known = series.implementation if isinstance(series, nw.Series) else "pandas"
    backend = nw.Implementation.from_backend(library or known)
    ids = np.arange(len(panel)) if ids is None else ids
    times = [np.arange(n) for n in lengths] if times is None else times
    stamps = [_as_series(one, backend) for one in times]
    _check_counts(panel, len(ids), [len(one) for one in stamps], [id, time, *names])  # type: ignore[arg-type]
    rows = np.repeat(np.arange(len(panel)), lengths)
    values = np.concatenate(list(panel), axis=1)
    table = {id: _take(_as_series(ids, backend), rows), time: _concatenated(stamps)}
    return backend.to_native_namespace().DataFrame(table | dict(zip(names, values, strict=True)))


def _with_index(frame: Any, names: Sequence[Hashable]) -> nw.DataFrame[Any]:
    """Wrap a data frame, with levels of its index as columns where they are wanted."""
    if as_frame(frame) is None:
        raise TypeError(
            f"frame is of type {type(frame).__name__}, expected a data frame, such as of pandas "
            "or polars. Call collect() on a lazy frame."
        )
    levels = getattr(getattr(frame, "index", None), "names", [])
    wanted = [name for name in names if name in levels and name not in frame.columns]
    table = as_frame(frame.reset_index(level=wanted) if wanted else frame)
    assert table is not None  # noqa: S101, for mypy
    return table


def _check_names(
    known: Sequence[Hashable], id: Hashable, time: Hashable, channels: list[Any]
) -> None:
    names = [id, time, *channels]
    if not channels or len(set(names)) < len(names) or not set(names) <= set(known):
        raise ValueError(
            f"id={id!r}, time={time!r} and columns={channels[:3]!r} must be names of different "
            f"columns, and at least one channel, but frame has columns {list(known)[:5]}."
        )


def _channel_values(table: nw.DataFrame[Any], channels: list[Any]) -> Values:
    wrong = [name for name in channels if not is_numeric(table.get_column(name))]
    if wrong:
        raise ValueError(
            f"frame has columns that are not numbers: {wrong[:3]}. Pass the names of those to take "
            "as channels: columns=[...]."
        )
    return as_floats(None, table.select(channels).to_native(), "frame")


def _check_known(*columns: nw.Series[Any]) -> None:
    for column in columns:
        missing = column.is_null()
        missing = missing | column.is_nan() if column.dtype.is_float() else missing
        if missing.any():
            row = int(np.flatnonzero(missing.to_numpy())[0])
            raise ValueError(
                f"Row {row} of frame has no value in column {column.name!r}, but each row needs "
                "an id and a time. Drop such rows."
            )


def _codes(ids: nw.Series[Any]) -> tuple[Integers, list[int]]:
    """Return the number of each id in the order in which they appear, and their first rows."""
    places: dict[Any, int] = {}
    codes = np.array([places.setdefault(value, len(places)) for value in ids.to_list()])
    return codes, np.unique(codes, return_index=True)[1].tolist()


def _are_repeated(codes: Integers, ranks: Floats) -> Any:
    return (np.diff(codes) == 0) & (np.diff(ranks) == 0)


def _check_distinct(ids: nw.Series[Any], stamps: nw.Series[Any], rows: Integers) -> None:
    if len(rows):
        row = int(rows[0])
        raise ValueError(
            f"{len(rows)} rows of frame have an id and a time that occurred before; the first is "
            f"{ids.name}={ids[row]}, {stamps.name}={stamps[row]}. Drop or average duplicates."
        )


def _take(column: nw.Series[Any], rows: Any) -> Any:
    """Return some rows as a series of the library."""
    native = column[list(map(int, rows))].to_native()
    return native.reset_index(drop=True) if hasattr(native, "reset_index") else native


def _as_series(values: Any, backend: nw.Implementation) -> nw.Series[Any]:
    column = nw.from_native(values, pass_through=True, series_only=True)
    if isinstance(column, nw.Series) and column.implementation == backend:
        return column
    values = column.to_list() if isinstance(column, nw.Series) else values
    return nw.new_series("", values, backend=backend)  # type: ignore[arg-type]


def _concatenated(columns: list[nw.Series[Any]]) -> Any:
    """Return series one after the other as one of the library."""
    frames = [column.alias("time").to_frame() for column in columns]
    native = nw.concat(frames).get_column("time").to_native()
    return native.reset_index(drop=True) if hasattr(native, "reset_index") else native


def _check_counts(panel: Any, n_ids: int, n_times: list[int], names: list[Any]) -> None:
    lengths = [series.shape[1] for series in panel]
    if n_ids != len(panel) or n_times != lengths or len(names) != 2 + len(panel[0]):
        raise ValueError(
            f"X has {len(panel)} series of {len(panel[0])} channels and {sum(lengths)} time "
            f"points, but there are {n_ids} ids, {len(n_times)} times of {sum(n_times)} time "
            f"points, and {len(names) - 2} columns. Pass as many of each."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"The columns {names} have names in common. Pass other names.")
