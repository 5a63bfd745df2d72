"""Fill the gaps of panels by all that was learned about them: level, blend, other channels."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..network import Progress
from ..series import Values
from .blending import Blend
from .candidates import Evidence, GapReader
from .cross_channel import Correction
from .seasonal import find_period
from .simulated_gaps import draw_windows, hide
from .trial import Trial
from .uncertainty import Doubt, Uncertainty

__all__ = ["Filler"]

_SERIES_LEARNED = 100  # series the period is taken from, at most


class Filler:
    """Fill gaps.

    Parameters
    ----------
    loc, scale : ndarray of shape (n_channels,)
        Level and spread of each channel [input units].

    Attributes
    ----------
    periods : list of int
        Time after which each channel repeats [time steps]; 0 if it does not.
    blend : Blend or None
        How to weigh network and interpolation; None takes the network's time head alone.
    correction : Correction or None
        How to use the other channels; None leaves each by itself.
    uncertainty : Uncertainty or None
        How far off what was filled may be; None if nothing was learned.
    """

    def __init__(self, loc: Values, scale: Values) -> None:
        self.loc = loc
        self.scale = scale
        self.periods = [0] * len(loc)
        self.blend: Blend | None = None
        self.correction: Correction | None = None
        self.uncertainty: Uncertainty | None = None

    @classmethod
    def of(cls, panels: list[Values]) -> Self:
        """Learn level and spread of every channel."""
        channels = range(panels[0].shape[1])
        known = [np.concatenate([_known(panel[:, c]) for panel in panels]) for c in channels]
        loc = np.array([values.mean() if len(values) else 0.0 for values in known])
        spread = np.array([values.std() if len(values) else 0.0 for values in known])
        return cls(loc, np.where(spread > 0, spread, 1.0))

    def learn(self, panels: list[Values], reader: GapReader, rng: np.random.Generator) -> None:
        """Learn how to fill from known points that are hidden for the purpose."""
        windows = draw_windows(panels, reader.context_length, rng)
        truth = self.scaled(windows.values)
        filled = hide(truth, reader.patch_length, rng)
        self.blend = Blend(len(self.loc))
        self.periods = [_period(panels, channel) for channel in range(len(self.loc))]
        # Where nothing is known of any channel, as before short series, nothing is learned.
        wanted = np.isnan(filled) & ~np.isnan(truth).all(axis=1, keepdims=True)
        cells, heads = _notes(truth.shape)
        for channel in range(len(self.loc)):
            part = (slice(None), channel)
            kinds, apart = self._fill_rows(filled[part], wanted[part], channel, reader, truth[part])
            cells[part], heads[part] = kinds, apart
        trial = Trial(truth, filled, wanted, cells, windows.part)
        if len(self.loc) > 1:
            scaled = [self.scaled(panel) for panel in panels]
            self.correction, trial = Correction.learn(scaled, trial)
        doubt = self._doubt(trial, heads[: len(trial.cells)])
        self.uncertainty = Uncertainty.learn(trial, doubt)

    def _doubt(self, trial: Trial, heads: NDArray[np.float32]) -> Doubt:
        if self.correction is None:
            return Doubt(heads, np.zeros(heads.shape))
        return Doubt(heads, self.correction.variances(trial))

    def scaled(self, panel: Values) -> NDArray[np.float64]:
        """Bring ``(n_series, n_channels, n_timepoints)`` to about standardised units."""
        return (panel.astype(np.float64) - self.loc[:, None]) / self.scale[:, None]

    def fill(
        self,
        panel: Values,
        reader: GapReader,
        progress: Progress | None = None,
        *,
        with_deviation: bool = False,
    ) -> tuple[Values, Values]:
        """Fill ``(n_series, n_channels, n_timepoints)`` [input units].

        Returns a filled copy, and the standard deviation of what was filled, 0 elsewhere; all
        are 0 unless asked for.
        """
        filled, deviation = panel.copy(), np.zeros_like(panel)
        n_series, n_channels, n_timepoints = panel.shape
        for block in reader.blocks(n_series, n_channels * n_timepoints):
            trial, heads = self._fill_block(filled[block], reader, progress)
            if with_deviation and self.uncertainty is not None:
                variance = self.uncertainty(trial.cells, self._doubt(trial, heads))
                spread = np.sqrt(variance) * self.scale[:, None]
                deviation[block] = np.where(trial.wanted, spread, 0)
        return filled, deviation

    def _fill_block(
        self, part: Values, reader: GapReader, progress: Progress | None
    ) -> tuple[Trial, NDArray[np.float32]]:
        """Fill some series in place; return what was done, and how far the heads were apart."""
        _fill_constants(part)
        missing, values = np.isnan(part), self.scaled(part)
        cells, heads = _notes(part.shape)
        for channel in range(part.shape[1]):
            rows = values[:, channel]
            notes = self._fill_rows(rows, missing[:, channel], channel, reader)
            cells[:, channel], heads[:, channel] = notes
            if progress is not None:
                progress.update(rows.size)
        trial = Trial(values, values, missing, cells, np.zeros(len(part), int))
        if self.correction is not None:
            values = self.correction(trial)
        part[missing] = (values * self.scale[:, None] + self.loc[:, None])[missing]
        return trial, heads

    def _fill_rows(
        self,
        rows: Values,
        wanted: NDArray[np.bool_],
        channel: int,
        reader: GapReader,
        truth: Values | None = None,
    ) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Fill series of one channel in place, blending as the truth teaches, if it is given.

        Returns the kind of gap of each point, and how far the heads are apart there, squared.
        """
        cells, heads = _notes(rows.shape)
        blank = np.isnan(rows).all(1, keepdims=True) & wanted
        rows[blank], cells[blank] = 0, Blend.n_cells
        left = np.flatnonzero((wanted & ~blank).any(1))
        if len(left):
            evidence = reader.read(rows[left], wanted[left], self.periods[channel])
            places = left[evidence.row], evidence.time
            if truth is not None:
                self._learn_blend(channel, evidence, truth[places])
            rows[places], cells[places] = self._weigh(evidence, channel), evidence.cells
            heads[places] = np.square(evidence.candidates[:, 0] - evidence.candidates[:, 1])
        return cells, heads

    def _learn_blend(self, channel: int, evidence: Evidence, truth: Values) -> None:
        told = ~np.isnan(truth)
        if self.blend is not None:
            points = evidence.candidates[told], truth[told], evidence.cells[told]
            self.blend.learn(channel, *points)

    def _weigh(self, evidence: Evidence, channel: int) -> Values:
        if self.blend is None:
            return evidence.candidates[:, 0]
        return self.blend(channel, evidence.candidates, evidence.cells)


def _known(values: Values) -> NDArray[np.float64]:
    return values[~np.isnan(values)].astype(np.float64)


def _notes(shape: tuple[int, ...]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Make room for the kind of gap of each point, and for how far the heads are apart."""
    return np.zeros(shape, np.int8), np.zeros(shape, np.float32)


def _fill_constants(part: Values) -> None:
    """Fill series whose known values are all equal by that value, in place."""
    missing = np.isnan(part)
    lowest = np.min(part, -1, keepdims=True, where=~missing, initial=np.inf)
    highest = np.max(part, -1, keepdims=True, where=~missing, initial=-np.inf)
    np.copyto(part, lowest, where=missing & (lowest == highest))


def _period(panels: list[Values], channel: int) -> int:
    rows = [row for panel in panels for row in panel[:_SERIES_LEARNED, channel]]
    return find_period(rows[:_SERIES_LEARNED])
