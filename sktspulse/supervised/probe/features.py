"""Features of the linear model: embeddings, sampled values and levels, side by side and scaled."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ...embedding import Windowing
from ...series import Floats, Indices, Panel, Values, resample
from ..levels import FLAT, ColumnScaler, RobustLevelScaler, relative
from .representations import REPRESENTATIONS, SMOOTH_REPRESENTATIONS, unchanged

__all__ = ["FeatureScaler", "Layout", "n_sampled_points", "sampled_values"]

_ROUNDING = 1e-5  # standard deviation of embeddings that rounding alone can cause
_LEVEL_SHARE = 0.1  # mean squared norm of the level features; that of embeddings is 1
_MAX_POINTS = 64  # sampled from a channel
_MAX_VALUES = 2048  # sampled from all channels
_MAX_DISTANCE = 8.0  # of a sampled value from the median level, in units of the spread


class Layout(NamedTuple):
    """How many columns of each kind there are."""

    n_representations: int
    n_embedded: int  # for all representations together
    n_kernels: int
    n_values: int
    n_levels: int

    def split(self, features: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        """Return the columns of embeddings, of kernels, of values and of levels."""
        sizes = self.n_embedded, self.n_kernels, self.n_values
        return tuple(np.split(features, np.cumsum(sizes), axis=-1))

    def groups(self, windowing: Windowing) -> list[Indices]:
        """Return the columns of each of the linear models that are combined.

        The first group are embeddings and levels, the second the levels, the third the kernels.
        A group of the smooth representations follows if there are several representations. If
        there are values, they are a group, and so are the embeddings of the unchanged series.
        """
        embedded, kernels, values, levels = self.split(np.arange(sum(self[1:])))
        names = REPRESENTATIONS[windowing][: self.n_representations]
        columns = dict(zip(names, np.split(embedded, self.n_representations), strict=True))
        smooth = [found for name, found in columns.items() if name in SMOOTH_REPRESENTATIONS]
        groups = [np.append(embedded, levels), levels, kernels]
        if smooth and self.n_representations > 1:
            groups.append(np.concatenate(smooth))
        if self.n_values:
            groups += [values, *([columns[unchanged]] if unchanged in columns else [])]
        return groups


def n_sampled_points(n_channels: int) -> int:
    """Return how many points of each channel ``sampled_values`` gives."""
    return max(2, min(_MAX_POINTS, _MAX_VALUES // n_channels))


def sampled_values(panel: Panel) -> Floats:
    """Return the values of every channel at evenly spaced points."""
    n_points = n_sampled_points(len(panel[0]))
    return np.array([resample(series, n_points).ravel() for series in panel], dtype=np.float64)


class FeatureScaler(NamedTuple):
    """Scaling of embeddings, values and levels."""

    layout: Layout
    levels: RobustLevelScaler
    columns: tuple[ColumnScaler, ...]

    @classmethod
    def fit(cls, features: Values, weights: Values, layout: Layout) -> Self:
        """Learn the scaling from features as ``FeatureExtractor.join`` gives them."""
        levels = RobustLevelScaler.fit(layout.split(features)[-1], weights)
        parts = _without_units(features, layout, levels)
        limits = ((_ROUNDING, 1.0), (_ROUNDING, 1.0), (FLAT, 1.0), (FLAT, _LEVEL_SHARE))
        pairs = zip(parts, limits, strict=True)
        columns = tuple(ColumnScaler.fit(part, weights, *limit) for part, limit in pairs)
        return cls(layout, levels, columns)

    def __call__(self, features: Values) -> Floats:
        """Scale features."""
        parts = _without_units(features, self.layout, self.levels)
        return np.hstack([scale(part) for scale, part in zip(self.columns, parts, strict=True)])


def _without_units(
    features: Values, layout: Layout, levels: RobustLevelScaler
) -> tuple[Values, Values, Values, Values]:
    """Return what has no units as it is, values and levels without those of the channels."""
    embedded, kernels, values, moments = layout.split(features)
    return embedded, kernels, _scale_values(values, levels), levels(moments)


def _scale_values(values: Values, levels: RobustLevelScaler) -> Floats:
    """Measure values, ``(n_series, n_channels * n_points)``, by the spread of their channel."""
    unit = np.hypot(np.where(np.isinf(levels.spread), 0, levels.spread), levels.unit)
    n_points = values.shape[1] // len(unit)
    centre, unit = (np.repeat(part, n_points) for part in (levels.centre, unit))
    return np.nan_to_num(relative(values, centre, unit)).clip(-_MAX_DISTANCE, _MAX_DISTANCE)
