"""Ridge regression with several targets, its strength chosen by leave-one-out cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from ...network import side_by_side
from ...series import Values
from ..samples import Samples, moments
from .linear import ALL_FEATURES, Columns, Rotation, add_up

__all__ = ["RidgeHead"]

_ALPHA_GRID = 10.0 ** np.arange(-5, 3.5, 0.5)
_EVENNESS = 10.0  # penalty of shares that differ, in squared deviations of the targets


class RidgeHead(NamedTuple):
    """A weighted sum of ridge regressions on groups of features."""

    coefficients: Values  # (n_outputs, n_features)
    intercept: Values  # (n_outputs,)
    alpha: Values  # (n_outputs,) of the first group
    share: Values  # (n_outputs,) of the answers of trees
    deviation: Values  # (n_outputs,) of errors on samples that were left out

    @classmethod
    def fit(
        cls,
        samples: Samples,
        groups: Sequence[Columns] = ALL_FEATURES,
        answers: Values | None = None,
    ) -> Self:
        """Fit one model to each group, and combine them.

        Features have a mean squared norm of about 1, targets are ``(n_samples, n_outputs)``, and
        so are ``answers``, of a model that has not seen the sample.
        """
        loc, scale = moments(samples.y, samples.weights)
        scaled = samples._replace(y=(samples.y - loc) / scale)

        def fit(group: Columns) -> _Ridge:
            return _Ridge.fit(scaled._replace(X=samples.X[:, group]))

        models = list(side_by_side(fit, groups))
        residuals = [model.residuals for model in models]
        if answers is not None:
            residuals.append((samples.y - answers) / scale)
        shares = _best_shares(residuals, samples.weights)
        left = np.einsum("mk,mnk->nk", shares, residuals)
        deviation = scale * np.sqrt(np.average(np.square(left), axis=0, weights=samples.weights))
        parts = [
            (share * scale)[:, None] * model.coefficients
            for share, model in zip(shares[: len(groups)], models, strict=True)
        ]
        coefficients = add_up(parts, groups, samples.X.shape[1])
        mean, _ = moments(samples.X, samples.weights)
        of_answers = shares[-1] if answers is not None else np.zeros(len(loc))
        intercept = (1 - of_answers) * loc - coefficients @ mean
        return cls(coefficients, intercept, models[0].alpha, of_answers, deviation)


class _Ridge(NamedTuple):
    """A ridge regression of targets with mean 0, and its leave-one-out residuals."""

    alpha: Values  # (n_outputs,)
    residuals: Values  # (n_samples, n_outputs)
    coefficients: Values  # (n_outputs, n_features)

    @classmethod
    def fit(cls, samples: Samples) -> Self:
        root = np.sqrt(samples.weights)[:, None]
        rotation = Rotation.fit(root * (samples.X - moments(samples.X, samples.weights)[0]))
        values = np.linalg.norm(rotation.features, axis=0)
        left = rotation.features / values
        projected = left.T @ (root * samples.y)  # (rank, n_outputs)
        residuals = np.stack(
            [_left_out(samples, left, values, projected, alpha) for alpha in _ALPHA_GRID]
        )
        losses = np.einsum("n,ank->ak", samples.weights, np.square(residuals))
        best, outputs = losses.argmin(0), np.arange(losses.shape[1])
        alpha = _ALPHA_GRID[best]
        coefficients = (projected * values[:, None] / (values[:, None] ** 2 + alpha)).T
        return cls(alpha, residuals[best, :, outputs].T, rotation.rotate_back(coefficients))


def _left_out(
    samples: Samples, left: Values, values: Values, projected: Values, alpha: float
) -> Values:
    """Return the residual of each sample when it is left out, in closed form."""
    shrinkage = np.square(values) / (np.square(values) + alpha)
    fitted = left @ (shrinkage[:, None] * projected) / np.sqrt(samples.weights)[:, None]
    leverages = np.square(left) @ shrinkage + samples.weights / samples.weights.sum()
    remaining = np.maximum(1 - leverages, np.finfo(np.float64).eps)
    return np.asarray((samples.y - fitted) / remaining[:, None])


def _best_shares(residuals: list[Values], weights: Values) -> Values:
    """Return shares of the models, of sum 1, with the lowest error: ``(n_models, n_outputs)``.

    A penalty keeps them near each other if there are few samples, or these depend on each other.
    """
    from scipy.optimize import nnls

    # The solution with the sum constrained to 1 is proportional to one with a soft constraint.
    n_models = len(residuals)
    stacked = np.stack(residuals, axis=-1) * np.sqrt(weights)[:, None, None]
    uneven = np.sqrt(_EVENNESS) * (np.eye(n_models) - 1 / n_models)
    last = np.full((1, n_models), np.sqrt(weights.sum()))
    aim = np.append(np.zeros(len(weights) + n_models), last[0, 0])
    found = [nnls(np.vstack([rows, uneven, last]), aim)[0] for rows in stacked.swapaxes(0, 1)]
    return np.stack([shares / shares.sum() for shares in found], axis=1)
