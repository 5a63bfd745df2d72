"""Validate the input of estimators: every container becomes arrays of floats.

NaN and the nulls of data frames mean missing; infinity is an error. The input is never
changed, and an estimator is only changed if its input is valid.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from .checks import (
    check_length,
    check_n_channels,
    check_no_infinity,
    check_series_axes,
    check_series_length,
    recording_advice,
    trim_ends,
)
from .containers import Restore, restorer
from .frames import as_frame, channel_table
from .numbers import as_floats, is_numeric
from .panels import parse_panel
from .time_index import Pace, warn_user
from .types import Panel, Values

__all__ = ["check_panel", "check_restorable_panel", "check_series"]

_N_POINTS = 8  # of a patch: fewer have no shape


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
        its own type. Time points at the end of a series at which all channels are missing
        are removed, down to ``min_timepoints``. The values may share memory with X.

    Raises
    ------
    ValueError
        If X is empty, holds infinity, has other axes or channels, or is too short.
    TypeError
        If X is sparse or holds objects that are not numbers.
    """
    panel, _ = check_restorable_panel(estimator, X, reset=reset, min_timepoints=min_timepoints)
    return trim_ends(panel, min_timepoints)


def check_restorable_panel(
    estimator: BaseEstimator, X: Any, *, reset: bool, min_timepoints: int
) -> tuple[Panel, Restore]:
    """Validate a panel as :func:`check_panel`, but keep the missing values at its ends.

    Parameters
    ----------
    estimator : BaseEstimator
        The estimator that gets X.
    X : array-like, data frame or sequence
        The panel.
    reset : bool
        Whether to set the attributes, as in ``fit``, rather than check them.
    min_timepoints : int
        Minimum length of a series.

    Returns
    -------
    values : ndarray or list of ndarray
        The values.
    restore : callable
        Function from values of the same shape to the container of X.
    """
    panel, is_flat, table, restore = parse_panel(X, estimator)
    n_channels = len(panel[0])
    # One channel may come with two axes or three, in fit as well as afterwards.
    by_time = is_flat and (reset or estimator.n_features_in_ != estimator.n_channels_in_)
    if not reset:
        if by_time:
            array = "X" if as_frame(X) is None else "X.to_numpy()"
            remedy = f"Pass {array}[:, None, :], which may have any length, or fit again."
            _check_columns(estimator, table, remedy)
        elif not is_flat and as_frame(table) is not None:
            _check_columns(estimator, table, "Fit again or select columns.")
        check_n_channels(_name(estimator), n_channels, estimator.n_channels_in_)
    shortest = min(series.shape[1] for series in panel)
    check_length(_name(estimator), shortest, min_timepoints, is_flat)
    check_no_infinity(panel)
    if reset:
        _set_features(estimator, table if by_time or not is_flat else panel[0].T, n_channels)
    _warn_of_shape(X, panel, shortest, is_flat=is_flat)
    return panel, restore


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
    channels = channel_table(X)
    _check_column_types(channels)
    values = as_floats(estimator, channels)
    check_series_axes(values, recording_advice(X, values.ndim))
    table = _table(channels, values)
    if not reset:
        _check_columns(estimator, table, "Fit again or select columns.")
        check_n_channels(_name(estimator), values.shape[1], estimator.n_channels_in_)
    check_series_length(_name(estimator), values, min_timepoints)
    check_no_infinity([values])
    if reset:
        _set_features(estimator, table, values.shape[1])
    return values, restorer(X)


def _name(estimator: BaseEstimator) -> str:
    return type(estimator).__name__


def _check_column_types(X: Any) -> None:
    """Reject data frames with dates, text and the like, some of which numpy would convert."""
    frame = as_frame(X)
    columns = [] if frame is None else frame.iter_columns()
    wrong = [column for column in columns if not is_numeric(column)]
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
        "Convert or drop them. Time stamps belong in the index of a pandas data frame, or in a "
        "column of dates of another library; if a column names recordings, pass one of them at a "
        "time."
    )


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


def _warn_of_shape(X: Any, panel: Panel, shortest: int, *, is_flat: bool) -> None:
    """Warn of a shape that suggests that the axes are in another order."""
    n_channels = len(panel[0])
    if shortest >= max(_N_POINTS, n_channels):
        return
    is_list = isinstance(X, list | tuple)
    if n_channels > shortest:
        swapped = "[numpy.transpose(one) for one in X]" if is_list else "X.swapaxes(1, 2)"
        advice = f"If time comes before channels, pass {swapped}."
    elif is_flat or (is_list and all(np.ndim(one) == 1 for one in X)):
        array = "X" if as_frame(X) is None else "X.to_numpy()"
        array = "numpy.array(X)" if is_list else array
        advice = f"If the rows of X are the moments of one recording, pass {array}.T[None]."
    else:
        advice = "Pass longer series."
    warn_user(
        f"X is read as {len(panel)} series of {n_channels} channels and, the shortest, {shortest} "
        f"time points. Fewer time points than {_N_POINTS}, or than channels, are unusual. {advice} "
        "If the shape is right, ignore this warning: "
        "warnings.filterwarnings('ignore', 'X is read as')."
    )
