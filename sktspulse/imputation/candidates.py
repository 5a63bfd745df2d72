"""Compute the candidates for missing values: reconstructions, other periods, interpolation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..series import (
    Flags,
    Floats,
    Indices,
    Integers,
    Neighbors,
    Stitcher,
    Values,
    interpolate_cubic,
    interpolate_linear,
    window_starts,
)
from .blending import CANDIDATES, gap_bins
from .seasonal import seasonal_fill

__all__ = ["CandidateReader", "Candidates"]

_BLOCK_POINTS = 1 << 20  # points read at once, which bounds memory
_MAX_CUBIC_STEPS = 17  # between known points: a cubic over a wider gap may overshoot
# (n, context_length) -> (n, 2, context_length); NaN for a window with too few known values.
Reconstruct = Callable[[Values], Floats]


class Candidates(NamedTuple):
    """Candidates for ``n`` missing points of some series."""

    row: Indices  # (n,)
    time: Indices  # (n,)
    values: Floats  # (n, 5), in the order of CANDIDATES
    gap_bins: Integers  # (n,)


@dataclass(frozen=True)
class CandidateReader:
    """Compute all candidates for missing points."""

    reconstruct: Reconstruct
    context_length: int
    patch_length: int
    stride: int  # steps between windows on series longer than one window

    def read(self, rows: Values, wanted: Flags, period: int = 0) -> Candidates:
        """Compute the candidates for the wanted points of series ``(n_rows, n_timepoints)``.

        Points in rows without a known value are left out. The period is 0 if there is none.
        """
        wanted = wanted & ~np.isnan(rows).all(1, keepdims=True)
        chosen = np.flatnonzero(wanted.any(1))
        if not len(chosen):
            return Candidates(chosen, chosen, np.empty((0, len(CANDIDATES))), chosen)
        rows, wanted = rows[chosen], wanted[chosen]
        neighbours = Neighbors.from_mask(~np.isnan(rows))
        lines = interpolate_linear(rows, neighbours)
        is_narrow = neighbours.after - neighbours.before <= _MAX_CUBIC_STEPS
        cubics = np.where(is_narrow, interpolate_cubic(rows, neighbours), lines)[wanted]
        line = lines[wanted]
        seasonal = _replace_nan(seasonal_fill(rows, wanted, period), line) if period else line
        heads = [_replace_nan(head[wanted], seasonal) for head in self._reconstruct(rows, wanted)]
        values = np.stack([*heads, seasonal, cubics, line], -1)
        row, time = np.nonzero(wanted)
        return Candidates(chosen[row], time, values, gap_bins(*neighbours.distances())[wanted])

    def blocks(self, n_rows: int, n_timepoints: int) -> list[slice]:
        """Divide many rows into blocks that are read at once."""
        # Short series take the memory of the window they are padded to.
        size = max(1, _BLOCK_POINTS // max(n_timepoints, self.context_length))
        return [slice(start, start + size) for start in range(0, n_rows, size)]

    def _reconstruct(self, rows: Values, wanted: Flags) -> Floats:
        """Return both reconstructions, ``(2, n_rows, n_timepoints)``; NaN where there is none."""
        n_padded = max(0, self.context_length - rows.shape[1])
        padding = ((0, 0), (n_padded, 0))
        padded = np.pad(rows.astype(np.float32), padding, constant_values=np.nan)
        starts = window_starts(padded.shape[1], self.context_length, self.stride)
        wanted_windows = sliding_window_view(np.pad(wanted, padding), self.context_length, axis=1)
        row, window = np.nonzero(wanted_windows[:, starts].any(-1))
        windows = sliding_window_view(padded, self.context_length, axis=1)
        answers = self.reconstruct(windows[row, starts[window]])
        is_usable = ~np.isnan(answers).any((1, 2))
        ends = np.searchsorted(row[is_usable], np.arange(1, len(rows)))
        stitched = np.empty((2, *padded.shape))
        parts = (np.split(part[is_usable], ends) for part in (starts[window], answers))
        for index, part in enumerate(zip(*parts, strict=True)):
            stitcher = Stitcher(2, padded.shape[1], self.context_length, taper=True)
            stitcher.add(*part)
            stitched[:, index] = stitcher.mean()
        return stitched[:, :, n_padded:]


def _replace_nan(values: Values, others: Values) -> Values:
    return np.where(np.isnan(values), others, values)
