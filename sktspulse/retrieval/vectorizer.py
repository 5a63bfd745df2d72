"""What of a series is compared: its shape, short gaps bridged; its level and scale if wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..network import standardize
from ..series import Neighbors, Values, interpolate_linear

__all__ = ["Comparison", "Levels", "bridge_short_gaps"]

Vectors = NDArray[np.float32]

_SHORT = 32  # a gap is short if it is at most one in so many time points
_FARTHEST = 1e6  # from the usual level or scale, in units of an embedding; bounds what is stored


def bridge_short_gaps(series: Values) -> Values:
    """Draw straight lines across the short gaps of every channel.

    Scattered missing points would spoil most patches of a network, which then sees little
    else than gaps; a line across them changes next to nothing. Long gaps, and those at
    either end, are left for the network to see as such: a line there would be a shape of
    its own. The bound is one patch of ``tspulse-p16``, and was confirmed on recordings
    set aside from the pre-training corpus.

    Parameters
    ----------
    series : ndarray of shape (n_channels, n_timepoints)
        Values; NaN where missing.

    Returns
    -------
    ndarray of shape (n_channels, n_timepoints)
        The series itself if nothing is missing, else a copy.
    """
    known = ~np.isnan(series)
    if known.all():
        return series
    longest = max(1, series.shape[1] // _SHORT)
    bridged, some = series.copy(), known.any(1)
    around = Neighbors.from_mask(known[some])
    width = around.after - around.before  # 0 at known points and beyond the ends
    is_short = (width > 0) & (width <= longest + 1)
    bridged[some] = np.where(is_short, interpolate_linear(series[some], around), series[some])
    return bridged


class Levels(NamedTuple):
    """Which levels and scales are usual, and how much a difference from them counts."""

    loc: NDArray[np.float64]  # (n_numbers,)
    weight: NDArray[np.float64]  # (n_numbers,)

    @classmethod
    def of(cls, numbers: NDArray[np.float64], vectors: Vectors) -> Self:
        """Make level and scale together count as much as the shape, channel by channel.

        Parameters
        ----------
        numbers : ndarray of shape (n_series, n_numbers)
            Level and logarithm of the scale of every channel; NaN where it has none.
        vectors : ndarray of shape (n_series, n_features)
            Embeddings of the same series.

        Returns
        -------
        Levels
            Mean of each number, and what to multiply differences by.
        """
        usual = standardize(numbers.T)
        spread = np.sqrt(vectors.var(0, dtype=np.float64).sum() / numbers.shape[1])
        with np.errstate(over="ignore"):
            weight = (spread or 1.0) / usual.scale[:, 0]
        return cls(usual.loc[:, 0], weight.clip(max=np.finfo(weight.dtype).max))

    @classmethod
    def restored(cls, array: Any) -> Self:
        """Check and take back what came from a file, one row a field."""
        if array is None or array.dtype != np.float64 or array.ndim != 2 or len(array) != 2:
            raise ValueError("It lacks the usual levels. It is damaged.")
        if not np.isfinite(array).all():
            raise ValueError("Its usual levels are not finite. It is damaged.")
        return cls(*array)

    def vectors(self, numbers: NDArray[np.float64]) -> Vectors:
        """Return what differences count; nothing where a channel has no level or scale."""
        with np.errstate(over="ignore"):
            counted = np.nan_to_num((numbers - self.loc) * self.weight)
        return counted.clip(-_FARTHEST, _FARTHEST).astype(np.float32)


@dataclass(frozen=True)
class Comparison:
    """Turn series into the vectors that are compared.

    Parameters
    ----------
    transform : callable
        From a list of series to their embeddings.
    average : bool
        Whether channels are averaged.
    levels : Levels, default=None
        How level and scale count; None leaves them out.
    """

    transform: Callable[[list[Values]], Vectors]
    average: bool
    levels: Levels | None = None

    def __call__(self, panel: Sequence[Values]) -> Vectors:
        """Return the vectors of series of shape (n_channels, n_timepoints_i)."""
        vectors = self.transform([bridge_short_gaps(one) for one in panel])
        if self.levels is None:
            return vectors
        return np.hstack([vectors, self.levels.vectors(self._numbers(panel))])

    def usual(self, panel: Sequence[Values]) -> Levels:
        """Learn from some series which levels and scales are usual."""
        return Levels.of(self._numbers(panel), self(panel))

    def _numbers(self, panel: Sequence[Values]) -> NDArray[np.float64]:
        """Return level and logarithm of the scale of every channel: (n_series, n_numbers)."""
        numbers = np.stack([_level_and_scale(one) for one in panel])  # (n, 2, C)
        if self.average:
            known = ~np.isnan(numbers)
            counts = np.where(known.any(-1), known.sum(-1), np.nan)
            numbers = (np.where(known, numbers, 0).sum(-1) / counts)[..., None]
        return numbers.reshape(len(numbers), -1)


def _level_and_scale(series: Values) -> NDArray[np.float64]:
    scaled = standardize(series)
    has_level = ~np.isnan(series).all(-1)
    has_scale = (np.nan_to_num(scaled.values) != 0).any(-1)
    level = np.where(has_level, scaled.loc[:, 0], np.nan)
    return np.stack([level, np.where(has_scale, np.log(scaled.scale[:, 0]), np.nan)])
