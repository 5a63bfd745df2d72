"""Series to vectors that are compared: embeddings and, if wanted, level and scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from ..embedding import TSPulseTransformer, embed_checked
from ..network import standardize
from ..series import Floats, Neighbors, Values, interpolate_linear

__all__ = ["LevelScaler", "SeriesVectorizer", "bridge_short_gaps"]

_SHORT = 32  # a gap is short if it is at most one in so many time points
_LARGEST = 1e6  # bound of scaled levels, in units of an embedding


def bridge_short_gaps(series: Values) -> Values:
    """Interpolate the short gaps of every channel linearly.

    Scattered missing points would spoil most patches of a network. Long gaps, and those
    at either end, are left to the network, as a line would add a shape of its own. The
    bound is one patch of ``tspulse-p16``, confirmed on recordings set aside from the
    pre-training corpus.

    Parameters
    ----------
    series : ndarray of shape (n_channels, n_timepoints)
        Values; NaN where missing.

    Returns
    -------
    ndarray of shape (n_channels, n_timepoints)
        The series itself if nothing is missing, else a copy.
    """
    observed = ~np.isnan(series)
    if observed.all():
        return series
    longest = max(1, series.shape[1] // _SHORT)
    bridged, is_usable = series.copy(), observed.any(1)
    around = Neighbors.from_mask(observed[is_usable])
    width = around.after - around.before  # 0 at observed points and beyond the ends
    is_short = (width > 0) & (width <= longest + 1)
    filled = interpolate_linear(series[is_usable], around)
    bridged[is_usable] = np.where(is_short, filled, series[is_usable])
    return bridged


class LevelScaler(NamedTuple):
    """Scaling of levels and log scales that makes them comparable with embeddings."""

    loc: Floats  # (n_levels,)
    weight: Floats  # (n_levels,)

    @classmethod
    def fit(cls, levels: Floats, embeddings: Values) -> Self:
        """Give level and scale together as much variance as the embeddings.

        ``levels`` holds level and log scale of every channel, NaN where it has none:
        (n_series, n_levels).
        """
        standardized = standardize(levels.T)
        spread = np.sqrt(embeddings.var(0, dtype=np.float64).sum() / levels.shape[1])
        with np.errstate(over="ignore"):
            weight = (spread or 1.0) / standardized.scale[:, 0]
        return cls(standardized.loc[:, 0], weight.clip(max=np.finfo(weight.dtype).max))

    def transform(self, levels: Floats) -> Values:
        """Return scaled levels as float32, 0 where a channel has none."""
        with np.errstate(over="ignore"):
            scaled = np.nan_to_num((levels - self.loc) * self.weight)
        return scaled.clip(-_LARGEST, _LARGEST).astype(np.float32)


@dataclass(frozen=True)
class SeriesVectorizer:
    """Turn series into the vectors that are compared.

    Parameters
    ----------
    transformer : TSPulseTransformer
        Gives embeddings; fitted.
    level_scaler : LevelScaler, default=None
        Scales level and scale, which are then compared as well.
    """

    transformer: TSPulseTransformer
    level_scaler: LevelScaler | None = None

    @classmethod
    def fit(cls, transformer: TSPulseTransformer, panel: Sequence[Values]) -> Self:
        """Return a vectorizer that compares level and scale, scaled by those of a panel."""
        embeddings = cls(transformer)(panel)
        return cls(transformer, LevelScaler.fit(_levels(transformer, panel), embeddings))

    @property
    def n_features(self) -> int:
        """Length of the vectors."""
        n_levels = 0 if self.level_scaler is None else len(self.level_scaler.loc)
        return self.transformer._n_features_out + n_levels

    def __call__(self, panel: Sequence[Values]) -> Values:
        """Return the vectors of series of shape (n_channels, n_timepoints_i) as float32."""
        embeddings: Values = embed_checked(self.transformer, [*map(bridge_short_gaps, panel)])
        if self.level_scaler is None:
            return embeddings
        levels = _levels(self.transformer, panel)
        return np.hstack([embeddings, self.level_scaler.transform(levels)])


def _levels(transformer: TSPulseTransformer, panel: Sequence[Values]) -> Floats:
    """Return level and log scale of every channel or of their mean: (n_series, n_levels)."""
    levels = np.stack([_level_and_log_scale(one) for one in panel])  # (n, 2, C)
    if transformer.channels == "mean":
        observed = ~np.isnan(levels)
        counts = np.where(observed.any(-1), observed.sum(-1), np.nan)
        levels = (np.where(observed, levels, 0).sum(-1) / counts)[..., None]
    return levels.reshape(len(levels), -1)


def _level_and_log_scale(series: Values) -> Floats:
    """Return both for every channel, NaN where it has none: (2, n_channels)."""
    standardized = standardize(series)
    has_level = ~np.isnan(series).all(-1)
    has_scale = (np.nan_to_num(standardized.values) != 0).any(-1)
    level = np.where(has_level, standardized.loc[:, 0], np.nan)
    return np.stack([level, np.where(has_scale, np.log(standardized.scale[:, 0]), np.nan)])
