"""Logistic regression of the same rows at one strength after another: numpy in, numpy out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax, logsumexp, softmax

from ...series import Flags, Integers, Values
from .samples import _ALL, MAX_RANK, Columns, Rotation, Rows, _in_time, _never, _spread

__all__ = ["Logistic", "LogisticHead", "temper"]

_TOLERANCE = 1e-7  # of the loss, over its size: a step that gains less is the last one
_MAX_STEPS = 1000
_LEAST_SPREAD = 1e-4  # of a probability, so that no direction seems flat


class Logistic:
    """Multinomial logistic regression by L-BFGS, each fit from where the last one ended.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
        Of mean near 0, along directions at right angles: then few steps are enough,
        however unequal the directions are.
    targets : ndarray of shape (n_rows,)
        Classes, from 0.
    weights : ndarray of shape (n_rows,)
        At least 0, with some above in every class.

    Attributes
    ----------
    coefficients : ndarray of shape (n_outputs, n_features)
        One output a class, and one alone, that of the second, where there are two.
    intercept : ndarray of shape (n_outputs,)
        Not held back.

    Notes
    -----
    The minimum is that of ``sklearn.linear_model.LogisticRegression``: the sum of weighted
    log-losses, and half of the squared coefficients over C. Steps are taken in units of the
    root of the curvature along each coefficient, in which all directions are about as steep.
    """

    coefficients: Values
    intercept: Values

    def __init__(self, features: Values, targets: Integers, weights: Values) -> None:
        is_member = np.eye(targets.max() + 1)[targets]
        shares = weights @ is_member / weights.sum()
        self._is_binary = len(shares) == 2
        outputs = slice(1, None) if self._is_binary else slice(None)
        self._features, self._squares, self._weights = features, np.square(features), weights
        self._is_member = is_member[:, outputs]
        self.coefficients = np.zeros((self._is_member.shape[1], features.shape[1]))
        self.intercept = np.log(shares[outputs]) - self._is_binary * np.log(shares[0])

    def fit(self, C: float) -> Self:
        """Find the least loss at an inverse strength of regularisation.

        Parameters
        ----------
        C : float
            Above 0.

        Returns
        -------
        Logistic
            This object.
        """
        units = np.sqrt(
            self._curvatures() + np.append(np.full(self.coefficients.shape[1], 1 / C), 0)
        )

        def loss(steps: Values) -> tuple[float, Values]:
            found = steps.reshape(units.shape) / units
            value, slopes = self._loss(found[:, :-1], found[:, -1])
            slopes[:, :-1] += found[:, :-1] / C
            return value + np.square(found[:, :-1]).sum() / (2 * C), (slopes / units).ravel()

        start = (np.column_stack([self.coefficients, self.intercept]) * units).ravel()
        options = {"ftol": _TOLERANCE, "gtol": 0.0, "maxiter": _MAX_STEPS}
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
        solution = found.x.reshape(units.shape) / units
        self.coefficients, self.intercept = solution[:, :-1], solution[:, -1]
        return self

    def _told(self, logits: Values) -> Values:
        return np.asarray(expit(logits) if self._is_binary else softmax(logits, axis=1))

    def _curvatures(self) -> Values:
        """Return how fast the slope along each coefficient changes, the intercept's last."""
        told = self._told(self._features @ self.coefficients.T + self.intercept)
        spread = self._weights[:, None] * (told * (1 - told) + _LEAST_SPREAD)
        return np.column_stack([spread.T @ self._squares, spread.sum(0)])

    def _loss(self, coefficients: Values, intercept: Values) -> tuple[float, Values]:
        """Return the sum of log-losses and its slopes, of the intercept in the last column."""
        logits = self._features @ coefficients.T + intercept
        errors = self._weights[:, None] * (self._told(logits) - self._is_member)
        slopes = np.column_stack([errors.T @ self._features, errors.sum(0)])
        return float(self._weights @ self._losses(logits)), slopes

    def _losses(self, logits: Values) -> Values:
        own = np.einsum("nk,nk->n", logits, self._is_member)
        if self._is_binary:
            return np.asarray(np.logaddexp(0, logits[:, 0]) - own)
        return np.asarray(logsumexp(logits, axis=1) - own)

    def logits(self, features: Values) -> Values:
        """Return one number a class for each row, also where there are two.

        Parameters
        ----------
        features : ndarray of shape (n_rows, n_features)
            Rows as those fitted.

        Returns
        -------
        ndarray of shape (n_rows, n_classes)
            Logits.
        """
        found = features @ self.coefficients.T + self.intercept
        return np.hstack([np.zeros_like(found), found]) if self._is_binary else found


_N_FOLDS = 5
_ENOUGH_HELD_OUT = 1000  # rows, after which no further fold is held out
_MIN_RANK = 300  # directions that are kept, however many rows and classes there are
_MAX_PRODUCTS = 20_000_000  # of rows, classes and directions, for a step to take a moment
_PATIENCE = 2  # steps along the grid without a better loss
_C_GRID = 10.0 ** np.arange(-1, 4.5, 0.5)
_C_BLIND = 10.0  # where no class has two members to hold out one of, or no time is left
_LOG_TEMPERATURES = (-3.0, 3.0)


class LogisticHead:
    """Multinomial logistic regression; strength and temperature come from held-out rows."""

    C: float  # of the first group
    temperature: float
    coefficients: Values  # (n_outputs, n_features); one output for two classes
    intercept: Values  # (n_outputs,)

    def fit(
        self, rows: Rows, groups: Sequence[Columns] = _ALL, is_late: Callable[[], bool] = _never
    ) -> Self:
        """Choose on held-out rows, then fit all rows.

        Parameters
        ----------
        rows : Rows
            Features with a squared length of about 1, and at least two classes.
        groups : sequence of slice or of ndarray of int, default=(slice(None),)
            Columns of each model; they may share some.
        is_late : callable, default=never
            Whether time is over. Then no other group is begun, and no other C is tried.

        Returns
        -------
        LogisticHead
            This object.
        """
        # Folds are dealt along a sum that, unlike a hash, survives rounding and other units.
        order = np.argsort(rows.features.sum(1), kind="stable")
        rows = rows.take(order)
        held = _held_out(rows.targets)
        models: list[_Tempered] = []
        for group in _in_time(groups, is_late):
            part = rows._replace(features=rows.features[:, group])
            models.append(_Tempered.of(part, held, is_late))
        temperatures = np.array([one.temperature for one in models])
        shares = _log_linear_shares(models, rows, held) / temperatures
        parts = [share * one.coefficients for share, one in zip(shares, models, strict=True)]
        self.coefficients = _spread(parts, groups, rows.features.shape[1])
        self.intercept = np.tensordot(shares, [one.intercept for one in models], 1)
        # Where held-out rows leave nothing of any model, all classes are answered alike.
        total = max(shares.sum(), np.exp(-_LOG_TEMPERATURES[1]))
        self.C, self.temperature = models[0].C, float(1 / total)
        return self


class _Tempered(NamedTuple):
    """A logistic regression, and what those of its strength make of the rows held out."""

    C: float
    temperature: float
    logits: Values  # (n_held_out, n_classes), divided by the temperature
    coefficients: Values  # (n_outputs, n_features)
    intercept: Values  # (n_outputs,)

    @classmethod
    def of(cls, rows: Rows, held: list[Flags], is_late: Callable[[], bool] = _never) -> Self:
        rotation = Rotation.of(rows.features, _rank(rows.targets))
        rotated = rows._replace(features=rotation.features)
        C, temperature, logits = _choose(rotated, held, is_late)
        model = Logistic(*rotated).fit(C)
        return cls(C, temperature, logits, rotation.back(model.coefficients), model.intercept)


def _rank(targets: Integers) -> int:
    """Return how many directions can be kept for the work to stay bounded."""
    affordable = _MAX_PRODUCTS // (len(targets) * (int(targets.max()) + 1))
    return min(max(affordable, _MIN_RANK), MAX_RANK)


def _choose(
    rows: Rows, held: list[Flags], is_late: Callable[[], bool]
) -> tuple[float, float, Values]:
    """Return the C and the temperature of the least loss on held-out rows, and their logits."""
    if not held or is_late():
        return _C_BLIND, 1.0, np.empty((0, 2))
    targets, weights = (np.concatenate([part[h] for h in held]) for part in rows[1:])
    models = [Logistic(*rows.take(~h)) for h in held]
    left_out = [rows.features[h] for h in held]
    losses: list[float] = []
    for C in _C_GRID:
        fitted = [model.fit(C) for model in models]
        logits = np.vstack([m.logits(part) for m, part in zip(fitted, left_out, strict=True)])
        loss, temperature = temper(logits, targets, weights)
        if loss < min(losses, default=np.inf):
            best = float(C), temperature, logits / temperature
        losses.append(loss)
        if min(losses) not in losses[-_PATIENCE:] or is_late():
            break
    return best


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


def _held_out(targets: Integers) -> list[Flags]:
    """Return one mask a fold, of the rows held out; none if there is nothing to hold out."""
    folds = _folds(targets)
    return [folds == fold for fold in range(_n_held_out(folds))]


def temper(logits: Values, targets: Integers, weights: Values) -> tuple[float, float]:
    """Find the temperature, which few rows leave near 1, of the least loss.

    Parameters
    ----------
    logits : ndarray of shape (n_rows, n_classes)
        One number a class.
    targets : ndarray of shape (n_rows,)
        Classes, from 0.
    weights : ndarray of shape (n_rows,)
        At least 0.

    Returns
    -------
    loss : float
        Sum of the weighted log-losses, and of what holds the temperature near 1.
    temperature : float
        What the logits are best divided by.
    """
    place = np.arange(len(targets))

    def loss(log_temperature: float) -> float:
        likelihoods = log_softmax(logits / np.exp(log_temperature), axis=1)[place, targets]
        return float(log_temperature**2 - weights @ likelihoods)

    found = minimize_scalar(loss, bounds=_LOG_TEMPERATURES, method="bounded")
    return float(found.fun), float(np.exp(found.x))


def _log_linear_shares(models: list[_Tempered], rows: Rows, held: list[Flags]) -> Values:
    """Return shares of the least loss on held-out rows, of which few leave a sum near 1."""
    start = np.full(len(models), 1 / len(models))
    if len(models) == 1 or not held:
        return start
    targets, weights = (np.concatenate([part[h] for h in held]) for part in rows[1:])
    logits = np.stack([one.logits for one in models])  # (n_models, n_held_out, n_classes)
    is_target = np.eye(logits.shape[2])[targets]

    def loss(shares: Values) -> tuple[float, Values]:
        sums, excess = np.tensordot(shares, logits, 1), shares.sum() - 1
        likelihood = weights @ (log_softmax(sums, axis=1) * is_target).sum(1)
        errors = weights[:, None] * (softmax(sums, axis=1) - is_target)
        return excess**2 - likelihood, 2 * excess + np.tensordot(logits, errors, 2)

    found = minimize(loss, start, jac=True, bounds=[(0, None)] * len(models), method="L-BFGS-B")
    return np.asarray(found.x)
