"""What classification and regression do not share: targets, losses, and how answers are mixed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax
from torch import Tensor, nn

from ..series import Values
from .probe.logistic import LogisticHead, temper
from .probe.ridge import RidgeHead

__all__ = ["Classes", "Mix", "Numbers", "Task", "hold_out"]

_SHARES = np.linspace(0, 1, 11)
_SURE = 2.0  # standard errors


class Mix(NamedTuple):
    """A weighted sum of what a linear head and what a TSLens answer."""

    share: float  # of TSLens, from 0 to 1
    temperature: float = 1.0  # that the sum is divided by
    lens_factor: Values | float = 1.0  # brings the outputs of TSLens to the unit of the head
    lens_shift: Values | float = 0.0

    @property
    def strategy(self) -> str:
        """Name what has a part in the answers."""
        return {0.0: "probe", 1.0: "tslens"}.get(self.share, "blend")

    def __call__(self, probe: Values | float, lens: Values | float) -> Any:
        """Mix the outputs of both."""
        lens = lens * self.lens_factor + self.lens_shift
        return ((1 - self.share) * probe + self.share * lens) / self.temperature


class Classes:
    """Tell classes apart. Two of them have one logit, that of the second.

    Parameters
    ----------
    n_classes : int
        Their number.
    """

    head = LogisticHead

    def __init__(self, n_classes: int) -> None:
        self.n_outputs = 1 if n_classes == 2 else n_classes

    def learn(self, codes: Any, weights: Values) -> None:
        """Learn nothing: there is nothing to scale."""

    def encode(self, codes: Any) -> Tensor:
        """Return targets as the loss takes them."""
        return torch.from_numpy(np.asarray(codes, dtype=np.int64))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy of each row."""
        if self.n_outputs == 1:
            outputs = torch.cat([torch.zeros_like(outputs), outputs], 1)
        return nn.functional.cross_entropy(outputs, targets, reduction="none")

    def held_out_loss(self, outputs: Values, targets: Any, weights: Values) -> float:
        """Return the mean cross-entropy at the best temperature: boldness can be mended."""
        return temper(_logits(outputs), targets.astype(np.int64), weights)[0] / weights.sum()

    def is_solved(self, decisions: Values, codes: Any) -> bool:
        """Tell whether nothing is left to do better."""
        return bool((_logits(decisions).argmax(1) == codes).all())

    def mix(self, probe: Values | None, lens: Values, codes: Any, weights: Values) -> Mix:
        """Choose the mixture of the least log-loss on held-out series, the probe if in doubt."""
        _, temperature = temper(_logits(lens), codes, weights)
        if probe is None:
            return Mix(1.0, temperature)
        tried = []
        for share in _SHARES[1:]:
            mixed = Mix(share, 1.0, 1 / temperature)(probe, lens)
            tried.append((*temper(_logits(mixed), codes, weights), float(share)))
        _, cooler, share = min(tried)
        mix = Mix(share, cooler, 1 / temperature)
        gains = _log_likelihoods(mix(probe, lens), codes) - _log_likelihoods(probe, codes)
        return mix if _is_sure(gains, weights) else Mix(0.0)


def _logits(decisions: Values) -> Values:
    """Return one number a class, also where there are two."""
    if decisions.shape[1] > 1:
        return decisions
    return np.hstack([np.zeros_like(decisions), decisions])


def _log_likelihoods(decisions: Values, codes: Any) -> NDArray[np.float64]:
    likelihoods = log_softmax(_logits(decisions), axis=1)[np.arange(len(codes)), codes]
    return np.asarray(likelihoods)


def _is_sure(gains: Values, weights: Values) -> bool:
    """Tell whether the mean of gains is far enough above 0 to be no accident."""
    mean = np.average(gains, weights=weights)
    variance = np.average(np.square(gains - mean), weights=weights)
    return bool(mean > _SURE * np.sqrt(variance / weights.sum()))


class Numbers:
    """Predict numbers, each output scaled by the targets learned from.

    Parameters
    ----------
    n_outputs : int
        Numbers a series.
    """

    head = RidgeHead

    def __init__(self, n_outputs: int) -> None:
        self.n_outputs = n_outputs

    def learn(self, targets: Values, weights: Values) -> None:
        """Learn level and scale of each output."""
        self.loc = np.average(targets, axis=0, weights=weights)
        scale = np.sqrt(np.average(np.square(targets - self.loc), axis=0, weights=weights))
        self.scale = np.where(scale > 0, scale, 1)

    def encode(self, targets: Values) -> Tensor:
        """Return targets as the loss takes them."""
        return torch.from_numpy((targets - self.loc) / self.scale).float()

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the squared error of each row, averaged over outputs."""
        return (outputs - targets).square().mean(1)

    def held_out_loss(self, outputs: Values, targets: Values, weights: Values) -> float:
        """Return the mean squared error, of scaled targets."""
        return float(np.average(np.square(outputs - targets).mean(1), weights=weights))

    def is_solved(self, decisions: Values, targets: Values) -> bool:
        """Tell whether nothing is left to do better."""
        return bool(self._errors(decisions, targets).max() < np.finfo(np.float32).eps)

    def mix(self, probe: Values | None, lens: Values, targets: Values, weights: Values) -> Mix:
        """Choose the mixture of the least error on held-out series, the probe if in doubt."""
        if probe is None:
            return Mix(1.0, 1.0, self.scale, self.loc)
        mixes = [Mix(float(share), 1.0, self.scale, self.loc) for share in _SHARES]
        errors = [self._errors(mix(probe, lens), targets) for mix in mixes]
        best = int(np.argmin([weights @ error for error in errors]))
        return mixes[best if _is_sure(errors[0] - errors[best], weights) else 0]

    def _errors(self, decisions: Values, targets: Values) -> NDArray[np.float64]:
        return np.asarray(np.square((decisions - targets) / self.scale).mean(1))


Task = Classes | Numbers


def hold_out(targets: Any, fraction: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Choose series to hold out, spread evenly over classes or over sizes of the first target.

    Parameters
    ----------
    targets : ndarray of shape (n_series,) of int, or (n_series, n_outputs) of float
        Classes or numbers.
    fraction : float
        Share of the series, in (0, 1).
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (n_series,), bool
        True for those held out. Never the only one of a class.
    """
    keys = targets if targets.ndim == 1 else targets[:, 0]
    order = np.lexsort([rng.random(len(keys)), keys])
    counted = np.ones(len(keys), dtype=bool)
    if targets.ndim == 1:
        counted = np.bincount(targets)[targets] > 1
    candidates = order[counted[order]]
    # Every place at which the share so far passes a half: the first ones may stay.
    passed = np.floor(np.arange(len(candidates) + 1) * fraction + 0.5)
    held = np.zeros(len(keys), dtype=bool)
    held[candidates[np.diff(passed) > 0]] = True
    return held
