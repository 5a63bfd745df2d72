"""Linear heads that choose how strongly they are held back: numpy in, numpy out.

Both take their rows as a set. Equal rows count once, with the sum of their weights, and the
order is that of a hash, so that neither order nor repetition makes any difference, to the bit.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression, RidgeCV

__all__ = ["LogisticHead", "RidgeHead", "Rotation", "Rows", "as_set"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]

_N_FOLDS = 5
_ENOUGH_HELD_OUT = 1000  # rows, after which no further fold is held out
_PATIENCE = 2  # steps along the grid without a better loss
_C_GRID = 10.0 ** np.arange(-1, 4.5, 0.5)
_C_BLIND = 10.0  # where no class has two members, so that nothing can be held out
_ALPHA_GRID = 10.0 ** np.arange(-5, 3.5, 0.5)
_LOG_TEMPERATURES = (-3.0, 3.0)


class Rows(NamedTuple):
    """Different rows in an order that does not depend on how they came."""

    features: Floats  # (n_rows, n_features)
    targets: Any  # (n_rows,) classes from 0, or (n_rows, n_outputs)
    weights: Floats  # (n_rows,) above 0


def as_set(features: Floats, targets: Any, weights: Floats) -> Rows:
    """Join equal rows, drop those of weight 0, and sort by hash.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
        Numbers.
    targets : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        What belongs to each row; rows are equal if this is equal, too.
    weights : ndarray of shape (n_rows,)
        At least 0.

    Returns
    -------
    Rows
        The rows that are left; their weights are sums.
    """
    kept = np.flatnonzero(weights > 0)
    keys = np.array([_digest(features[i]) + _digest(targets[i]) for i in kept])
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    chosen, sums = kept[first], np.bincount(place, weights[kept]).astype(np.float64)
    return Rows(features[chosen], targets[chosen], sums)


def _digest(row: Any) -> str:
    return hashlib.blake2b(np.ascontiguousarray(row).tobytes(), digest_size=16).hexdigest()


class Rotation(NamedTuple):
    """Features in the space that the rows span, where distances and products stay the same."""

    features: Floats  # (n_rows, rank)
    basis: Floats | None  # (n_features, rank), None if nothing was rotated

    @classmethod
    def of(cls, features: Floats) -> Self:
        """Rotate features if there are more of them than rows."""
        if len(features) >= features.shape[1]:
            return cls(features, None)
        values, vectors = np.linalg.eigh(features @ features.T)
        kept = values > len(features) * np.finfo(np.float64).eps * values[-1]
        lengths, vectors = np.sqrt(values[kept]), vectors[:, kept]
        return cls(vectors * lengths, features.T @ (vectors / lengths))

    def back(self, coefficients: Floats) -> Floats:
        """Turn coefficients of the rotated features into those of the features."""
        return coefficients if self.basis is None else coefficients @ self.basis.T


class LogisticHead:
    """Multinomial logistic regression; strength and temperature come from held-out rows."""

    C: float
    temperature: float
    coefficients: Floats  # (n_outputs, n_features); one output for two classes
    intercept: Floats  # (n_outputs,)

    def fit(self, rows: Rows) -> Self:
        """Choose on held-out rows, then fit all rows.

        Parameters
        ----------
        rows : Rows
            Features with a squared length of about 1, and at least two classes.

        Returns
        -------
        LogisticHead
            This object.
        """
        # Folds are dealt along a sum that, unlike a hash, survives rounding and other units.
        order = np.argsort(rows.features.sum(1), kind="stable")
        rotation = Rotation.of(rows.features[order])
        rotated = Rows(rotation.features, rows.targets[order], rows.weights[order])
        self.C, self.temperature = _choose(rotated)
        model = _logistic(self.C).fit(*rotated)
        self.coefficients = rotation.back(model.coef_) / self.temperature
        self.intercept = model.intercept_ / self.temperature
        return self


def _logistic(C: float) -> LogisticRegression:
    return LogisticRegression(C=C, max_iter=10_000, warm_start=True)


def _choose(rows: Rows) -> tuple[float, float]:
    """Return the C and the temperature of the least loss on held-out rows."""
    folds = _folds(rows.targets)
    held = [folds == fold for fold in range(_n_held_out(folds))]
    if not held:
        return _C_BLIND, 1.0
    targets, weights = (np.concatenate([part[h] for h in held]) for part in rows[1:])
    models = [_logistic(1.0) for _ in held]
    tried: list[tuple[float, float, float]] = []
    for C in _C_GRID:
        logits = [_held_out(model, C, rows, h) for model, h in zip(models, held, strict=True)]
        tried.append((*_temper(np.vstack(logits), targets, weights), float(C)))
        if min(tried) not in tried[-_PATIENCE:]:
            break
    _, temperature, C = min(tried)
    return C, temperature


def _folds(targets: Integers) -> Integers:
    """Deal the rows of each class to folds; -1 for the only one of a class, never held out."""
    _, first, place, counts = np.unique(
        targets, return_index=True, return_inverse=True, return_counts=True
    )
    # Classes stand in the order of their first rows: their names make no difference.
    order = np.argsort(first[place], kind="stable")
    folds = np.empty(len(targets), dtype=np.int64)
    folds[order] = np.arange(len(targets)) % _N_FOLDS
    return np.where(counts[place] > 1, folds, -1)


def _n_held_out(folds: Integers) -> int:
    """Count the folds to hold out: all, or as many as hold enough rows."""
    sizes = np.bincount(folds + 1, minlength=_N_FOLDS + 1)[1:]
    if not sizes.any():
        return 0
    return min(_N_FOLDS, 1 + int(np.searchsorted(sizes.cumsum(), _ENOUGH_HELD_OUT)))


def _held_out(model: LogisticRegression, C: float, rows: Rows, held: NDArray[np.bool_]) -> Floats:
    """Fit the rows not held out, and return the logits of the others, one a class."""
    model.set_params(C=C).fit(*(part[~held] for part in rows))
    logits: Floats = model.intercept_ + rows.features[held] @ model.coef_.T
    return logits if logits.shape[1] > 1 else np.hstack([np.zeros_like(logits), logits])


def _temper(logits: Floats, targets: Integers, weights: Floats) -> tuple[float, float]:
    """Return the least loss over temperatures, which few rows leave near 1, and its place."""
    place = np.arange(len(targets))

    def loss(log_temperature: float) -> float:
        likelihoods = log_softmax(logits / np.exp(log_temperature), axis=1)[place, targets]
        return float(log_temperature**2 - weights @ likelihoods)

    found = minimize_scalar(loss, bounds=_LOG_TEMPERATURES, method="bounded")
    return float(found.fun), float(np.exp(found.x))


class RidgeHead:
    """Ridge regression; the strength for each output comes from leaving single rows out."""

    alpha: Floats  # (n_outputs,)
    coefficients: Floats  # (n_outputs, n_features)
    intercept: Floats  # (n_outputs,)

    def fit(self, rows: Rows) -> Self:
        """Choose the strengths, then fit all rows.

        Parameters
        ----------
        rows : Rows
            Features with a squared length of about 1, and targets of shape
            ``(n_rows, n_outputs)``.

        Returns
        -------
        RidgeHead
            This object.
        """
        loc, scale = _moments(rows)
        if len(rows.features) == 1:
            return self._constant(rows)
        rotation = Rotation.of(rows.features)
        model = RidgeCV(_ALPHA_GRID, alpha_per_target=True)
        model.fit(rotation.features, (rows.targets - loc) / scale, rows.weights)
        self.alpha = np.atleast_1d(model.alpha_)
        self.coefficients = rotation.back(np.atleast_2d(model.coef_)) * scale[:, None]
        self.intercept = model.intercept_ * scale + loc
        return self

    def _constant(self, rows: Rows) -> Self:
        n_outputs = rows.targets.shape[1]
        self.alpha = np.full(n_outputs, _ALPHA_GRID[-1])
        self.coefficients = np.zeros((n_outputs, rows.features.shape[1]))
        self.intercept = rows.targets[0]
        return self


def _moments(rows: Rows) -> tuple[Floats, Floats]:
    """Return weighted mean and standard deviation of the targets, 1 instead of 0."""
    shares = rows.weights / rows.weights.sum()
    loc = shares @ rows.targets
    scale = np.sqrt(shares @ np.square(rows.targets - loc))
    return loc, np.where(scale > 0, scale, 1)
