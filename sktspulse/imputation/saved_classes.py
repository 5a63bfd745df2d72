"""The classes that a fitted imputer consists of, and that a file may hold."""

from __future__ import annotations

from .cokriging import ChannelGroup, CoKriging
from .cross_channel import CrossChannelCorrection
from .gap_filler import GapFiller
from .limits import Limits
from .regression import ProxyRegression, RegressionCorrection
from .uncertainty import Uncertainty

__all__ = ["SAVED_CLASSES"]

SAVED_CLASSES = (
    ChannelGroup,
    CoKriging,
    CrossChannelCorrection,
    GapFiller,
    Limits,
    ProxyRegression,
    RegressionCorrection,
    Uncertainty,
)
