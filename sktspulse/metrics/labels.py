"""What measures of anomalies are given: labels and scores of the points of one series, checked."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..series import Flags, Floats

__all__ = ["binary", "labelled", "same_length", "series"]


def labelled(y_true: ArrayLike, y_score: ArrayLike) -> tuple[Flags, Floats]:
    """Check labels, of which there are both, and scores.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        1 where a point is anomalous, 0 elsewhere.
    y_score : array-like of shape (n_timepoints,)
        Scores.

    Returns
    -------
    labels : ndarray of bool, shape (n_timepoints,)
        Where points are anomalous.
    scores : ndarray of shape (n_timepoints,)
        The scores.

    Raises
    ------
    ValueError
        If lengths differ, labels are not 0 and 1 or all the same, or values not finite.
    """
    labels, scores = series("y_true", y_true), series("y_score", y_score)
    same_length(labels, scores, "y_score")
    flags = binary("y_true", labels, 1)
    if flags.all() or not flags.any():
        raise ValueError(
            f"y_true is {labels[0]:.0f} everywhere, but there should be anomalies, 1, and normal "
            "points, 0: the score is not defined without both. Leave this series out."
        )
    return flags, scores


def same_length(y_true: Floats, other: Floats, name: str) -> None:
    """Raise unless there are as many labels as values of another kind.

    Parameters
    ----------
    y_true : ndarray of shape (n_timepoints,)
        Labels.
    other : ndarray of shape (n_timepoints,)
        What stands beside them.
    name : str
        What it is called.

    Raises
    ------
    ValueError
        If their numbers differ.
    """
    if len(y_true) != len(other):
        raise ValueError(
            f"y_true has {len(y_true)} points and {name} has {len(other)}, but they should have "
            "as many. Pass a label and a value of the other for each point."
        )


def binary(name: str, values: Floats, pos_label: int) -> Flags:
    """Tell anomalies from other points.

    Parameters
    ----------
    name : str
        What the values are called.
    values : ndarray of shape (n_timepoints,)
        Labels.
    pos_label : int
        Label of the anomalies: 1 beside 0, or -1 beside 1 as outlier detectors have it.

    Returns
    -------
    ndarray of bool, shape (n_timepoints,)
        True at anomalies.

    Raises
    ------
    ValueError
        If there are other labels.
    """
    pairs = {1: (0, 1), -1: (-1, 1)}
    if pos_label not in pairs:
        raise ValueError(f"pos_label is {pos_label!r}, expected 1 or -1. Choose one.")
    found = np.unique(values)
    if not np.isin(found, pairs[pos_label]).all():
        raise ValueError(
            f"{name} holds {found[:5].tolist()}, but each label should be "
            f"{pairs[pos_label][0]} or 1 as pos_label is {pos_label}. Pass {name} == label, with "
            "the label of the anomalies."
        )
    return values == pos_label


def series(name: str, values: ArrayLike) -> Floats:
    """Check the values of the points of one series.

    Parameters
    ----------
    name : str
        What the values are called.
    values : array-like of shape (n_timepoints,) or (n_timepoints, 1)
        The values.

    Returns
    -------
    ndarray of shape (n_timepoints,)
        The values.

    Raises
    ------
    ValueError
        If there are none, several channels, or values that are not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not array.size:
        raise ValueError(
            f"{name} has the shape {array.shape}, expected (n_timepoints,) with at least one "
            "point. Pass one value for each point of one series."
        )
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise ValueError(
            f"{name} is {array[bad[0]]} at point {bad[0]} and not finite at {bad.size} of "
            f"{array.size} points, but all should be finite. Fill or drop these points first."
        )
    return array
