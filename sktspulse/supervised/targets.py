"""What is to be learned from series: labels, numbers, and the weights of classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite, check_array
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, _num_samples, column_or_1d

__all__ = [
    "check_labels",
    "check_lengths",
    "check_numbers",
    "check_weights",
    "class_weights",
    "encode_labels",
]


def check_labels(estimator: BaseEstimator, y: Any) -> NDArray[Any]:
    """Check labels.

    Parameters
    ----------
    estimator : BaseEstimator
        Who asks.
    y : array-like of shape (n_series,)
        Labels.

    Returns
    -------
    ndarray of shape (n_series,)
        The labels.

    Raises
    ------
    ValueError
        If there is not one label a series, none of them missing.
    """
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None. Pass "
            "one label a series."
        )
    try:
        labels = np.asarray(column_or_1d(y, warn=True))
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"y cannot be read as labels: {error} Pass one number or string a series, none "
            "missing; for numbers that are measured, take TSPulseRegressor."
        ) from error
    return labels


def check_numbers(estimator: BaseEstimator, y: Any) -> NDArray[np.float64]:
    """Check targets that are numbers.

    Parameters
    ----------
    estimator : BaseEstimator
        Who asks.
    y : array-like of shape (n_series,) or (n_series, n_outputs)
        Targets.

    Returns
    -------
    ndarray of the same shape
        The targets.

    Raises
    ------
    ValueError
        If they are not finite numbers.
    """
    if y is None:
        raise ValueError(
            f"{type(estimator).__name__} requires y to be passed, but the target y is None. Pass "
            "one number a series."
        )
    try:
        targets = check_array(
            y, dtype=np.float64, ensure_2d=False, input_name="y", ensure_min_samples=0
        )
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"y cannot be read as targets: {error} Pass finite numbers, one row a series."
        ) from error
    return np.asarray(targets)


def encode_labels(
    labels: NDArray[Any], weights: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Give each class a number.

    Parameters
    ----------
    labels : ndarray of shape (n_series,)
        Labels.
    weights : ndarray of shape (n_series,)
        Weights; series of weight 0 bring no class.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        The labels, sorted.
    codes : ndarray of shape (n_series,)
        Number of the class of each series; any for a series that does not count.

    Raises
    ------
    ValueError
        If there is only one class.
    """
    classes = np.unique(labels[weights > 0])
    if len(classes) < 2:
        raise ValueError(
            f"y holds one class, {classes.tolist()}, among series that count, expected two or "
            "more. Add series of another class."
        )
    codes = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    return classes, codes.astype(np.int64)


def class_weights(
    class_weight: Any,
    classes: NDArray[Any],
    codes: NDArray[np.int64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the weight of each class.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        What was asked for.
    classes : ndarray of shape (n_classes,)
        The labels.
    codes : ndarray of shape (n_series,)
        Number of the class of each series.
    weights : ndarray of shape (n_series,)
        Weights of the series.

    Returns
    -------
    ndarray of shape (n_classes,)
        Numbers above 0.

    Raises
    ------
    ValueError
        If ``class_weight`` is anything else.
    """
    if class_weight is None:
        return np.ones(len(classes))
    if isinstance(class_weight, str) and class_weight == "balanced":
        return weights.sum() / (len(classes) * np.bincount(codes, weights))
    if not isinstance(class_weight, Mapping):
        raise ValueError(
            f"class_weight is {class_weight!r}, expected a dict, 'balanced' or None. Choose one."
        )
    unknown = set(class_weight) - set(classes.tolist())
    chosen = np.array([class_weight.get(label, 1) for label in classes.tolist()], dtype=float)
    if unknown or not (np.isfinite(chosen) & (chosen > 0)).all():
        raise ValueError(
            f"class_weight is {dict(class_weight)!r}, expected finite numbers above 0 for labels "
            f"among {classes.tolist()}. Mend it, or leave labels out."
        )
    return chosen


_BAD_WEIGHTS = (
    "sample_weight holds {}, expected numbers of at least 0, some of them above. Give 0 to "
    "series that should not count."
)


def check_lengths(X: Any, y: NDArray[Any]) -> None:
    """Refuse y of another length than X.

    Parameters
    ----------
    X : array-like
        The panel, not checked yet.
    y : ndarray of shape (n_targets, ...)
        The targets.

    Raises
    ------
    ValueError
        If there is not one target a series.
    """
    n_series = _num_samples(X)
    if len(y) != n_series:
        raise ValueError(
            f"y has {len(y)} entries, but X has {n_series} series. Pass one entry a series."
        )


def check_weights(sample_weight: ArrayLike | None, n_series: int) -> NDArray[np.float64]:
    """Check the weights of series.

    Parameters
    ----------
    sample_weight : array-like of shape (n_series,) or None
        The weights; None gives each the weight 1.
    n_series : int
        Number of series.

    Returns
    -------
    ndarray of shape (n_series,)
        Finite weights of at least 0, some above.

    Raises
    ------
    ValueError
        If they are anything else.
    """
    # Before scikit-learn, whose later releases refuse only zeros in other words.
    if sample_weight is not None and not np.asarray(sample_weight).any():
        raise ValueError(_BAD_WEIGHTS.format("only zeros"))
    rows = np.empty((n_series, 1))
    weights = np.asarray(_check_sample_weight(sample_weight, rows, dtype=np.float64))
    if (weights < 0).any():
        raise ValueError(_BAD_WEIGHTS.format(f"{weights.min():.6g}"))
    return weights
