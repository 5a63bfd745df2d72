"""What the linear head reads of a series."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ...network import standardize
from ...series import Panel, Values, resample
from .representations import FORMS, SMOOTH_FORMS, unchanged
from .samples import Rows

__all__ = ["Layout", "Levels", "levels_of", "values_of"]

_FLAT = 1e-3  # spread of levels or scales, over the usual scale, that tells nothing
_ROUNDING = 1e-5  # deviation of embeddings that rounding can make
_LEVEL_SHARE = 0.1  # squared length of levels and scales beside that of the embeddings, 1
_MAX_POINTS = 64  # of a channel, whose values are read
_MAX_VALUES = 2048  # of all channels
_FARTHEST = 8.0  # usual distances that a value counts as at most


class Layout(NamedTuple):
    """How many columns of each kind stand side by side."""

    n_forms: int
    n_embedded: int  # of all forms
    n_values: int
    n_levels: int

    def split(self, features: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return embeddings, values and levels apart."""
        embedded, values, levels = np.split(
            features, np.cumsum([self.n_embedded, self.n_values]), axis=-1
        )
        return embedded, values, levels

    def groups(self, length: str) -> list[NDArray[np.intp]]:
        """Return the columns that models are fitted to.

        All but values are the first group, levels one of the others. Where several forms were
        read, there is one of the smooth forms. Where there are values, they are a group, and
        the series as they are another: what goes on without an end has no pace or halves.
        """
        embedded, values, levels = self.split(np.arange(sum(self[1:])))
        forms = FORMS[length][: self.n_forms]
        by_form = dict(zip(forms, np.split(embedded, self.n_forms), strict=True))
        smooth = [columns for form, columns in by_form.items() if form in SMOOTH_FORMS]
        groups = [np.append(embedded, levels), levels]
        if smooth and self.n_forms > 1:
            groups.append(np.concatenate(smooth))
        if self.n_values:
            groups += [values, *([by_form[unchanged]] if unchanged in by_form else [])]
        return groups


def levels_of(panel: Panel) -> NDArray[np.float64]:
    """Return the mean of every channel, then the deviation; NaN where nothing is known."""
    rows = [_level(series) for series in panel]
    return np.array(rows, dtype=np.float64)


def _level(series: Values) -> Values:
    z, loc, scale = standardize(series)
    is_flat = ~np.nan_to_num(z).any(-1)
    is_empty = np.isnan(z).all(-1)
    moments = np.stack([loc[:, 0], np.where(is_flat, 0, scale[:, 0])])  # (2, C)
    return np.where(is_empty, np.nan, moments).ravel()


def values_of(panel: Panel) -> NDArray[np.float64]:
    """Return the values of every channel at points evenly spaced from the first to the last."""
    n_points = _n_points(len(panel[0]))
    return np.array([resample(series, n_points).ravel() for series in panel], dtype=np.float64)


def _n_points(n_channels: int) -> int:
    return max(2, min(_MAX_POINTS, _MAX_VALUES // n_channels))


class Levels(NamedTuple):
    """What levels and scales are measured by: those of the panel fitted with, by channel."""

    centre: Values  # (n_channels,) usual level
    spread: Values  # (n_channels,) usual distance between levels; inf where they are all the same
    unit: Values  # (n_channels,) usual scale

    @classmethod
    def of(cls, levels: Values, weights: Values) -> Self:
        """Measure them by weighted quartiles of a panel."""
        loc, scale = np.hsplit(levels, 2)
        low, centre, high = (_quantiles(loc, weights, q) for q in (0.25, 0.5, 0.75))
        unit = _quantiles(np.where(scale > 0, scale, np.nan), weights, 0.5)
        unit = np.where(unit > 0, unit, 1)
        spread = np.where(high - low > _FLAT * unit, high - low, np.inf)
        return cls(centre, spread, unit)

    def __call__(self, levels: Values) -> Values:
        """Return numbers that grow slowly far out, and do not depend on the channels' units."""
        loc, scale = np.hsplit(levels, 2)
        far = np.where(np.isnan(loc), 0, (loc - self.centre) / self.spread)
        wide = np.where(np.isnan(scale), 1, scale / self.unit)
        return np.hstack([np.arcsinh(far), np.log(_FLAT + wide)])

    def scale(self, values: Values) -> Values:
        """Measure values of channels, ``(n_series, n_channels * n_points)``, in usual distances."""
        unit = np.hypot(np.where(np.isinf(self.spread), 0, self.spread), self.unit)
        centre, unit = (np.repeat(one, values.shape[1] // len(one)) for one in (self.centre, unit))
        far: Values = np.nan_to_num((values - centre) / unit)
        return far.clip(-_FARTHEST, _FARTHEST)


class _Standard(NamedTuple):
    """Brings columns to mean 0 and equal variance, and rows to a usual length."""

    mean: Values  # (n_features,)
    factor: Values  # (n_features,) 0 for what does not vary

    @classmethod
    def of(cls, features: Values, weights: Values, least: float, share: float) -> Self:
        shares = weights / weights.sum()
        mean = shares @ features
        deviation = np.sqrt(shares @ np.square(features - mean))
        varies = deviation > least
        length = np.sqrt(share / max(1, varies.sum()))
        return cls(mean, np.divide(length, deviation, out=np.zeros_like(mean), where=varies))

    def __call__(self, features: Values) -> Values:
        scaled: Values = (features - self.mean) * self.factor
        return scaled


class _Scaling(NamedTuple):
    """Scaling of what ``_extract`` returns: embeddings, values, and levels with scales."""

    layout: Layout
    levels: Levels
    standards: tuple[_Standard, ...]

    @classmethod
    def of(cls, rows: Rows, layout: Layout) -> Self:
        levels = Levels.of(layout.split(rows.features)[2], rows.weights)
        parts = _measured(rows.features, layout, levels)
        limits = ((_ROUNDING, 1.0), (_FLAT, 1.0), (_FLAT, _LEVEL_SHARE))
        pairs = zip(parts, limits, strict=True)
        return cls(
            layout, levels, tuple(_Standard.of(part, rows.weights, *limit) for part, limit in pairs)
        )

    def __call__(self, features: Values) -> Values:
        parts = _measured(features, self.layout, self.levels)
        return np.hstack([scale(part) for scale, part in zip(self.standards, parts, strict=True)])


def _measured(features: Values, layout: Layout, levels: Levels) -> tuple[Values, Values, Values]:
    """Return embeddings as they are, and the rest without the units of channels."""
    embedded, values, moments = layout.split(features)
    return embedded, levels.scale(values) if layout.n_values else values, levels(moments)


def _quantiles(values: Values, weights: Values, q: float) -> Values:
    """Return one quantile of each column, as if rows were repeated; 0 if all is missing."""
    return np.array([_quantile(column, weights, q) for column in values.T])


def _quantile(values: Values, weights: Values, q: float) -> float:
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return 0.0
    order = known[np.argsort(values[known])]
    sums = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(sums, q * sums[-1])]])
