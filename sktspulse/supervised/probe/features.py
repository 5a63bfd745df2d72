"""Features of the linear models, side by side and scaled."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ...series import Floats, Indices, Panel, Values, downsample, resample
from ..levels import FLAT, ColumnScaler, RobustLevelScaler, relative

__all__ = ["FeatureScaler", "Layout", "n_sampled_points", "sampled_values"]

_ROUNDING = 1e-5  # standard deviation of embeddings and kernels that rounding alone can cause
_RELATIVE_ROUNDING = 1e-9  # the same of the features of any transformer, relative to their size
_LEVEL_SHARE = 0.1  # mean squared norm of the level features; that of others is 1
_MAX_POINTS = 512  # sampled from a channel
_MAX_VALUES = 8192  # sampled from all channels
_MAX_DISTANCE = 8.0  # of a sampled value from the median level, in units of the spread


class Layout(NamedTuple):
    """How many columns of each kind there are."""

    n_embedded: int
    n_kernels: int
    n_transformed: tuple[int, ...]  # by each transformer
    n_values: int
    n_levels: int
    n_durations: int = 1

    def split(self, features: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the columns of each kind, in the order above."""
        sizes = (self.n_embedded, self.n_kernels, *self.n_transformed, *self[3:-1])
        return np.split(features, np.cumsum(sizes), axis=-1)

    def groups(self) -> list[Indices]:
        """Return the columns of each of the linear models that are combined.

        The first group are embeddings, levels and duration, the second levels and duration, and
        each other kind is a group of its own.
        """
        embedded, *others, levels, duration = self.split(np.arange(self.n_features))
        levels = np.append(levels, duration)
        first = [np.append(embedded, levels)] if self.n_embedded else []
        return [*first, levels, *(group for group in others if len(group))]

    def levels_of(self, features: Values) -> Values:
        """Return the columns of levels and of the duration."""
        return np.hstack(self.split(features)[-2:])

    @property
    def n_features(self) -> int:
        """Number of columns."""
        return self.n_embedded + self.n_kernels + sum(self.n_transformed) + sum(self[3:])


def n_sampled_points(panel: Panel) -> int:
    """Return how many points of each channel are features: all of them, unless they are many."""
    longest = max(series.shape[1] for series in panel)
    return min(longest, max(2, min(_MAX_POINTS, _MAX_VALUES // len(panel[0]))))


def sampled_values(panel: Panel, n_points: int) -> Floats:
    """Return values of every channel at evenly spaced points, averages if there are more."""
    found = [resample(downsample(series, n_points), n_points).ravel() for series in panel]
    return np.array(found, dtype=np.float64)


class FeatureScaler(NamedTuple):
    """Scaling of all features; columns that do not vary become 0."""

    layout: Layout
    levels: RobustLevelScaler
    columns: tuple[ColumnScaler, ...]

    @classmethod
    def fit(cls, features: Values, weights: Values, layout: Layout) -> Self:
        """Learn the scaling from features as ``FeatureExtractor`` gives them."""
        levels = RobustLevelScaler.fit(layout.split(features)[-2], weights)
        parts = _without_units(features, layout, levels)
        columns = tuple(
            ColumnScaler.fit(part, weights, *limits)
            for part, limits in zip(parts, _limits(parts), strict=True)
        )
        return cls(layout, levels, columns)

    def __call__(self, features: Values) -> Floats:
        """Scale features."""
        if features.shape[1] != self.layout.n_features:
            raise ValueError(
                f"There are {features.shape[1]} features, but {self.layout.n_features} in fit. A "
                "transformer among members must give as many for series of any length."
            )
        parts = _without_units(features, self.layout, self.levels)
        return np.hstack([scale(part) for scale, part in zip(self.columns, parts, strict=True)])


def _limits(parts: list[Values]) -> list[tuple[Any, float]]:
    """Return the deviation that counts as none, and the mean squared norm of each kind."""
    _, _, *transformed, _, _, _ = parts
    own = [(_RELATIVE_ROUNDING * np.abs(part).max(0, initial=0), 1.0) for part in transformed]
    return [(_ROUNDING, 1.0), (_ROUNDING, 1.0), *own, (FLAT, 1.0), *2 * [(FLAT, _LEVEL_SHARE)]]


def _without_units(features: Values, layout: Layout, levels: RobustLevelScaler) -> list[Values]:
    """Return what has no units as it is, values and levels without those of the channels."""
    *others, values, moments, durations = layout.split(features)
    return [*others, _scale_values(values, levels), levels(moments), durations]


def _scale_values(values: Values, levels: RobustLevelScaler) -> Floats:
    """Measure values, ``(n_series, n_channels * n_points)``, by the spread of their channel."""
    unit = np.hypot(np.where(np.isinf(levels.spread), 0, levels.spread), levels.unit)
    n_points = values.shape[1] // len(unit)
    centre, unit = (np.repeat(part, n_points) for part in (levels.centre, unit))
    return np.nan_to_num(relative(values, centre, unit)).clip(-_MAX_DISTANCE, _MAX_DISTANCE)
