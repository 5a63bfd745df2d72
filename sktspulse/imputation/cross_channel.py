"""Move filled values towards the co-kriging estimate, as far as it helps at hidden points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..series import Floats
from .blending import DISTANCE_GROUP, N_DISTANCES, N_GAP_BINS, ridge_by_bin
from .cokriging import CoKriging
from .filled import Filled, HiddenWindows, by_gap_bin, error_variances
from .regression import without_fold
from .simulated_gaps import N_FOLDS

__all__ = ["CrossChannelCorrection"]

_NEAR = 6  # bins of the nearer distance that the correlation of errors is estimated from
_MAX_SHIFT = 4.0  # of a value, in standard deviations of its error
_N_POINTS = 1 << 15  # time points that the weights are fitted on
_NOISE_VARIANCES = (1e-4, 1e-3, 1e-2)  # to choose from
_N_SELECTION_POINTS = 1 << 13  # time points that they are compared on


@dataclass(frozen=True)
class CrossChannelCorrection:
    """Correct filled values by co-kriging."""

    cokriging: CoKriging
    error_variances: Floats  # of filled values, (n_channels, N_GAP_BINS + 1)
    weights: Floats  # of the co-kriging estimate, from 0 to 1, (n_channels, N_GAP_BINS + 1)

    @classmethod
    def fit(cls, panels: Sequence[Floats], windows: HiddenWindows) -> tuple[Self, HiddenWindows]:
        """Fit the correction by 4-fold cross-validation over consecutive parts of the series.

        Also returns the windows that the weights were fitted on, each corrected by the co-kriging
        model of the other folds.
        """
        variances = error_variances(windows)
        deviations = np.sqrt(by_gap_bin(variances, windows.filled.gap_bins))
        # A constant channel is filled without error.
        errors = windows.errors / np.where(deviations > 0, deviations, 1)
        # Deep inside long gaps, errors are alike for longer.
        distance = DISTANCE_GROUP[windows.filled.gap_bins.clip(0, N_GAP_BINS - 1)] % N_DISTANCES
        errors = np.where(distance < _NEAR, errors, np.nan)
        models = [CoKriging.fit(without_fold(panels, fold), errors) for fold in range(N_FOLDS)]
        noise_variance = _choose_noise(_some(windows, _N_SELECTION_POINTS), variances, models)
        some = _some(windows, _N_POINTS)
        shifts = _held_out_shifts(some, variances, models, noise_variance)
        weights = _fit_correction_weights(some, shifts)
        model = replace(CoKriging.fit(panels, errors), noise_variance=noise_variance)
        corrected = some._replace(filled=_move(some.filled, weights, shifts))
        return cls(model, variances, weights), corrected

    def __call__(self, filled: Filled) -> Filled:
        """Return the series with their filled values corrected."""
        shifts = _shifts(filled, self.error_variances, self.cokriging)
        return _move(filled, self.weights, shifts)

    def variances(self, filled: Filled) -> Floats:
        """Return the prediction variances of co-kriging; 0 where nothing was filled."""
        variances = _point_variances(filled, self.error_variances)
        return self.cokriging.variances(filled.values, variances)


def _some(windows: HiddenWindows, n_points: int) -> HiddenWindows:
    return windows.take(slice(max(1, n_points // windows.truth.shape[-1])))


def _point_variances(filled: Filled, variances: Floats) -> Floats:
    """Return the error variance of every filled value; 0 for known values."""
    return np.where(filled.is_filled, by_gap_bin(variances, filled.gap_bins), 0)


def _shifts(filled: Filled, variances: Floats, model: CoKriging) -> Floats:
    """Return the differences between co-kriging estimates and filled values, clipped."""
    own = _point_variances(filled, variances)
    # Larger errors are implausible. It is more likely that another channel is an outlier.
    limit = _MAX_SHIFT * np.sqrt(own)
    return np.clip(model(filled.values, own) - filled.values, -limit, limit)


def _move(filled: Filled, weights: Floats, shifts: Floats) -> Filled:
    values = filled.values + by_gap_bin(weights, filled.gap_bins) * shifts
    return filled._replace(values=values)


def _choose_noise(windows: HiddenWindows, variances: Floats, models: Sequence[CoKriging]) -> float:
    """Return the noise variance with the least error under cross-validation."""
    scores, deviations = [], np.sqrt(_point_variances(windows.filled, variances))
    for noise_variance in _NOISE_VARIANCES:
        shifts = _held_out_shifts(windows, variances, models, noise_variance)
        errors = windows.errors + shifts
        scores.append(np.nansum(np.square(errors / np.where(deviations > 0, deviations, 1))))
    return _NOISE_VARIANCES[int(np.argmin(scores))]


def _held_out_shifts(
    windows: HiddenWindows, variances: Floats, models: Sequence[CoKriging], noise_variance: float
) -> Floats:
    """Return the shifts of the windows of each fold by the model of the other folds."""
    shifts = np.zeros_like(windows.truth)
    for fold, model in enumerate(models):
        rows = windows.fold == fold
        with_noise = replace(model, noise_variance=noise_variance)
        shifts[rows] = _shifts(windows.take(rows).filled, variances, with_noise)
    return shifts


def _fit_correction_weights(windows: HiddenWindows, shifts: Floats) -> Floats:
    """Fit the weight of the shifts for every channel and gap bin by ridge regression.

    At a distance without hidden points nothing is known of the covariance, and the weight is 0.
    """
    is_hidden, needed = windows.is_hidden, -windows.errors
    weights = np.zeros((is_hidden.shape[1], N_GAP_BINS + 1))
    for channel, own in enumerate(weights):
        inside = is_hidden[:, channel]
        X, y = shifts[:, channel][inside][:, None], needed[:, channel][inside]
        bins = windows.filled.gap_bins[:, channel][inside]
        is_seen = np.append(np.isin(DISTANCE_GROUP, DISTANCE_GROUP[bins]), True)
        own[is_seen] = ridge_by_bin(X, y, bins, N_GAP_BINS + 1, np.zeros(1))[is_seen, 0]
    return weights.clip(0, 1)
