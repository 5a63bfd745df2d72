"""Series without units, gaps and excess length, as kernels and quantiles read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...network import standardize
from ...series import Indices, Neighbors, Panel, Values, downsample, interpolate_linear, stacks

__all__ = ["blocks_of_a_length", "standard_shapes"]

_MAX_TIMEPOINTS = 1024  # longer series are averaged


def standard_shapes(panel: Panel) -> list[Values]:
    """Standardise, bridge gaps by straight lines, and shorten; a channel without values is 0."""
    return [series for block in stacks(panel) for series in _prepare(block)]


def _prepare(panel: Values) -> Values:
    z: Values = standardize(panel).values
    known = ~np.isnan(z)
    if not known.all():
        z = np.where(known.any(-1, keepdims=True), z, 0)
        known |= ~known.any(-1, keepdims=True)
        z = interpolate_linear(z, Neighbors.from_mask(known))
    return np.asarray(downsample(z, _MAX_TIMEPOINTS), dtype=np.float32)


def blocks_of_a_length(shapes: Sequence[Values], max_values: int) -> Iterator[Indices]:
    """Yield the places of series of one length, at least one and few enough for ``max_values``."""
    lengths = np.array([series.shape[1] for series in shapes])
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        step = max(1, max_values // int(length))
        yield from np.split(places, range(step, len(places), step))
