"""What an interrupted training needs to go on exactly."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from skorch.callbacks import Callback, GradientNormClipping

from ..network import TSPulseConfig, save_checkpoint, write_atomically
from .callbacks import _BATCHES, _MAX_GRADIENT_NORM, Averaging, Journal, PathLike, ProgressBar, Row
from .net import PretrainingNet
from .schedule import Schedule

__all__ = ["StateKeeper", "find_state", "in_order"]

_STATE_FILE = "state.pt"


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
