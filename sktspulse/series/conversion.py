"""Panels in the containers of other libraries."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Literal, NamedTuple

import numpy as np

from .checks import padded, stacked, trim_ends
from .panels import parse_panel
from .time_index import row_index
from .types import Panel, Values
from .xarrays import is_xarray, panel_array

__all__ = ["convert_panel"]


class _Labels(NamedTuple):
    """What the container of a panel says of its series, time points and channels, or None."""

    ids: Any = None
    times: Any = None  # one index for each series
    names: Any = None


def convert_panel(
    X: Any,
    to: Literal["aeon", "sktime", "nested", "tslearn", "xarray"],
    *,
    time_first: bool = False,
) -> Any:
    """Convert a panel to the container of another library.

    The estimators read all of these containers but those of tslearn, so this is for the other
    direction, and for arrays with time before channels.

    Parameters
    ----------
    X : array-like, data frame, DataArray, Dataset or sequence of them
        The panel, in any container that the estimators take.
    to : {"aeon", "sktime", "nested", "tslearn", "xarray"}
        What to convert it to. ``"aeon"`` is also what most other libraries take.
    time_first : bool, default=False
        Whether the series in X are arrays ``(n_timepoints, n_channels)``, as those of tslearn.
        Time points at the end of a series at which all channels are missing are then taken for
        padding, and removed.

    Returns
    -------
    ndarray, list of ndarray, DataFrame or DataArray
        For ``"aeon"`` an array of shape (n_series, n_channels, n_timepoints), or a list of
        arrays (n_channels, n_timepoints_i) if lengths differ; for ``"sktime"`` a data frame
        with an index of series and time (``pd-multiindex``); for ``"nested"`` one with series
        in its cells (``nested_univ``); for ``"tslearn"`` an array of shape (n_series,
        n_timepoints, n_channels), padded with NaN; for ``"xarray"`` a DataArray with the
        dimensions series, channel and time, padded with NaN. Labels of series, time points and
        channels are kept where both containers have them.

    Raises
    ------
    ValueError
        If X is no panel, or ``to`` is none of these.
    ImportError
        If pandas or xarray is needed and not installed.

    See Also
    --------
    panel_to_long : Converts a panel to a long table, with ids and times of your choice.
    PanelToTabular : Converts a panel to a table with one row per series.

    Notes
    -----
    Values are not copied unless they have to be. Missing values are NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse import convert_panel
    >>> X = [np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([[7.0, 8.0], [9.0, 0.0]])]
    >>> padded = convert_panel(X, "tslearn")
    >>> padded.shape
    (2, 3, 2)
    >>> [series.shape for series in convert_panel(padded, "aeon", time_first=True)]
    [(2, 3), (2, 2)]
    >>> convert_panel(X, "sktime").shape
    (5, 2)
    """
    if to not in _WRITERS:
        raise ValueError(f"to is {to!r}, expected one of {list(_WRITERS)}. Choose one of them.")
    if time_first:
        panel: Panel = stacked(list(trim_ends(parse_panel(_time_last(X)).values, 1)))
        return _WRITERS[to](panel, _Labels())
    return _WRITERS[to](parse_panel(X).values, _read_labels(X))


def _time_last(X: Any) -> Any:
    if isinstance(X, np.ndarray) and X.ndim == 3:
        return X.swapaxes(1, 2)
    if isinstance(X, list | tuple) and all(np.ndim(one) == 2 for one in X):
        return [np.transpose(one) for one in X]
    raise ValueError(
        f"time_first=True needs an array (n_series, n_timepoints, n_channels) or a list of arrays "
        f"(n_timepoints, n_channels), but X is of type {type(X).__name__}, or of other axes. Leave "
        "time_first out: data frames say which axis is which."
    )


def _read_labels(X: Any) -> _Labels:
    if is_xarray(X):
        return _xarray_labels(panel_array(X))
    if isinstance(X, list | tuple):
        times = [row_index(one) for one in X]
        return (
            _Labels(None, times, X[0].columns)
            if all(one is not None for one in times)
            else _Labels()
        )
    index: Any = getattr(X, "index", None)
    if not hasattr(index, "nlevels") or not hasattr(X, "columns"):
        return _Labels()
    if index.nlevels == 2:
        ids = index.get_level_values(0).unique()
        groups = X.groupby(level=0, sort=False).indices
        return _Labels(ids, [index[groups[one]].get_level_values(1) for one in ids], X.columns)
    if all(dtype.kind in "biuf" for dtype in X.dtypes):
        return _Labels(index)
    times = [row_index(cell) for cell in X.iloc[:, 0]]
    return _Labels(index, None if any(one is None for one in times) else times, X.columns)


def _xarray_labels(array: Any) -> _Labels:
    indexes = [array.indexes.get(name) for name in array.dims]
    times = None if indexes[-1] is None else [indexes[-1]] * array.shape[0]
    return _Labels(indexes[0], times, indexes[1] if array.ndim == 3 else None)


def _to_aeon(panel: Panel, labels: _Labels) -> Panel:
    return panel


def _to_tslearn(panel: Panel, labels: _Labels) -> Values:
    return np.ascontiguousarray(padded(panel).swapaxes(1, 2))


def _to_xarray(panel: Panel, labels: _Labels) -> Any:
    xarray = _load("xarray")
    coordinates = {"series": labels.ids, "channel": labels.names}
    if labels.times is not None:
        longest = max(labels.times, key=len)
        is_common = all(one.equals(longest[: len(one)]) for one in labels.times)
        coordinates["time"] = longest if is_common else None
    known = {name: np.asarray(one) for name, one in coordinates.items() if one is not None}
    return xarray.DataArray(padded(panel), dims=("series", "channel", "time"), coords=known)


def _to_sktime(panel: Panel, labels: _Labels) -> Any:
    pandas = _load("pandas")
    ids, times, names = _all_labels(panel, labels)
    rows = np.repeat(np.arange(len(panel)), [len(one) for one in times])
    levels = [ids[rows], times[0].append(times[1:])]
    heads = [ids.name or "instances", times[0].name or "timepoints"]
    index = pandas.MultiIndex.from_arrays(levels, names=heads)
    return pandas.DataFrame(np.concatenate(list(panel), axis=1).T, index, names)


def _to_nested(panel: Panel, labels: _Labels) -> Any:
    pandas = _load("pandas")
    ids, times, names = _all_labels(panel, labels)
    cells = [
        [pandas.Series(x, when) for x, when in zip(channel, times, strict=True)]
        for channel in zip(*panel, strict=True)
    ]
    return pandas.DataFrame(dict(enumerate(cells)), ids).set_axis(names, axis=1)


def _all_labels(panel: Panel, labels: _Labels) -> tuple[Any, Any, Any]:
    """Return the labels, with numbers for what has none."""
    pandas = _load("pandas")
    ids, times, names = labels
    ids = pandas.RangeIndex(len(panel)) if ids is None else ids
    times = [pandas.RangeIndex(one.shape[1]) for one in panel] if times is None else times
    names = [f"ch{c}" for c in range(len(panel[0]))] if names is None else names
    return ids, times, names


def _load(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"This container is one of {name}: pip install {name}.") from error


_WRITERS: dict[str, Callable[[Panel, _Labels], Any]] = {
    "aeon": _to_aeon,
    "sktime": _to_sktime,
    "nested": _to_nested,
    "tslearn": _to_tslearn,
    "xarray": _to_xarray,
}
