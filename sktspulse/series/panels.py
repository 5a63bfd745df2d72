"""Panels in any container: arrays, lists of series, and data frames of four kinds.

A data frame has a row for each series, with its values in the columns or, nested, in the
cells; or an index of series and time, with a row for each moment. In a list of data frames,
rows are moments and columns are channels. Where a container could mean two things, the
error names both and the conversion for each.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
from sklearn.base import BaseEstimator

from .checks import check_same_channels, one_series_advice, split_array, stacked
from .containers import Restore, restorer
from .frames import as_frame, channel_table
from .numbers import as_floats, is_numeric, without_masks
from .time_index import TIME_NAMES, check_recordings, is_time_index, row_index, time_index
from .types import Panel, Values
from .xarrays import is_xarray, like_panel, panel_array

__all__ = ["ParsedPanel", "find_long_columns", "parse_panel", "parse_series"]

_ID_NAMES = {"id", "case", "case_id", "caseid", "series", "series_id", "instance", "instances"}


class ParsedPanel(NamedTuple):
    """The values of a panel, and what its container says beside them."""

    values: Panel
    is_flat: bool  # without an axis for channels
    table: Any  # has the number and the names of the features
    restore: Restore  # values of the same shape into the container


def parse_panel(X: Any, estimator: BaseEstimator | None = None) -> ParsedPanel:
    """Read a panel in any container.

    Parameters
    ----------
    X : array-like, data frame or sequence
        The panel.
    estimator : BaseEstimator, default=None
        The estimator that errors of scikit-learn name.

    Returns
    -------
    ParsedPanel
        The values are an array (n_series, n_channels, n_timepoints), or a list of arrays
        (n_channels, n_timepoints_i) if lengths or types differ.

    Raises
    ------
    ValueError
        If X is no panel, or if it is not certain what its rows are.
    TypeError
        If X holds objects that are not numbers.
    """
    if is_xarray(X):
        return _parse_xarray(X, estimator)
    frame = as_frame(X)
    if frame is not None:
        return _parse_frame(X, frame, estimator)
    X = without_masks(X)
    members = _members(X)
    return _parse_array(X, estimator) if members is None else _parse_members(members, estimator)


def parse_series(x: Any, name: str = "X") -> Values:
    """Read one series as (n_channels, n_timepoints): an array, or a data frame of moments."""
    return _parse_member(without_masks(x), name, None)


def find_long_columns(frame: nw.DataFrame[Any]) -> tuple[Any, Any]:
    """Guess which columns of a long table hold the id of the series and the time, or None."""
    times = [name for name in frame.columns if str(name).lower() in TIME_NAMES]
    times += [column.name for column in frame.iter_columns() if column.dtype.is_temporal()]
    rest = [column for column in frame.iter_columns() if column.name not in times[:1]]
    ids = [column.name for column in rest if str(column.name).lower() in _ID_NAMES]
    ids += [column.name for column in rest if not is_numeric(column)]
    return next(iter(ids), None), next(iter(times), None)


# Arrays


def _parse_array(X: Any, estimator: BaseEstimator | None) -> ParsedPanel:
    values = as_floats(estimator, X)
    panel, is_flat = split_array(values, one_series_advice(X))
    table = panel[:, 0] if is_flat else panel[0].T
    return ParsedPanel(panel, is_flat, table, lambda answer: np.reshape(answer, values.shape))


def _parse_xarray(X: Any, estimator: BaseEstimator | None) -> ParsedPanel:
    parsed = _parse_array(panel_array(X).to_numpy(), estimator)
    return parsed._replace(restore=lambda answer: like_panel(X, np.asarray(answer)))


# Lists


def _members(X: Any) -> list[Any] | None:
    """Return the series of X if it is a sequence of arrays or data frames, else None."""
    column = nw.from_native(X, pass_through=True, series_only=True)
    is_nested = isinstance(column, nw.Series) and column.dtype in (nw.List, nw.Array)
    is_nested |= getattr(X, "dtype", None) is np.dtype(object) and getattr(X, "ndim", 0) == 1
    if not (isinstance(X, list | tuple) or is_nested) or not len(X):
        return None
    series = [without_masks(one) for one in X]
    return series if all(_n_axes(one) in (1, 2) for one in series) else None


def _n_axes(array: Any) -> int:
    """Count axes; -1 for nested sequences of unequal length."""
    if as_frame(array) is not None:
        return 2
    try:
        return np.ndim(array)
    except ValueError:
        return -1


def _parse_members(members: list[Any], estimator: BaseEstimator | None) -> ParsedPanel:
    """Read the series one by one: data frames of moments, or arrays with time last."""
    members = _with_same_columns(members)
    panel = [_parse_member(one, f"Series {i} of X", estimator) for i, one in enumerate(members)]
    check_recordings([time_index(one) for one in members])
    check_same_channels(panel)
    restorers = [_member_restorer(one) for one in members]

    def restore(answer: Sequence[Values]) -> list[Any]:
        return [give(values) for give, values in zip(restorers, answer, strict=True)]

    return ParsedPanel(stacked(panel), False, _features(members, panel), restore)


def _features(members: list[Any], panel: list[Values]) -> Any:
    """Return what has the features: channels, or time points if the members are rows of numbers."""
    if as_frame(members[0]) is not None:
        return channel_table(members[0])
    shapes = {np.shape(one) if isinstance(one, list | tuple) else () for one in members}
    is_matrix = len(shapes) == 1 and len(shapes.pop()) == 1
    return np.concatenate(panel) if is_matrix else panel[0].T


def _with_same_columns(members: list[Any]) -> list[Any]:
    """Put the columns of all data frames into the order of the first."""
    frames = [(i, frame) for i, one in enumerate(members) if (frame := as_frame(one)) is not None]
    members = list(members)
    for i, frame in frames:
        first = frames[0][1].columns
        if set(frame.columns) != set(first):
            raise ValueError(
                f"Series {i} of X has columns {frame.columns[:3]}, but series {frames[0][0]} has "
                f"{first[:3]}. Rename or select columns, so that all data frames have the same."
            )
        members[i] = frame.select(first).to_native() if frame.columns != first else members[i]
    return members


def _parse_member(one: Any, name: str, estimator: BaseEstimator | None) -> Values:
    one = channel_table(one)
    frame = as_frame(one)
    if frame is None:
        return np.atleast_2d(as_floats(estimator, one, name))
    wrong = [column.name for column in frame.iter_columns() if not is_numeric(column)]
    if wrong:
        advice = f"[{_drop(frame, wrong).replace('X', 'one', 1)} for one in X]"
        raise ValueError(
            f"{name} has columns that are not numbers: {_first(wrong)}. Drop them, {advice}."
        )
    return as_floats(estimator, one, name).T


def _member_restorer(one: Any) -> Restore:
    if as_frame(one) is None and not is_xarray(one):
        return lambda values: values.reshape(np.shape(one))
    return lambda values: restorer(one)(values.T)


# Data frames


def _parse_frame(X: Any, frame: nw.DataFrame[Any], estimator: BaseEstimator | None) -> ParsedPanel:
    if getattr(getattr(X, "index", None), "nlevels", 1) > 1:
        return _parse_cases(X, frame, estimator)
    nested = [column.name for column in frame.iter_columns() if _is_nested(column)]
    if nested:
        return _parse_nested(X, frame, nested, estimator)
    _check_rows_are_series(X, frame)
    values = as_floats(estimator, X)
    return ParsedPanel(
        values[:, None], True, X, lambda answer: restorer(X)(np.stack([*answer])[:, 0])
    )


def _check_rows_are_series(X: Any, frame: nw.DataFrame[Any]) -> None:
    """Refuse a long table and a recording, whose rows are moments."""
    wrong = [column.name for column in frame.iter_columns() if not is_numeric(column)]
    times = [name for name in frame.columns if str(name).lower() in TIME_NAMES]
    if wrong or times:
        what = (
            f"columns that are not numbers: {_first(wrong)}" if wrong else f"a column {times[0]!r}"
        )
        raise ValueError(
            f"X has {what}, but each row must be a series. {_long_advice(frame)} Otherwise drop "
            f"columns, {_drop(frame, wrong or times)}."
        )
    index = row_index(X)
    if is_time_index(index) and not _are_moments(X.columns):
        raise ValueError(
            "X has time stamps in its index, so its rows may be the moments of one recording, but "
            "each row must be a series. If X is one recording, pass X.to_numpy().T[None]. If each "
            "row is a series, pass X.to_numpy()."
        )


def _long_advice(frame: nw.DataFrame[Any]) -> str:
    case, time = find_long_columns(frame)
    absent = " with the columns that name series and time" if None in (case, time) else ""
    case, time = ("..." if name is None else repr(name) for name in (case, time))
    return (
        f"If each row is one moment, pass sktspulse.panel_from_long(X, id={case}, time={time})[0]"
        f"{absent}."
    )


def _drop(frame: nw.DataFrame[Any], names: list[Any]) -> str:
    """Return how to drop columns, in the words of the library."""
    if frame.implementation.is_pandas_like():
        return f"X.drop(columns={names!r})" if len(names) <= 3 else "X.select_dtypes('number')"
    return f"X.drop({names!r})" if len(names) <= 3 else "X.select(polars.selectors.numeric())"


def _first(names: list[Any]) -> list[str]:
    return [str(name) for name in names[:3]]


def _are_moments(columns: Any) -> bool:
    """Return whether labels of columns say that these are time points."""
    pandas = sys.modules["pandas"]
    is_counted = isinstance(columns, pandas.RangeIndex)  # says nothing
    return is_time_index(columns) or (columns.dtype.kind in "iuf" and not is_counted)


def _parse_cases(X: Any, frame: nw.DataFrame[Any], estimator: BaseEstimator | None) -> ParsedPanel:
    """Read a pandas data frame with an index of series and time."""
    codes, _ = X.index.get_level_values(0).factorize()
    sizes = np.bincount(codes[codes >= 0])
    if not _has_times(X.index) or sizes.min() < X.shape[1] or (codes < 0).any():
        raise ValueError(_cases_advice(X.index))
    wrong = [column.name for column in frame.iter_columns() if not is_numeric(column)]
    if wrong:
        raise ValueError(
            f"X has columns that are not numbers: {_first(wrong)}. Drop them, "
            f"{_drop(frame, wrong)}."
        )
    rows = np.split(np.argsort(codes, kind="stable"), np.cumsum(sizes)[:-1])
    _check_times([X.index.get_level_values(1)[places] for places in rows])
    values = as_floats(estimator, X)

    def restore(answer: Sequence[Values]) -> Any:
        table = np.empty(values.shape, np.result_type(*answer))
        for places, one in zip(rows, answer, strict=True):
            table[places] = one.T
        return restorer(X)(table)

    return ParsedPanel(stacked([values[places].T for places in rows]), False, X, restore)


def _has_times(index: Any) -> bool:
    """Return whether the second of two levels can only be time."""
    level, name = index.levels[-1], str(index.names[-1]).lower()
    is_named = level.dtype.kind in "iuf" and name in TIME_NAMES
    return index.nlevels == 2 and (is_time_index(level) or is_named)


def _check_times(indexes: list[Any]) -> None:
    check_recordings(indexes)
    for i, index in enumerate(indexes):
        if not (index.is_monotonic_increasing and index.is_unique):
            raise ValueError(
                f"The times of series {i} of X are not strictly increasing. Pass X.sort_index(), "
                "and drop rows with the same id and time."
            )


def _cases_advice(index: Any) -> str:
    names = list(index.names)
    is_named = None not in names and len(set(names)) == len(names)
    new = names if is_named else ["id", *(f"level{i}" for i in range(1, len(names) - 1)), "time"]
    table = "X" if is_named else f"X.rename_axis({new!r})"
    return (
        f"X has an index of several levels, {names}, so a row may be a moment or a series. If it "
        f"is a moment, pass sktspulse.panel_from_long({table}, id={new[0]!r}, time={new[-1]!r})[0]"
        ". If it is a series, pass X.reset_index(drop=True)."
    )


def _is_nested(column: nw.Series[Any]) -> bool:
    if column.dtype != nw.Object:
        return column.dtype in (nw.List, nw.Array)
    cells = column.drop_nulls().to_list()
    return bool(cells) and all(_n_axes(cell) == 1 for cell in cells)


def _parse_nested(
    X: Any, frame: nw.DataFrame[Any], nested: list[Any], estimator: BaseEstimator | None
) -> ParsedPanel:
    """Read a data frame with a row for each series, a column for each channel."""
    others = [name for name in frame.columns if name not in nested]
    if others:
        raise ValueError(
            f"X has columns with series in their cells, {_first(nested)}, and others, "
            f"{_first(others)}. Drop the others, {_drop(frame, others)}."
        )
    rows = list(zip(*(frame.get_column(name).to_list() for name in nested), strict=True))
    panel = [_parse_cells(cells, f"Series {i} of X", estimator) for i, cells in enumerate(rows)]

    def restore(answer: Sequence[Values]) -> Any:
        filled = [map(_cell_like, cells, one) for cells, one in zip(rows, answer, strict=True)]
        columns = dict(zip(nested, map(list, zip(*filled, strict=True)), strict=True))
        table = frame.implementation.to_native_namespace().DataFrame(columns)
        has_index = frame.implementation.is_pandas_like()
        return table.set_axis(X.index).set_axis(X.columns, axis=1) if has_index else table

    return ParsedPanel(stacked(panel), False, X, restore)


def _cell_like(cell: Any, values: Values) -> Any:
    """Return values as a series of pandas, a list or an array, as the cell of a data frame is."""
    if row_index(cell) is not None:
        return type(cell)(values, index=cell.index, name=cell.name)
    return values.tolist() if isinstance(cell, list) else values


def _parse_cells(cells: Any, name: str, estimator: BaseEstimator | None) -> Values:
    check_recordings([row_index(cell) for cell in cells])
    channels = [
        as_floats(estimator, cell, name) if _n_axes(cell) else np.empty(0) for cell in cells
    ]  # nulls have no axes
    lengths = sorted({len(channel) for channel in channels if len(channel)})
    if len(lengths) != 1:
        raise ValueError(
            f"{name} has channels of {lengths[:3]} time points, but all need the same number. Pad "
            "the cells of each row with NaN to one length."
        )
    missing = np.full(lengths[0], np.nan, np.float32)
    return np.stack([channel if len(channel) else missing for channel in channels])
