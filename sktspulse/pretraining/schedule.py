"""The learning rate over the steps of a training."""

from __future__ import annotations

from typing import Any

from skorch.callbacks import Callback

from .net import PretrainingNet

__all__ = ["Schedule"]


class Schedule(Callback):
    """Count the steps; warm the learning rate up, hold it, and let it fall to zero.

    Parameters
    ----------
    lr : float
        Learning rate that is held.
    n_warmup, n_decay, n_steps : int
        Steps of rising, of falling, and in all.
    step : int, default=0
        Steps already done.
    """

    def __init__(self, lr: float, n_warmup: int, n_decay: int, n_steps: int, step: int = 0) -> None:
        self.lr = lr
        self.n_warmup = n_warmup
        self.n_decay = n_decay
        self.n_steps = n_steps
        self.step = step

    def rate(self, step: int) -> float:
        """Return the learning rate of one step."""
        rising = (step + 1) / max(self.n_warmup, 1)
        falling = (self.n_steps - step) / max(self.n_decay, 1)
        return self.lr * max(0.0, min(1.0, rising, falling))

    def on_batch_begin(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Set the rate of this step."""
        for group in net.optimizer_.param_groups:
            group["lr"] = self.rate(self.step)

    def on_batch_end(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Count the step."""
        self.step += 1
