"""Metrics for anomaly scores and predicted anomalies.

The average precision of single points, called AUC-PR in the benchmark TSB-AD, is
:func:`sklearn.metrics.average_precision_score`.
"""

from .period import find_period
from .ranges import (
    affiliation_precision_score,
    affiliation_recall_score,
    range_precision_score,
    range_recall_score,
)
from .vus import vus_pr_score, vus_roc_score

__all__ = [
    "affiliation_precision_score",
    "affiliation_recall_score",
    "find_period",
    "range_precision_score",
    "range_recall_score",
    "vus_pr_score",
    "vus_roc_score",
]
