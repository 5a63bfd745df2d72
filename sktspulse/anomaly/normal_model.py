"""A model of a normal recording, and the scores of others against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from itertools import islice
from typing import NamedTuple, Self

import numpy as np

from ..series import Flags, Floats, Integers, Values
from .calibration import ChannelScale, HeadCalibration, TailProbability
from .combination import HeadCombiner
from .multichannel import joint_distance
from .signals import ComputeErrors, HeadSignals

__all__ = ["AnomalyScores", "NormalModel"]

Calibration = HeadCalibration | TailProbability


class AnomalyScores(NamedTuple):
    """Scores of a recording, 0 or more, high where anomalous."""

    combined: Floats  # (n_timepoints,)
    heads: Floats  # (n_heads, n_timepoints)
    top_channels: Integers  # (n_heads, n_timepoints), the channel with the highest score


@dataclass(frozen=True)
class NormalModel:
    """Scales of the channels, signals of the heads, and their calibration."""

    lengths: Sequence[int]  # of the moving averages [time points]
    trailing: bool  # whether averages look back only
    scales: Sequence[ChannelScale]  # (C,)
    head_signals: HeadSignals
    calibrations: Sequence[Sequence[HeadCalibration]]  # for each block of signals, each head
    tails: Sequence[TailProbability]  # (n_heads,), of the maximum over channels
    combine: HeadCombiner

    @classmethod
    def fit(
        cls,
        values: Values,
        compute_errors: ComputeErrors,
        heads: Sequence[str],
        individual: Flags,
        *,
        lengths: Sequence[int],
        trailing: bool = False,
        combine: str = "auto",
    ) -> tuple[Self, Floats]:
        """Fit to a recording ``(T, C)``; return the model and the recording's scores ``(T,)``."""
        scales = [ChannelScale.fit(column) for column in values.T]
        scaled = _scale(scales, values)
        signals = HeadSignals.fit(scaled, heads, individual, trailing)
        fit_head = partial(HeadCalibration.fit, lengths=lengths, trailing=trailing)
        # States are calibrated on held-out distances, and alike for all channels.
        states, held_out = {}, {}
        if signals.states is not None:
            distance = joint_distance(signals.states.cross_validated_distances(scaled))
            states["states"] = fit_head("states", distance)
            held_out["states"] = states["states"](distance)
        calibrations, highest = [], np.zeros((len(heads), len(values)))
        for block in signals(scaled, compute_errors):
            rows = zip(heads, block, strict=True)
            calibrations.append([states.get(head) or fit_head(head, row) for head, row in rows])
            highest = np.maximum(highest, _apply(calibrations[-1], block))
        rows = zip(heads, highest, strict=True)
        tails = [TailProbability.fit(held_out.get(head, row)) for head, row in rows]
        scores = _apply(tails, highest)
        combiner = HeadCombiner.fit(combine, heads, scores)
        model = cls(lengths, trailing, scales, signals, calibrations, tails, combiner)
        return model, combiner(scores)

    @property
    def heads(self) -> Sequence[str]:
        """Names of the heads."""
        return self.head_signals.heads

    def signals(
        self, values: Values, compute_errors: ComputeErrors, first: int = 0
    ) -> Iterator[Floats]:
        """Yield the signals of a recording ``(T, C)``, as :class:`HeadSignals` does."""
        return self.head_signals(_scale(self.scales, values), compute_errors, first)

    def score(self, signals: Iterable[Floats]) -> AnomalyScores:
        """Score every point from its signals."""
        scores = self._calibrated(signals)
        joint = list(islice(scores, self.head_signals.n_joint))
        highest = next(scores)
        top_channels: Integers = np.zeros(highest.shape, np.int32)
        for channel, one in enumerate(scores, start=1):
            top_channels = np.where(one > highest, np.int32(channel), top_channels)
            highest = np.maximum(highest, one)
        heads = _apply(self.tails, reduce(np.maximum, joint, highest))
        return AnomalyScores(self.combine(heads), heads, top_channels)

    def score_channels(self, signals: Iterable[Floats]) -> Floats:
        """Score every channel at every point, with the heads combined: ``(C, T)``."""
        scores = islice(self._calibrated(signals), self.head_signals.n_joint, None)
        return np.stack([self.combine(heads) for heads in scores])

    def _calibrated(self, signals: Iterable[Floats]) -> Iterator[Floats]:
        for calibrations, block in zip(self.calibrations, signals, strict=True):
            yield _apply(calibrations, block)


def _scale(scales: Sequence[ChannelScale], values: Values) -> Floats:
    """Standardise the channels of a recording ``(T, C)``: ``(C, T)``."""
    columns = zip(scales, values.T, strict=True)
    return np.stack([scale(column) for scale, column in columns])


def _apply(calibrations: Sequence[Calibration], block: Floats) -> Floats:
    """Calibrate every row of a block."""
    scores = np.empty_like(block)
    for row, calibrate, signal in zip(scores, calibrations, block, strict=True):
        row[:] = calibrate(signal)
    return scores
