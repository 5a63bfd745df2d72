"""Linear heads that choose how strongly they are held back: numpy in, numpy out.

Both fit one model to each group of features, and add up the models with the shares, at least 0,
that suit held-out rows best. So a few numbers that tell everything are not drowned by hundreds
that tell nothing: each group is held back on its own.

Both take their rows as a set. Equal rows count once, with the sum of their weights, and the
order is that of a hash, so that neither order nor repetition makes any difference, to the bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar, nnls
from scipy.special import log_softmax, softmax

from ._logistic import Logistic
from ._rotation import MAX_RANK, Rotation

__all__ = ["LogisticHead", "RidgeHead", "Rows", "as_set", "distinct", "temper"]

Floats = NDArray[np.floating[Any]]
Integers = NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]
_N_FOLDS = 5
_ENOUGH_HELD_OUT = 1000  # rows, after which no further fold is held out
_MIN_RANK = 300  # directions that are kept, however many rows and classes there are
_MAX_PRODUCTS = 20_000_000  # of rows, classes and directions, for a step to take a moment
_PATIENCE = 2  # steps along the grid without a better loss
_C_GRID = 10.0 ** np.arange(-1, 4.5, 0.5)
_C_BLIND = 10.0  # where no class has two members to hold out one of, or no time is left
_ALPHA_GRID = 10.0 ** np.arange(-5, 3.5, 0.5)
_LOG_TEMPERATURES = (-3.0, 3.0)


def _never() -> bool:
    return False


Columns = slice | Integers
_ALL: Sequence[Columns] = (slice(None),)  # one group: all features


class Rows(NamedTuple):
    """Different rows in an order that does not depend on how they came."""

    features: Floats  # (n_rows, n_features)
    targets: Any  # (n_rows,) classes from 0, or (n_rows, n_outputs)
    weights: Floats  # (n_rows,) above 0

    def take(self, places: Any) -> Rows:
        """Return some of them."""
        return Rows(self.features[places], self.targets[places], self.weights[places])


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
    chosen, sums = distinct(features, targets, weights)
    return Rows(features[chosen], targets[chosen], sums)


def distinct(things: Any, targets: Any, weights: Floats) -> tuple[Integers, Floats]:
    """Choose different things of weight above 0, as ``as_set`` does, of whatever shape.

    Parameters
    ----------
    things : sequence of ndarray
        Rows, or series.
    targets : ndarray of shape (n_things,) or (n_things, n_outputs)
        What belongs to each; things are equal if this is equal, too.
    weights : ndarray of shape (n_things,)
        At least 0.

    Returns
    -------
    chosen : ndarray of shape (n_chosen,)
        Their places.
    sums : ndarray of shape (n_chosen,)
        Their weights, each the sum over all that are equal.
    """
    kept = np.flatnonzero(weights > 0)
    keys = np.array([_digest(things[i]) + _digest(targets[i]) for i in kept])
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    return kept[first], np.bincount(place, weights[kept]).astype(np.float64)


def _digest(row: Any) -> str:
    return hashlib.blake2b(np.ascontiguousarray(row).tobytes(), digest_size=16).hexdigest()


class LogisticHead:
    """Multinomial logistic regression; strength and temperature come from held-out rows."""

    C: float  # of the first group
    temperature: float
    coefficients: Floats  # (n_outputs, n_features); one output for two classes
    intercept: Floats  # (n_outputs,)

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
    logits: Floats  # (n_held_out, n_classes), divided by the temperature
    coefficients: Floats  # (n_outputs, n_features)
    intercept: Floats  # (n_outputs,)

    @classmethod
    def of(cls, rows: Rows, held: list[Mask], is_late: Callable[[], bool] = _never) -> Self:
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
    rows: Rows, held: list[Mask], is_late: Callable[[], bool]
) -> tuple[float, float, Floats]:
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


def _held_out(targets: Integers) -> list[Mask]:
    """Return one mask a fold, of the rows held out; none if there is nothing to hold out."""
    folds = _folds(targets)
    return [folds == fold for fold in range(_n_held_out(folds))]


def temper(logits: Floats, targets: Integers, weights: Floats) -> tuple[float, float]:
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


def _log_linear_shares(models: list[_Tempered], rows: Rows, held: list[Mask]) -> Floats:
    """Return shares of the least loss on held-out rows, of which few leave a sum near 1."""
    start = np.full(len(models), 1 / len(models))
    if len(models) == 1 or not held:
        return start
    targets, weights = (np.concatenate([part[h] for h in held]) for part in rows[1:])
    logits = np.stack([one.logits for one in models])  # (n_models, n_held_out, n_classes)
    is_target = np.eye(logits.shape[2])[targets]

    def loss(shares: Floats) -> tuple[float, Floats]:
        sums, excess = np.tensordot(shares, logits, 1), shares.sum() - 1
        likelihood = weights @ (log_softmax(sums, axis=1) * is_target).sum(1)
        errors = weights[:, None] * (softmax(sums, axis=1) - is_target)
        return excess**2 - likelihood, 2 * excess + np.tensordot(logits, errors, 2)

    found = minimize(loss, start, jac=True, bounds=[(0, None)] * len(models), method="L-BFGS-B")
    return np.asarray(found.x)


def _in_time(groups: Sequence[Columns], is_late: Callable[[], bool]) -> Iterator[Columns]:
    """Yield the first group, and the others as long as there is time."""
    yield groups[0]
    yield from takewhile(lambda _: not is_late(), groups[1:])


def _spread(parts: list[Floats], groups: Sequence[Columns], n_features: int) -> Floats:
    """Add coefficients of groups up to those of all features."""
    sums = np.zeros((len(parts[0]), n_features))
    for part, group in zip(parts, groups, strict=False):  # the last ones were begun too late
        sums[:, group] += part
    return sums


class RidgeHead:
    """Ridge regression; the strength for each output comes from leaving single rows out."""

    alpha: Floats  # (n_outputs,) of the first group
    coefficients: Floats  # (n_outputs, n_features)
    intercept: Floats  # (n_outputs,)

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

    alpha: Floats  # (n_outputs,)
    residuals: Floats  # (n_rows, n_outputs)
    coefficients: Floats  # (n_outputs, n_features)

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


def _left_out(rows: Rows, left: Floats, values: Floats, projected: Floats, alpha: float) -> Floats:
    """Return how far each row is missed if it is left out, without fitting again."""
    kept = np.square(values) / (np.square(values) + alpha)
    fitted = left @ (kept[:, None] * projected) / np.sqrt(rows.weights)[:, None]
    leverages = np.square(left) @ kept + rows.weights / rows.weights.sum()
    free = np.maximum(1 - leverages, np.finfo(np.float64).eps)
    missed: Floats = (rows.targets - fitted) / free[:, None]
    return missed


def _linear_shares(residuals: list[Floats], weights: Floats) -> Floats:
    """Return the shares of models, with sum 1, of the least error: ``(n_models, n_outputs)``."""
    # The best shares of a free sum, held to 1 by the last row, have the same proportions.
    stacked = np.stack(residuals, axis=-1) * np.sqrt(weights / weights.sum())[:, None, None]
    last = np.ones((1, len(residuals)))
    aim = np.append(np.zeros(len(weights)), 1)
    found = [nnls(np.vstack([stacked[:, k], last]), aim)[0] for k in range(stacked.shape[1])]
    return np.stack([shares / shares.sum() for shares in found], axis=1)


def _moments(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return weighted mean and standard deviation of columns, 1 instead of 0."""
    shares = weights / weights.sum()
    loc = shares @ values
    scale = np.sqrt(shares @ np.square(values - loc))
    return loc, np.where(scale > 0, scale, 1)
