"""Fill the gaps of panels with candidates, weights and the other channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from ..network import Progress
from ..series import Flags, Floats, Integers, Values, seasonal_period
from .blending import N_GAP_BINS, blend, fit_weights, time_head_weights
from .candidates import CandidateReader, Candidates
from .cross_channel import CrossChannelCorrection
from .filled import Filled, HiddenWindows
from .simulated_gaps import draw_windows, hide
from .uncertainty import Uncertainty

__all__ = ["GapFiller"]

_MAX_SERIES = 100  # that a period is estimated from


@dataclass(frozen=True)
class GapFiller:
    """Fill the gaps of panels ``(n_series, n_channels, n_timepoints)``."""

    loc: Floats  # (n_channels,), mean of each channel [input units]
    scale: Floats  # (n_channels,), standard deviation of each channel [input units]
    periods: Integers  # (n_channels,), period of each channel [time steps]; 0 if it has none
    weights: Floats  # (n_channels, N_GAP_BINS, 5), of the candidates
    correction: CrossChannelCorrection | None = None
    uncertainty: Uncertainty | None = None

    @classmethod
    def from_time_head(cls, panels: list[Values]) -> Self:
        """Fill with the reconstruction of the network's time head alone; fit only the scale."""
        n_channels = panels[0].shape[1]
        periods = np.zeros(n_channels, int)
        return cls(*_loc_and_scale(panels), periods, time_head_weights(n_channels))

    @classmethod
    def fit(cls, panels: list[Values], reader: CandidateReader, rng: np.random.Generator) -> Self:
        """Fit everything on hidden points of panels in input units."""
        loc, scale = _loc_and_scale(panels)
        scaled = [_scaled(panel, loc, scale) for panel in panels]
        drawn = draw_windows(panels, reader.context_length, rng)
        truth = _scaled(drawn.values, loc, scale)
        visible = hide(truth, reader.patch_length, rng)
        # The padding before short series, where all channels are missing, is not filled.
        wanted = np.isnan(visible) & ~np.isnan(truth).all(axis=1, keepdims=True)
        periods = np.array([_period(panels, channel) for channel in range(len(loc))])
        weights, channels = [], []
        for channel, period in enumerate(periods):
            rows, points = visible[:, channel], wanted[:, channel]
            candidates = reader.read(rows, points, period)
            weights.append(_fit_channel(candidates, truth[:, channel]))
            channels.append(_fill_channel(rows, points, candidates, weights[-1]))
        windows = HiddenWindows(truth, _stack(channels), drawn.fold)
        correction = None
        if len(loc) > 1:
            correction, windows = CrossChannelCorrection.fit(scaled, windows)
        uncertainty = Uncertainty.fit(windows, _channel_variances(correction, windows.filled))
        return cls(loc, scale, periods, np.stack(weights), correction, uncertainty)

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
        panel = _fill_constants(panel)
        missing = np.isnan(panel)
        filled = self._blend_channels(panel, missing, reader, progress)
        if self.correction is not None:
            filled = self.correction(filled)
        values = filled.values * self.scale[:, None] + self.loc[:, None]
        std = np.zeros_like(panel)
        if return_std and self.uncertainty is not None:
            variances = _channel_variances(self.correction, filled)
            deviations = np.sqrt(self.uncertainty(filled, variances)) * self.scale[:, None]
            std = np.where(missing, deviations, 0).astype(panel.dtype)
        return np.where(missing, values.astype(panel.dtype), panel), std

    def _blend_channels(
        self, panel: Values, missing: Flags, reader: CandidateReader, progress: Progress | None
    ) -> Filled:
        scaled, channels = _scaled(panel, self.loc, self.scale), []
        for channel, weights in enumerate(self.weights):
            rows, points = scaled[:, channel], missing[:, channel]
            candidates = reader.read(rows, points, self.periods[channel])
            channels.append(_fill_channel(rows, points, candidates, weights))
            if progress is not None:
                progress.update(rows.size)
        return _stack(channels)


def _loc_and_scale(panels: list[Values]) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of every channel; 0 and 1 where they do not exist."""
    loc, scale = np.zeros(panels[0].shape[1]), np.ones(panels[0].shape[1])
    for channel in range(len(loc)):
        values = np.concatenate([panel[:, channel].ravel() for panel in panels]).astype(np.float64)
        known = values[~np.isnan(values)]
        if len(known):
            loc[channel], scale[channel] = known.mean(), known.std() or 1.0
    return loc, scale


def _scaled(panel: Values, loc: Floats, scale: Floats) -> Floats:
    return (panel.astype(np.float64) - loc[:, None]) / scale[:, None]


def _period(panels: list[Values], channel: int) -> int:
    rows = [row for panel in panels for row in panel[:_MAX_SERIES, channel]]
    return seasonal_period(rows[:_MAX_SERIES])


def _fit_channel(candidates: Candidates, truth: Floats) -> Floats:
    """Fit the weights of one channel where the truth is known."""
    y = truth[candidates.row, candidates.time]
    known = ~np.isnan(y)
    return fit_weights(candidates.values[known], y[known], candidates.gap_bins[known])


def _fill_channel(rows: Floats, wanted: Flags, candidates: Candidates, weights: Floats) -> Filled:
    """Blend the candidates of one channel, ``(n, n_timepoints)``."""
    place = candidates.row, candidates.time
    # Without a known value: the mean of the channel, which is 0 after scaling.
    values, bins = np.where(wanted, 0, rows), np.where(wanted, N_GAP_BINS, 0).astype(np.int8)
    values[place] = blend(candidates.values, candidates.gap_bins, weights)
    bins[place] = candidates.gap_bins
    difference = np.zeros(rows.shape, np.float32)
    difference[place] = np.square(candidates.values[:, 0] - candidates.values[:, 1])
    return Filled(values, wanted, bins, difference)


def _stack(channels: list[Filled]) -> Filled:
    return Filled(*(np.stack(parts, axis=1) for parts in zip(*channels, strict=True)))


def _channel_variances(correction: CrossChannelCorrection | None, filled: Filled) -> Floats:
    return np.zeros(filled.values.shape) if correction is None else correction.variances(filled)


def _fill_constants(panel: Values) -> Values:
    """Return a copy in which a series with equal known values is filled with that value."""
    missing = np.isnan(panel)
    lowest = np.min(panel, -1, keepdims=True, where=~missing, initial=np.inf)
    highest = np.max(panel, -1, keepdims=True, where=~missing, initial=-np.inf)
    return np.where(missing & (lowest == highest), lowest, panel)
