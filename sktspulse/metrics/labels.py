"""Checks of the labels, predictions and scores that metrics take."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_consistent_length, column_or_1d

from ..series import Flags, Floats, read_floats

__all__ = ["check_labels_and_predictions", "check_labels_and_scores", "check_values"]


def check_labels_and_scores(y_true: ArrayLike, y_score: ArrayLike) -> tuple[Flags, Floats]:
    """Return where points are anomalous, some but not all, and their finite scores."""
    labels, scores = check_values(y_true, "y_true"), check_values(y_score, "y_score")
    check_consistent_length(labels, scores)
    flags = _flags(labels, 1, "y_true")
    if flags.all() or not flags.any():
        raise ValueError(
            f"y_true is {labels[0]:.0f} everywhere, but the metric needs anomalous points (1) "
            "and normal points (0). Leave this series out."
        )
    return flags, scores


def check_labels_and_predictions(
    y_true: ArrayLike, y_pred: ArrayLike, pos_label: int
) -> tuple[Flags, Flags]:
    """Return where points are anomalous, which some must be, and where they are predicted so."""
    labels, predictions = check_values(y_true, "y_true"), check_values(y_pred, "y_pred")
    check_consistent_length(labels, predictions)
    flags, predicted = _flags(labels, pos_label, "y_true"), _flags(predictions, pos_label, "y_pred")
    if not flags.any():
        raise ValueError(
            f"y_true is never {pos_label}, but the metric needs at least one anomalous point. "
            "Leave this series out."
        )
    return flags, predicted


def check_values(values: ArrayLike, name: str) -> Floats:
    """Return one finite number per time point."""
    rules = {"dtype": np.float64, "ensure_all_finite": True}
    return column_or_1d(read_floats(values, input_name=name, **rules))


def _flags(values: Floats, pos_label: int, name: str) -> Flags:
    expected = [0, 1] if pos_label == 1 else [-1, 1]
    found = np.unique(values)
    if not np.isin(found, expected).all():
        raise ValueError(
            f"{name} contains {found[:3].tolist()}, but its labels should be {expected[0]} and "
            f"{expected[1]}. Pass {name} == label, where label is that of the anomalies."
        )
    return values == pos_label
