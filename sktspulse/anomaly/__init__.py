"""Anomaly detection in recordings."""

from .calibration import HeadCalibration
from .detector import TSPulseAnomalyDetector
from .display import AnomalyScoreDisplay
from .smoothing import choose_lengths
from .stream import AnomalyStream

__all__ = [
    "AnomalyScoreDisplay",
    "AnomalyStream",
    "HeadCalibration",
    "TSPulseAnomalyDetector",
    "choose_lengths",
]
