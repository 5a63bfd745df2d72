"""How far to trust what other channels say about a gap: learned where the truth is known.

The suggestions of :mod:`sktspulse._kriging` are as good as its assumptions, so each is followed
only as far as it would have helped at hidden points of the same channel and kind of gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ._blend import Blend, ridge
from ._kriging import Kriging

__all__ = ["Correction", "Trial", "error_variances"]

Floats = NDArray[np.float64]

_STRENGTH = 20.0  # points of evidence the error of a channel is worth in a cell
_FARTHEST = 4.0  # standard deviations of the error that a value is moved, at most
_WINDOWS = 96  # windows the trust is learned from, at most


class Trial(NamedTuple):
    """Windows whose hidden points were filled; all arrays are ``(n, n_channels, n_timepoints)``."""

    truth: NDArray[np.float64]  # NaN where missing in the data
    filled: NDArray[np.float64]
    wanted: NDArray[np.bool_]  # points that were filled: hidden or missing
    cells: NDArray[np.int8]  # kind of gap; ``Blend.n_cells`` in a series without a known value
    is_late: NDArray[np.bool_]  # (n,), whether a window is of the later half of its series

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """Points that were filled and whose truth is known."""
        return self.wanted & ~np.isnan(self.truth)

    def take(self, rows: NDArray[np.bool_] | slice) -> Trial:
        """Return some of the windows."""
        parts = (self.truth[rows], self.filled[rows], self.wanted[rows], self.cells[rows])
        return Trial(*parts, self.is_late[rows])


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


class Correction:
    """Move filled values towards what the other channels suggest.

    Parameters
    ----------
    kriging : Kriging
        Makes the suggestions.
    noise : ndarray of shape (n_channels, n_cells + 1)
        Variance of the error of what was filled, by kind of gap.

    Attributes
    ----------
    trust : ndarray of shape (n_channels, n_cells + 1)
        How far to move, from 0 (not at all) to 1.
    """

    def __init__(self, kriging: Kriging, noise: Floats) -> None:
        self.kriging = kriging
        self.noise = noise
        self.trust = np.zeros_like(noise)

    @classmethod
    def learn(cls, panels: Sequence[Floats], trial: Trial) -> tuple[Self, Trial]:
        """Learn how channels move together, and how far to trust it.

        Trust is measured in each half of the series, by how channels moved in the other.

        Parameters
        ----------
        panels : sequence of ndarray of shape (n_series, n_channels, n_timepoints)
            The series the windows are of, in about standardised units, NaN where missing.
        trial : Trial
            Filled windows.

        Returns
        -------
        correction : Correction
            What was learned.
        corrected : Trial
            The windows it was learned from, corrected by what was learned of the other half.
        """
        correction = cls(Kriging.of(panels), error_variances(trial))
        some = trial.take(slice(_WINDOWS))
        moves = np.zeros_like(some.filled)
        for late in (False, True):
            kriging = Kriging.of([_half(panel, late=not late) for panel in panels])
            rows = some.is_late == late
            moves[rows] = correction._suggest(some.take(rows), kriging)
        correction._learn_trust(some, moves)
        trust = correction._by_cell(correction.trust, some)
        return correction, some._replace(filled=some.filled + trust * moves)

    def __call__(self, trial: Trial) -> Floats:
        """Return the filled values, corrected where wanted."""
        moves = self._suggest(trial, self.kriging)
        return trial.filled + self._by_cell(self.trust, trial) * moves

    def variances(self, trial: Trial) -> Floats:
        """Return the variance left by the other channels where wanted, elsewhere 0."""
        return self.kriging.variances(trial.filled, self._noise(trial))

    def _suggest(self, trial: Trial, kriging: Kriging) -> Floats:
        """Return the steps from what was filled to what the other channels suggest."""
        noise = self._noise(trial)
        # Errors so many times the usual one are not believed: the other channels may be wild.
        farthest = _FARTHEST * np.sqrt(noise)
        return np.clip(kriging(trial.filled, noise) - trial.filled, -farthest, farthest)

    def _noise(self, trial: Trial) -> Floats:
        return np.where(trial.wanted, self._by_cell(self.noise, trial), 0)

    def _by_cell(self, table: Floats, trial: Trial) -> Floats:
        return table[np.arange(len(table))[:, None], trial.cells]

    def _learn_trust(self, trial: Trial, moves: Floats) -> None:
        gain, hidden = trial.truth - trial.filled, trial.hidden
        for channel, trust in enumerate(self.trust):
            inside = hidden[:, channel]
            offers, gains = moves[:, channel][inside][:, None], gain[:, channel][inside]
            cells = trial.cells[:, channel][inside]
            centre = ridge(offers, gains, np.zeros(1))
            for cell in range(len(trust)):
                own = cells == cell
                trust[cell] = ridge(offers[own], gains[own], centre)[0]
        np.clip(self.trust, 0, 1, out=self.trust)


def _half(panel: Floats, *, late: bool) -> Floats:
    middle = panel.shape[-1] // 2
    return panel[..., middle:] if late else panel[..., :middle]
