"""What the network and the known points around say about every missing point of a series."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..series import Neighbours, Stitcher, Values, cubic, linear, take_windows, window_starts
from .blending import gap_cells
from .seasonal import seasonal

__all__ = ["Evidence", "GapReader"]

_BLOCK_POINTS = 1 << 20  # points read at once: bounds memory, whatever the length of a recording
_WIDEST_CUBIC = 17  # steps between known points: over more, a cubic may swing far out
Infer = Callable[[NDArray[np.float32]], NDArray[np.float32]]  # (n, context) -> (n, 2, context)


class Evidence(NamedTuple):
    """What is said about ``n`` missing points."""

    row: NDArray[np.intp]  # (n,)
    time: NDArray[np.intp]  # (n,)
    candidates: NDArray[np.float64]  # (n, 5), in the order of CANDIDATES
    cells: NDArray[np.int64]  # (n,), kind of gap


class GapReader:
    """Ask every candidate about the missing points of series of one length.

    Parameters
    ----------
    infer : callable
        Maps windows ``(n, context)`` to both reconstructions ``(n, 2, context)``.
    context_length, patch_length : int
        Sizes of the network [time steps].
    stride : int
        Steps between windows on series longer than one [time steps].
    """

    def __init__(self, infer: Infer, context_length: int, patch_length: int, stride: int) -> None:
        self.infer = infer
        self.context_length = context_length
        self.patch_length = patch_length
        self.stride = stride

    def read(self, rows: Values, wanted: NDArray[np.bool_], period: int = 0) -> Evidence:
        """Collect the evidence on the wanted points.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_timepoints)
            Series in about standardised units, NaN where missing, at least one known
            value in each.
        wanted : ndarray of bool, of the same shape
            Missing points to fill.
        period : int, default=0
            Time after which the series repeat [time steps]; 0 if they do not.

        Returns
        -------
        Evidence
            Points in row-major order.
        """
        neighbours = Neighbours.of(~np.isnan(rows))
        line = linear(rows, neighbours)
        ruled = line[wanted]
        turns = _or(seasonal(rows, wanted, period), ruled) if period else ruled
        heads = [_or(head[wanted], turns) for head in self._reconstruct(rows, wanted)]
        narrow = neighbours.after - neighbours.before <= _WIDEST_CUBIC
        bent = np.where(narrow, cubic(rows, neighbours), line)[wanted]
        candidates = np.stack([*heads, turns, bent, ruled], -1)
        row, time = np.nonzero(wanted)
        cells = gap_cells(*neighbours.distances())[wanted]
        return Evidence(row, time, candidates, cells)

    def blocks(self, n_rows: int, n_timepoints: int) -> list[slice]:
        """Cut many rows into blocks that are read at once."""
        # Short series take the memory of the window they are padded to.
        size = max(1, _BLOCK_POINTS // max(n_timepoints, self.context_length))
        return [slice(start, start + size) for start in range(0, n_rows, size)]

    def _reconstruct(self, rows: Values, wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return both reconstructions, ``(2, n_rows, n_timepoints)``; NaN where none was made."""
        short = max(0, self.context_length - rows.shape[1])
        padded = np.pad(rows, ((0, 0), (short, 0)), constant_values=np.nan).astype(np.float32)
        wanted = np.pad(wanted, ((0, 0), (short, 0)))
        starts = window_starts(padded.shape[1], self.context_length, self.stride)
        windows = take_windows(padded, starts, self.context_length)
        asked = take_windows(wanted, starts, self.context_length).any(-1)
        # Fewer known points than a patch say nothing about a shape.
        asked &= np.isfinite(windows).sum(-1) >= self.patch_length
        row, window = np.nonzero(asked.T)
        answers = np.empty((0, 2, self.context_length), np.float32)
        if len(row):
            answers = self.infer(windows[window, row])
        stitched = np.empty((2, *padded.shape))
        bounds = np.searchsorted(row, np.arange(len(rows) + 1))
        for index in range(len(rows)):
            own = slice(bounds[index], bounds[index + 1])
            stitcher = Stitcher(2, padded.shape[1], self.context_length, taper=True)
            stitcher.add(starts[window[own]], answers[own])
            stitched[:, index] = stitcher.mean()
        return stitched[:, :, short:]


def _or(values: Values, others: Values) -> NDArray[np.float64]:
    return np.where(np.isnan(values), others, values)
