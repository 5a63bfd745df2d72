"""The saved state of a run, from which an interrupted training continues exactly."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from skorch.callbacks import Callback

from ..network import TSPulseConfig, save_checkpoint, write_atomically
from .callbacks import WeightEMA, epoch_rows
from .net import PretrainingNet
from .schedule import Schedule

__all__ = ["RunCheckpoint", "load_state"]

_STATE_FILE = "state.pt"


@dataclass(eq=False)
class RunCheckpoint(Callback):
    """Restore a run from its ``state``, if any, and save it in a folder after every epoch."""

    folder: Path | None
    state: dict[str, Any] | None
    seed: int
    loss_weights: dict[str, float]
    schedule: Schedule
    ema: WeightEMA

    def on_train_begin(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Restore the weights, their average, the optimizer and the history."""
        if self.state is None:
            return
        net.network.load_state_dict(self.state["network"])
        net.optimizer_.load_state_dict(self.state["optimizer"])
        net.history.extend({**row, "batches": []} for row in self.state["history"])
        self.ema.restore(self.state["average"], self.state["step"])

    def on_epoch_end(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Save all that the next epoch depends on as one file, then the files for users."""
        if self.folder is None or not net.is_main_process:
            return
        average, rows = self.ema.network(), epoch_rows(net.history)
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


def load_state(
    folder: Path | None, config: TSPulseConfig, loss_weights: dict[str, float], *, resume: bool
) -> dict[str, Any] | None:
    """Read the state of a run and check that it fits; None if nothing was saved in the folder."""
    if folder is None:
        if resume:
            raise ValueError("resume=True needs path, the folder of the run to continue.")
        return None
    if not (folder / _STATE_FILE).exists():
        return None
    if not resume:
        raise ValueError(
            f"path={str(folder)!r} holds a run. Set resume=True or give another folder."
        )
    state = torch.load(folder / _STATE_FILE, map_location="cpu", weights_only=True)
    for name, expected in (("config", asdict(config)), ("loss_weights", loss_weights)):
        if state[name] != expected:
            raise ValueError(
                f"The run in path={str(folder)!r} has another {name}: {state[name]} instead of "
                f"{expected}. Resume with the same {name}, or give another folder."
            )
    return state


def _csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
