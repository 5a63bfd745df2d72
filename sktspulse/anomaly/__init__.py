"""Anomaly detection in recordings."""

from .detector import TSPulseAnomalyDetector
from .display import AnomalyScoreDisplay
from .stream import AnomalyStream

__all__ = ["AnomalyScoreDisplay", "AnomalyStream", "TSPulseAnomalyDetector"]
