"""Standardisation of windows before they enter the network."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Standardized", "standardize"]

# A span of fewer units in the last place is rounding, not variation.
_ROUNDING_ULPS = 4


class Standardized(NamedTuple):
    """Scaled values; ``values * scale + loc`` gives the input back."""

    values: NDArray[np.float64]  # (..., T)
    loc: NDArray[np.float64]  # (..., 1)
    scale: NDArray[np.float64]  # (..., 1)


def standardize(panel: NDArray[np.floating[Any]]) -> Standardized:
    """Give the known values of every series and channel mean 0 and variance 1.

    Very large and very small values do not overflow. If all known values are equal up to
    rounding, or none is known, they become 0 and the scale is 1.

    Parameters
    ----------
    panel : ndarray of shape (..., n_timepoints)
        Values; NaN where missing.

    Returns
    -------
    Standardized
        Standardised values, NaN where missing, with ``loc`` and ``scale`` of shape
        ``(..., 1)`` [input units].
    """
    known = ~np.isnan(panel)
    count = known.sum(-1, keepdims=True).clip(1)
    # Values are divided by the largest first, so that no square overflows.
    peak = np.abs(panel, where=known, out=np.zeros_like(panel)).max(-1, keepdims=True, initial=0)
    unit = np.where(peak > 0, peak, 1).astype(np.float64)
    z = np.where(known, panel / unit, 0)
    varies = _span(z, known) > _ROUNDING_ULPS * np.finfo(panel.dtype).eps
    loc = z.sum(-1, keepdims=True) / count
    z = np.where(known & varies, z - loc, 0)
    scale = np.sqrt(np.square(z).sum(-1, keepdims=True) / count)
    scale = np.where(varies, scale, 1)
    values = np.where(known, z / scale, np.nan)
    return Standardized(values, loc * unit, np.where(varies, scale * unit, 1))


def _span(z: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[Any]:
    """Return the range of the known values, ``-inf`` if there are none."""
    highest = z.max(-1, keepdims=True, initial=-np.inf, where=known)
    return highest - z.min(-1, keepdims=True, initial=np.inf, where=known)
