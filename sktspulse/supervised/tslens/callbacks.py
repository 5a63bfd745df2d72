"""What accompanies the training of a TSLens."""

from __future__ import annotations

import math
from typing import Any, Protocol

import torch
from skorch.callbacks import Callback
from torch import Tensor
from tqdm.auto import tqdm

from ...base import TimeBudget
from ...series import Values
from .batches import Batch

__all__ = ["Deadline", "EpochBar", "HeldOutLoss", "Objective", "OneCycle"]

_RISE = 0.3  # share of the training over which the rate rises
_FIRST_RATE = 0.04  # of the highest, at the beginning
_HEAD_START = 0.1  # share of the time by which the clock lags behind the steps at first


class Objective(Protocol):
    """What is to be made small."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each row of a batch."""

    def held_out_loss(self, outputs: Values, targets: Any, weights: Values) -> float:
        """Return the mean loss of what is held out, by which weights are chosen."""


class OneCycle(Callback):
    """Raise the learning rate, then lower it to 0 by the last step or the end of the time."""

    lr: float

    def __init__(self, n_steps: int, clock: TimeBudget) -> None:
        self.n_steps = n_steps
        self.clock = clock
        self.step = 0

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """See how much time is left."""
        self.time = TimeBudget(self.clock.left)

    def rate(self, done: float) -> float:
        """Return the rate when a share of the training is done."""
        if done < _RISE:
            return self.lr * (_FIRST_RATE + (1 - _FIRST_RATE) * _half_wave(done / _RISE))
        return self.lr * _half_wave((1 - min(done, 1)) / (1 - _RISE))

    def on_batch_begin(self, net: Any, training: bool = True, **kwargs: Any) -> None:
        """Set the rate of this step."""
        if training:
            _set_rate(net, self.rate(max(self.step / self.n_steps, self._share_of_time())))
            self.step += 1

    def _share_of_time(self) -> float:
        # Steps that hurry or tarry a little must make no difference to the rate.
        return (self.time.spent_fraction - _HEAD_START) / (1 - _HEAD_START)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Note the last rate, and how long it took up to here."""
        net.history.record("lr", net.optimizer_.param_groups[0]["lr"])
        net.history.record("seconds", self.clock.spent)


def _half_wave(x: float) -> float:
    """Rise smoothly from 0 at 0 to 1 at 1."""
    return (1 - math.cos(math.pi * x)) / 2


def _set_rate(net: Any, rate: float) -> None:
    for group in net.optimizer_.param_groups:
        group["lr"] = rate


class Deadline(Callback):
    """End the training when the time is over."""

    def __init__(self, clock: TimeBudget) -> None:
        self.clock = clock

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """End it as skorch does, which calls the callbacks for the end of training."""
        if self.clock.left <= 0:
            raise KeyboardInterrupt


class HeldOutLoss(Callback):
    """Note the loss on what is held out, over all of it at once."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Forget the last epoch."""
        self.parts: list[list[Tensor]] = []

    def on_batch_end(
        self, net: Any, batch: Batch, training: bool, y_pred: Tensor, **kwargs: Any
    ) -> None:
        """Keep the outputs for a batch that is held out."""
        if not training:
            self.parts.append([y_pred, batch[1]["targets"], batch[1]["weights"]])

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Measure the loss of all of them."""
        arrays = [torch.cat(part).cpu().double().numpy() for part in zip(*self.parts, strict=True)]
        net.history.record("valid_loss", self.objective.held_out_loss(*arrays))


class EpochBar(Callback):
    """Show epochs and losses."""

    def __init__(self, n_epochs: int) -> None:
        self.n_epochs = n_epochs

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Open the bar."""
        self.bar = tqdm(total=self.n_epochs, desc="TSLens", unit=" epochs")

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Move the bar on."""
        row = net.history[-1]
        self.bar.set_postfix(loss=row.get("train_loss"), held_out=row.get("valid_loss"))
        self.bar.update()

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Close the bar."""
        self.bar.close()
