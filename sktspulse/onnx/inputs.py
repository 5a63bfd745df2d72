"""Read panels and recordings with NumPy alone, under the rules of the estimators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..series import (
    Panel,
    Values,
    check_length,
    check_n_channels,
    check_no_infinity,
    check_same_channels,
    check_series_axes,
    check_series_length,
    one_series_advice,
    recording_advice,
    split_array,
    stacked,
    trim_ends,
)

__all__ = ["InputRules"]


class InputRules(NamedTuple):
    """What an estimator was fitted with."""

    name: str  # of the estimator
    n_features: int  # time points of a two-dimensional panel, else channels
    n_channels: int
    min_timepoints: int

    def read_panel(self, X: Any) -> Panel:
        """Return ``(n_series, n_channels, n_timepoints)``, or a list, without missing ends."""
        panel, _ = self.read_restorable_panel(X)
        return trim_ends(panel, self.min_timepoints)

    def read_restorable_panel(self, X: Any) -> tuple[Panel, Callable[[Sequence[Values]], Any]]:
        """Return a panel with its missing ends, and a function to the container of X."""
        panel, is_flat, restore = _parse_panel(X)
        if is_flat and self.n_features != self.n_channels:
            remedy = "Pass X[:, None, :], which may have any length, or fit again."
            self._check_features(panel[0].shape[1], remedy)
        check_n_channels(self.name, len(panel[0]), self.n_channels)
        shortest = min(series.shape[1] for series in panel)
        check_length(self.name, shortest, self.min_timepoints, is_flat)
        check_no_infinity(panel)
        return panel, restore

    def read_recording(self, X: Any) -> Values:
        """Return ``(n_timepoints, n_channels)``."""
        values = _as_floats(X, "X")
        check_series_axes(values, recording_advice(X, values.ndim))
        self._check_features(values.shape[1], "Fit again or select columns.")
        check_series_length(self.name, values, self.min_timepoints)
        check_no_infinity([values])
        return values

    def _check_features(self, n_features: int, remedy: str) -> None:
        if n_features != self.n_features:  # in the words of scikit-learn
            raise ValueError(
                f"X has {n_features} features, but {self.name} is expecting {self.n_features} "
                f"features as input. {remedy}"
            )


def _parse_panel(X: Any) -> tuple[Panel, bool, Callable[[Sequence[Values]], Any]]:
    """Return the values, whether they had no axis for channels, and the way back."""
    if _is_sequence(X):
        members = [_as_floats(one, f"Series {i} of X") for i, one in enumerate(X)]
        series = [np.atleast_2d(one) for one in members]
        check_same_channels(series)
        shapes = [one.shape for one in members]
        return (
            stacked(series),
            False,
            lambda answer: [one.reshape(shape) for one, shape in zip(answer, shapes, strict=True)],
        )
    values = _as_floats(X, "X")
    panel, is_flat = split_array(values, one_series_advice(X))
    return panel, is_flat, lambda answer: np.reshape(answer, values.shape)


def _is_sequence(X: Any) -> bool:
    """Return whether X is a sequence of series."""
    is_objects = getattr(X, "dtype", None) is np.dtype(object) and np.ndim(X) == 1
    if not (isinstance(X, list | tuple) or is_objects) or not len(X):
        return False
    return all(_n_axes(one) in (1, 2) for one in X)


def _n_axes(array: Any) -> int:
    try:
        return np.ndim(array)
    except ValueError:
        return -1  # nested sequences of unequal length


def _as_floats(X: Any, name: str) -> Values:
    """Return single or double precision, with NaN for None and for what numpy.ma masks."""
    try:
        if isinstance(X, np.ma.MaskedArray):
            X = np.ma.filled(X.astype(np.result_type(X, np.float32)), np.nan)
        array = np.asarray(X)
        if array.dtype.kind in "mMcSU":
            raise TypeError(f"the data type is {array.dtype}")
        keeps = array.dtype in (np.float32, np.float64)
        return array if keeps else array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} cannot be read as numbers: {error}. Convert or drop all values that are "
            "neither numbers nor NaN."
        ) from error
