"""The door: whatever comes in is checked here, once, and becomes plain arrays of floats.

NaN, and the nulls of data frames, mean missing; infinity is an error; nothing given is
changed. Errors say what came, what was expected, and what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from .types import Panel, Values

__all__ = ["Restore", "check_panel", "check_series", "restorer"]

Restore = Callable[[Values], Any]

_FLOATS = (np.float64, np.float32)
_RULES: dict[str, Any] = {
    "dtype": _FLOATS,
    "ensure_all_finite": False,
    "ensure_2d": False,
    "allow_nd": True,
}


def check_panel(estimator: BaseEstimator, X: Any, *, reset: bool, min_timepoints: int) -> Panel:
    """Check a panel.

    Sets or checks ``n_features_in_``, ``feature_names_in_`` and ``n_channels_in_``. With
    two axes the features are the time points, whose number is that fitted; otherwise
    they are the channels, and series may have any length.

    Parameters
    ----------
    estimator : BaseEstimator
        Who asks.
    X : array-like of shape (n_series, n_timepoints) or (n_series, n_channels, \
n_timepoints), data frame, or sequence of arrays of unequal length
        The panel. Arrays in a sequence are ``(n_channels, n_timepoints_i)`` or, for one
        channel, ``(n_timepoints_i,)``.
    reset : bool
        Whether to learn the number of channels and features rather than check it.
    min_timepoints : int
        Least length of a series.

    Returns
    -------
    ndarray of shape (n_series, n_channels, n_timepoints), or list of ndarray of shape \
(n_channels, n_timepoints_i)
        The values, NaN where missing, float32 or float64; each series of a list has its
        own type. They may share memory with X.

    Raises
    ------
    ValueError
        If X is empty, holds infinity, has other axes or channels, or is too short.
    TypeError
        If X is sparse or holds things that are not numbers.
    """
    panel, is_flat = _read_panel(estimator, X)
    # One channel may come with two axes or three, also to the same estimator.
    by_time = is_flat and (reset or not _knows_only_channels(estimator))
    columns = _columns(X, np.asarray(panel)[:, 0]) if by_time else None
    agree = partial(_check_features, estimator, columns, len(panel[0]), reset=reset)
    remedy = "Pass X[:, None, :], which may have any length, or fit again."
    if not reset:
        agree(remedy)
    _check_length(estimator, min(one.shape[1] for one in panel), min_timepoints, is_flat)
    _refuse_infinity(panel)
    if reset:
        agree(remedy)
    return panel


def check_series(
    estimator: BaseEstimator, X: Any, *, reset: bool, min_timepoints: int
) -> tuple[Values, Restore]:
    """Check one recording.

    Sets or checks ``n_features_in_``, ``feature_names_in_`` and ``n_channels_in_``.

    Parameters
    ----------
    estimator : BaseEstimator
        Who asks.
    X : array-like or data frame of shape (n_timepoints, n_channels)
        The recording.
    reset : bool
        Whether to learn the number of channels rather than check it.
    min_timepoints : int
        Least number of rows.

    Returns
    -------
    values : ndarray of shape (n_timepoints, n_channels)
        The values, NaN where missing, float32 or float64. They may share memory with X.
    restore : callable
        Puts values of the same shape into the container X came in: a data frame of the
        same kind with the same index and column names, or an array. Columns of float32
        stay so, all others become float64.

    Raises
    ------
    ValueError
        If X is empty, holds infinity, has other axes or channels, or is too short.
    TypeError
        If X is sparse or holds things that are not numbers.
    """
    values = _as_floats(estimator, X)
    if values.ndim != 2:
        raise ValueError(
            f"X has shape {values.shape}, expected (n_timepoints, n_channels). "
            "Reshape your data: X.reshape(-1, 1) is a recording of one channel."
        )
    columns = _columns(X, values)
    agree = partial(_check_features, estimator, columns, values.shape[1], reset=reset)
    remedy = "Fit again or select columns."
    if not reset:
        agree(remedy)
    if len(values) < min_timepoints:
        raise ValueError(
            f"X has {len(values)} time points (n_samples = {len(values)}), but "
            f"{_name(estimator)} needs at least {min_timepoints}. Record longer, or transpose X "
            "if its rows are the channels."
        )
    _refuse_infinity([values])
    if reset:
        agree(remedy)
    return values, restorer(X)


def _name(estimator: BaseEstimator) -> str:
    return type(estimator).__name__


def _read_panel(estimator: BaseEstimator, X: Any) -> tuple[Panel, bool]:
    """Return the panel, and whether it came without an axis for channels."""
    series = _as_sequence(X)
    if series is not None and len({np.shape(one) for one in series}) > 1:
        return _read_ragged(estimator, series), False
    values = _as_floats(estimator, X if series is None else np.asarray(series))
    if values.ndim not in (2, 3):
        raise ValueError(
            f"X has shape {values.shape}, expected (n_series, n_timepoints) or (n_series, "
            "n_channels, n_timepoints). Reshape your data: X.reshape(1, -1) is a panel of one "
            "series."
        )
    if 0 in values.shape:
        raise ValueError(
            f"X has shape {values.shape}, expected at least one series, channel and time point. "
            "Look for what left it empty."
        )
    return values.reshape(len(values), -1, values.shape[-1]), values.ndim == 2


def _as_sequence(X: Any) -> list[Any] | None:
    """Return the series of X if it is a sequence of arrays, else None."""
    is_sequence = isinstance(X, list | tuple)
    is_nested = getattr(X, "dtype", None) is np.dtype(object) and getattr(X, "ndim", 0) == 1
    if not (is_sequence or is_nested) or not len(X):
        return None
    series = list(X)
    return series if all(_n_axes(one) in (1, 2) for one in series) else None


def _n_axes(array: Any) -> int:
    """Count axes; -1 for nested sequences of unequal length."""
    try:
        return np.ndim(array)
    except ValueError:
        return -1


def _read_ragged(estimator: BaseEstimator, series: list[Any]) -> list[Values]:
    read = [
        np.atleast_2d(_as_floats(estimator, one, f"Series {i} of X"))
        for i, one in enumerate(series)
    ]
    counts = sorted({len(one) for one in read})
    if len(counts) > 1:
        raise ValueError(
            f"X holds series of {counts} channels, but all should have the same. Pass arrays of "
            "shape (n_channels, n_timepoints), transposed if time came first."
        )
    return read


def _as_floats(estimator: BaseEstimator, X: Any, name: str = "X") -> Values:
    _refuse_columns(X)
    if isinstance(X, list | tuple) and not len(X):
        raise ValueError(
            f"{name} holds nothing: found array with 0 sample(s), expected at least 1. Look for "
            "what left it empty."
        )
    with _explained(name):
        values: Values = check_array(X, input_name=name, estimator=estimator, **_RULES)
    return values


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Add a remedy when something cannot be turned into numbers."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if "float" not in str(error) and "sequence" not in str(error):
            raise
        remedy = "Every value should be a number, or NaN where missing: convert or drop the others."
        raise type(error)(f"{name} cannot be read as numbers: {error}. {remedy}") from error


def _refuse_columns(X: Any) -> None:
    """Refuse data frames with dates, text and the like; some would turn into numbers."""
    frame = _as_frame(X)
    if frame is None:
        return
    wrong = [str(column.name) for column in frame.iter_columns() if not _is_number(column)]
    if wrong:
        raise ValueError(
            f"X has columns that are not numbers: {wrong}. Convert or drop them; what tells the "
            "time belongs in the index."
        )


def _is_number(column: nw.Series[Any]) -> bool:
    if column.dtype == nw.String:
        return column.is_null().all()
    # Columns of Python objects, or of nothing but nulls, are looked into later.
    return column.dtype.is_numeric() or column.dtype in (nw.Boolean, nw.Object, nw.Unknown)


def _as_frame(X: Any) -> nw.DataFrame[Any] | None:
    frame = nw.from_native(X, pass_through=True, eager_only=True)
    return frame if isinstance(frame, nw.DataFrame) else None


def _columns(X: Any, values: Values) -> Any:
    """Return what tells number and names of the features: the data frame, or the values."""
    return values if _as_frame(X) is None else X


def _knows_only_channels(estimator: BaseEstimator) -> bool:
    """Tell whether the features fitted with are channels, so that any length will do."""
    return bool(estimator.n_features_in_ == estimator.n_channels_in_)


def _check_features(
    estimator: BaseEstimator, columns: Any, n_channels: int, remedy: str, *, reset: bool
) -> None:
    """Learn or check features and channels; no columns means that channels are features."""
    if columns is not None:
        _check_columns(estimator, columns, remedy, reset=reset)
    if reset:
        estimator.n_channels_in_ = n_channels
    elif n_channels != estimator.n_channels_in_:
        raise ValueError(
            f"X has {n_channels} channels, but {_name(estimator)} was fitted with "
            f"{estimator.n_channels_in_}. Fit again or select channels."
        )
    if reset and columns is None:
        estimator.n_features_in_ = n_channels
        vars(estimator).pop("feature_names_in_", None)


def _check_columns(estimator: BaseEstimator, columns: Any, remedy: str, *, reset: bool) -> None:
    try:
        validate_data(estimator, columns, reset=reset, skip_check_array=True)
    except ValueError as error:
        raise ValueError(f"{error} {remedy}") from error


def _check_length(estimator: BaseEstimator, shortest: int, least: int, is_flat: bool) -> None:
    if shortest < least:
        place = f" (n_features = {shortest})" if is_flat else ""
        raise ValueError(
            f"X has a series of length {shortest}{place}, but {_name(estimator)} needs at least "
            f"{least} time points. Leave such series out, or transpose X if time is not its last "
            "axis."
        )


def _refuse_infinity(arrays: Iterable[Values]) -> None:
    if any(np.isinf(values).any() for values in arrays):
        raise ValueError(
            "X contains infinity (inf), expected finite numbers, or NaN where missing. Replace "
            "inf by NaN if it stands for a value that was not measured."
        )


def restorer(X: Any) -> Restore:
    """Return what puts values of the same shape into the container X came in.

    Parameters
    ----------
    X : array-like or data frame
        The input.

    Returns
    -------
    callable
        Maps an array to a data frame of the same kind, index and column names, or to itself.
    """
    frame = _as_frame(X)
    if frame is None:
        return lambda values: values
    kinds = {
        name: dtype if dtype == nw.Float32 else nw.Float64 for name, dtype in frame.schema.items()
    }

    def restore(values: Values) -> Any:
        columns = zip(kinds.items(), values.T, strict=True)
        series = [
            nw.new_series(name, column, dtype, backend=frame.implementation)
            for (name, dtype), column in columns
        ]
        return frame.with_columns(*series).to_native()

    return restore
