"""Counters, such as meters: their levels never repeat, but their increments do."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from ..series import Flags, Floats, Integers, Values
from .calibration import ChannelScale, usual_range
from .cycle import Cycle, is_level_known

__all__ = ["CounterScale", "fit_scale", "without_counters"]

_MIN_INCREASES = 32  # in the training recording
_MAX_RESETS = 0.005  # of the changes
_MIN_ROUGHNESS = 0.1  # mean change of the increments, relative to their mean deviation
_MAX_LAG = 4  # time points that an ordinary increment is averaged over
_MAX_SPAN = 256  # time points over which increments are known at all
_ROUNDING = 1e-6  # relative
_REACH = 3  # readings on either side that a wrong one is compared with


class CounterScale(NamedTuple):
    """Increments of a counter per time point, standardised.

    A counter never goes back: where it does, the increment is infinite, hence clipped. A reading
    whose neighbours agree with each other is to blame for both of its increments.
    """

    direction: int  # 1 or -1
    highest: float  # usual increment per time point [input units]
    scale: ChannelScale  # of the increments
    trailing: bool  # whether an increment depends on earlier readings only

    @classmethod
    def fit(cls, values: Values, trailing: bool) -> Self | None:
        """Fit to the values ``(T,)`` of a channel, NaN where missing; None if it is no counter."""
        direction = _direction(values)
        if not direction or _is_known(values, trailing):
            return None
        raw = cls(direction, np.inf, ChannelScale(0.0, 1.0), trailing)
        steps = raw.increments(values)
        usual = np.where(np.isfinite(steps), steps, np.nan)
        if not (_is_rough(usual) or _is_known(usual, trailing)):
            return None
        raw = raw._replace(highest=usual_range(usual)[1] * (1 + _ROUNDING))
        return raw._replace(scale=ChannelScale.fit(raw.increments(values)))

    def __call__(self, values: Values) -> Floats:
        """Standardise the increments of values ``(T,)``."""
        return self.scale(self.increments(values))

    def increments(self, values: Values) -> Floats:
        """Return the increments per time point ``(T,)``, NaN where unknown."""
        places = np.flatnonzero(np.isfinite(values))
        readings = self.direction * values[places].astype(np.float64)
        wrong = self._find_wrong(places, readings)
        kept = np.flatnonzero(~wrong)
        own, found = (np.full(len(places), np.nan) for _ in range(2))
        own[1:], found[kept[1:]] = (
            self._rates(places, readings),
            self._rates(places[kept], readings[kept]),
        )
        lags = np.zeros(len(places))
        lags[kept[1:]] = np.diff(places[kept])
        found[(lags > _MAX_LAG) & self._is_usual(found)] = np.nan
        # What is wrong, but is not lower than the reading before, is higher than the next one.
        found[wrong] = np.where(self._is_usual(own[wrong]), np.inf, own[wrong])
        increments = np.full(len(values), np.nan)
        increments[places] = np.where(found < 0, -np.inf, found)
        return increments

    def _rates(self, places: Integers, readings: Floats) -> Floats:
        """Return increments per time point, NaN over many of them if an earlier one is needed."""
        lags = np.diff(places)
        rates = np.diff(readings) / lags
        return np.where(self.trailing & (lags > _MAX_SPAN), np.nan, rates)

    def _is_usual(self, rates: Floats) -> Flags:
        return np.isnan(rates) | (rates >= 0) & (rates <= self.highest)

    def _find_wrong(self, places: Integers, readings: Floats) -> Flags:
        """Flag readings without which the increments around them are usual."""
        wrong = np.zeros(len(places), bool)
        is_usual = np.append(True, self._is_usual(self._rates(places, readings)))
        for place in np.flatnonzero(~is_usual).tolist():
            if self.trailing:
                choices, stop = [place - 1] if not is_usual[place - 1] else [], place + 1
            else:
                choices, stop = [place - 1, place], place + _REACH
            around = np.arange(max(0, place - _REACH), min(stop, len(places)))
            ranges = {}
            for one in choices:
                others = around[around != one]
                rates = self._rates(places[others], readings[others])
                if not wrong[place - 1] and len(rates) and self._is_usual(rates).all():
                    ranges[one] = np.ptp(rates)
            if ranges:
                wrong[min(ranges, key=ranges.__getitem__)] = True
        return wrong


def fit_scale(values: Values, trailing: bool) -> ChannelScale | CounterScale:
    """Fit the scale of a channel ``(T,)``, or of its increments if it is a counter."""
    return CounterScale.fit(values, trailing) or ChannelScale.fit(values)


def without_counters(values: Values, trailing: bool) -> Values:
    """Replace the counters of a recording ``(T, C)`` by their increments."""
    scales = [CounterScale.fit(column, trailing) for column in values.T]
    columns = zip(scales, values.T, strict=True)
    return np.stack([scale(column) if scale else column for scale, column in columns], axis=1)


def _direction(values: Values) -> int:
    """Return 1 or -1 if the known values hardly ever change in the other direction, else 0."""
    changes = np.sign(np.diff(values[np.isfinite(values)] / 2))  # halves do not overflow
    n_up, n_down = int((changes > 0).sum()), int((changes < 0).sum())
    most, least = max(n_up, n_down), min(n_up, n_down)
    if most < _MIN_INCREASES or least > _MAX_RESETS * most:
        return 0
    return 1 if n_up > n_down else -1


def _is_known(values: Values, trailing: bool) -> bool:
    """Return whether the level of a channel ``(T,)`` is predictable, from its cycle or without."""
    scaled = ChannelScale.fit(values)(values)
    return is_level_known(Cycle.fit(scaled, with_period=not trailing).deviations(scaled))


def _is_rough(steps: Floats) -> bool:
    """Return whether increments change at once; those of a slow rise are slow as well."""
    known = steps[np.isfinite(steps)]
    deviation = np.abs(known - np.median(known)).mean()
    return bool(np.abs(np.diff(known)).mean() >= _MIN_ROUGHNESS * deviation)
