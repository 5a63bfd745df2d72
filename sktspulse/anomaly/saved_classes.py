"""The classes that a fitted detector consists of, and that a file may hold."""

from __future__ import annotations

from ..series import Pace
from .calibration import ChannelScale, HeadCalibration, LengthCalibration
from .context import ContextCorrection
from .counter import CounterScale
from .cycle import Cycle
from .multichannel import ChannelRegression, StateClusters
from .normal_model import NormalModel
from .signals import ChannelSignals, HeadSignals
from .steps import StepScale

__all__ = ["SAVED_CLASSES"]

SAVED_CLASSES = (
    ChannelRegression,
    ChannelScale,
    ChannelSignals,
    ContextCorrection,
    CounterScale,
    Cycle,
    HeadCalibration,
    HeadSignals,
    LengthCalibration,
    NormalModel,
    Pace,
    StateClusters,
    StepScale,
)
