"""Numbers of any container as floats; dates, text and other objects are refused.

NaN, the nulls of data frames and what numpy.ma masks mean missing.
"""

from __future__ import annotations

import datetime
import sys
from typing import Any

import narwhals as nw
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array

from .frames import as_frame
from .types import Values

__all__ = ["as_floats", "is_numeric", "read_floats", "without_masks"]

_RULES: dict[str, Any] = {
    "dtype": (np.float64, np.float32),
    "ensure_all_finite": False,
    "ensure_2d": False,
    "allow_nd": True,
}
_TIMES = (np.datetime64, np.timedelta64, datetime.date, datetime.time, datetime.timedelta)


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

    Raises
    ------
    ValueError
        If X holds dates or durations, which numpy would convert.
    """
    X, rules = without_masks(X), {**_RULES, **rules}
    X = np.asarray(X) if isinstance(X, list | tuple) else X
    _refuse_times(X, rules.get("input_name") or "X")
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


def as_floats(estimator: BaseEstimator | None, X: Any, name: str = "X") -> Values:
    """Read as :func:`read_floats`, with an error that says what to do about other objects."""
    try:
        return read_floats(X, input_name=name, estimator=estimator)
    except (TypeError, ValueError) as error:
        if "float" not in str(error) and "sequence" not in str(error):
            raise
        raise type(error)(
            f"{name} cannot be read as numbers: {error}. {_advice(X)}".replace("..", ".")
        ) from error


def without_masks(X: Any) -> Any:
    """Replace what numpy.ma masks, in an array or a sequence of arrays, by NaN."""
    if isinstance(X, list | tuple):
        return [without_masks(one) for one in X] if _holds_masks(X) else X
    if not isinstance(X, np.ma.MaskedArray):
        return X
    keeps_type = X.dtype in _RULES["dtype"] or X.dtype.kind not in "biuf"
    if X.dtype.kind in "mM":
        return X.data  # refused later
    return np.ma.filled(X if keeps_type else X.astype(float), np.nan)


def is_numeric(column: nw.Series[Any]) -> bool:
    """Return whether a column of a data frame can hold numbers only."""
    if column.dtype == nw.String:
        return column.is_null().all()
    if column.dtype == nw.Object:  # check_array decides about other objects
        return not any(_is_time(value) for value in column.to_list())
    return column.dtype.is_numeric() or column.dtype in (nw.Boolean, nw.Unknown)


def _holds_masks(X: Any) -> bool:
    return any(
        isinstance(one, np.ma.MaskedArray) or (isinstance(one, list | tuple) and _holds_masks(one))
        for one in X
    )


def _refuse_times(X: Any, name: str) -> None:
    dtype = getattr(X, "dtype", None)
    if not isinstance(dtype, np.dtype) or dtype.kind not in "mMO":
        return
    if dtype.kind == "O":
        found = next(filter(_is_time, np.ravel(X)), None)
        if found is None:
            return
        is_duration = isinstance(found, np.timedelta64 | datetime.timedelta)
    else:
        is_duration = dtype.kind == "m"
    if is_duration:
        advice = f"Convert durations, {name}.astype('m8[ns]') / np.timedelta64(1, 's')."
    else:
        advice = "Drop time stamps, or put them into the index of a pandas data frame."
    raise ValueError(
        f"{name} holds {'durations' if is_duration else 'dates'} (dtype {dtype}), expected "
        f"numbers. {advice}"
    )


def _is_time(value: Any) -> bool:
    return isinstance(value, _TIMES) and value == value  # noqa: PLR0124, NaT is missing


def _advice(X: Any) -> str:
    if isinstance(X, dict):
        return "Pass its values, list(X.values())."
    if hasattr(X, "collect"):
        return "Call collect() on a lazy frame."
    if as_frame(X) is not None:
        return "If its cells are series, X is a panel. Pass it to an estimator of panels."
    return "Convert or drop all values that are neither numbers nor NaN."
