"""How far to trust what other channels say about a gap: learned where the truth is known.

The suggestions of :mod:`sktspulse._kriging` are as good as its assumptions, so each is followed
only as far as it would have helped at hidden points of the same channel and kind of gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from ..series import Floats
from .blending import ridge
from .cokriging import Kriging
from .simulated_gaps import N_PARTS
from .trial import Trial, _by_cell, error_variances

__all__ = ["Correction"]

_FARTHEST = 4.0  # standard deviations of the error that a value is moved, at most
_WINDOWS = 64  # windows the trust is learned from, at most
_NUGGETS = (1e-4, 1e-3, 1e-2)  # variances of what no other value tells
_FEW = 16  # windows these are compared on


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


def _spread(trial: Trial, noise: Floats) -> Floats:
    return np.where(trial.wanted, _by_cell(noise, trial), 0)


def _relative_errors(trial: Trial, noise: Floats) -> Floats:
    """Return the error at hidden points, in deviations of its kind of gap; elsewhere NaN."""
    deviations = np.sqrt(_by_cell(noise, trial))
    # A constant channel is filled without error.
    errors = (trial.filled - trial.truth) / np.where(deviations > 0, deviations, 1)
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
