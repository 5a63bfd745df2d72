"""Anomaly detection in recordings."""

from .alarm_rate_display import AlarmRateDisplay
from .calibration import HeadCalibration
from .detector import TSPulseAnomalyDetector, score_recording
from .display import AnomalyScoreDisplay
from .segments import find_segments
from .smoothing import choose_lengths
from .stream import AnomalyStream

__all__ = [
    "AlarmRateDisplay",
    "AnomalyScoreDisplay",
    "AnomalyStream",
    "HeadCalibration",
    "TSPulseAnomalyDetector",
    "choose_lengths",
    "find_segments",
    "score_recording",
]
