"""Bring windows to mean 0 and variance 1 before the network sees them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Standardized", "standardize"]

Values = NDArray[np.floating[Any]]
# Differences that rounding alone can make, in units of the last place.
_ROUNDING = 4


class Standardized(NamedTuple):
    """Scaled values, and what undoes the scaling: ``values * scale + loc``."""

    values: NDArray[np.float64]  # (..., T)
    loc: NDArray[np.float64]  # (..., 1)
    scale: NDArray[np.float64]  # (..., 1)


def standardize(panel: Values) -> Standardized:
    """Give the known values of every series and channel mean 0 and variance 1.

    Neither huge nor tiny units overflow on the way. Where all known values are equal
    but for rounding, or none is known, they become 0 and the scale is 1.

    Parameters
    ----------
    panel : ndarray of shape (..., n_timepoints)
        Values; NaN where missing.

    Returns
    -------
    Standardized
        Values as they went in but for level and scale, NaN included, with ``loc`` and
        ``scale`` of shape ``(..., 1)`` [input units].
    """
    known = ~np.isnan(panel)
    count = known.sum(-1, keepdims=True).clip(1)
    # Everything is measured in halves of the peak, so that no difference can overflow.
    peak = np.abs(panel, where=known, out=np.zeros_like(panel)).max(-1, keepdims=True, initial=0)
    unit = np.where(peak > 0, peak, 1).astype(np.float64)
    z = np.where(known, panel / unit, 0)
    varies = _span(z, known) > _ROUNDING * np.finfo(panel.dtype).eps
    loc = z.sum(-1, keepdims=True) / count
    z = np.where(known & varies, z - loc, 0)
    scale = np.sqrt(np.square(z).sum(-1, keepdims=True) / count)
    scale = np.where(varies, scale, 1)
    values = np.where(known, z / scale, np.nan)
    return Standardized(values, loc * unit, np.where(varies, scale * unit, 1))


def _span(z: Values, known: NDArray[np.bool_]) -> Values:
    """Return the range of the known values, ``-inf`` if there are none."""
    highest = z.max(-1, keepdims=True, initial=-np.inf, where=known)
    return highest - z.min(-1, keepdims=True, initial=np.inf, where=known)
