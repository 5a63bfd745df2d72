"""What happens between the steps of training: the rate, the average, a journal, a bar, saving."""

from __future__ import annotations

import math
import os
import time
from copy import deepcopy
from typing import Any, cast

import torch
from skorch.callbacks import Callback
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from tqdm.auto import tqdm

from ..network import TSPulse
from .net import PretrainingNet
from .schedule import Schedule

__all__ = ["Averaging", "Journal", "PathLike", "ProgressBar", "Row", "table"]

PathLike = str | os.PathLike[str]
Row = dict[str, Any]
Tensors = tuple[Tensor, ...] | list[Tensor]
_BATCHES = "batches"  # where skorch keeps what it notes of every batch
_MAX_GRADIENT_NORM = 1.0
_STEPS_BETWEEN_LOSSES = 20  # shown in the bar: reading them makes an accelerator wait


class Averaging(Callback):
    """Keep a running average of the weights, over few steps at first.

    Parameters
    ----------
    decay : float
        Weight of the past once the average runs in full, in [0, 1).
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay

    def on_train_begin(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Start from the weights as they are."""
        self.model = AveragedModel(net.network, multi_avg_fn=self._update)

    def on_batch_end(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Take the new weights in."""
        self.model.update_parameters(net.network)

    def _update(self, averages: Tensors, weights: Tensors, n_before: Tensor | int) -> None:
        n_steps = int(n_before) + 1
        decay = min(self.decay, (1 + n_steps) / (10 + n_steps))
        for average, weight in zip(averages, weights, strict=True):
            average.lerp_(weight, 1 - decay)

    def restore(self, weights: dict[str, Tensor], n_steps: int) -> None:
        """Go on from an average over so many steps."""
        self.model.module.load_state_dict(weights)
        self.model.n_averaged.fill_(n_steps)

    def network(self) -> TSPulse:
        """Return a copy of the average, in main memory and ready to answer."""
        average = deepcopy(cast(TSPulse, self.model.module))
        return average.cpu().eval().requires_grad_(False)


class Journal(Callback):
    """Write one row an epoch: the mean loss of each head, steps, time and speed.

    Parameters
    ----------
    schedule : Schedule
        Counts the steps.
    batch_size : int
        Windows in a step of one process.
    """

    def __init__(self, schedule: Schedule, batch_size: int) -> None:
        self.schedule = schedule
        self.batch_size = batch_size

    def on_epoch_begin(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Forget the last epoch."""
        self.sums: dict[str, Tensor] = {}
        self.begun = time.perf_counter()
        self.first_step = self.schedule.step

    def on_batch_end(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Add the losses up, and drop the note of this batch, so that memory stays level."""
        for name, loss in net.criterion_.parts.items():
            self.sums[name] = self.sums.get(name, 0) + loss
        net.history[-1][_BATCHES].clear()

    def on_epoch_end(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Write the row."""
        n_steps = self.schedule.step - self.first_step
        losses = self._means(net, n_steps)
        seconds = time.perf_counter() - self.begun
        n_windows = n_steps * self.batch_size * net.n_processes
        net.history[-1] = {
            "epoch": len(net.history),
            "n_steps": self.schedule.step,
            **losses,
            "lr": self.schedule.rate(self.schedule.step - 1),
            "seconds": seconds,
            "windows_per_second": n_windows / seconds,
            _BATCHES: [],
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


def table(rows: list[Row]) -> dict[str, list[float]]:
    """Turn the rows of finished epochs into one list for each column.

    Parameters
    ----------
    rows : list of dict
        One row for each epoch; an epoch that was interrupted has no losses.

    Returns
    -------
    dict of str to list
        The columns.
    """
    finished = [row for row in rows if "loss" in row]
    names = [name for name in (finished[0] if finished else ()) if name != _BATCHES]
    return {name: [row[name] for row in finished] for name in names}


class ProgressBar(Callback):
    """Show windows, losses and windows a second.

    Parameters
    ----------
    schedule : Schedule
        Counts the steps.
    batch_size : int
        Windows in a step of one process.
    """

    def __init__(self, schedule: Schedule, batch_size: int) -> None:
        self.schedule = schedule
        self.batch_size = batch_size

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
        """Move the bar on."""
        if self.schedule.step % _STEPS_BETWEEN_LOSSES == 0:
            losses = {name: float(loss) for name, loss in net.criterion_.parts.items()}
            self.bar.set_postfix(losses, refresh=False)
        self.bar.update(self.batch_size * net.n_processes)

    def on_train_end(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Close the bar."""
        self.bar.close()
