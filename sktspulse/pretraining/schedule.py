"""The learning rate over the steps of a training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skorch.callbacks import Callback
from torch.optim import Optimizer

from .net import PretrainingNet

__all__ = ["Schedule", "trapezoid"]


def trapezoid(rising: float, falling: float) -> float:
    """Return the learning rate as a fraction of its peak: less at the start and at the end.

    ``rising`` is the part of the warm-up that is done; it exceeds 1 afterwards. ``falling`` is
    the part of the decay that is left; it exceeds 1 before.
    """
    return max(0.0, min(1.0, rising, falling))


@dataclass(eq=False)
class Schedule(Callback):
    """Count the steps; warm the learning rate up to ``lr``, hold it, and decay it to zero."""

    lr: float
    warmup_steps: int
    decay_steps: int
    n_steps: int  # in all
    step: int = 0  # number of steps done

    def rate(self, step: int) -> float:
        """Return the learning rate of one step."""
        rising = (step + 1) / max(self.warmup_steps, 1)
        falling = (self.n_steps - step) / max(self.decay_steps, 1)
        return self.lr * trapezoid(rising, falling)

    def set_rate(self, optimizer: Optimizer, step: int) -> None:
        """Set the learning rate of an optimizer to that of one step."""
        for group in optimizer.param_groups:
            group["lr"] = self.rate(step)

    def on_batch_begin(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Set the rate of this step."""
        self.set_rate(net.optimizer_, self.step)

    def on_batch_end(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Count the step."""
        self.step += 1
