"""Precision and recall of predicted anomalous ranges: range-based and affiliation metrics."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, Options

from ..series import Flags, Floats, Indices, runs, validated
from .labels import check_labels_and_predictions

__all__ = [
    "affiliation_precision_score",
    "affiliation_recall_score",
    "range_precision_score",
    "range_recall_score",
]

_CONSTRAINTS: dict[str, list[Any]] = {
    "alpha": [Interval(Real, 0, 1, closed="both")],
    "pos_label": [Options(Integral, {-1, 1})],
}
_CELLS_PER_STEP = 4  # distances are linear within a cell, so its midpoint has the mean


@validated(**_CONSTRAINTS)
def range_recall_score(
    y_true: ArrayLike, y_pred: ArrayLike, *, alpha: float = 0.2, pos_label: int = 1
) -> float:
    """Compute the range-based recall.

    Every anomaly, a run of consecutive anomalous points, counts the same, whatever its
    length. It scores ``alpha`` if any of its points is predicted, plus ``1 - alpha`` times
    the fraction of its points that is predicted, divided by the number of predicted runs
    that overlap it.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        True label of each point; at least one must be anomalous.
    y_pred : array-like of shape (n_timepoints,)
        Predicted label of each point.
    alpha : float, default=0.2
        Weight of detecting an anomaly at all, in [0, 1].
    pos_label : {1, -1}, default=1
        Label of anomalies: 1 with 0 for normal points, or -1 with 1 (outlier detectors).

    Returns
    -------
    float
        Mean over the anomalies, in [0, 1].

    Raises
    ------
    ValueError
        If lengths differ, labels do not fit ``pos_label``, no point of ``y_true`` is
        anomalous, or ``alpha`` is out of range.

    See Also
    --------
    range_precision_score : The corresponding precision.
    affiliation_recall_score : Recall by distance in place of overlap.
    sklearn.metrics.recall_score : Recall of single points.

    Notes
    -----
    This is the recall of [1]_ with a flat positional bias and the reciprocal cardinality
    factor. The default of ``alpha`` is that of TSB-AD [2]_.

    References
    ----------
    .. [1] Tatbul et al., "Precision and recall for time series", NeurIPS, 2018.
    .. [2] Liu and Paparrizos, "The elephant in the room", NeurIPS Datasets and Benchmarks, 2024.

    Examples
    --------
    >>> from sktspulse.metrics import range_recall_score
    >>> round(range_recall_score([0, 1, 1, 1, 1, 0, 1], [0, 0, 0, 1, 1, 0, 0]), 3)
    0.3
    """
    labels, predicted = check_labels_and_predictions(y_true, y_pred, pos_label)
    covered, n_overlaps = _overlaps(labels, predicted)
    overlap = covered / np.maximum(n_overlaps, 1)
    return float(np.mean(alpha * (n_overlaps > 0) + (1 - alpha) * overlap))


@validated(**_CONSTRAINTS)
def range_precision_score(y_true: ArrayLike, y_pred: ArrayLike, *, pos_label: int = 1) -> float:
    """Compute the range-based precision.

    Every run of consecutive predicted points counts the same, whatever its length. It
    scores the fraction of its points that is anomalous, divided by the number of anomalies
    that it overlaps.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        True label of each point; at least one must be anomalous.
    y_pred : array-like of shape (n_timepoints,)
        Predicted label of each point.
    pos_label : {1, -1}, default=1
        Label of anomalies: 1 with 0 for normal points, or -1 with 1 (outlier detectors).

    Returns
    -------
    float
        Mean over the predicted runs, in [0, 1]; 0 if no point is predicted.

    Raises
    ------
    ValueError
        If lengths differ, labels do not fit ``pos_label``, or no point of ``y_true`` is
        anomalous.

    See Also
    --------
    range_recall_score : The corresponding recall.
    affiliation_precision_score : Precision by distance in place of overlap.
    sklearn.metrics.precision_score : Precision of single points.

    Notes
    -----
    This is the precision of [1]_ with a flat positional bias and the reciprocal
    cardinality factor, as in TSB-AD [2]_.

    References
    ----------
    .. [1] Tatbul et al., "Precision and recall for time series", NeurIPS, 2018.
    .. [2] Liu and Paparrizos, "The elephant in the room", NeurIPS Datasets and Benchmarks, 2024.

    Examples
    --------
    >>> from sktspulse.metrics import range_precision_score
    >>> range_precision_score([0, 1, 1, 1, 1, 0, 1], [0, 0, 0, 1, 1, 0, 0])
    1.0
    """
    labels, predicted = check_labels_and_predictions(y_true, y_pred, pos_label)
    if not predicted.any():
        return 0.0
    covered, n_overlaps = _overlaps(predicted, labels)
    return float(np.mean(covered / np.maximum(n_overlaps, 1)))


@validated(**_CONSTRAINTS)
def affiliation_precision_score(
    y_true: ArrayLike, y_pred: ArrayLike, *, pos_label: int = 1
) -> float:
    """Compute the affiliation precision: how close predicted points are to anomalies.

    Time is divided into zones, one around each anomaly. A predicted point scores the
    probability that a point placed at random in its zone is farther from the anomaly.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        True label of each point; at least one must be anomalous.
    y_pred : array-like of shape (n_timepoints,)
        Predicted label of each point.
    pos_label : {1, -1}, default=1
        Label of anomalies: 1 with 0 for normal points, or -1 with 1 (outlier detectors).

    Returns
    -------
    float
        Mean over the zones with a predicted point, in [0, 1]; 0 if no point is predicted.

    Raises
    ------
    ValueError
        If lengths differ, labels do not fit ``pos_label``, or no point of ``y_true`` is
        anomalous.

    See Also
    --------
    affiliation_recall_score : The corresponding recall.
    range_precision_score : Precision by overlap in place of distance.

    Notes
    -----
    Random predictions score about 0.5. Time is continuous: point ``i`` is the interval
    ``[i, i + 1)``. This is the precision of [1]_, as in TSB-AD [2]_.

    References
    ----------
    .. [1] Huet et al., "Local evaluation of time series anomaly detection algorithms",
       KDD, 2022.
    .. [2] Liu and Paparrizos, "The elephant in the room", NeurIPS Datasets and Benchmarks, 2024.

    Examples
    --------
    >>> from sktspulse.metrics import affiliation_precision_score
    >>> y_true = [0, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    >>> affiliation_precision_score(y_true, [0, 0, 0, 0, 1, 1, 0, 0, 0, 0])
    1.0
    >>> affiliation_precision_score(y_true, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    0.5
    """
    labels, predicted = check_labels_and_predictions(y_true, y_pred, pos_label)
    if not predicted.any():
        return 0.0
    times, zones, edges = _cells(labels)
    start, end = runs(labels).T
    distance = np.maximum(np.maximum(start[zones] - times, times - end[zones]), 0)
    margin = np.minimum(start - edges[:-1], edges[1:] - end)[zones]
    nearer = np.minimum(distance, margin) + distance + (end - start)[zones]
    p_farther = np.where(distance > 0, 1 - nearer / np.diff(edges)[zones], 1)
    chosen = np.repeat(predicted, _CELLS_PER_STEP)
    counts = np.bincount(zones[chosen], minlength=len(start))
    sums = np.bincount(zones[chosen], p_farther[chosen], minlength=len(start))
    return float(np.mean(sums[counts > 0] / counts[counts > 0]))


@validated(**_CONSTRAINTS)
def affiliation_recall_score(y_true: ArrayLike, y_pred: ArrayLike, *, pos_label: int = 1) -> float:
    """Compute the affiliation recall: how close anomalies are to predicted points.

    Time is divided into zones, one around each anomaly. A point of an anomaly scores the
    probability that a point placed at random in its zone is farther from it than the
    nearest predicted point of the zone, or 0 if the zone has none.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        True label of each point; at least one must be anomalous.
    y_pred : array-like of shape (n_timepoints,)
        Predicted label of each point.
    pos_label : {1, -1}, default=1
        Label of anomalies: 1 with 0 for normal points, or -1 with 1 (outlier detectors).

    Returns
    -------
    float
        Mean over the anomalies, in [0, 1].

    Raises
    ------
    ValueError
        If lengths differ, labels do not fit ``pos_label``, or no point of ``y_true`` is
        anomalous.

    See Also
    --------
    affiliation_precision_score : The corresponding precision.
    range_recall_score : Recall by overlap in place of distance.

    Notes
    -----
    Time is continuous: point ``i`` is the interval ``[i, i + 1)``. This is the recall of
    [1]_, as in TSB-AD [2]_.

    References
    ----------
    .. [1] Huet et al., "Local evaluation of time series anomaly detection algorithms",
       KDD, 2022.
    .. [2] Liu and Paparrizos, "The elephant in the room", NeurIPS Datasets and Benchmarks, 2024.

    Examples
    --------
    >>> from sktspulse.metrics import affiliation_recall_score
    >>> y_true = [0, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    >>> affiliation_recall_score(y_true, [0, 0, 0, 0, 1, 1, 0, 0, 0, 0])
    1.0
    >>> affiliation_recall_score(y_true, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    0.6
    """
    labels, predicted = check_labels_and_predictions(y_true, y_pred, pos_label)
    times, zones, edges = _cells(labels)
    distance = _distance_to(np.repeat(predicted, _CELLS_PER_STEP), zones)
    margin = np.minimum(times - edges[zones], edges[zones + 1] - times)
    finite = np.isfinite(distance)
    nearer = np.minimum(distance, margin) + np.where(finite, distance, 0)
    p_farther = np.where(finite, 1 - nearer / np.diff(edges)[zones], 0)
    chosen = np.repeat(labels, _CELLS_PER_STEP)
    sums = np.bincount(zones[chosen], p_farther[chosen])
    return float(np.mean(sums / np.bincount(zones[chosen])))


def _overlaps(flags: Flags, others: Flags) -> tuple[Floats, Indices]:
    """Return the fraction of each run that others cover, and how many runs of theirs overlap it."""
    start, end = runs(flags).T
    other_start, other_end = runs(others).T
    n_covered = np.append(0, np.cumsum(others))
    n_overlaps = np.searchsorted(other_start, end) - np.searchsorted(other_end, start, "right")
    return (n_covered[end] - n_covered[start]) / (end - start), n_overlaps


def _cells(labels: Flags) -> tuple[Floats, Indices, Floats]:
    """Divide time into cells; return their midpoints, their zones and the edges of the zones."""
    start, end = runs(labels).T
    edges = np.concatenate([[0.0], (end[:-1] + start[1:]) / 2, [float(len(labels))]])
    times = (np.arange(_CELLS_PER_STEP * len(labels)) + 0.5) / _CELLS_PER_STEP
    return times, np.searchsorted(edges, times) - 1, edges


def _distance_to(predicted: Flags, zones: Indices) -> Floats:
    """Return the distance of each cell to the predicted cells of its zone; infinity without any."""
    cells = np.arange(len(predicted))
    nearest = np.full(len(predicted), np.inf)
    for order in (slice(None), slice(None, None, -1)):
        last = np.maximum.accumulate(np.where(predicted[order], cells, -1))
        same_zone = (last >= 0) & (zones[order][last] == zones[order])
        steps = np.where(same_zone, np.maximum(cells - last - 0.5, 0), np.inf)
        nearest[order] = np.minimum(nearest[order], steps)
    return np.where(predicted, 0.0, nearest) / _CELLS_PER_STEP
