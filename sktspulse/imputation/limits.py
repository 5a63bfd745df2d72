"""Keep filled values within what a channel can be: its range, its direction, whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from ..series import Flags, Floats, Integers, Values, runs

__all__ = ["Limits"]

_MARGIN = 0.05  # beyond the observed range, relative to it
_MIN_ATTAINED = 0.01  # of the known values, for an end of the range to be a bound
_MIN_TIMES = 3
_MIN_STEPS = 20  # that differ from 0, to call a channel monotone
_MAX_REVERSALS = 0.005  # of these steps


@dataclass(frozen=True)
class Limits:
    """What the values of each channel have in common [input units]; arrays ``(n_channels,)``."""

    low: Floats  # lowest known value, infinity without any
    high: Floats  # highest known value, minus infinity without any
    margin_below: Floats  # that a fill may lie below the lowest; 0 if that is attained often
    margin_above: Floats
    direction: Integers  # 1 if values never fall, -1 if they never rise, else 0
    is_integer: Flags  # whether all known values are whole numbers
    bounds: Floats  # (2, n_channels), of all filled values
    rounds: bool = False  # whether channels of whole numbers are rounded

    @classmethod
    def fit(cls, panels: Sequence[Values]) -> Self:
        """Look at all known values of panels ``(n_series, n_channels, n_timepoints)``."""
        columns = [
            _describe([row[~np.isnan(row)] for panel in panels for row in panel[:, channel]])
            for channel in range(panels[0].shape[1])
        ]
        low, high, below, above, direction, is_integer = map(np.array, zip(*columns, strict=True))
        bounds = np.outer([-np.inf, np.inf], np.ones(len(columns)))
        return cls(low, high, below, above, direction, is_integer, bounds)

    def opened(self) -> Self:
        """Return limits that do not depend on the known values, except for whole numbers."""
        infinite = np.full(len(self.low), np.inf)
        return replace(
            self, margin_below=infinite, margin_above=infinite, direction=0 * self.direction
        )

    def restricted(self, bounds: Any, *, rounds: bool) -> Self:
        """Return limits with bounds as the estimator takes them."""
        if bounds is None:
            return replace(self, rounds=rounds)
        if isinstance(bounds, str):  # "observed"
            bounds = np.where(self.low <= self.high, [self.low, self.high], np.nan)
        return replace(self, bounds=_check_bounds(bounds, len(self.low)), rounds=rounds)

    def in_range(self, filled: Floats, panel: Values, *, only_attained: bool = False) -> Floats:
        """Return the filled panel within the range of each channel, or of ends attained often.

        The range includes the known values of a series itself, those of ``panel``.
        """
        missing = np.isnan(panel)
        own_low = np.min(panel, -1, keepdims=True, where=~missing, initial=np.inf)
        own_high = np.max(panel, -1, keepdims=True, where=~missing, initial=-np.inf)
        lowest = np.minimum(self.low[:, None], own_low)
        highest = np.maximum(self.high[:, None], own_high)
        is_known = lowest <= highest
        margins = np.stack([self.margin_below, self.margin_above])[..., None]
        below, above = np.where(margins > 0, np.inf, 0) if only_attained else margins
        with np.errstate(over="ignore"):
            lowest = np.where(is_known, lowest, -np.inf) - below
            return filled.clip(lowest, np.where(is_known, highest, np.inf) + above)

    def apply(self, filled: Floats, panel: Values) -> Floats:
        """Return the filled panel within all limits; known values may change."""
        missing, limited = np.isnan(panel), self.in_range(filled, panel, only_attained=True)
        for channel in np.flatnonzero(self.direction):
            for one, gaps in zip(limited[:, channel], missing[:, channel], strict=True):
                _make_monotone(one, gaps, self.direction[channel])
        if self.rounds:
            limited = np.where(self.is_integer[:, None], limited.round(), limited)
        return limited.clip(*self.bounds[..., None])


def _check_bounds(bounds: Any, n_channels: int) -> Floats:
    """Return lower and upper bounds ``(2, n_channels)``; infinite where open."""
    given = f"bounds={bounds!r}"
    if len(bounds) != 2:
        raise ValueError(
            f"{given} has {len(bounds)} entries, but (low, high) was expected. Use None for an "
            "open side, for example bounds=(0, None)."
        )
    both = np.empty((2, n_channels))
    for side, (entry, default) in enumerate(zip(bounds, (-np.inf, np.inf), strict=True)):
        values = np.asarray(np.nan if entry is None else entry, dtype=np.float64)
        if values.shape not in ((), (n_channels,)):
            raise ValueError(
                f"{given} has an entry of shape {values.shape}, but X has {n_channels} channels. "
                f"Give one number, or one for each channel."
            )
        both[side] = np.where(np.isnan(values), default, values)
    if (both[0] > both[1]).any():
        raise ValueError(f"{given} has a lower bound above the upper one. Swap them.")
    return both


def _describe(series: list[Values]) -> tuple[float, float, float, float, int, bool]:
    values = np.concatenate(series).astype(np.float64)
    if not len(values):
        return np.inf, -np.inf, 0.0, 0.0, 0, False
    low, high = float(values.min()), float(values.max())
    often = max(_MIN_ATTAINED * len(values), _MIN_TIMES)
    margin = _MARGIN * high - _MARGIN * low
    below, above = (0.0 if (values == end).sum() >= often else margin for end in (low, high))
    is_integer = bool((values == np.round(values)).all())
    return low, high, below, above, _direction(series), is_integer


def _direction(series: list[Values]) -> int:
    n_up = sum(int((row[1:] > row[:-1]).sum()) for row in series)
    n_down = sum(int((row[1:] < row[:-1]).sum()) for row in series)
    if n_up + n_down < _MIN_STEPS or min(n_up, n_down) > _MAX_REVERSALS * (n_up + n_down):
        return 0
    return 1 if n_up > n_down else -1


def _make_monotone(values: Floats, missing: Flags, direction: int) -> None:
    """Make the gaps of one series rise or fall between their ends, in place."""
    for start, stop in runs(missing):
        gap = direction * values[start:stop]
        left = direction * values[start - 1] if start else -np.inf
        right = direction * values[stop] if stop < len(values) else np.inf
        if left <= right:
            gap = gap.clip(left, right)
            rising = np.maximum.accumulate(gap)
            falling = np.minimum.accumulate(gap[::-1])[::-1]
            values[start:stop] = direction * (rising + falling) / 2
