"""Volumes under surfaces (VUS) of anomaly scores, as the benchmark TSB-AD defines them."""

from __future__ import annotations

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval

from ..series import Flags, Floats, Indices, runs, validated
from .labels import check_labels_and_scores

__all__ = ["vus_pr_score", "vus_roc_score"]

_WINDOW: list[Any] = [Interval(Integral, 0, None, closed="left")]
_N_THRESHOLDS = 250
_FAR = 1 << 60  # farther than any slope reaches [time steps]


@validated(window=_WINDOW)
def vus_pr_score(y_true: ArrayLike, y_score: ArrayLike, *, window: int) -> float:
    """Compute the volume under the precision-recall surface (VUS-PR).

    Each anomaly gets a slope of labels between 0 and 1 on either side, so that scores that
    rise slightly early or fall slightly late are partly correct. The area under the
    precision-recall curve is averaged over all slope lengths from 0 to ``window``. The
    definition is that of the benchmark TSB-AD, for which results of TSPulse are published.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        1 or True where a point is anomalous, 0 or False elsewhere; both must occur.
    y_score : array-like of shape (n_timepoints,)
        Score of each point, finite; higher is more anomalous. Only the order matters.
    window : int
        Largest slope length [time steps], at least 0; half of it lies on either side of an
        anomaly. The benchmark uses the period of the first channel,
        ``find_period(X[:, 0])``.

    Returns
    -------
    float
        Volume in [0, 1]; higher is better.

    Raises
    ------
    ValueError
        If lengths differ, labels are not 0 and 1 or all equal, scores are not finite, or
        ``window`` is not an integer of at least 0.

    See Also
    --------
    vus_roc_score : Volume under the ROC surface.
    find_period : Window that the benchmark uses.
    sklearn.metrics.average_precision_score : Area without slopes.

    Notes
    -----
    For slope length ``l``, a point at a distance of ``1 <= d <= l // 2`` steps from an
    anomaly has the label ``sqrt(1 - d / l)``, or 1 if it is on two slopes. There are 250
    thresholds, evenly spaced over the ranks of the scores. For each, let ``P`` be the number
    of anomalous points, ``S`` the sum of the labels of predicted points on slopes, and
    ``TP`` the sum of the labels of all predicted points. Precision is ``TP`` divided by the
    number of predicted points. Recall is ``TP / (P + S / 2)``, at most 1, times the fraction
    of anomalies with a predicted point, slopes included; anomalies whose slopes overlap
    count as one.

    This is the variant ``opt`` of TSB-AD [2]_, also used in [3]_. The original definition
    [1]_ counts whole slopes in the denominator of recall, whether predicted or not, and the
    slope after an anomaly is one step shorter. Its values can be far lower; do not compare
    values of the two.

    Outlier detectors of scikit-learn give high scores to normal points and label anomalies
    -1: pass ``-detector.score_samples(X)`` and ``labels == -1``.

    References
    ----------
    .. [1] Paparrizos et al., "Volume under the surface: a new accuracy evaluation measure
       for time-series anomaly detection", Proc. VLDB Endow. 15(11), 2022.
    .. [2] Liu and Paparrizos, "The elephant in the room", NeurIPS Datasets and Benchmarks, 2024.
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

    As a scorer for estimators that score the points of one series:

    >>> from sklearn.metrics import make_scorer
    >>> scorer = make_scorer(vus_pr_score, response_method="decision_function", window=4)
    """
    curves = _curves(y_true, y_score, window)
    areas = np.diff(curves.recall)[:, :-1] * curves.precision
    return float(areas.sum(axis=1).mean())


@validated(window=_WINDOW)
def vus_roc_score(y_true: ArrayLike, y_score: ArrayLike, *, window: int) -> float:
    """Compute the volume under the ROC surface (VUS-ROC).

    Labels get slopes as in :func:`vus_pr_score`. The area under the ROC curve is averaged
    over all slope lengths from 0 to ``window``, as in the benchmark TSB-AD.

    Parameters
    ----------
    y_true : array-like of shape (n_timepoints,)
        1 or True where a point is anomalous, 0 or False elsewhere; both must occur.
    y_score : array-like of shape (n_timepoints,)
        Score of each point, finite; higher is more anomalous. Only the order matters.
    window : int
        Largest slope length [time steps], at least 0; half of it lies on either side of an
        anomaly. The benchmark uses the period of the first channel,
        ``find_period(X[:, 0])``.

    Returns
    -------
    float
        Volume in [0, 1]; higher is better.

    Raises
    ------
    ValueError
        If lengths differ, labels are not 0 and 1 or all equal, scores are not finite, or
        ``window`` is not an integer of at least 0.

    See Also
    --------
    vus_pr_score : Volume under the precision-recall surface.
    find_period : Window that the benchmark uses.
    sklearn.metrics.roc_auc_score : Area without slopes.

    Notes
    -----
    In the notation of :func:`vus_pr_score`, the true positive rate is its recall, and the
    false positive rate is the number of predicted points minus ``TP``, divided by
    ``n_timepoints - P - S / 2``. The original definition [1]_ differs from that of TSB-AD
    [2]_ in the same way. If anomalies are rare, even poor scores have a high VUS-ROC.

    References
    ----------
    .. [1] Paparrizos et al., "Volume under the surface: a new accuracy evaluation measure
       for time-series anomaly detection", Proc. VLDB Endow. 15(11), 2022.
    .. [2] Liu and Paparrizos, "The elephant in the room", NeurIPS Datasets and Benchmarks, 2024.

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
    areas = np.diff(curves.false_positive_rate) * heights
    return float(areas.sum(axis=1).mean())


class _Curves(NamedTuple):
    """One curve per slope length, over decreasing thresholds."""

    recall: Floats  # (window + 1, 1 + n_thresholds + 1), from 0 to 1
    false_positive_rate: Floats  # (window + 1, 1 + n_thresholds + 1), from 0 to 1
    precision: Floats  # (window + 1, n_thresholds)


def _curves(y_true: ArrayLike, y_score: ArrayLike, window: int) -> _Curves:
    labels, scores = check_labels_and_scores(y_true, y_score)
    ranks = _ranks(scores)
    n_predicted = _by_threshold(ranks)
    slopes = _slope_sums(labels, ranks, window)
    hits = _by_threshold(ranks[labels]) + slopes
    positives = labels.sum() + slopes / 2
    recall = np.minimum(hits / positives, 1) * _detected_fraction(labels, ranks, window)
    false_positive_rate = (n_predicted - hits) / (len(labels) - positives)
    rates = np.pad([recall, false_positive_rate], [(0, 0), (0, 0), (1, 1)], constant_values=(0, 1))
    return _Curves(rates[0], rates[1], hits / n_predicted)


def _ranks(scores: Floats) -> Indices:
    """Return the index of the first threshold at which each point is predicted."""
    places = np.linspace(0, len(scores) - 1, _N_THRESHOLDS).astype(np.intp)
    return np.searchsorted(np.sort(-scores)[places], -scores)


def _by_threshold(ranks: Indices, weights: Floats | None = None) -> Floats:
    """Count the points predicted at each threshold, or sum their weights."""
    return np.bincount(ranks, weights, _N_THRESHOLDS).cumsum()


def _slope_sums(labels: Flags, ranks: Indices, window: int) -> Floats:
    """Sum the labels of predicted points on slopes, per slope length and threshold."""
    points, nearest, second = _distances(labels, window // 2)
    ranks = ranks[points]
    sums = np.zeros((window + 1, _N_THRESHOLDS))
    for length in range(2, window + 1):
        n = np.searchsorted(nearest, length // 2, side="right")
        slope = np.sqrt(1 - nearest[:n] / length)
        slope[second[:n] <= length // 2] = 1  # two slopes add up to 1 or more
        sums[length] = _by_threshold(ranks[:n], slope)
    return sums


def _distances(labels: Flags, reach: int) -> tuple[Indices, Indices, Indices]:
    """Return normal points within reach, nearest first, and distances to two nearest anomalies."""
    starts, ends = runs(labels).T
    starts, lasts = np.append(starts, [_FAR] * 2), np.append([-_FAR] * 2, ends - 1)
    points = np.flatnonzero(~labels)
    after, before = np.searchsorted(starts, points), np.searchsorted(lasts, points)
    right, left = starts[after] - points, points - lasts[before - 1]
    nearest = np.minimum(left, right)
    order = np.argsort(nearest, kind="stable")[: np.count_nonzero(nearest <= reach)]
    next_right, next_left = starts[after + 1] - points, points - lasts[before - 2]
    second = np.minimum(np.maximum(left, right), np.minimum(next_left, next_right))
    return points[order], nearest[order], second[order]


def _detected_fraction(labels: Flags, ranks: Indices, window: int) -> Floats:
    """Return the fraction of anomalies with a predicted point, per slope length and threshold."""
    anomalies = runs(labels)
    starts, ends = anomalies.T
    gaps = starts[1:] - ends[:-1]
    first = np.minimum.reduceat(np.append(ranks, _N_THRESHOLDS), anomalies.ravel())[::2]
    fractions = np.empty((window // 2 + 1, _N_THRESHOLDS))
    for reach in range(len(fractions)):
        first = np.minimum(first, ranks[np.maximum(starts - reach, 0)])
        first = np.minimum(first, ranks[np.minimum(ends - 1 + reach, len(ranks) - 1)])
        apart = np.flatnonzero(np.append(True, gaps >= 2 * reach))
        fractions[reach] = _by_threshold(np.minimum.reduceat(first, apart)) / len(apart)
    return fractions[np.arange(window + 1) // 2]
