"""Multinomial logistic regression, its strength and temperature chosen by cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import numpy as np

from ...network import side_by_side
from ...series import Flags, Integers, Values
from ..samples import Samples
from .linear import ALL_FEATURES, MAX_RANK, Columns, Rotation, add_up

__all__ = ["LogisticHead", "fit_temperature", "for_each_class"]


_N_FOLDS = 5
_MAX_HELD_OUT = 1000  # samples, after which no further fold is held out
_MIN_RANK = 300  # principal directions that are kept in any case
_MAX_PRODUCTS = 20_000_000  # of samples, classes and directions: bounds the time of a step
_PATIENCE = 2  # steps along the grid without a lower loss
_C_GRID = 10.0 ** np.arange(-1, 4.5, 0.5)
_DEFAULT_C = 10.0  # if nothing can be held out, or it is late
_LOG_TEMPERATURES = (-3.0, 3.0)
_EVENNESS = 5.0  # penalty of shares that differ, in units of the log-loss of a sample
# A solution close to the optimum will do.
_SOLVER = {"gtol": 1e-6, "ftol": 64 * np.finfo(float).eps, "maxiter": 1000, "maxls": 50}


def _never() -> bool:
    return False


class LogisticHead(NamedTuple):
    """A weighted sum of logistic regressions on groups of features."""

    coefficients: Values  # (n_outputs, n_features); one output for two classes
    intercept: Values  # (n_outputs,)
    C: float  # of the first group
    temperature: float
    share: float  # of the answers of trees

    @classmethod
    def fit(
        cls,
        samples: Samples,
        groups: Sequence[Columns] = ALL_FEATURES,
        answers: Values | None = None,
        is_late: Callable[[], bool] = _never,
    ) -> Self:
        """Fit one model to each group, and combine them.

        Features have a mean squared norm of about 1. Targets are codes of at least two classes.
        Once it is late, no further C is tried. ``answers`` are logits, ``(n_samples, n_outputs)``,
        of a model that has not seen the sample.
        """
        folds = _held_out(samples.y)

        def fit(group: Columns) -> _Tempered:
            return _Tempered.fit(samples._replace(X=samples.X[:, group]), folds, is_late)

        models = list(side_by_side(fit, groups))
        if answers is not None:
            models.append(_Tempered.of_answers(answers, samples, folds))
        temperatures = np.array([model.temperature for model in models])
        shares = _best_shares(models, samples, folds) / temperatures
        # If no model is better than chance, all shares are 0.
        total = max(shares.sum(), np.exp(-_LOG_TEMPERATURES[1]))
        linear = list(zip(shares, models, strict=True))[: len(groups)]
        parts = [share * model.coefficients for share, model in linear]
        coefficients = add_up(parts, groups, samples.X.shape[1])
        intercept = sum(share * model.intercept for share, model in linear)
        of_answers = 0.0 if answers is None else float(shares[-1])
        return cls(coefficients, intercept, models[0].C, float(1 / total), of_answers)


class _Tempered(NamedTuple):
    """A logistic regression, and the out-of-fold logits at its C."""

    C: float
    temperature: float
    logits: Values  # (n_held_out, n_classes), divided by the temperature
    coefficients: Values  # (n_outputs, n_features)
    intercept: Values  # (n_outputs,)

    @classmethod
    def fit(
        cls, samples: Samples, folds: list[Flags], is_late: Callable[[], bool] = _never
    ) -> Self:
        rotation = Rotation.fit(samples.X, _rank(samples.y))
        rotated = samples._replace(X=rotation.features)
        C, temperature, logits = _choose_strength(rotated, folds, is_late)
        model = _Logistics.start(rotated, 1).fitted(rotated, samples.weights[:, None], C)
        coefficients = rotation.rotate_back(model.coefficients[0])
        return cls(C, temperature, logits, coefficients, model.intercept[0])

    @classmethod
    def of_answers(cls, answers: Values, samples: Samples, folds: list[Flags]) -> Self:
        """Return a model without coefficients, whose logits are ``answers``."""
        nothing = np.empty((answers.shape[1], 0)), np.zeros(answers.shape[1])
        if not folds:
            return cls(np.nan, 1.0, np.empty((0, 2)), *nothing)
        codes, weights = _join(samples, folds)
        logits = for_each_class(np.vstack([answers[fold] for fold in folds]))
        _, temperature = fit_temperature(logits, codes, weights)
        return cls(np.nan, temperature, logits / temperature, *nothing)


class _Logistics(NamedTuple):
    """Multinomial logistic regressions that differ in the weights of the samples.

    They are fitted together, which takes less time than one by one. scikit-learn's warns where
    there is nothing to warn about, and filters of warnings belong to the process, so they must
    not be changed while other threads run.
    """

    coefficients: Values  # (n_models, n_outputs, n_features)
    intercept: Values  # (n_models, n_outputs)

    @classmethod
    def start(cls, samples: Samples, n_models: int) -> Self:
        """Return models without effects."""
        n_classes = int(samples.y.max()) + 1
        n_outputs = 1 if n_classes == 2 else n_classes
        shape = (n_models, n_outputs, samples.X.shape[1])
        return cls(np.zeros(shape), np.zeros(shape[:2]))

    def logits(self, X: Values) -> Values:
        """Return a logit for each class: ``(n_samples, n_models, n_classes)``."""
        flat = self.coefficients.reshape(self.intercept.size, X.shape[1])
        logits = X @ flat.T + self.intercept.ravel()
        return for_each_class(logits.reshape(len(X), *self.intercept.shape))

    def fitted(self, samples: Samples, weights: Values, C: float) -> Self:
        """Minimise the penalised log-loss for ``weights``, ``(n_samples, n_models)``.

        The search starts from these models.
        """
        from scipy.optimize import minimize

        targets, n_outputs = (np.arange(len(samples.y)), slice(None), samples.y), self.shape[1]
        weights, strength = weights / weights.sum(0), 1 / (C * weights.sum(0)[:, None, None])

        def loss(flat: Values) -> tuple[float, Values]:
            models = self._unpacked(flat)
            log_shares = _log_softmax(models.logits(samples.X))
            errors = np.exp(log_shares)
            errors[targets] -= 1
            errors = (weights[..., None] * errors)[..., -n_outputs:].reshape(len(weights), -1)
            slopes = (errors.T @ samples.X).reshape(self.coefficients.shape)
            penalties = strength * models.coefficients
            value = (penalties * models.coefficients).sum() / 2
            value -= (weights * log_shares[targets]).sum()
            return value, np.concatenate([(slopes + penalties).ravel(), errors.sum(0)])

        start = np.append(self.coefficients, self.intercept)
        return self._unpacked(minimize(loss, start, jac=True, method="L-BFGS-B", options=_SOLVER).x)

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of models and of outputs."""
        return self.intercept.shape

    def _unpacked(self, flat: Values) -> Self:
        coefficients, intercept = np.split(flat, [self.coefficients.size])
        return type(self)(
            coefficients.reshape(self.coefficients.shape), intercept.reshape(self.shape)
        )


def for_each_class(logits: Values) -> Values:
    """Add the logit 0 of the first class if there are two."""
    if logits.shape[-1] > 1:
        return logits
    return np.concatenate([np.zeros_like(logits), logits], axis=-1)  # quicker than np.insert


def _log_softmax(logits: Values) -> Values:
    """Take the softmax of a few classes, quicker than SciPy's for any array."""
    shifted = logits - logits.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


def _rank(codes: Integers) -> int:
    """Return how many principal directions the time for a step allows."""
    affordable = _MAX_PRODUCTS // (len(codes) * (int(codes.max()) + 1))
    return min(max(affordable, _MIN_RANK), MAX_RANK)


def _choose_strength(
    samples: Samples, folds: list[Flags], is_late: Callable[[], bool]
) -> tuple[float, float, Values]:
    """Return C, temperature and out-of-fold logits with the lowest cross-validated log-loss."""
    if not folds:
        return _DEFAULT_C, 1.0, np.empty((0, 2))
    codes, weights = _join(samples, folds)
    kept = np.where(np.transpose(folds), 0, samples.weights[:, None])
    models = _Logistics.start(samples, len(folds))
    losses: list[float] = []
    for C in [_DEFAULT_C] if is_late() else _C_GRID:
        models = models.fitted(samples, kept, C)
        every = models.logits(samples.X)
        logits = np.vstack([every[fold, i] for i, fold in enumerate(folds)])
        loss, temperature = fit_temperature(logits, codes, weights)
        if loss < min(losses, default=np.inf):
            best = float(C), temperature, logits / temperature
        losses.append(loss)
        if min(losses) not in losses[-_PATIENCE:] or is_late():
            break
    return best


def _join(samples: Samples, folds: list[Flags]) -> tuple[Integers, Values]:
    """Return targets and weights in the order of out-of-fold logits."""
    codes, weights = (np.concatenate([part[fold] for fold in folds]) for part in samples[1:])
    return codes, weights


def _assign_folds(codes: Integers) -> Integers:
    """Distribute each class over the folds; -1 for an only member, which is never held out."""
    _, first, place, counts = np.unique(
        codes, return_index=True, return_inverse=True, return_counts=True
    )
    # Classes in the order of their first samples: their names make no difference.
    order = np.argsort(first[place], kind="stable")
    folds = np.empty(len(codes), dtype=np.int64)
    folds[order] = np.arange(len(codes)) % _N_FOLDS
    return np.where(counts[place] > 1, folds, -1)


def _count_folds(folds: Integers) -> int:
    """Return how many folds to hold out: all, or as many as hold enough samples."""
    sizes = np.bincount(folds + 1, minlength=_N_FOLDS + 1)[1:]
    if not sizes.any():
        return 0
    return min(_N_FOLDS, 1 + int(np.searchsorted(sizes.cumsum(), _MAX_HELD_OUT)))


def _held_out(codes: Integers) -> list[Flags]:
    """Return a mask of held-out samples for each fold; none if nothing can be held out."""
    folds = _assign_folds(codes)
    masks = [folds == fold for fold in range(_count_folds(folds))]
    return [mask for mask in masks if mask.any()]


def fit_temperature(logits: Values, codes: Integers, weights: Values) -> tuple[float, float]:
    """Return the lowest penalised log-loss after temperature scaling, and the temperature.

    The penalty keeps the temperature near 1 if there are few samples.
    """
    from scipy.optimize import minimize_scalar

    place = np.arange(len(codes))

    def loss(log_temperature: float) -> float:
        likelihoods = _log_softmax(logits / np.exp(log_temperature))[place, codes]
        return float(log_temperature**2 - weights @ likelihoods)

    found = minimize_scalar(loss, bounds=_LOG_TEMPERATURES, method="bounded")
    return float(found.fun), float(np.exp(found.x))


def _best_shares(models: list[_Tempered], samples: Samples, folds: list[Flags]) -> Values:
    """Return shares of the models with the lowest log-loss.

    A penalty keeps their sum near 1, and them near each other if there are few samples.
    """
    from scipy.optimize import minimize
    from scipy.special import softmax

    start = np.full(len(models), 1 / len(models))
    if len(models) == 1 or not folds:
        return start
    codes, weights = _join(samples, folds)
    logits = np.stack([model.logits for model in models])  # (n_models, n_held_out, n_classes)
    is_target = np.eye(logits.shape[2])[codes]

    def loss(shares: Values) -> tuple[float, Values]:
        sums, excess = np.tensordot(shares, logits, 1), shares.sum() - 1
        likelihood = weights @ (_log_softmax(sums) * is_target).sum(1)
        errors = weights[:, None] * (softmax(sums, axis=1) - is_target)
        uneven = shares - shares.mean()
        value = excess**2 + _EVENNESS * uneven @ uneven - likelihood
        return value, 2 * (excess + _EVENNESS * uneven) + np.tensordot(logits, errors, 2)

    found = minimize(loss, start, jac=True, bounds=[(0, None)] * len(models), method="L-BFGS-B")
    return np.asarray(found.x)
