"""The training loop behind the estimators: a skorch net, what it is fed, and what it minimises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.hf import AccelerateMixin
from torch import Tensor

from ..network import Prediction, TSPulse
from .batches import Batch
from .optimizer import split_parameters

__all__ = ["AcceleratedNet", "PretrainingNet"]


class PretrainingNet(NeuralNet):
    """Train a network from batches that are drawn by step.

    Parameters
    ----------
    bfloat16 : bool
        Whether the network, but not the losses, runs in mixed precision.
    """

    def __init__(self, *args: Any, bfloat16: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bfloat16 = bfloat16

    @property
    def n_processes(self) -> int:
        """Number of processes that train together."""
        return 1

    @property
    def is_main_process(self) -> bool:
        """Whether this process is the one that saves and shows progress."""
        return True

    @property
    def network(self) -> TSPulse:
        """The bare network, without what compilation or several processes wrap around it."""
        module = self.module_
        while inner := getattr(module, "_orig_mod", None) or getattr(module, "module", None):
            module = inner
        return module

    @property
    def place(self) -> torch.device:
        """Device the network is on."""
        return next(self.network.parameters()).device

    def get_default_callbacks(self) -> list[tuple[str, Callback]]:
        """Add none to those that were passed."""
        return []

    def mean_over_processes(self, values: Tensor) -> Tensor:
        """Average over all processes that train together."""
        return values

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> PretrainingNet:
        """Give matrices and other parameters the update that suits each."""
        settings = self.get_params_for("optimizer")
        self.optimizer_ = self.optimizer(*split_parameters(self.network), self.lr, **settings)
        return self

    def _step_optimizer(self, step_fn: Callable[[], Tensor]) -> None:
        step_fn()
        self.optimizer_.step()

    def run_single_epoch(self, iterator: Any, *args: Any, **kwargs: Any) -> None:
        """Run one epoch on batches brought to the network's device."""
        if iterator is not None:
            moved = (_moved(batch, self.place) for batch in iterator)
            super().run_single_epoch(moved, *args, **kwargs)

    def infer(self, x: dict[str, Tensor], **fit_params: Any) -> Prediction:
        """Run the network, in mixed precision if so set, and answer in single precision."""
        with torch.autocast(self.place.type, torch.bfloat16, enabled=self.bfloat16):
            prediction = super().infer(x, **fit_params)
        heads = {name: head.float() for name, head in prediction.heads.items()}
        tokens = prediction.encoding.tokens.float()
        return Prediction(heads, replace(prediction.encoding, tokens=tokens))


class AcceleratedNet(AccelerateMixin, PretrainingNet):
    """Train in several processes; each draws its own batches, gradients are averaged."""

    @property
    def n_processes(self) -> int:
        """Number of processes that train together."""
        return self.accelerator.num_processes

    @property
    def is_main_process(self) -> bool:
        """Whether this process is the one that saves and shows progress."""
        return self.accelerator.is_main_process

    def mean_over_processes(self, values: Tensor) -> Tensor:
        """Average over all processes that train together."""
        return self.accelerator.reduce(values, "mean")

    def get_iterator(self, *args: Any, **kwargs: Any) -> Any:
        """Leave the batches as they are: every process already draws its own."""
        return PretrainingNet.get_iterator(self, *args, **kwargs)


def _moved(batch: Batch, place: torch.device) -> Batch:
    inputs, truth = (
        {name: value.to(place, non_blocking=True) for name, value in part.items()} for part in batch
    )
    return inputs, truth
