"""Callbacks of pre-training: average of the weights, history and progress bar."""

from __future__ import annotations

import math
import time
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

import torch
from skorch.callbacks import Callback
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from ..network import TSPulse
from .net import PretrainingNet
from .schedule import Schedule

__all__ = ["HistoryLog", "ProgressBar", "WeightEMA", "epoch_rows", "history_columns"]

Tensors = tuple[Tensor, ...] | list[Tensor]
_STEPS_BETWEEN_UPDATES = 20  # of the losses in the bar: reading them synchronises a GPU


@dataclass(eq=False)
class WeightEMA(Callback):
    """Keep an exponential moving average of the weights, with a smaller decay at first."""

    decay: float

    def on_train_begin(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Start with the current weights."""
        self.model = AveragedModel(net.network, multi_avg_fn=self._update)

    def on_batch_end(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Update the average."""
        self.model.update_parameters(net.network)

    def _update(self, averages: Tensors, weights: Tensors, n_averaged: Tensor | int) -> None:
        n_steps = int(n_averaged) + 1
        decay = min(self.decay, (1 + n_steps) / (10 + n_steps))
        get_ema_multi_avg_fn(decay)(averages, weights, n_averaged)

    def restore(self, weights: dict[str, Tensor], n_steps: int) -> None:
        """Continue from an average over ``n_steps`` steps."""
        self.model.module.load_state_dict(weights)
        self.model.n_averaged.fill_(n_steps)

    def network(self) -> TSPulse:
        """Return a copy of the averaged network, on the CPU and in evaluation mode."""
        average = deepcopy(cast(TSPulse, self.model.module))
        return average.cpu().eval().requires_grad_(False)


@dataclass(eq=False)
class HistoryLog(Callback):
    """Write one row per epoch: mean losses, steps, learning rate, time and speed."""

    schedule: Schedule
    batch_size: int  # of one process

    def on_epoch_begin(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Reset the sums."""
        self.sums: dict[str, Tensor] = {}
        self.start_time = time.perf_counter()
        self.first_step = self.schedule.step

    def on_batch_end(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Add up the losses; drop skorch's record of the batch, so that memory does not grow."""
        for name, loss in net.criterion_.parts.items():
            self.sums[name] = self.sums.get(name, 0) + loss
        net.history[-1]["batches"].clear()

    def on_epoch_end(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Write the row."""
        n_steps = self.schedule.step - self.first_step
        losses = self._means(net, n_steps)
        seconds = time.perf_counter() - self.start_time
        n_windows = n_steps * self.batch_size * net.n_processes
        net.history[-1] = {
            "epoch": len(net.history),
            "n_steps": self.schedule.step,
            **losses,
            "lr": self.schedule.rate(self.schedule.step - 1),
            "seconds": seconds,
            "windows_per_second": n_windows / seconds,
            "batches": [],
        }

    def _means(self, net: PretrainingNet, n_steps: int) -> dict[str, float]:
        means = net.mean_over_processes(torch.stack([*self.sums.values()]) / n_steps).tolist()
        losses = dict(zip(self.sums, means, strict=True))
        if not all(map(math.isfinite, means)):
            raise FloatingPointError(
                f"The training diverged: after {self.schedule.step} steps the losses are "
                f"{losses}, but must be finite. Lower lr, or use precision='float32'."
            )
        return losses


def epoch_rows(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of the finished epochs, without skorch's records of batches."""
    finished = [row for row in history if "loss" in row]
    return [{name: row[name] for name in row if name != "batches"} for row in finished]


def history_columns(history: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Return the finished epochs as one list per column."""
    rows = epoch_rows(history)
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}


@dataclass(eq=False)
class ProgressBar(Callback):
    """Show windows, losses and windows per second."""

    schedule: Schedule
    batch_size: int  # of one process

    def on_train_begin(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Open the bar."""
        per_step = self.batch_size * net.n_processes
        self.bar = tqdm(
            total=self.schedule.n_steps * per_step,
            initial=self.schedule.step * per_step,
            unit=" windows",
            unit_scale=True,
            disable=not net.is_main_process,
        )

    def on_batch_end(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Advance the bar."""
        if self.schedule.step % _STEPS_BETWEEN_UPDATES == 0:
            losses = {name: float(loss) for name, loss in net.criterion_.parts.items()}
            self.bar.set_postfix(losses, refresh=False)
        self.bar.update(self.batch_size * net.n_processes)

    def on_train_end(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Close the bar."""
        self.bar.close()
