"""What happens between the steps of training: the rate, the average, a journal, a bar, saving."""

from __future__ import annotations

import csv
import io
import math
import os
import time
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import torch
from skorch.callbacks import Callback, GradientNormClipping
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from tqdm.auto import tqdm

from ._training import PretrainingNet
from .network import TSPulse, TSPulseConfig, save_checkpoint, write_atomically

__all__ = [
    "Averaging",
    "Journal",
    "ProgressBar",
    "Schedule",
    "StateKeeper",
    "find_state",
    "in_order",
    "table",
]

PathLike = str | os.PathLike[str]
Row = dict[str, Any]
Tensors = tuple[Tensor, ...] | list[Tensor]
_STATE_FILE = "state.pt"
_BATCHES = "batches"  # where skorch keeps what it notes of every batch
_MAX_GRADIENT_NORM = 1.0
_STEPS_BETWEEN_LOSSES = 20  # shown in the bar: reading them makes an accelerator wait


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


class StateKeeper(Callback):
    """Put a run back where it stood, and save where it stands after every epoch.

    Parameters
    ----------
    path : path-like or None
        Folder to save in; None saves nothing.
    state : dict or None
        What :func:`find_state` returned; None starts anew.
    seed : int
        Seed of the run.
    loss_weights : dict of str to float
        How much each loss counts in this run.
    schedule, averaging : Schedule, Averaging
        The callbacks that have a state of their own.
    """

    def __init__(
        self,
        path: PathLike | None,
        state: Row | None,
        seed: int,
        loss_weights: dict[str, float],
        schedule: Schedule,
        averaging: Averaging,
    ) -> None:
        self.folder = None if path is None else Path(path)
        self.state = state
        self.seed = seed
        self.loss_weights = loss_weights
        self.schedule = schedule
        self.averaging = averaging

    def on_train_begin(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Restore the weights, their average, the optimiser and the history."""
        if self.state is None:
            return
        net.network.load_state_dict(self.state["network"])
        net.optimizer_.load_state_dict(self.state["optimizer"])
        net.history.extend({**row, _BATCHES: []} for row in self.state["history"])
        self.averaging.restore(self.state["average"], self.state["step"])

    def on_epoch_end(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Save all that the next epoch depends on, as one file; then what people look at."""
        if self.folder is None or not net.is_main_process:
            return
        average = self.averaging.network()
        rows = [{k: v for k, v in row.items() if k != _BATCHES} for row in net.history]
        state = {
            "seed": self.seed,
            "step": self.schedule.step,
            "history": rows,
            "config": asdict(average.config),
            "loss_weights": self.loss_weights,
            "network": net.network.state_dict(),
            "average": average.state_dict(),
            "optimizer": net.optimizer_.state_dict(),
        }
        content = io.BytesIO()
        torch.save(state, content)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.folder / _STATE_FILE, content.getvalue())
        write_atomically(self.folder / "history.csv", _csv(rows))
        save_checkpoint(average, self.folder / "checkpoint.safetensors")


def in_order(
    schedule: Schedule,
    averaging: Averaging,
    keeper: StateKeeper,
    batch_size: int,
    *,
    show_progress: bool,
) -> list[Callback]:
    """List all callbacks in the order they must act: the state is saved last.

    Parameters
    ----------
    schedule, averaging, keeper : Schedule, Averaging, StateKeeper
        Those with a state.
    batch_size : int
        Windows in a step of one process.
    show_progress : bool
        Whether there is a bar.

    Returns
    -------
    list of Callback
        The callbacks.
    """
    bar = [ProgressBar(schedule, batch_size)] if show_progress else []
    clipping = GradientNormClipping(_MAX_GRADIENT_NORM)
    return [clipping, schedule, averaging, *bar, Journal(schedule, batch_size), keeper]


def find_state(
    path: PathLike | None, config: TSPulseConfig, loss_weights: dict[str, float], *, resume: bool
) -> Row | None:
    """Read where a run stood.

    Parameters
    ----------
    path : path-like or None
        Folder a :class:`StateKeeper` saved in; None is none.
    config : TSPulseConfig
        Sizes the run must have.
    loss_weights : dict of str to float
        How much each loss must count in it.
    resume : bool
        Whether a run may be there.

    Returns
    -------
    dict or None
        Everything the next epoch depends on; None if nothing was saved there.

    Raises
    ------
    ValueError
        If there is no folder to resume from, a run that is not to be resumed, or one of
        other sizes or other weights of the losses.
    """
    if path is None:
        if resume:
            raise ValueError("resume=True needs path, the folder of the run to go on with.")
        return None
    file = Path(path) / _STATE_FILE
    if not file.exists():
        return None
    if not resume:
        raise ValueError(f"path={str(path)!r} holds a run. Set resume=True or give another folder.")
    state: Row = torch.load(file, map_location="cpu", weights_only=True)
    for name, ours in (("config", asdict(config)), ("loss_weights", loss_weights)):
        if state[name] != ours:
            raise ValueError(
                f"The run in path={str(path)!r} has another {name}: {state[name]}, where this one "
                f"has {ours}. Resume with the same {name}, or give another folder."
            )
    return state


def _csv(rows: list[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
