"""Level and scale of channels as features, which the network's embeddings leave out."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np

from ..network import standardize
from ..series import Floats, Panel, Values, stacks

__all__ = ["FLAT", "ColumnScaler", "RobustLevelScaler", "level_features", "relative"]

FLAT = 1e-3  # spread of levels or scales, relative to the median scale, that counts as none
_QUARTER = 0.25
_LARGEST = np.finfo(np.float64).max


def level_features(panel: Panel) -> Floats:
    """Return mean, then standard deviation of every channel; NaN where nothing is known."""
    return np.concatenate([_moments(block) for block in stacks(panel)])


def _moments(panel: Values) -> Floats:
    z, loc, scale = standardize(panel)
    is_flat = ~np.nan_to_num(z).any(-1)
    is_empty = np.isnan(z).all(-1)
    moments = loc[..., 0], np.where(is_flat, 0, scale[..., 0])
    return np.hstack([np.where(is_empty, np.nan, part) for part in moments])


class RobustLevelScaler(NamedTuple):
    """Robust scaling of level features, learned from a panel channel by channel."""

    # In quarters, as differences of the largest numbers would be infinite.
    centre: Values  # (n_channels,) median level
    spread: Values  # (n_channels,) interquartile range of levels; inf if they do not differ
    unit: Values  # (n_channels,) median scale

    @classmethod
    def fit(cls, levels: Values, weights: Values) -> Self:
        """Compute weighted quartiles of the level features of a panel."""
        loc, scale = np.hsplit(levels * _QUARTER, 2)
        low, centre, high = (_quantiles(loc, weights, q) for q in (0.25, 0.5, 0.75))
        unit = _quantiles(np.where(scale > 0, scale, np.nan), weights, 0.5)
        unit = np.where(unit > 0, unit, 1)
        spread = np.where(high - low > FLAT * unit, high - low, np.inf)
        return cls(centre, spread, unit)

    def __call__(self, levels: Values) -> Floats:
        """Compress levels and scales logarithmically; the units of channels cancel."""
        loc, scale = np.hsplit(levels, 2)
        distance = np.where(np.isnan(loc), 0, relative(loc, self.centre, self.spread))
        ratio = np.where(np.isnan(scale), 1, relative(scale, 0, self.unit))
        return np.hstack([np.arcsinh(distance), np.log(FLAT + ratio)])


class ColumnScaler(NamedTuple):
    """Standardisation of columns; a column that does not vary becomes 0."""

    mean: Values  # (n_features,)
    factor: Values  # (n_features,)

    @classmethod
    def fit(
        cls, X: Values, weights: Values, min_deviation: float, squared_norm: float | None = None
    ) -> Self:
        """Scale columns to variance 1, or rows to a mean squared norm."""
        shares = weights / weights.sum()
        mean = shares @ X
        deviation = np.sqrt(shares @ np.square(X - mean))
        varies = deviation > min_deviation
        norm = 1.0 if squared_norm is None else np.sqrt(squared_norm / max(1, varies.sum()))
        return cls(mean, np.divide(norm, deviation, out=np.zeros_like(mean), where=varies))

    def __call__(self, X: Values) -> Floats:
        """Scale the columns."""
        return np.asarray((X - self.mean) * self.factor)


def relative(values: Values, centre: Values | float, unit: Values) -> Floats:
    """Return the distance from ``centre`` in units, both given in quarters, if need be the largest.

    Differences of quarters are finite.
    """
    with np.errstate(over="ignore"):
        return np.asarray((values * _QUARTER - centre) / unit).clip(-_LARGEST, _LARGEST)


def _quantiles(values: Values, weights: Values, q: float) -> Floats:
    """Return a weighted quantile of each column; 0 if all of it is missing."""
    return np.array([_quantile(column, weights, q) for column in values.T])


def _quantile(values: Values, weights: Values, q: float) -> float:
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return 0.0
    order = known[np.argsort(values[known])]
    sums = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(sums, q * sums[-1])]])
