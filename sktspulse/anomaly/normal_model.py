"""A model of a normal recording, and the scores of others against it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple, Self

import numpy as np

from ..series import Flags, Floats, Integers, Values
from .calibration import (
    N_RECENT,
    ChannelScale,
    HeadCalibration,
    peak_level,
    scores_of_changes,
)
from .counter import CounterScale, fit_scale
from .head_errors import CAUSAL_BLOCK, CausalHeadErrors, HeadErrors
from .multichannel import STATES_REACH
from .pieces import Piece, Reach
from .signals import HeadSignals
from .smoothing import MAX_SPAN, moving_mean

__all__ = ["AnomalyScores", "NormalModel"]

_MARGIN = 1e-6  # relative, by which the highest score of a short recording is above the threshold
_MIN_ROWS = 128  # of a recording, for that
_N_WARM = 256  # points of the longest average
_NEIGHBOURS = (8, 32, 96, 256)  # points that scores are averaged over
_MAX_EVIDENCE = 300.0  # a score that counts for its neighbours


class AnomalyScores(NamedTuple):
    """Scores of a recording, 0 or more, rarely over 1 where normal."""

    combined: Floats  # (n_timepoints,)
    heads: Floats  # (n_heads, n_timepoints)
    top_channels: Integers  # (n_heads, n_timepoints), the channel with the highest score


@dataclass(frozen=True)
class NormalModel:
    """Scales of the channels, signals of the heads, and their calibration."""

    trailing: bool  # whether averages look back only
    scales: Sequence[ChannelScale | CounterScale]  # (C,)
    head_signals: HeadSignals
    calibrations: Sequence[Sequence[HeadCalibration]]  # for each block of signals, each head
    combine: str  # "max" or "mean"
    level: float  # of combined scores, rarely exceeded by normal points
    recent: Values  # last rows of the training recording, which a causal recording continues

    @classmethod
    def fit(
        cls,
        values: Values,
        errors: HeadErrors,
        heads: Sequence[str],
        individual: Flags,
        *,
        lengths: Sequence[int],
        combine: str = "max",
    ) -> tuple[Self, Floats]:
        """Fit to a recording ``(T, C)``; return the model and the recording's scores ``(T,)``."""
        trailing = errors.is_causal
        scales = [fit_scale(column, trailing) for column in values.T]
        scaled = _scale(scales, values)
        signals = HeadSignals.fit(scaled, heads, individual, trailing, errors)
        calibrations: list[list[HeadCalibration]] = []
        fitted = highest = np.zeros((len(heads), len(values)))
        for number, block in enumerate(signals(scaled, errors)):
            training = signals.training_block(number, block, scaled)
            fits = [
                HeadCalibration.fit(head, row, lengths, trailing)
                for head, row in zip(heads, training, strict=True)
            ]
            if number and signals.states is not None:  # judged like the states of all channels
                states = list(heads).index("states")
                fits[states] = calibrations[0][states]
            calibrations.append(fits)
            highest = np.maximum(highest, _apply(fits, training))
            fitted = np.maximum(fitted, _apply(fits, block))
        level = max(1.0, peak_level(_combine(highest, combine)))
        top = float(_combine(fitted, combine).max())
        if _MIN_ROWS <= len(values) < errors.length and top > 0:
            # So few rows do not show what is rare: the highest of their scores is an alarm.
            level = min(level, top * (1 - _MARGIN))
        recent = _last_rows(values, errors.length) if trailing else values[:0]
        model = cls(trailing, scales, signals, calibrations, combine, level, recent)
        scores = _combine(_changes(fitted / level), combine)
        return model, _with_neighbours(scores, _combine(fitted / level, combine), trailing)

    @property
    def heads(self) -> Sequence[str]:
        """Names of the heads."""
        return self.head_signals.heads

    @property
    def n_lookback(self) -> int:
        """Number of earlier signals that a score depends on if averages look back."""
        return MAX_SPAN * max(self.calibrations[0][0].lengths) + N_RECENT + max(_NEIGHBOURS)

    def reach(self, errors: HeadErrors) -> Reach:
        """Return how far from a point its score depends on others, cycles and counters aside."""
        near = errors.reach
        before = max(near.before, STATES_REACH) + self.n_lookback
        after = near.after
        if not self.trailing:
            after = max(after, STATES_REACH) + self.n_lookback
        return Reach(before, after, near.multiple)

    def piece_rows(self, start: int, stop: int, total: int, errors: HeadErrors) -> tuple[int, int]:
        """Return first row and end of the piece that scores some rows as the whole recording."""
        before, after, multiple = self.reach(errors)
        first, last = max(0, start - before), min(total, stop + after)
        for cycle in self.head_signals.cycles:
            edges = cycle.part_edges(total)
            first = int(edges[np.searchsorted(edges, first, side="right") - 1])
            last = int(edges[np.searchsorted(edges, last)])
        return first // multiple * multiple, last

    def signals(
        self, values: Values, errors: HeadErrors, first: int = 0, piece: Piece | None = None
    ) -> Iterator[Floats]:
        """Yield the signals of a recording ``(T, C)``, as :class:`HeadSignals` does."""
        return self.head_signals(_scale(self.scales, values), errors, first, piece)

    @property
    def n_warm(self) -> int:
        """Number of recent rows whose signals are part of averages."""
        return min(len(self.recent), _N_WARM)

    def warm_signals(self, errors: CausalHeadErrors) -> list[Floats]:
        """Return the signals of recent rows."""
        if not len(self.recent):
            return [np.empty((len(self.heads), 0)) for _ in self.calibrations]
        first = len(self.recent) - self.n_warm
        return list(self.signals(self.recent, replace(errors, first=first), first))

    def score(
        self, signals: Iterable[Floats], skip: int = 0, piece: Piece | None = None
    ) -> AnomalyScores:
        """Score every point from its signals, without the first ones."""
        blocks = self._calibrated(signals, piece)
        joint = list(islice(blocks, self.head_signals.n_joint))
        unusual, highest = next(blocks)
        top_channels: Integers = np.zeros(highest.shape, np.int32)
        for channel, (block, changes) in enumerate(blocks, start=1):
            top_channels = np.where(changes > highest, np.int32(channel), top_channels)
            highest, unusual = np.maximum(highest, changes), np.maximum(unusual, block)
        for block, changes in joint:
            highest, unusual = np.maximum(highest, changes), np.maximum(unusual, block)
        evidence = _combine(unusual, self.combine)
        combined = _with_neighbours(_combine(highest, self.combine), evidence, self.trailing)
        return AnomalyScores(combined[skip:], highest[:, skip:], top_channels[:, skip:])

    def score_channels(self, signals: Iterable[Floats], skip: int = 0) -> Floats:
        """Score every channel at every point, with the heads combined: ``(C, T)``."""
        blocks = islice(self._calibrated(signals), self.head_signals.n_joint, None)
        return np.stack([_combine(changes, self.combine)[skip:] for _, changes in blocks])

    def _calibrated(
        self, signals: Iterable[Floats], piece: Piece | None = None
    ) -> Iterator[tuple[Floats, Floats]]:
        """Yield how unusual each block is, and the same without what persists."""
        for calibrations, block in zip(self.calibrations, signals, strict=True):
            cuts = piece.cuts(block.shape[1]) if piece else (False, False)
            unusual = _apply(calibrations, block, cuts) / self.level
            changes = _changes(unusual)
            if "variation" in self.heads:
                row = list(self.heads).index("variation")
                stuck = calibrations[row].is_stuck(block[row])
                changes[:, stuck] = unusual[:, stuck]  # a fault that lasts becomes no new normal
            yield unusual, changes


def _last_rows(values: Values, context_length: int) -> Values:
    """Return the last rows, a multiple of a block, that later ones are scored with."""
    n_rows = min(len(values), context_length + _N_WARM)
    return values[len(values) - n_rows // CAUSAL_BLOCK * CAUSAL_BLOCK :].copy()


def _scale(scales: Sequence[ChannelScale | CounterScale], values: Values) -> Floats:
    """Standardise the channels of a recording ``(T, C)``: ``(C, T)``."""
    columns = zip(scales, values.T, strict=True)
    return np.stack([scale(column) for scale, column in columns])


def _combine(heads: Floats, rule: str) -> Floats:
    """Combine head scores ``(n_heads, n_timepoints)``."""
    return heads.max(0) if rule == "max" else heads.mean(0)


def _with_neighbours(scores: Floats, unusual: Floats, trailing: bool) -> Floats:
    """Replace scores up to 1 by how unusual the points around or before are, at most 1.

    What surrounds an anomaly is suspicious, but no anomaly by itself.
    """
    evidence = np.square(np.minimum(unusual, _MAX_EVIDENCE))
    means = [moving_mean(evidence, length, trailing=trailing) for length in _NEIGHBOURS]
    suspicion = np.mean(means, axis=0)
    return np.where(scores > 1, scores, suspicion / (1 + suspicion))


def _changes(scores: Floats) -> Floats:
    """Lower the scores ``(n_heads, n_timepoints)`` of what persists."""
    return np.stack([scores_of_changes(row) for row in scores])


def _apply(
    calibrations: Sequence[HeadCalibration], block: Floats, cuts: tuple[bool, bool] = (False, False)
) -> Floats:
    """Calibrate every row of a block."""
    rows = zip(calibrations, block, strict=True)
    return np.stack([calibration(signal, cuts) for calibration, signal in rows])
