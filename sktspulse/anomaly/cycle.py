"""The cycle of a channel: what is usual at each phase of its period."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from ..series import Floats, Integers, seasonal_period
from .pieces import Piece
from .smoothing import known_medians

__all__ = ["Cycle", "is_level_known"]

_MIN_CYCLES = 4  # in the training recording
_MAX_REMAINDER = 0.7  # of the absolute deviations, left by the cycle of the other half
_MAX_VALUE = 8.0  # standard deviations; larger values are clipped before a cycle is looked for
_CHANCE = 4  # time points that independent values stay on one side beyond the usual, log2 of all
_MAX_DRIFT = 1.0  # standard deviations within a quarter of the training recording
_MIN_RETURNS = 16  # times that a level lasts at most in the training recording, to be known


class Cycle(NamedTuple):
    """Usual values at each phase of a period; a constant if there is no cycle.

    The phase of a recording is not known. It is the one that fits best, searched for each part of
    it that is as long as the training recording.
    """

    profile: Floats  # (period,)
    n_timepoints: int  # of the training recording

    @classmethod
    def fit(cls, values: Floats, *, with_period: bool) -> Self:
        """Fit to a scaled channel ``(T,)``, NaN where missing."""
        values = np.clip(values, -_MAX_VALUE, _MAX_VALUE)
        period = seasonal_period([values]) if with_period else 0
        if 0 < period <= len(values) // _MIN_CYCLES and _is_repeated(values, period):
            return cls(_profile(values, period), len(values))
        return cls(_profile(values, 1), len(values))

    @property
    def is_constant(self) -> bool:
        """Whether there is no cycle."""
        return len(self.profile) == 1

    @property
    def optimism(self) -> float:
        """By how much deviations of the training recording are too small."""
        n_cycles = max(2, self.n_timepoints // len(self.profile))
        return float(np.sqrt((n_cycles + 1) / (n_cycles - 1)))

    def deviations(self, values: Floats, piece: Piece | None = None) -> Floats:
        """Return the differences ``(T,)`` from the usual values.

        In a piece of a recording, they are those of the recording in parts that it has in full.
        """
        if self.is_constant:
            return values - self.profile
        start, total = piece or (0, len(values))
        ends = self.part_edges(total) - start
        parts = np.split(values, ends[(ends > 0) & (ends < len(values))])
        return np.concatenate([part - self._expected(part) for part in parts])

    def part_edges(self, n_timepoints: int) -> Integers:
        """Return where the parts of a recording begin and end whose phases are found."""
        n_parts = -(-n_timepoints // self.n_timepoints)
        size, n_larger = divmod(n_timepoints, n_parts)
        numbers = np.arange(n_parts + 1)
        return numbers * size + np.minimum(numbers, n_larger)

    def _expected(self, values: Floats) -> Floats:
        period = len(self.profile)
        shift = _best_shift(_profile(values, period), self.profile)
        return self.profile[(np.arange(len(values)) + shift) % period]


def is_level_known(deviations: Floats) -> bool:
    """Return whether a level is constant, or returns to its median without a drift."""
    known = deviations[np.isfinite(deviations)]
    if not len(known):
        return False
    if known.min() == known.max():
        return True
    above = known > np.median(known)
    changes = np.flatnonzero(above[1:] != above[:-1]) + 1
    longest = np.diff(np.concatenate([[0], changes, [len(known)]])).max()
    is_returning = longest <= max(len(known) / _MIN_RETURNS, np.log2(len(known)) + _CHANCE)
    return bool(is_returning and not _is_drifting(known))


def _is_drifting(known: Floats) -> bool:
    """Return whether the medians of quarters differ by more than values do within a quarter."""
    quarters = np.array_split(known, 4)
    medians = [np.median(quarter) for quarter in quarters if len(quarter)]
    spreads = [
        np.ptp(np.quantile(quarter, (0.16, 0.84))) / 2 for quarter in quarters if len(quarter)
    ]
    return bool(np.ptp(medians) > _MAX_DRIFT * max(spreads))


def _profile(values: Floats, period: int) -> Floats:
    """Return the median at each phase ``(period,)``, NaN where nothing is known."""
    padded = np.pad(values, (0, -len(values) % period), constant_values=np.nan)
    low, high = known_medians(padded.reshape(-1, period))
    return (low + high) / 2


def _is_repeated(values: Floats, period: int) -> bool:
    """Return whether the cycle of either half of a channel explains the other half."""
    middle = len(values) // 2 // period * period
    halves = values[:middle], values[middle:]
    expected = [
        np.resize(_profile(half, period), len(other))
        for half, other in zip(halves, halves[::-1], strict=True)
    ]
    left = np.abs(np.concatenate([h - e for h, e in zip(halves[::-1], expected, strict=True)]))
    if np.isnan(left).all():
        return False
    return bool(
        np.nanmean(left) < _MAX_REMAINDER * np.nanmean(np.abs(values - np.nanmedian(values)))
    )


def _best_shift(found: Floats, profile: Floats) -> int:
    """Return by how much a profile must be shifted to fit one with gaps best."""
    margin = np.ptp(profile) / 2
    known = (found > profile.min() - margin) & (found < profile.max() + margin)
    spectrum = np.conj(np.fft.rfft(np.where(known, found, 0)))
    cross = np.fft.irfft(spectrum * np.fft.rfft(profile), len(profile))
    power = np.fft.irfft(
        np.conj(np.fft.rfft(known)) * np.fft.rfft(np.square(profile)), len(profile)
    )
    return int(np.argmin(power - 2 * cross))
