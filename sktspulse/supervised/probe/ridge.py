"""A ridge regression for several targets that chooses its strength."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import numpy as np
from scipy.optimize import nnls

from ...series import Values
from .samples import _ALL, Columns, Rotation, Rows, _in_time, _never, _spread

__all__ = ["RidgeHead"]

_ALPHA_GRID = 10.0 ** np.arange(-5, 3.5, 0.5)


class RidgeHead:
    """Ridge regression; the strength for each output comes from leaving single rows out."""

    alpha: Values  # (n_outputs,) of the first group
    coefficients: Values  # (n_outputs, n_features)
    intercept: Values  # (n_outputs,)

    def fit(
        self, rows: Rows, groups: Sequence[Columns] = _ALL, is_late: Callable[[], bool] = _never
    ) -> Self:
        """Choose the strengths, then fit all rows.

        Parameters
        ----------
        rows : Rows
            Features with a squared length of about 1, and targets of shape
            ``(n_rows, n_outputs)``.
        groups : sequence of slice or of ndarray of int, default=(slice(None),)
            Columns of each model; they may share some.
        is_late : callable, default=never
            Whether time is over. Then no other group is begun.

        Returns
        -------
        RidgeHead
            This object.
        """
        loc, scale = _moments(rows.targets, rows.weights)
        scaled = rows._replace(targets=(rows.targets - loc) / scale)
        models = [
            _Ridge.of(scaled._replace(features=rows.features[:, group]))
            for group in _in_time(groups, is_late)
        ]
        shares = _linear_shares([one.residuals for one in models], rows.weights)
        parts = [
            (share * scale)[:, None] * one.coefficients
            for share, one in zip(shares, models, strict=True)
        ]
        self.coefficients = _spread(parts, groups, rows.features.shape[1])
        mean, _ = _moments(rows.features, rows.weights)
        self.intercept = loc - self.coefficients @ mean
        self.alpha = models[0].alpha
        return self


class _Ridge(NamedTuple):
    """A ridge regression of targets of mean 0, and how far it misses rows that are left out."""

    alpha: Values  # (n_outputs,)
    residuals: Values  # (n_rows, n_outputs)
    coefficients: Values  # (n_outputs, n_features)

    @classmethod
    def of(cls, rows: Rows) -> Self:
        root = np.sqrt(rows.weights)[:, None]
        rotation = Rotation.of(root * (rows.features - _moments(rows.features, rows.weights)[0]))
        values = np.linalg.norm(rotation.features, axis=0)
        left = rotation.features / values
        projected = left.T @ (root * rows.targets)  # (rank, n_outputs)
        tried = np.stack([_left_out(rows, left, values, projected, a) for a in _ALPHA_GRID])
        losses = np.einsum("n,ank->ak", rows.weights, np.square(tried))
        place, outputs = losses.argmin(0), np.arange(losses.shape[1])
        alpha = _ALPHA_GRID[place]
        coefficients = (projected * values[:, None] / (values[:, None] ** 2 + alpha)).T
        return cls(alpha, tried[place, :, outputs].T, rotation.back(coefficients))


def _left_out(rows: Rows, left: Values, values: Values, projected: Values, alpha: float) -> Values:
    """Return how far each row is missed if it is left out, without fitting again."""
    kept = np.square(values) / (np.square(values) + alpha)
    fitted = left @ (kept[:, None] * projected) / np.sqrt(rows.weights)[:, None]
    leverages = np.square(left) @ kept + rows.weights / rows.weights.sum()
    free = np.maximum(1 - leverages, np.finfo(np.float64).eps)
    missed: Values = (rows.targets - fitted) / free[:, None]
    return missed


def _linear_shares(residuals: list[Values], weights: Values) -> Values:
    """Return the shares of models, with sum 1, of the least error: ``(n_models, n_outputs)``."""
    # The best shares of a free sum, held to 1 by the last row, have the same proportions.
    stacked = np.stack(residuals, axis=-1) * np.sqrt(weights / weights.sum())[:, None, None]
    last = np.ones((1, len(residuals)))
    aim = np.append(np.zeros(len(weights)), 1)
    found = [nnls(np.vstack([stacked[:, k], last]), aim)[0] for k in range(stacked.shape[1])]
    return np.stack([shares / shares.sum() for shares in found], axis=1)


def _moments(values: Values, weights: Values) -> tuple[Values, Values]:
    """Return weighted mean and standard deviation of columns, 1 instead of 0."""
    shares = weights / weights.sum()
    loc = shares @ values
    scale = np.sqrt(shares @ np.square(values - loc))
    return loc, np.where(scale > 0, scale, 1)
