"""Fill the gaps of panels with candidates, weights and the other channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from ..network import Progress, standardize
from ..series import Flags, Floats, Integers, Values, find_wild, seasonal_period
from .blending import fit_weights, time_head_weights
from .candidates import CandidateReader
from .cross_channel import CrossChannelCorrection
from .filled import Filled, fill_channel, stack
from .limits import Limits
from .regression import RegressionCorrection
from .trial import run_trials, shuffled
from .uncertainty import Uncertainty

__all__ = ["GapFiller"]

_MAX_SERIES = 100  # that a period is estimated from
_MAX_DEVIATION = 1e15  # of scaled values, whose squares are finite in single precision


@dataclass(frozen=True)
class GapFiller:
    """Fill the gaps of panels ``(n_series, n_channels, n_timepoints)``."""

    loc: Floats  # (n_channels,), mean of each channel [input units]
    scale: Floats  # (n_channels,), standard deviation of each channel [input units]
    periods: Integers  # (n_channels,), period of each channel [time steps]; 0 if it has none
    weights: Floats  # (n_channels, 2, N_GAP_BINS, n_candidates), without and with periods
    limits: Limits
    regression: RegressionCorrection | None = None
    correction: CrossChannelCorrection | None = None
    uncertainty: Uncertainty | None = None

    @classmethod
    def from_time_head(cls, panels: list[Values]) -> Self:
        """Fill with the reconstruction of the network's time head alone; fit only the scale."""
        n_channels = panels[0].shape[1]
        weights = time_head_weights(n_channels)
        periods = np.zeros(n_channels, int)
        limits = Limits.fit(panels).opened()
        return cls(*_loc_and_scale(panels), periods, weights, limits)

    @classmethod
    def fit(cls, panels: list[Values], reader: CandidateReader, rng: np.random.Generator) -> Self:
        """Fit everything on hidden points of panels in input units."""
        panels = [_without_wild(panel) for panel in panels]
        loc, scale = _loc_and_scale(panels)
        scaled = [_scaled(panel, loc, scale) for panel in panels]
        periods = np.array([_period(panels, channel) for channel in range(len(loc))])
        trials = list(run_trials(scaled, reader, periods, rng))
        weights = fit_weights(np.sum([trial.products() for trial in trials], axis=0))
        fills = [trial.fill(weights) for trial in trials]
        regression = correction = None
        if len(loc) > 1:
            parts = [
                (one.segments.values, fill, one.segments.folds())
                for one, fill in zip(trials, fills, strict=True)
            ]
            regression = RegressionCorrection.fit(scaled, parts)
            fills = [regression(fill) for fill in fills]
        windows = shuffled(
            [
                one.windows(fill, reader.context_length)
                for one, fill in zip(trials, fills, strict=True)
            ],
            rng,
        )
        if len(loc) > 1:
            correction, windows = CrossChannelCorrection.fit(scaled, windows)
        uncertainty = Uncertainty.fit(windows, _channel_variances(correction, windows.filled))
        return cls(
            loc, scale, periods, weights, Limits.fit(panels), regression, correction, uncertainty
        )

    def fill(
        self,
        panel: Values,
        reader: CandidateReader,
        progress: Progress | None = None,
        *,
        return_std: bool = False,
    ) -> tuple[Values, Values]:
        """Return a filled copy, and the standard deviation of the error of each filled value.

        Both are in input units. The standard deviations are 0 for known values, and everywhere
        unless ``return_std``.
        """
        blocks = reader.blocks(len(panel), panel[0].size)
        parts = [self._fill_block(panel[block], reader, progress, return_std) for block in blocks]
        filled, std = (np.concatenate(part) for part in zip(*parts, strict=True))
        return filled, std

    def _fill_block(
        self, panel: Values, reader: CandidateReader, progress: Progress | None, return_std: bool
    ) -> tuple[Values, Values]:
        # The network alone is used as published.
        usable = panel if self.uncertainty is None else _without_wild(panel)
        panel, usable = _fill_constants(panel, usable), _fill_constants(usable, usable)
        missing = np.isnan(panel)
        filled = self._blend_channels(usable, np.isnan(usable), reader, progress)
        values = self.limits.in_range(self._in_input_units(filled), usable)
        filled = filled._replace(values=_scaled(values, self.loc, self.scale))
        if self.regression is not None:
            filled = self.regression(filled)
        if self.correction is not None:
            filled = self.correction(filled)
        largest = np.finfo(panel.dtype).max
        values = self.limits.apply(self._in_input_units(filled), usable).clip(-largest, largest)
        std = np.zeros_like(panel)
        if return_std and self.uncertainty is not None:
            variances = _channel_variances(self.correction, filled)
            deviations = np.sqrt(self.uncertainty(filled, variances)) * self.scale[:, None]
            std = np.where(missing, deviations, 0).astype(panel.dtype)
        return np.where(missing, values.astype(panel.dtype), panel), std

    def _in_input_units(self, filled: Filled) -> Floats:
        with np.errstate(over="ignore"):
            values: Floats = filled.values * self.scale[:, None] + self.loc[:, None]
        return values

    def _blend_channels(
        self, panel: Values, missing: Flags, reader: CandidateReader, progress: Progress | None
    ) -> Filled:
        scaled, channels = _scaled(panel, self.loc, self.scale), []
        for channel, weights in enumerate(self.weights):
            rows, points = scaled[:, channel], missing[:, channel]
            candidates = reader.read(rows, points, self.periods[channel])
            channels.append(fill_channel(rows, points, candidates, weights))
            if progress is not None:
                progress.update(rows.size)
        return stack(channels)


def _loc_and_scale(panels: list[Values]) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of every channel; 0 and 1 where they do not exist."""
    loc, scale = np.zeros(panels[0].shape[1]), np.ones(panels[0].shape[1])
    for channel in range(len(loc)):
        values = np.concatenate([panel[:, channel].ravel() for panel in panels]).astype(np.float64)
        known = values[~np.isnan(values)]
        if len(known):
            loc[channel], scale[channel] = np.ravel(standardize(known)[1:])
    return loc, scale


def _scaled(panel: Values, loc: Floats, scale: Floats) -> Floats:
    with np.errstate(over="ignore"):
        # Quarters of the largest numbers have a finite difference.
        values, loc, scale = (part * 0.25 for part in (panel.astype(np.float64), loc, scale))
        scaled = (values - loc[:, None]) / scale[:, None]
    return scaled.clip(-_MAX_DEVIATION, _MAX_DEVIATION)


def _period(panels: list[Values], channel: int) -> int:
    rows = [row for panel in panels for row in panel[:_MAX_SERIES, channel]]
    return seasonal_period(rows[:_MAX_SERIES])


def _channel_variances(correction: CrossChannelCorrection | None, filled: Filled) -> Floats:
    return np.zeros(filled.values.shape) if correction is None else correction.variances(filled)


def _without_wild(panel: Values) -> Values:
    """Return a copy in which fill values and spikes are missing."""
    wild = np.array([[find_wild(row) for row in series] for series in panel])
    return np.where(wild, np.nan, panel)


def _fill_constants(panel: Values, usable: Values) -> Values:
    """Return a copy in which a series with equal usable values is filled with that value."""
    known = ~np.isnan(usable)
    lowest = np.min(usable, -1, keepdims=True, where=known, initial=np.inf)
    highest = np.max(usable, -1, keepdims=True, where=known, initial=-np.inf)
    return np.where(np.isnan(panel) & (lowest == highest), lowest, panel)
