"""What classification and regression do differently."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn

from ..series import Values
from .probe.logistic import fit_temperature, for_each_class

__all__ = ["Classification", "Regression", "Task"]


class Classification(NamedTuple):
    """Cross-entropy of logits. Two classes have one logit, that of the second."""

    n_outputs: int

    @classmethod
    def fit(cls, codes: Any, weights: Values) -> Self:
        """Count the classes."""
        n_classes = int(codes.max()) + 1
        return cls(1 if n_classes == 2 else n_classes)

    def encode(self, codes: Any) -> Tensor:
        """Return targets as the loss takes them."""
        return torch.from_numpy(np.asarray(codes, dtype=np.int64))

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy of each row."""
        if self.n_outputs == 1:
            outputs = torch.cat([torch.zeros_like(outputs), outputs], 1)
        return nn.functional.cross_entropy(outputs, targets, reduction="none")

    def validation_loss(self, outputs: Values, targets: Any, weights: Values) -> float:
        """Return the mean cross-entropy after temperature scaling."""
        loss, _ = fit_temperature(for_each_class(outputs), targets.astype(np.int64), weights)
        return loss / float(weights.sum())

    def output_scale(self, outputs: Values, codes: Any, weights: Values) -> tuple[Any, Any]:
        """Return factor and shift that calibrate the logits, from validation series."""
        return 1 / fit_temperature(for_each_class(outputs), codes, weights)[1], 0.0


class Regression(NamedTuple):
    """Squared error of standardised targets."""

    loc: Values  # (n_outputs,)
    scale: Values  # (n_outputs,)

    @property
    def n_outputs(self) -> int:
        """Number of targets."""
        return len(self.loc)

    @classmethod
    def fit(cls, targets: Values, weights: Values) -> Self:
        """Compute mean and standard deviation of each target."""
        loc = np.average(targets, axis=0, weights=weights)
        scale = np.sqrt(np.average(np.square(targets - loc), axis=0, weights=weights))
        return cls(loc, np.where(scale > 0, scale, 1))

    def encode(self, targets: Values) -> Tensor:
        """Return targets as the loss takes them."""
        return torch.from_numpy((targets - self.loc) / self.scale).float()

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the squared error of each row, averaged over outputs."""
        return (outputs - targets).square().mean(1)

    def validation_loss(self, outputs: Values, targets: Values, weights: Values) -> float:
        """Return the mean squared error."""
        return float(np.average(np.square(outputs - targets).mean(1), weights=weights))

    def output_scale(self, outputs: Values, targets: Values, weights: Values) -> tuple[Any, Any]:
        """Return factor and shift from outputs to units of the targets."""
        return self.scale, self.loc


Task = Classification | Regression
