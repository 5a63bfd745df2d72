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
from ._hiding import N_PARTS
from ._kriging import Kriging

__all__ = ["Correction", "Trial", "error_variances"]

Floats = NDArray[np.float64]
_STRENGTH = 20.0  # points of evidence the error of a channel is worth in a cell
_FARTHEST = 4.0  # standard deviations of the error that a value is moved, at most
_WINDOWS = 64  # windows the trust is learned from, at most
_NUGGETS = (1e-4, 1e-3, 1e-2)  # variances of what no other value tells
_FEW = 16  # windows these are compared on


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

        Trust is measured in each quarter of the series, by how channels moved in the others,
        and so is how much a value has of its own.

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
            The windows it was learned from, corrected by what was learned of the other quarters.
        """
        noise = error_variances(trial)
        errors, some = _relative_errors(trial, noise), trial.take(slice(_WINDOWS))
        quarters = [Kriging.of(_without(panels, part), errors) for part in range(N_PARTS)]
        few = trial.take(slice(_FEW))
        tried = [_error(few, _crossed(few, noise, quarters, nugget)) for nugget in _NUGGETS]
        nugget = _NUGGETS[int(np.argmin(tried))]
        moves = _crossed(some, noise, quarters, nugget)
        correction = cls(Kriging(Kriging.of(panels, errors).groups, nugget), noise)
        correction._learn_trust(some, moves)
        trust = _by_cell(correction.trust, some)
        return correction, some._replace(filled=some.filled + trust * moves)

    def __call__(self, trial: Trial) -> Floats:
        """Return the filled values, corrected where wanted."""
        moves = _suggest(trial, self.noise, self.kriging)
        return trial.filled + _by_cell(self.trust, trial) * moves

    def variances(self, trial: Trial) -> Floats:
        """Return the variance left by the other channels where wanted, elsewhere 0."""
        return self.kriging.variances(trial.filled, _spread(trial, self.noise))

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


def _by_cell(table: Floats, trial: Trial) -> Floats:
    return table[np.arange(len(table))[:, None], trial.cells]


def _spread(trial: Trial, noise: Floats) -> Floats:
    return np.where(trial.wanted, _by_cell(noise, trial), 0)


def _relative_errors(trial: Trial, noise: Floats) -> Floats:
    """Return the error at hidden points, in deviations of its kind of gap; elsewhere NaN."""
    errors = (trial.filled - trial.truth) / np.sqrt(_by_cell(noise, trial))
    return np.where(trial.hidden, errors, np.nan)


def _suggest(trial: Trial, noise: Floats, kriging: Kriging) -> Floats:
    """Return the steps from what was filled to what the other channels suggest."""
    spread = _spread(trial, noise)
    # Errors so many times the usual one are not believed: the other channels may be wild.
    farthest = _FARTHEST * np.sqrt(spread)
    return np.clip(kriging(trial.filled, spread) - trial.filled, -farthest, farthest)


def _crossed(trial: Trial, noise: Floats, quarters: list[Kriging], nugget: float) -> Floats:
    """Return the steps in each part of the series by what was learned without it."""
    moves = np.zeros_like(trial.filled)
    for part, learned in enumerate(quarters):
        rows = trial.part == part
        moves[rows] = _suggest(trial.take(rows), noise, Kriging(learned.groups, nugget))
    return moves


def _error(trial: Trial, moves: Floats) -> float:
    errors = np.square(trial.filled + moves - trial.truth)
    return float(errors.sum(where=trial.hidden))


def _without(panels: Sequence[Floats], part: int) -> list[Floats]:
    """Return what comes before a part of the series, and what comes after it."""
    pieces = []
    for panel in panels:
        start, end = (panel.shape[-1] * edge // N_PARTS for edge in (part, part + 1))
        pieces += [panel[..., :start], panel[..., end:]]
    return pieces
