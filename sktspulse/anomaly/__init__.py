"""Anomaly detection in recordings.

What needs torch is imported on first use: exported models run without it.
"""

from typing import TYPE_CHECKING

from ..lazy import on_first_use
from .calibration import HeadCalibration
from .head_errors import CausalHeadErrors, HeadErrors
from .normal_model import AnomalyScores, NormalModel
from .segments import find_segments
from .smoothing import choose_lengths

if TYPE_CHECKING:
    from .alarm_rate_display import AlarmRateDisplay
    from .detector import (
        TSPulseAnomalyDetector,
        detector_parts,
        piece_rows,
        score_piece,
        score_recording,
    )
    from .display import AnomalyScoreDisplay, score_ticks
    from .stream import AnomalyStream

__all__ = [
    "AlarmRateDisplay",
    "AnomalyScoreDisplay",
    "AnomalyScores",
    "AnomalyStream",
    "CausalHeadErrors",
    "HeadCalibration",
    "HeadErrors",
    "NormalModel",
    "TSPulseAnomalyDetector",
    "choose_lengths",
    "detector_parts",
    "find_segments",
    "piece_rows",
    "score_piece",
    "score_recording",
    "score_ticks",
]

__getattr__ = on_first_use(
    __name__,
    {
        "alarm_rate_display": "AlarmRateDisplay",
        "detector": "TSPulseAnomalyDetector detector_parts piece_rows score_piece score_recording",
        "display": "AnomalyScoreDisplay score_ticks",
        "stream": "AnomalyStream",
    },
)
