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
    values: Floats  # (n, n_candidates), in the order of CANDIDATES; NaN if no period has a value
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

        Wanted points are missing. Points in rows without a known value are left out. The period is
        0 if there is none.
        """
        wanted = wanted & ~np.isnan(rows).all(1, keepdims=True)
        chosen = np.flatnonzero(wanted.any(1))
        if not len(chosen):
            return Candidates(chosen, chosen, np.empty((0, len(CANDIDATES))), chosen)
        rows, wanted = rows[chosen], wanted[chosen]
        neighbors = Neighbors.from_mask(~np.isnan(rows))
        gaps = _Gaps(rows, wanted, neighbors)
        answers = self._reconstruct(rows, wanted)
        cycle = np.full(rows.shape, np.nan)
        if period:
            cycle = seasonal_fill(rows, wanted | gaps.ends(), period)
        seasonal, anchored_seasonal = cycle[wanted], gaps.anchored(cycle)
        beyond = _replace_nan(anchored_seasonal, gaps.line)
        heads = [_replace_nan(head[wanted], beyond) for head in answers]
        anchored = _replace_nan(gaps.anchored(answers.mean(0)), np.mean(heads, axis=0))
        anchored_seasonal = _replace_nan(anchored_seasonal, seasonal)
        values = [*heads, anchored, seasonal, anchored_seasonal, gaps.cubic(), gaps.line]
        row, time = np.nonzero(wanted)
        return Candidates(chosen[row], time, np.stack(values, -1), gap_bins(neighbors)[wanted])

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


class _Gaps:
    """Gaps of some rows, and what to fill them with from the values at their ends."""

    def __init__(self, rows: Values, wanted: Flags, neighbors: Neighbors) -> None:
        self.rows, self.wanted, self.neighbors = rows, wanted, neighbors
        self.line: Values = interpolate_linear(rows, neighbors)[wanted]

    def ends(self) -> Flags:
        """Return the known points next to wanted ones."""
        ends = np.zeros(self.wanted.shape, bool)
        for side in self.neighbors[:2]:
            np.put_along_axis(ends, np.where(self.wanted, side, self.neighbors.before), True, 1)
        return ends

    def anchored(self, answer: Floats) -> Floats:
        """Add a line to an answer, so that it agrees with the known points at both ends.

        The answer has the shape of the rows, NaN where there is none.
        """
        differences = interpolate_linear(self.rows - answer, self.neighbors)
        anchored: Floats = (answer + differences)[self.wanted]
        return anchored

    def cubic(self) -> Floats:
        """Return cubics across narrow gaps, lines across wide ones."""
        is_narrow = self.neighbors.after - self.neighbors.before <= _MAX_CUBIC_STEPS
        cubics = interpolate_cubic(self.rows, self.neighbors)[self.wanted]
        return np.where(is_narrow[self.wanted], cubics, self.line)


def _replace_nan(values: Values, others: Values) -> Floats:
    return np.where(np.isnan(values), others, values)
