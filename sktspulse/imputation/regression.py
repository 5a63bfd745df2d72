"""Predict a channel from the other channels at the same time, and follow it where that helps.

Co-kriging takes shapes from other channels within a short span, but no levels. In long gaps the
level is not known, and a regression gives it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ..series import Flags, Floats, Indices, Neighbors, interpolate_linear
from .blending import N_GAP_BINS, error_products, fit_convex_weights
from .filled import Filled
from .simulated_gaps import N_FOLDS

__all__ = ["ProxyRegression", "RegressionCorrection", "without_fold"]

_MAX_PREDICTORS = 8  # channels that one is predicted from: those that correlate most
_MAX_POINTS = 1 << 14  # that the regression is fitted on
_RIDGE = 1e-4  # penalty on coefficients, relative to the number of points
_KNOWN_EDGES = np.array([0.5, 0.9])  # of the levels of how much of a prediction is known
_KEEP = np.eye(3)[0]  # weights that leave a fill as it is


@dataclass(frozen=True)
class ProxyRegression:
    """Linear regression of each channel on others; in roughly standardised units."""

    predictors: list[Indices]  # of each channel
    coefficients: list[Floats]  # of each channel, with the intercept last
    low: Floats  # (n_channels,), range of the predictors; values beyond are taken for its ends
    high: Floats

    @classmethod
    def fit(cls, panels: Sequence[Floats]) -> Self:
        """Fit to the known values of each channel, with gaps of the others interpolated."""
        columns, known = zip(*(_columns(panel) for panel in panels if panel.size), strict=True)
        X, is_known = np.concatenate(columns), np.concatenate(known)
        predictors, coefficients = [], []
        for channel in range(X.shape[1]):
            rows = np.flatnonzero(is_known[:, channel])
            rows = rows[:: -(-len(rows) // _MAX_POINTS) or 1]
            chosen, found = _regress(X[rows], channel)
            predictors.append(chosen)
            coefficients.append(found)
        return cls(predictors, coefficients, X.min(0), X.max(0))

    def __call__(self, values: Floats) -> Floats:
        """Predict all channels of filled series ``(n, n_channels, n_timepoints)``."""
        clipped = np.nan_to_num(values).clip(self.low[:, None], self.high[:, None])
        predicted = [
            np.tensordot(coefficients[:-1], clipped[:, chosen], (0, 1)) + coefficients[-1]
            for chosen, coefficients in zip(self.predictors, self.coefficients, strict=True)
        ]
        return np.stack(predicted, 1)

    def known_level(self, is_filled: Flags) -> Indices:
        """Return how much of each prediction comes from known values: 0, 1 or 2."""
        unknown = [
            np.tensordot(np.abs(coefficients[:-1]), is_filled[:, chosen], (0, 1))
            / max(np.abs(coefficients[:-1]).sum(), np.finfo(np.float64).tiny)
            for chosen, coefficients in zip(self.predictors, self.coefficients, strict=True)
        ]
        return np.digitize(1 - np.stack(unknown, 1), _KNOWN_EDGES)


@dataclass(frozen=True)
class RegressionCorrection:
    """Move filled values towards the regression, with and without an offset at the known ends."""

    regression: ProxyRegression
    weights: Floats  # (3, n_channels, N_GAP_BINS + 1, 3), by level, of fill and both predictions

    @classmethod
    def fit(
        cls, panels: Sequence[Floats], trials: Sequence[tuple[Floats, Filled, Indices]]
    ) -> Self:
        """Fit the weights at hidden points, each predicted by a model of the other folds.

        A trial is the truth, the filled segments, and the fold ``(n, n_timepoints)``.
        """
        models = [ProxyRegression.fit(without_fold(panels, fold)) for fold in range(N_FOLDS)]
        products = np.sum([_products(models, *trial) for trial in trials], axis=0)
        weights = np.stack([fit_convex_weights(one, [_KEEP] * 3, [0, 2]) for one in products])
        last = np.tile(_KEEP, (*weights.shape[:2], 1, 1))
        return cls(ProxyRegression.fit(panels), np.concatenate([weights, last], 2))

    def __call__(self, filled: Filled) -> Filled:
        """Return the series with their filled values corrected."""
        answers = _answers(filled, self.regression(filled.values))
        level, channels = self.regression.known_level(filled.is_filled), np.arange(answers.shape[1])
        weights = self.weights[level, channels[:, None], filled.gap_bins]
        values = np.where(filled.is_filled, (weights * answers).sum(-1), filled.values)
        return filled._replace(values=values)


def without_fold(panels: Sequence[Floats], fold: int) -> list[Floats]:
    """Return the parts of the series before and after a fold."""
    pieces = []
    for panel in panels:
        start, end = (panel.shape[-1] * edge // N_FOLDS for edge in (fold, fold + 1))
        pieces += [panel[..., :start], panel[..., end:]]
    return pieces


def _columns(panel: Floats) -> tuple[Floats, Flags]:
    """Return the time points of all series as rows, gaps interpolated, and which were known."""
    rows = panel.reshape(-1, panel.shape[-1])
    known = ~np.isnan(rows)
    is_empty: Flags = np.logical_not(known.any(1, keepdims=True))
    neighbors = Neighbors.from_mask(known | is_empty)
    complete = interpolate_linear(np.where(is_empty, 0, rows), neighbors)

    def as_table(part: NDArray[Any]) -> NDArray[Any]:
        return part.reshape(panel.shape).swapaxes(1, 2).reshape(-1, panel.shape[1])

    return as_table(complete), as_table(known)


def _regress(X: Floats, channel: int) -> tuple[Indices, Floats]:
    """Regress one column on those that correlate most with it; 0 if there are too few rows."""
    others = np.delete(np.arange(X.shape[1]), channel)
    if len(X) <= 2 * _MAX_PREDICTORS:
        return others[:0], np.zeros(1)
    centred = X - X.mean(0)
    norms = np.sqrt(np.square(centred).sum(0)).clip(np.finfo(np.float64).tiny)
    strength = np.abs(centred[:, channel] @ centred) / norms
    chosen = others[np.argsort(-strength[others], kind="stable")[:_MAX_PREDICTORS]]
    gram = centred[:, chosen].T @ centred[:, chosen] + _RIDGE * len(X) * np.eye(len(chosen))
    slopes = np.linalg.solve(gram, centred[:, chosen].T @ centred[:, channel])
    return chosen, np.append(slopes, X[:, channel].mean() - X[:, chosen].mean(0) @ slopes)


def _products(
    models: Sequence[ProxyRegression], truth: Floats, filled: Filled, fold: Indices
) -> Floats:
    predicted, level = np.zeros_like(filled.values), np.zeros(filled.values.shape, np.intp)
    for one, model in enumerate(models):
        inside = (fold == one)[:, None]
        predicted = np.where(inside, model(filled.values), predicted)
        level = np.where(inside, model.known_level(filled.is_filled), level)
    errors = _answers(filled, predicted) - truth[..., None]
    is_hidden = filled.is_filled & ~np.isnan(truth) & (filled.gap_bins < N_GAP_BINS)
    products = [
        error_products(errors[:, channel][inside], filled.gap_bins[:, channel][inside]).sum(0)
        for one in range(len(_KNOWN_EDGES) + 1)
        for channel, inside in enumerate((is_hidden & (level == one)).swapaxes(0, 1))
    ]
    return np.stack(products).reshape(-1, truth.shape[1], *products[0].shape)


def _answers(filled: Filled, predicted: Floats) -> Floats:
    """Return the fills, the predictions, and these plus a line that joins them to both ends."""
    shape = filled.values.shape
    is_unknown = (filled.is_filled | np.isnan(filled.values)).reshape(-1, shape[-1])
    offsets = (filled.values - predicted).reshape(is_unknown.shape)
    # In a series without a known value, every point is taken as one, and nothing is moved.
    neighbors = Neighbors.from_mask(~is_unknown | is_unknown.all(1, keepdims=True))
    joined = predicted + interpolate_linear(offsets, neighbors).reshape(shape)
    return np.stack([filled.values, predicted, joined], -1)
