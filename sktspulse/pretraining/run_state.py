"""The saved state of a run, from which an interrupted training continues exactly."""

from __future__ import annotations

import csv
import io
import math
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from skorch.callbacks import Callback
from torch import Tensor

from ..network import (
    TensorFile,
    TSPulseConfig,
    check_hash,
    dump_tensors,
    explained,
    save_checkpoint,
    weight_shapes,
    write_atomically,
)
from .callbacks import WeightEMA, epoch_rows
from .net import PretrainingNet
from .schedule import Schedule

__all__ = ["RunCheckpoint", "RunState", "check_writable", "load_state"]

_STATE_FILE = "state.safetensors"
_PICKLED_STATE_FILE = "state.pt"  # of version 0.1
_KEY = "sktspulse-run"
_FORMAT = 1
_WEIGHTS = ("network", "average")
_COUNTS = ("seed", "step", "n_updates")
_MOMENTS = ("momentum", "mean", "square")  # what the optimizer keeps of a weight

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class RunState:
    """All that the next epoch depends on.

    Tensors are named by what they are, such as ``network`` or ``momentum``, and the weight.
    """

    seed: int
    step: int
    n_updates: int  # of the optimizer, fewer than steps if gradients are accumulated
    history: list[Row]
    tensors: dict[str, Tensor]

    def part(self, kind: str) -> dict[str, Tensor]:
        """Return the tensors of one kind by the names of their weights."""
        start = f"{kind}."
        return {n.removeprefix(start): t for n, t in self.tensors.items() if n.startswith(start)}


@dataclass(eq=False)
class RunCheckpoint(Callback):
    """Restore a run from its ``state``, if any, and save it in a folder after every epoch."""

    folder: Path | None
    state: RunState | None
    seed: int
    loss_weights: dict[str, float]
    schedule: Schedule
    ema: WeightEMA

    def on_train_begin(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Restore the weights, their average, the optimizer and the history."""
        if self.state is None:
            return
        net.network.load_state_dict(self.state.part("network"))
        _restore_moments(net, self.state)
        net.history.extend({**row, "batches": []} for row in self.state.history)
        self.ema.restore(self.state.part("average"), self.state.step)
        if self.folder is not None and net.is_main_process:
            self._save_for_users(self.folder, net)  # the run may have ended before it did

    def on_epoch_end(self, net: PretrainingNet, **kwargs: Any) -> None:
        """Save the state, then the files for users; a failure to write does not end the run."""
        network = net.network
        if not all(weight.isfinite().all() for weight in network.state_dict().values()):
            raise FloatingPointError(
                f"The training diverged: after {self.schedule.step} steps weights are not "
                "finite. Lower lr, or use precision='float32'."
            )
        if self.folder is None or not net.is_main_process:
            return
        try:
            write_atomically(self.folder / _STATE_FILE, self._content(net))
            self._save_for_users(self.folder, net)
        except OSError as error:
            warnings.warn(
                f"The run could not be saved in path={str(self.folder)!r} after "
                f"{self.schedule.step} steps: {error}. The training goes on. Make the folder "
                "writable, or free space, before the next epoch ends.",
                RuntimeWarning,
                stacklevel=2,
            )

    def _content(self, net: PretrainingNet) -> bytes:
        weights = dict(zip(_WEIGHTS, (net.network, self.ema.network()), strict=True))
        tensors = {
            f"{kind}.{name}": tensor
            for kind, network in weights.items()
            for name, tensor in network.state_dict().items()
        }
        about = {
            "format": _FORMAT,
            "seed": self.seed,
            "step": self.schedule.step,
            "n_updates": max(g.get("n_steps", 0) for g in net.optimizer_.param_groups),
            "history": epoch_rows(net.history),
            "config": asdict(net.network.config),
            "loss_weights": self.loss_weights,
        }
        return dump_tensors({**tensors, **dict(_moments(net))}, _KEY, about)[0]

    def _save_for_users(self, folder: Path, net: PretrainingNet) -> None:
        rows = epoch_rows(net.history)
        write_atomically(folder / "history.csv", _csv(rows))
        save_checkpoint(self.ema.network(), folder / "checkpoint.safetensors")


def check_writable(folder: Path | None) -> None:
    """Create the folder of a run, and check that files can be created in it."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"path={str(folder)!r} is not a folder in which files can be created: {error}. "
            "Change its permissions, or give another folder."
        ) from error


def load_state(
    folder: Path | None, config: TSPulseConfig, loss_weights: dict[str, float], *, resume: bool
) -> RunState | None:
    """Read the state of a run and check that it fits; None if nothing was saved in the folder."""
    if folder is None:
        if resume:
            raise ValueError("resume=True needs path, the folder of the run to continue.")
        return None
    path, pickled = folder / _STATE_FILE, folder / _PICKLED_STATE_FILE
    if not path.exists() and not pickled.exists():
        return None
    if not resume:
        raise ValueError(
            f"path={str(folder)!r} holds a run. Set resume=True or give another folder."
        )
    if not path.exists():
        raise ValueError(
            f"{pickled} was written by sktspulse 0.1. It is a pickle, which is not opened, since "
            "it could run code. Start a new run in another folder from the weights of the old "
            f"one: checkpoint={str(folder / 'checkpoint.safetensors')!r}."
        )
    return _read_state(path, {"config": asdict(config), "loss_weights": loss_weights}, config)


def _read_state(path: Path, expected: dict[str, Any], config: TSPulseConfig) -> RunState:
    remedy = "Restore it from a copy, or start a new run in another folder."
    with explained(path, "the state of a run", remedy), TensorFile.open(path) as file:
        about = _checked(file.describe(_KEY))
        others = [name for name, value in expected.items() if about[name] != value]
        tensors = {} if others else _read_tensors(file, about, config)
    for name in others:
        raise ValueError(
            f"The run in path={str(path.parent)!r} has another {name}: {about[name]} instead of "
            f"{expected[name]}. Resume with the same {name}, or give another folder."
        )
    counts = {name: about[name] for name in _COUNTS}
    return RunState(**counts, history=about["history"], tensors=tensors)


def _checked(about: dict[str, Any] | None) -> dict[str, Any]:
    """Return the description of a run if it is one."""
    if about is None or about["format"] != _FORMAT:
        raise ValueError(f"It is not a run that was saved in format {_FORMAT}.")
    for name in _COUNTS:
        if type(about[name]) is not int or about[name] < 0:
            raise ValueError(f"{name} is {about[name]!r}, expected a whole number.")
    rows = about["history"]
    numbers = [value for row in rows for value in row.values()]
    if not all(type(value) in (int, float) and math.isfinite(value) for value in numbers):
        raise ValueError("Its history holds something else than numbers.")
    if not rows or any(row.keys() != rows[0].keys() for row in rows) or "loss" not in rows[0]:
        raise ValueError("Its history is not one of losses.")
    return about


def _read_tensors(
    file: TensorFile, about: dict[str, Any], config: TSPulseConfig
) -> dict[str, Tensor]:
    """Read the tensors, if they are those of the network and its optimizer."""
    shapes = {name: ("F32", shape) for name, shape in weight_shapes(config).items()}
    required = {f"{kind}.{name}": shapes[name] for kind in _WEIGHTS for name in shapes}
    optional = {f"{kind}.{name}": shapes[name] for kind in _MOMENTS for name in shapes}
    known = required | {name: optional[name] for name in file.kinds if name in optional}
    if file.kinds != known:
        wrong = [n for n in {**file.kinds, **known} if file.kinds.get(n) != known.get(n)]
        raise ValueError(f"It has other tensors than the run, such as {wrong[0]}.")
    tensors = file.load()
    check_hash(tensors, about)
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} is not finite.")
    return tensors


def _moments(net: PretrainingNet) -> Iterator[tuple[str, Tensor]]:
    """Yield what the optimizer keeps of each weight, and its name."""
    for name, weight in net.network.named_parameters():
        for kind, moment in net.optimizer_.state.get(weight, {}).items():
            yield f"{kind}.{name}", moment


def _restore_moments(net: PretrainingNet, state: RunState) -> None:
    weights = dict(net.network.named_parameters())
    for kind in _MOMENTS:
        for name, moment in state.part(kind).items():
            weight = weights[name]
            net.optimizer_.state[weight][kind] = moment.to(weight.device)
    for group in net.optimizer_.param_groups:
        group["n_steps"] = state.n_updates


def _csv(rows: list[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
