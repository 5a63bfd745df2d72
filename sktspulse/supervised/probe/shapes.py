"""Series without units, gaps and excess length, as kernels and quantiles read them."""

from __future__ import annotations

import numpy as np

from ...network import standardize
from ...series import Neighbors, Panel, Values, downsample, interpolate_linear

__all__ = ["prepared"]

_MAX_TIMEPOINTS = 1024  # longer series are averaged


def prepared(panel: Panel) -> list[Values]:
    """Standardise, bridge gaps by straight lines, and shorten; a channel without values is 0."""
    return [_prepare(series) for series in panel]


def _prepare(series: Values) -> Values:
    z: Values = standardize(series).values
    known = ~np.isnan(z)
    if not known.all():
        z = np.where(known.any(1, keepdims=True), z, 0)
        known |= ~known.any(1, keepdims=True)
        z = interpolate_linear(z, Neighbors.from_mask(known))
    if z.shape[1] > _MAX_TIMEPOINTS:
        z = downsample(z, _MAX_TIMEPOINTS)
    return np.asarray(z, dtype=np.float32)
