"""How well stretches told to be anomalies fit those that are: by overlap, and by distance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..series import Flags, Floats, Indices, anomalies
from .labels import binary, same_length, series

__all__ = [
    "affiliation_precision_score",
    "affiliation_recall_score",
    "range_precision_score",
    "range_recall_score",
]

_CELLS = 4  # pieces of a time step on which all distances between stretches are linear


def range_recall_score(
    y_true: ArrayLike, y_pred: ArrayLike, *, alpha: float = 0.2, pos_label: int = 1
) -> float:
    """Measure which share of the anomalies was found, stretch by stretch.

    A stretch of anomalous points counts as one, whatever its length: ``alpha`` for being
    met at all, and the rest for the share of it that was told, over the number of
    stretches told that overlap it.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        Label of each point; some must be anomalous.
    y_pred : array-like of shape (n_timepoints,)
        What was told of each point.
    alpha : float, default=0.2
        Weight of being met at all, in [0, 1].
    pos_label : int, default=1
        Label of the anomalies in both: 1 beside 0 elsewhere, or -1 beside 1 as outlier
        detectors have it.

    Returns
    -------
    float
        Recall in [0, 1].

    Raises
    ------
    ValueError
        If lengths differ, labels are not as ``pos_label`` says, no point of ``y_true`` is
        anomalous, or ``alpha`` is out of range.

    See Also
    --------
    range_precision_score : The same the other way round.
    affiliation_recall_score : Counts distances in place of overlaps.
    sklearn.metrics.recall_score : Counts points.

    Notes
    -----
    This is the range-based recall of [1]_ with a flat bias and the reciprocal as factor
    of cardinality, at the default ``alpha`` that of TSB-AD [2]_.

    References
    ----------
    .. [1] Tatbul et al., "Precision and recall for time series", NeurIPS, 2018.
    .. [2] Liu and Paparrizos, "The elephant in the room: towards a reliable time-series
       anomaly detection benchmark", NeurIPS Datasets and Benchmarks, 2024.

    Examples
    --------
    >>> from sktspulse.metrics import range_recall_score
    >>> round(range_recall_score([0, 1, 1, 1, 1, 0, 1], [0, 0, 0, 1, 1, 0, 0]), 3)
    0.3
    """
    if not (isinstance(alpha, int | float) and 0 <= alpha <= 1):
        raise ValueError(f"alpha is {alpha!r}, expected a number in [0, 1]. Pass one.")
    labels, told = _check(y_true, y_pred, pos_label)
    share, n_met = _overlaps(labels, told)
    return float(np.mean(alpha * (n_met > 0) + (1 - alpha) * share / np.maximum(n_met, 1)))


def range_precision_score(y_true: ArrayLike, y_pred: ArrayLike, *, pos_label: int = 1) -> float:
    """Measure which share of what was told is anomalous, stretch by stretch.

    A stretch of points told counts as one, whatever its length: by the share of it that
    is anomalous, over the number of anomalies that it overlaps.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        Label of each point; some must be anomalous.
    y_pred : array-like of shape (n_timepoints,)
        What was told of each point.
    pos_label : int, default=1
        Label of the anomalies in both: 1 beside 0 elsewhere, or -1 beside 1 as outlier
        detectors have it.

    Returns
    -------
    float
        Precision in [0, 1]; 0 if nothing was told.

    Raises
    ------
    ValueError
        If lengths differ, labels are not as ``pos_label`` says, no point of ``y_true`` is
        anomalous.

    See Also
    --------
    range_recall_score : The same the other way round.
    affiliation_precision_score : Counts distances in place of overlaps.
    sklearn.metrics.precision_score : Counts points.

    Notes
    -----
    This is the range-based precision of [1]_ with a flat bias and the reciprocal as
    factor of cardinality, that of TSB-AD [2]_.

    References
    ----------
    .. [1] Tatbul et al., "Precision and recall for time series", NeurIPS, 2018.
    .. [2] Liu and Paparrizos, "The elephant in the room: towards a reliable time-series
       anomaly detection benchmark", NeurIPS Datasets and Benchmarks, 2024.

    Examples
    --------
    >>> from sktspulse.metrics import range_precision_score
    >>> range_precision_score([0, 1, 1, 1, 1, 0, 1], [0, 0, 0, 1, 1, 0, 0])
    1.0
    """
    labels, told = _check(y_true, y_pred, pos_label)
    if not told.any():
        return 0.0
    share, n_met = _overlaps(told, labels)
    return float(np.mean(share / np.maximum(n_met, 1)))


def affiliation_precision_score(
    y_true: ArrayLike, y_pred: ArrayLike, *, pos_label: int = 1
) -> float:
    """Measure how near to the anomalies what was told is.

    Every point belongs to the nearest anomaly. Around each, a point told counts by the
    chance that one put there at random is farther off.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        Label of each point; some must be anomalous.
    y_pred : array-like of shape (n_timepoints,)
        What was told of each point.
    pos_label : int, default=1
        Label of the anomalies in both: 1 beside 0 elsewhere, or -1 beside 1 as outlier
        detectors have it.

    Returns
    -------
    float
        Mean over the anomalies that anything was told around, in [0, 1]; 0 if nothing was
        told.

    Raises
    ------
    ValueError
        If lengths differ, labels are not as ``pos_label`` says, no point of ``y_true`` is
        anomalous.

    See Also
    --------
    affiliation_recall_score : How near what was told is to the points of anomalies.
    range_precision_score : Counts overlaps in place of distances.

    Notes
    -----
    A point told far from all anomalies, at random, still has about 0.5 on average. Time
    is continuous: point ``i`` is the interval ``[i, i + 1)``. This is the precision of
    [1]_, that of TSB-AD [2]_.

    References
    ----------
    .. [1] Huet et al., "Local evaluation of time series anomaly detection algorithms",
       KDD, 2022.
    .. [2] Liu and Paparrizos, "The elephant in the room: towards a reliable time-series
       anomaly detection benchmark", NeurIPS Datasets and Benchmarks, 2024.

    Examples
    --------
    >>> from sktspulse.metrics import affiliation_precision_score
    >>> y_true = [0, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    >>> affiliation_precision_score(y_true, [0, 0, 0, 0, 1, 1, 0, 0, 0, 0])
    1.0
    >>> affiliation_precision_score(y_true, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    0.5
    """
    labels, told = _check(y_true, y_pred, pos_label)
    if not told.any():
        return 0.0
    places, zones, edges = _cells(labels)
    start, end = _bounds(labels)
    off = np.maximum(np.maximum(start[zones] - places, places - end[zones]), 0)
    margin = np.minimum(start - edges[:-1], edges[1:] - end)[zones]
    nearer = np.minimum(off, margin) + off + (end - start)[zones]
    chance = np.where(off > 0, 1 - nearer / np.diff(edges)[zones], 1)
    chosen = np.repeat(told, _CELLS)
    counts = np.bincount(zones[chosen], minlength=len(start))
    sums = np.bincount(zones[chosen], chance[chosen], minlength=len(start))
    return float(np.mean(sums[counts > 0] / counts[counts > 0]))


def affiliation_recall_score(y_true: ArrayLike, y_pred: ArrayLike, *, pos_label: int = 1) -> float:
    """Measure how near to each point of the anomalies something was told.

    Every point belongs to the nearest anomaly. A point of an anomaly counts by the chance
    that one put at random around it is farther off than what was told there; by 0 if
    nothing was.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        Label of each point; some must be anomalous.
    y_pred : array-like of shape (n_timepoints,)
        What was told of each point.
    pos_label : int, default=1
        Label of the anomalies in both: 1 beside 0 elsewhere, or -1 beside 1 as outlier
        detectors have it.

    Returns
    -------
    float
        Mean over the anomalies, in [0, 1].

    Raises
    ------
    ValueError
        If lengths differ, labels are not as ``pos_label`` says, no point of ``y_true`` is
        anomalous.

    See Also
    --------
    affiliation_precision_score : How near what was told is to the anomalies.
    range_recall_score : Counts overlaps in place of distances.

    Notes
    -----
    Time is continuous: point ``i`` is the interval ``[i, i + 1)``. This is the recall of
    [1]_, that of TSB-AD [2]_.

    References
    ----------
    .. [1] Huet et al., "Local evaluation of time series anomaly detection algorithms",
       KDD, 2022.
    .. [2] Liu and Paparrizos, "The elephant in the room: towards a reliable time-series
       anomaly detection benchmark", NeurIPS Datasets and Benchmarks, 2024.

    Examples
    --------
    >>> from sktspulse.metrics import affiliation_recall_score
    >>> y_true = [0, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    >>> affiliation_recall_score(y_true, [0, 0, 0, 0, 1, 1, 0, 0, 0, 0])
    1.0
    >>> affiliation_recall_score(y_true, [0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    0.6
    """
    labels, told = _check(y_true, y_pred, pos_label)
    places, zones, edges = _cells(labels)
    off = _distance_to(np.repeat(told, _CELLS), zones)
    margin = np.minimum(places - edges[zones], edges[zones + 1] - places)
    known = np.isfinite(off)
    nearer = np.minimum(off, margin) + np.where(known, off, 0)
    chance = np.where(known, 1 - nearer / np.diff(edges)[zones], 0)
    chosen = np.repeat(labels, _CELLS)
    sums = np.bincount(zones[chosen], chance[chosen])
    return float(np.mean(sums / np.bincount(zones[chosen])))


def _check(y_true: ArrayLike, y_pred: ArrayLike, pos_label: int) -> tuple[Flags, Flags]:
    labels, told = series("y_true", y_true), series("y_pred", y_pred)
    same_length(labels, told, "y_pred")
    flags = binary("y_true", labels, pos_label), binary("y_pred", told, pos_label)
    if not flags[0].any():
        raise ValueError(
            f"y_true is {pos_label} nowhere, but there should be anomalies: the score is not "
            "defined without. Leave this series out."
        )
    return flags


def _overlaps(flags: Flags, others: Flags) -> tuple[Floats, Indices]:
    """Return the share of every stretch that others cover, and how many of them overlap it."""
    first, last = anomalies(flags)
    starts, ends = anomalies(others)
    covered = np.append(0, np.cumsum(others))
    share = (covered[last + 1] - covered[first]) / (last + 1 - first)
    n_met = np.searchsorted(starts, last, side="right") - np.searchsorted(ends, first)
    return share, n_met


def _bounds(labels: Flags) -> tuple[Floats, Floats]:
    """Return start and end of every anomaly in continuous time."""
    first, last = anomalies(labels)
    return first.astype(np.float64), (last + 1).astype(np.float64)


def _cells(labels: Flags) -> tuple[Floats, Indices, Floats]:
    """Cut time into cells: their middles, the nearest anomalies, and where these change.

    What is averaged is linear within each cell, so its middle stands for all of it.
    """
    start, end = _bounds(labels)
    edges = np.concatenate([[0.0], (end[:-1] + start[1:]) / 2, [float(len(labels))]])
    places = (np.arange(_CELLS * len(labels)) + 0.5) / _CELLS
    return places, np.searchsorted(edges, places) - 1, edges


def _distance_to(told: Flags, zones: Indices) -> Floats:
    """Return the distance of the middle of every cell to cells told in its zone, else infinity."""
    cells = np.arange(len(told))
    nearest = np.full(len(told), np.inf)
    for order in (slice(None), slice(None, None, -1)):
        last = np.maximum.accumulate(np.where(told[order], cells, -1))
        inside = (last >= 0) & (zones[order][last] == zones[order])
        steps = np.where(inside, np.maximum(cells - last - 0.5, 0), np.inf)
        nearest[order] = np.minimum(nearest[order], steps)
    return np.where(told, 0.0, nearest) / _CELLS
