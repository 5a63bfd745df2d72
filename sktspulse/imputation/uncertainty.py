"""Predict the error variance of filled values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from ..series import Floats, Integers
from .blending import DISTANCE_GROUP
from .filled import Filled, HiddenWindows, by_gap_bin, error_variances

__all__ = ["Z_90", "Uncertainty"]

Z_90 = 1.6449  # 90 % of a normal distribution lie within so many standard deviations
_COVERAGE = 0.9  # of the errors within Z_90 standard deviations
_MIN_VARIANCE = 1e-20
_MIN_WEIGHT = 0.05  # of the error variance of the gap bin
_MIN_POINTS = 200  # for a calibration factor of a distance of its own


@dataclass(frozen=True)
class Uncertainty:
    """Predict error variances as a weighted sum of three indicators.

    The indicators are the error variance of the gap bin, the squared difference between the
    network's two reconstructions, and the prediction variance of co-kriging. The sum is
    calibrated for each distance to the nearest known point: 90 % of the errors lie within 1.645
    standard deviations, as in a normal distribution.
    """

    error_variances: Floats  # (n_channels, N_GAP_BINS + 1)
    weights: Floats  # (n_channels, 3), of the indicators
    factors: Floats  # (n_channels, N_GAP_BINS + 1), from the calibration

    @classmethod
    def fit(cls, windows: HiddenWindows, channel_variances: Floats) -> Self:
        """Fit weights and factors on hidden points, after the cross-channel correction."""
        variances = error_variances(windows)
        indicators = _indicators(variances, windows.filled, channel_variances)
        is_hidden, squares = windows.is_hidden, np.square(windows.errors)
        weights, factors = np.tile([1.0, 0, 0], (len(variances), 1)), np.ones_like(variances)
        for channel in np.flatnonzero(is_hidden.any((0, 2))):
            inside = is_hidden[:, channel]
            x, y = indicators[:, channel][inside], squares[:, channel][inside]
            weights[channel] = _fit_indicator_weights(x, y)
            ratios = y / (x @ weights[channel]).clip(_MIN_VARIANCE)
            bins = windows.filled.gap_bins[:, channel][inside]
            factors[channel] = _calibrate(ratios, bins, variances.shape[1])
        return cls(variances, weights, factors)

    def __call__(self, filled: Filled, channel_variances: Floats) -> Floats:
        """Return the error variances, ``(n, n_channels, n_timepoints)``."""
        indicators = _indicators(self.error_variances, filled, channel_variances)
        sums = (indicators * self.weights[:, None]).sum(-1)
        return sums * by_gap_bin(self.factors, filled.gap_bins)


def _indicators(variances: Floats, filled: Filled, channel_variances: Floats) -> Floats:
    parts = by_gap_bin(variances, filled.gap_bins), filled.head_difference, channel_variances
    return np.stack(parts, -1)


def _fit_indicator_weights(indicators: Floats, squares: Floats) -> Floats:
    """Fit non-negative least squares, with errors in units of the error variance of the bin."""
    from scipy.optimize import nnls

    scale = indicators[:, :1].clip(_MIN_VARIANCE)
    weights: Floats = nnls(indicators / scale, squares / scale[:, 0])[0]
    # A minimum weight, so that no value is taken for certain.
    return np.maximum(weights, [_MIN_WEIGHT, 0, 0])


def _calibrate(ratios: Floats, bins: Integers, n_bins: int) -> Floats:
    """Return factors that give the variances their coverage, by the nearer distance."""
    factors = np.full(n_bins, np.quantile(ratios, _COVERAGE) / Z_90**2)
    for group in np.unique(DISTANCE_GROUP):
        own = ratios[DISTANCE_GROUP[bins] == group]
        if len(own) >= _MIN_POINTS:
            factors[:-1][group == DISTANCE_GROUP] = np.quantile(own, _COVERAGE) / Z_90**2
    return factors
