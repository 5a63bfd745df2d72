"""How well anomaly scores fit labels: volumes under a surface, as TSB-AD measures them."""

from __future__ import annotations

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..series import Flags, Floats, Indices, anomalies
from .labels import labelled

__all__ = ["vus_pr_score", "vus_roc_score"]

_N_THRESHOLDS = 250
_FAR = 1 << 60  # farther than any slope reaches [time steps]


def vus_pr_score(y_true: ArrayLike, y_score: ArrayLike, *, window: int) -> float:
    """Measure anomaly scores by the volume under the precision-recall surface (VUS-PR).

    The labels are given slopes, so that a score that rises a little early or falls a
    little late is not all wrong, and the area under the curve of precision against
    recall is averaged over all lengths of slope from 0 to ``window``. The definition is
    that of the benchmark TSB-AD, in which results of TSPulse are published.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        1 or True where a point is anomalous, 0 or False elsewhere; both must occur.
    y_score : array-like of shape (n_timepoints,)
        Score of each point, finite; higher is more anomalous. Only the order of the
        scores counts.
    window : int
        Greatest length of the slopes [time steps], at least 0: half of it lies on either
        side of an anomaly. The benchmark takes the period of the first channel,
        ``find_period(X[:, 0])``.

    Returns
    -------
    float
        Volume in [0, 1]; higher is better.

    Raises
    ------
    ValueError
        If lengths differ, labels are not 0 and 1 or all the same, scores are not finite,
        or the window is not an integer of at least 0.

    See Also
    --------
    vus_roc_score : The same under the curve of true against false positives.
    find_period : Window that the benchmark takes.
    sklearn.metrics.average_precision_score : Area without slopes.

    Notes
    -----
    For each length ``l`` of slope, a point ``d`` steps off an anomaly, ``1 <= d <= l // 2``,
    has the label ``sqrt(1 - d / l)``; one that two anomalies reach has the label 1. At
    each of 250 thresholds, evenly spread over the ranks of the scores, let ``P`` be the
    number of anomalous points, ``S`` the sum of the labels of predicted points on slopes,
    and ``TP`` that sum over all predicted points. Then precision is ``TP`` over the number
    of predictions, and recall is ``TP / (P + S / 2)``, at most 1, times the share of
    anomalies with any predicted point in them or on their slopes; anomalies whose slopes
    meet are one.

    The original definition [1]_ differs, and its values may be far lower: there, the whole
    slope counts in the denominator of recall, predicted or not, and the slope behind an
    anomaly is one step shorter. Values of the two must not be compared. This one is
    that of TSB-AD [2]_, of the variant ``opt``, and so that of [3]_.

    Outlier detectors of scikit-learn give high scores to normal points and the label -1
    to anomalies: pass ``-detector.score_samples(X)``, and ``labels == -1``.

    References
    ----------
    .. [1] Paparrizos et al., "Volume under the surface: a new accuracy evaluation measure
       for time-series anomaly detection", Proc. VLDB Endow. 15(11), 2022.
    .. [2] Liu and Paparrizos, "The elephant in the room: towards a reliable time-series
       anomaly detection benchmark", NeurIPS Datasets and Benchmarks, 2024.
    .. [3] Ekambaram et al., 2025, arXiv:2505.13033.

    Examples
    --------
    >>> from sktspulse.metrics import vus_pr_score
    >>> y_true = [0, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    >>> vus_pr_score(y_true, [1, 2, 1, 1, 9, 8, 2, 1, 1, 2], window=4)
    1.0
    >>> late = [1, 2, 1, 1, 2, 9, 8, 1, 1, 2]
    >>> round(vus_pr_score(y_true, late, window=4), 3)
    0.799
    >>> round(vus_pr_score(y_true, late, window=0), 3)
    0.7

    As a scorer of estimators that score the points of one series:

    >>> from sklearn.metrics import make_scorer
    >>> scorer = make_scorer(vus_pr_score, response_method="decision_function", window=4)
    """
    curves = _curves(y_true, y_score, window)
    return _mean_area(np.diff(curves.recall)[:, :-1] * curves.precision)


def vus_roc_score(y_true: ArrayLike, y_score: ArrayLike, *, window: int) -> float:
    """Measure anomaly scores by the volume under the ROC surface (VUS-ROC).

    The labels are given slopes, so that a score that rises a little early or falls a
    little late is not all wrong, and the area under the curve of true against false
    positives is averaged over all lengths of slope from 0 to ``window``. The definition
    is that of the benchmark TSB-AD.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        1 or True where a point is anomalous, 0 or False elsewhere; both must occur.
    y_score : array-like of shape (n_timepoints,)
        Score of each point, finite; higher is more anomalous. Only the order of the
        scores counts.
    window : int
        Greatest length of the slopes [time steps], at least 0: half of it lies on either
        side of an anomaly. The benchmark takes the period of the first channel,
        ``find_period(X[:, 0])``.

    Returns
    -------
    float
        Volume in [0, 1]; higher is better.

    Raises
    ------
    ValueError
        If lengths differ, labels are not 0 and 1 or all the same, scores are not finite,
        or the window is not an integer of at least 0.

    See Also
    --------
    vus_pr_score : The same under the curve of precision against recall.
    find_period : Window that the benchmark takes.
    sklearn.metrics.roc_auc_score : Area without slopes.

    Notes
    -----
    The rate of true positives is the recall of :func:`vus_pr_score`, in whose words the
    rate of false positives is the number of predictions less ``TP``, over
    ``n_timepoints - P - S / 2``. What is said there of the original definition [1]_ and
    that of TSB-AD [2]_ holds here too. Where anomalies are rare, this measure is high for
    poor scores; prefer the other.

    References
    ----------
    .. [1] Paparrizos et al., "Volume under the surface: a new accuracy evaluation measure
       for time-series anomaly detection", Proc. VLDB Endow. 15(11), 2022.
    .. [2] Liu and Paparrizos, "The elephant in the room: towards a reliable time-series
       anomaly detection benchmark", NeurIPS Datasets and Benchmarks, 2024.

    Examples
    --------
    >>> from sktspulse.metrics import vus_roc_score
    >>> y_true = [0, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    >>> vus_roc_score(y_true, [1, 2, 1, 1, 9, 8, 2, 1, 1, 2], window=4)
    1.0
    >>> round(vus_roc_score(y_true, [1, 2, 1, 1, 2, 9, 8, 1, 1, 2], window=4), 3)
    0.924
    """
    curves = _curves(y_true, y_score, window)
    heights = (curves.recall[:, 1:] + curves.recall[:, :-1]) / 2
    return _mean_area(np.diff(curves.fall_out) * heights)


class _Curves(NamedTuple):
    """One curve for each length of slope, over falling thresholds."""

    recall: Floats  # (window + 1, 1 + n_thresholds + 1), from 0 to 1
    fall_out: Floats  # (window + 1, 1 + n_thresholds + 1), from 0 to 1
    precision: Floats  # (window + 1, n_thresholds)


def _curves(y_true: ArrayLike, y_score: ArrayLike, window: int) -> _Curves:
    labels, scores = labelled(y_true, y_score)
    _check_window(window)
    ranks = _ranks(scores)
    n_predicted = _by_threshold(ranks)
    slopes = _slopes(labels, ranks, window)
    hits = _by_threshold(ranks[labels]) + slopes
    positives = labels.sum() + slopes / 2
    recall = np.minimum(hits / positives, 1) * _existence(labels, ranks, window)
    fall_out = (n_predicted - hits) / (len(labels) - positives)
    return _Curves(_with_ends(recall), _with_ends(fall_out), hits / n_predicted)


def _with_ends(rates: Floats) -> Floats:
    """Let each curve start at 0 and end at 1, whatever the thresholds reach."""
    return np.insert(rates, [0, rates.shape[1]], [0.0, 1.0], axis=1)


def _mean_area(areas: Floats) -> float:
    return float(areas.sum(axis=1).mean())


def _ranks(scores: Floats) -> Indices:
    """Return the first threshold at which each point is predicted."""
    places = np.linspace(0, len(scores) - 1, _N_THRESHOLDS).astype(np.intp)
    return np.searchsorted(np.sort(-scores)[places], -scores)


def _by_threshold(ranks: Indices, weights: Floats | None = None) -> NDArray[Any]:
    """Count what is found at each threshold, or sum its weights."""
    return np.bincount(ranks, weights, _N_THRESHOLDS).cumsum()


def _slopes(labels: Flags, ranks: Indices, window: int) -> Floats:
    """Sum the labels of predicted points on slopes, for each length and threshold."""
    points, nearest, second = _distances(labels, window // 2)
    ranks = ranks[points]
    sums: Floats = np.zeros((window + 1, _N_THRESHOLDS))
    for length in range(2, window + 1):
        n = np.searchsorted(nearest, length // 2, side="right")
        slope = np.sqrt(1 - nearest[:n] / length)
        slope[second[:n] <= length // 2] = 1  # two slopes add up to 1 or more
        sums[length] = _by_threshold(ranks[:n], slope)
    return sums


def _distances(labels: Flags, reach: int) -> tuple[Indices, Indices, Indices]:
    """Return normal points within reach of an anomaly, nearest first, and two distances.

    They are the distances to the two nearest anomalies, on either side or on the same.
    """
    starts, ends = anomalies(labels)
    starts, ends = np.append(starts, [_FAR] * 2), np.append([-_FAR] * 2, ends)
    points = np.flatnonzero(~labels)
    after, before = np.searchsorted(starts, points), np.searchsorted(ends, points)
    right, left = starts[after] - points, points - ends[before - 1]
    nearest = np.minimum(left, right)
    order = np.argsort(nearest, kind="stable")[: np.count_nonzero(nearest <= reach)]
    next_right, next_left = starts[after + 1] - points, points - ends[before - 2]
    second = np.minimum(np.maximum(left, right), np.minimum(next_left, next_right))
    return points[order], nearest[order], second[order]


def _existence(labels: Flags, ranks: Indices, window: int) -> Floats:
    """Return the share of anomalies that are met, for each length of slope and threshold."""
    starts, ends = anomalies(labels)
    gaps = starts[1:] - ends[:-1]
    bounds = np.column_stack([starts, ends + 1]).ravel()
    met = np.minimum.reduceat(np.append(ranks, _N_THRESHOLDS), bounds)[::2]
    shares: Floats = np.empty((window // 2 + 1, _N_THRESHOLDS))
    for reach in range(len(shares)):
        met = np.minimum(met, ranks[np.maximum(starts - reach, 0)])
        met = np.minimum(met, ranks[np.minimum(ends + reach, len(ranks) - 1)])
        apart = np.flatnonzero(np.append(True, gaps > 2 * reach))
        shares[reach] = _by_threshold(np.minimum.reduceat(met, apart)) / len(apart)
    return shares[np.arange(window + 1) // 2]


def _check_window(window: Any) -> None:
    if not isinstance(window, Integral) or window < 0:
        raise ValueError(
            f"window is {window!r}, expected an integer of at least 0 [time steps]. Pass the "
            "period, as of find_period(X[:, 0]), or 0 for labels without slopes."
        )
