"""How far candidates are off at points that were hidden on purpose."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..series import Floats
from .blending import Blend

__all__ = ["Trial", "error_variances"]

_STRENGTH = 20.0  # points of evidence the error of a channel is worth in a cell


class Trial(NamedTuple):
    """Windows whose hidden points were filled; all arrays are ``(n, n_channels, n_timepoints)``."""

    truth: NDArray[np.float64]  # NaN where missing in the data
    filled: NDArray[np.float64]
    wanted: NDArray[np.bool_]  # points that were filled: hidden or missing
    cells: NDArray[np.int8]  # kind of gap; ``Blend.n_cells`` in a series without a known value
    part: NDArray[np.intp]  # (n,), which of N_PARTS parts of its series a window is of

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """Points that were filled and whose truth is known."""
        return self.wanted & ~np.isnan(self.truth)

    def take(self, rows: NDArray[np.bool_] | slice) -> Trial:
        """Return some of the windows."""
        arrays = (self.truth[rows], self.filled[rows], self.wanted[rows], self.cells[rows])
        return Trial(*arrays, self.part[rows])


def error_variances(trial: Trial) -> NDArray[np.float64]:
    """Return the mean squared error in each cell, drawn towards that of the channel.

    Parameters
    ----------
    trial : Trial
        Filled windows.

    Returns
    -------
    ndarray of shape (n_channels, n_cells + 1)
        Variances. 1 where nothing was hidden, and for series without a known value.
    """
    squares, hidden = np.square(trial.filled - trial.truth), trial.hidden
    variances = np.ones((squares.shape[1], Blend.n_cells + 1))
    for channel, own in enumerate(variances):
        inside = hidden[:, channel]
        errors, cells = squares[:, channel][inside], trial.cells[:, channel][inside]
        if len(errors):
            count, sums = (np.bincount(cells, w, Blend.n_cells) for w in (None, errors))
            own[:-1] = (sums + _STRENGTH * errors.mean()) / (count + _STRENGTH)
    return variances


def _by_cell(table: Floats, trial: Trial) -> Floats:
    return table[np.arange(len(table))[:, None], trial.cells]
