"""Validate the input of estimators: every container becomes arrays of floats.

NaN and the nulls of data frames mean missing; infinity is an error. The input is never
changed, and an estimator is only changed if its input is valid.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import narwhals as nw
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from .containers import Restore, as_frame, restorer
from .time_index import Pace
from .types import Panel, Values

__all__ = ["check_panel", "check_series", "read_floats"]

_RULES: dict[str, Any] = {
    "dtype": (np.float64, np.float32),
    "ensure_all_finite": False,
    "ensure_2d": False,
    "allow_nd": True,
}


def check_panel(estimator: BaseEstimator, X: Any, *, reset: bool, min_timepoints: int) -> Panel:
    """Validate a panel.

    Sets or checks ``n_features_in_``, ``feature_names_in_`` and ``n_channels_in_``. The
    features of a panel with two axes are its time points, so their number is fixed.
    Otherwise they are the channels, and series may have any length.

    Parameters
    ----------
    estimator : BaseEstimator
        The estimator that gets X.
    X : array-like of shape (n_series, n_timepoints) or (n_series, n_channels, \
n_timepoints), data frame, or sequence of arrays of unequal length
        The panel. Arrays in a sequence are ``(n_channels, n_timepoints_i)`` or, for one
        channel, ``(n_timepoints_i,)``.
    reset : bool
        Whether to set the attributes, as in ``fit``, rather than check them.
    min_timepoints : int
        Minimum length of a series.

    Returns
    -------
    ndarray of shape (n_series, n_channels, n_timepoints), or list of ndarray of shape \
(n_channels, n_timepoints_i)
        The values, NaN where missing, float32 or float64; each series of a list keeps
        its own type. They may share memory with X.

    Raises
    ------
    ValueError
        If X is empty, holds infinity, has other axes or channels, or is too short.
    TypeError
        If X is sparse or holds objects that are not numbers.
    """
    panel, is_flat = _read_panel(estimator, X)
    n_channels = len(panel[0])
    # One channel may come with two axes or three, in fit as well as afterwards.
    by_time = is_flat and (reset or estimator.n_features_in_ != estimator.n_channels_in_)
    table = _table(X, np.asarray(panel)[:, 0]) if by_time else panel[0].T
    if not reset:
        if by_time:
            remedy = "Pass X[:, None, :], which may have any length, or fit again."
            _check_columns(estimator, table, remedy)
        _check_n_channels(estimator, n_channels)
    _check_length(estimator, min(series.shape[1] for series in panel), min_timepoints, is_flat)
    _check_no_infinity(panel)
    if reset:
        _set_features(estimator, table, n_channels)
    return panel


def check_series(
    estimator: BaseEstimator,
    X: Any,
    *,
    reset: bool,
    min_timepoints: int,
    pace: Pace | None = None,
) -> tuple[Values, Restore]:
    """Validate one recording and its time stamps.

    Irregular time stamps raise a warning. Sets or checks ``n_features_in_``,
    ``feature_names_in_`` and ``n_channels_in_``.

    Parameters
    ----------
    estimator : BaseEstimator
        The estimator that gets X.
    X : array-like or data frame of shape (n_timepoints, n_channels)
        The recording.
    reset : bool
        Whether to set the attributes, as in ``fit``, rather than check them.
    min_timepoints : int
        Minimum number of rows.
    pace : Pace, default=None
        What is known of the time stamps of earlier rows.

    Returns
    -------
    values : ndarray of shape (n_timepoints, n_channels)
        The values, NaN where missing, float32 or float64. They may share memory with X.
    restore : callable
        Function from :func:`restorer`.

    Raises
    ------
    ValueError
        If X is empty, holds infinity, has other axes or channels, or is too short, or if
        it has time stamps that are missing or not strictly increasing.
    TypeError
        If X is sparse or holds objects that are not numbers.
    """
    remedy = "Resample X or set freq" if hasattr(estimator, "freq") else "Resample X"
    (pace or Pace()).check(X, remedy)
    values = _to_floats(estimator, X)
    if values.ndim != 2:
        raise ValueError(
            f"X has shape {values.shape}, expected (n_timepoints, n_channels). Reshape your data: "
            "X.reshape(-1, 1) is a recording of one channel."
        )
    table = _table(X, values)
    if not reset:
        _check_columns(estimator, table, "Fit again or select columns.")
        _check_n_channels(estimator, values.shape[1])
    if len(values) < min_timepoints:
        raise ValueError(
            f"X has {len(values)} time points (n_samples = {len(values)}), but "
            f"{_name(estimator)} needs at least {min_timepoints}. Pass a longer recording, or "
            "transpose X if its rows are channels."
        )
    _check_no_infinity([values])
    if reset:
        _set_features(estimator, table, values.shape[1])
    return values, restorer(X)


def read_floats(X: Any, **rules: Any) -> Values:
    """Read an array-like as floats, with NaN for what numpy.ma masks and for pandas.NA.

    Parameters
    ----------
    X : array-like or data frame
        Numbers; the container may hold Python objects.
    **rules : Any
        Parameters of :func:`sklearn.utils.check_array` other than those of recordings.

    Returns
    -------
    ndarray
        The values, float32 or float64. They may share memory with X.
    """
    X, rules = _without_masks(X), {**_RULES, **rules}
    try:
        with np.errstate(invalid="ignore"):  # when the check adds up the largest numbers
            values: Values = check_array(X, **rules)
    except TypeError as error:
        if not str(error).endswith(("'NAType'", "'NaTType'")):
            raise
        objects = np.array(X, dtype=object)
        objects[sys.modules["pandas"].isna(objects)] = np.nan
        values = check_array(objects, **rules)
    return values


def _name(estimator: BaseEstimator) -> str:
    return type(estimator).__name__


def _read_panel(estimator: BaseEstimator, X: Any) -> tuple[Panel, bool]:
    """Return the panel, and whether it came without an axis for channels."""
    series = _as_sequence(X)
    if series is not None and len({np.shape(one) for one in series}) > 1:
        return _read_ragged(estimator, series), False
    values = _to_floats(estimator, X if series is None else np.asarray(series))
    if values.ndim not in (2, 3) or 0 in values.shape:
        raise ValueError(
            f"X has shape {values.shape}, expected (n_series, n_timepoints) or (n_series, "
            "n_channels, n_timepoints), none of them 0. Reshape your data: X.reshape(1, -1) is a "
            "panel of one series."
        )
    return values.reshape(len(values), -1, values.shape[-1]), values.ndim == 2


def _as_sequence(X: Any) -> list[Any] | None:
    """Return the series of X if it is a sequence of arrays, else None."""
    is_sequence = isinstance(X, list | tuple)
    is_nested = getattr(X, "dtype", None) is np.dtype(object) and getattr(X, "ndim", 0) == 1
    if not (is_sequence or is_nested) or not len(X):
        return None
    series = [_without_masks(one) for one in X]
    return series if all(_n_axes(one) in (1, 2) for one in series) else None


def _n_axes(array: Any) -> int:
    """Count axes; -1 for nested sequences of unequal length."""
    try:
        return np.ndim(array)
    except ValueError:
        return -1


def _read_ragged(estimator: BaseEstimator, series: list[Any]) -> list[Values]:
    panel = [
        np.atleast_2d(_to_floats(estimator, one, f"Series {i} of X"))
        for i, one in enumerate(series)
    ]
    counts = sorted({len(one) for one in panel})
    if len(counts) > 1:
        raise ValueError(
            f"X has series with {counts[:3]} channels, but all need the same number. Pass arrays "
            "of shape (n_channels, n_timepoints); transpose them if time is their first axis."
        )
    return panel


def _to_floats(estimator: BaseEstimator, X: Any, name: str = "X") -> Values:
    _check_column_types(X)
    try:
        return read_floats(X, input_name=name, estimator=estimator)
    except (TypeError, ValueError) as error:
        if "float" not in str(error) and "sequence" not in str(error):
            raise
        raise type(error)(
            f"{name} cannot be read as numbers: {error}. Convert or drop all values that are "
            "neither numbers nor NaN."
        ) from error


def _without_masks(X: Any) -> Any:
    """Replace what numpy.ma masks, in an array or a sequence of arrays, by NaN."""
    if isinstance(X, list | tuple):
        return [_without_masks(one) for one in X] if _holds_masks(X) else X
    if not isinstance(X, np.ma.MaskedArray):
        return X
    keeps_type = X.dtype in _RULES["dtype"] or X.dtype.kind not in "biuf"
    return np.ma.filled(X if keeps_type else X.astype(float), np.nan)


def _holds_masks(X: Any) -> bool:
    return any(
        isinstance(one, np.ma.MaskedArray) or (isinstance(one, list | tuple) and _holds_masks(one))
        for one in X
    )


def _check_column_types(X: Any) -> None:
    """Reject data frames with dates, text and the like, some of which numpy would convert."""
    frame = as_frame(X)
    columns = [] if frame is None else frame.iter_columns()
    wrong = [column for column in columns if not _may_be_numeric(column)]
    if wrong:
        raise ValueError(
            f"X has columns that are not numbers: {[str(one.name) for one in wrong[:3]]}. "
            f"{_column_advice(wrong)}"
        )


def _column_advice(wrong: list[nw.Series[Any]]) -> str:
    for column in wrong:
        if column.dtype.is_temporal() and column.implementation.is_pandas_like():
            return f"Put time stamps into the index, X.set_index({column.name!r})."
    return (
        "Convert or drop them. Time stamps belong in the index of a pandas data frame; if a column "
        "names recordings, pass one of them at a time."
    )


def _may_be_numeric(column: nw.Series[Any]) -> bool:
    if column.dtype == nw.String:
        return column.is_null().all()
    # check_array decides about columns of Python objects, or of nothing but nulls.
    return column.dtype.is_numeric() or column.dtype in (nw.Boolean, nw.Object, nw.Unknown)


def _table(X: Any, values: Values) -> Any:
    """Return what has the number and the names of the features."""
    return values if as_frame(X) is None else X


def _set_features(estimator: BaseEstimator, table: Any, n_channels: int) -> None:
    validate_data(estimator, table, reset=True, skip_check_array=True)
    estimator.n_channels_in_ = n_channels


def _check_columns(estimator: BaseEstimator, table: Any, remedy: str) -> None:
    try:
        validate_data(estimator, table, reset=False, skip_check_array=True)
    except ValueError as error:
        raise ValueError(f"{error} {remedy}") from error


def _check_n_channels(estimator: BaseEstimator, n_channels: int) -> None:
    if n_channels != estimator.n_channels_in_:
        raise ValueError(
            f"X has {n_channels} channels, but {_name(estimator)} was fitted with "
            f"{estimator.n_channels_in_}. Fit again or select channels."
        )


def _check_length(estimator: BaseEstimator, shortest: int, minimum: int, is_flat: bool) -> None:
    if shortest < minimum:
        features = f" (n_features = {shortest})" if is_flat else ""
        raise ValueError(
            f"X has a series of length {shortest}{features}, but {_name(estimator)} needs at "
            f"least {minimum} time points. Drop such series, or transpose X if time is not its "
            "last axis."
        )


def _check_no_infinity(arrays: Iterable[Values]) -> None:
    if any(np.isinf(values).any() for values in arrays):
        raise ValueError(
            "X contains infinity (inf), expected finite numbers, or NaN where missing. Replace "
            "inf by NaN if it marks values that were not measured."
        )
