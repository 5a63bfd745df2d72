"""Checks of targets and weights."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, column_or_1d

from ..series import Floats, read_floats

__all__ = ["check_labels", "check_numbers", "check_weights", "class_weights", "encode_labels"]

_MAX_WEIGHT = 1e100  # so that sums, and products with class weights, are finite
_BAD_WEIGHTS = (
    "sample_weight has {}, expected numbers of at least 0, some of them above 0. Use 0 to "
    "leave a series out."
)


def check_labels(estimator: BaseEstimator, y: Any, n_series: int) -> NDArray[Any]:
    """Return one class label for each series, none missing, or raise ValueError."""
    _check_given(estimator, y, "label")
    if hasattr(y, "to_numpy") and len(y.shape) == 1:
        y = y.to_numpy()  # scikit-learn makes floats of nullable integers
    try:
        labels = _without_objects(np.asarray(column_or_1d(y, warn=True)))
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"y cannot be used as labels: {error} Pass one number or string for each "
            "series, none missing. For continuous targets use TSPulseRegressor."
        ) from error
    _check_count(labels, n_series)
    return labels


def check_numbers(estimator: BaseEstimator, y: Any, n_series: int) -> Floats:
    """Return finite targets, ``(n_series,)`` or ``(n_series, n_outputs)``, or raise ValueError."""
    _check_given(estimator, y, "number")
    try:
        rules = {"dtype": np.float64, "ensure_all_finite": True, "ensure_min_samples": 0}
        targets = read_floats(y, input_name="y", **rules)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"y cannot be used as targets: {error} Pass finite numbers, one row for each series."
        ) from error
    _check_count(targets, n_series)
    return np.asarray(targets)


def _check_given(estimator: BaseEstimator, y: Any, what: str) -> None:
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None. Pass "
            f"one {what} for each series."
        )
    _check_no_mask(y, "y")


def _check_no_mask(values: Any, name: str) -> None:
    if np.ma.is_masked(values):
        raise ValueError(
            f"{name} has masked entries, expected one value for each series. Drop the series at "
            f"which {name}.mask is set."
        )


def _without_objects(labels: NDArray[Any]) -> NDArray[Any]:
    """Convert numbers in an array of objects; strings may stay objects."""
    if labels.dtype != object or all(isinstance(label, str) for label in labels):
        return labels
    if all(isinstance(label, Real) and label == label for label in labels):  # noqa: PLR0124
        return np.array(labels.tolist())
    kinds = sorted({type(label).__name__ for label in labels})
    raise ValueError(
        f"an array of objects holds {kinds[:3]}, expected numbers alone or strings alone. Drop "
        "missing labels, and convert the others, such as by numpy.array(y).astype(str)."
    )


def _check_count(y: NDArray[Any], n_series: int) -> None:
    if len(y) != n_series:
        raise ValueError(
            f"y has {len(y)} entries, but X has {n_series} series. Pass one entry for each series."
        )


def encode_labels(labels: NDArray[Any], weights: Floats) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the sorted classes, and the class index of each series.

    A series of weight 0 adds no class; its index is arbitrary.
    """
    classes = np.unique(labels[weights > 0])
    if len(classes) < 2:
        raise ValueError(
            f"y has one class, {classes.tolist()}, among series of weight above 0, expected two "
            "or more. Add series of another class."
        )
    codes = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    return classes, codes.astype(np.int64)


def class_weights(
    class_weight: Any, classes: NDArray[Any], codes: NDArray[np.int64], weights: Floats
) -> Floats:
    """Return the weight of each class, above 0."""
    if class_weight is None:
        return np.ones(len(classes))
    if not isinstance(class_weight, Mapping):  # "balanced"
        return np.asarray(weights.sum() / (len(classes) * np.bincount(codes, weights)))
    # A fold of cross-validation may lack a class; a dict without any is a mistake.
    unknown = class_weight and not set(class_weight) & set(classes.tolist())
    chosen = np.array([class_weight.get(label, 1) for label in classes.tolist()], dtype=float)
    if unknown or not ((chosen <= _MAX_WEIGHT) & (chosen > 0)).all():
        raise ValueError(
            f"class_weight is {dict(class_weight)!r}, expected finite numbers above 0 for labels "
            f"among {classes.tolist()}. Labels left out have weight 1."
        )
    return chosen


def check_weights(sample_weight: ArrayLike | None, n_series: int) -> Floats:
    """Return finite weights of at least 0, some above 0, or raise ValueError."""
    _check_no_mask(sample_weight, "sample_weight")
    # Recent versions of scikit-learn refuse zeros alone with a message of their own.
    if sample_weight is not None and not np.asarray(sample_weight).any():
        raise ValueError(_BAD_WEIGHTS.format("only zeros"))
    rows = np.empty((n_series, 1))
    weights = np.asarray(_check_sample_weight(sample_weight, rows, dtype=np.float64))
    if (weights < 0).any():
        raise ValueError(_BAD_WEIGHTS.format(f"{weights.min():.6g}"))
    if weights.max() > _MAX_WEIGHT:
        raise ValueError(
            f"sample_weight has {weights.max():.6g}, expected at most {_MAX_WEIGHT:g}. A weight of "
            "1 is that of one series; divide all of them."
        )
    return weights
