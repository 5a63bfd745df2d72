"""The training loop of pre-training, a skorch net."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.hf import AccelerateMixin
from skorch.utils import to_device
from torch import Tensor

from ..network import Prediction, TSPulse
from .optimizer import split_parameters

__all__ = ["AcceleratedNet", "PretrainingNet", "mixed_precision"]


def mixed_precision(
    network: Callable[..., Prediction], inputs: dict[str, Tensor], *, bfloat16: bool
) -> Prediction:
    """Run a network in mixed precision, if asked, and return a prediction in float32."""
    with torch.autocast(inputs["x"].device.type, torch.bfloat16, enabled=bfloat16):
        prediction = network(**inputs)
    heads = {name: head.float() for name, head in prediction.heads.items()}
    tokens = prediction.encoding.tokens.float()
    return Prediction(heads, replace(prediction.encoding, tokens=tokens))


class PretrainingNet(NeuralNet):
    """Train a network on batches that are numbered by step, in mixed precision if asked."""

    accelerator: Any = None

    def __init__(self, *args: Any, bfloat16: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bfloat16 = bfloat16

    @property
    def n_processes(self) -> int:
        """Number of processes that train together."""
        return 1 if self.accelerator is None else self.accelerator.num_processes

    @property
    def is_main_process(self) -> bool:
        """Whether this process saves and shows progress."""
        return self.accelerator is None or self.accelerator.is_main_process

    @property
    def network(self) -> TSPulse:
        """The network without the wrappers of compilation and distributed training."""
        module = self.module_
        while inner := getattr(module, "_orig_mod", None) or getattr(module, "module", None):
            module = inner
        return module

    def get_default_callbacks(self) -> list[tuple[str, Callback]]:
        """Use only the callbacks that were passed."""
        return []

    def mean_over_processes(self, values: Tensor) -> Tensor:
        """Average over all processes that train together."""
        return values if self.accelerator is None else self.accelerator.reduce(values, "mean")

    def initialize_optimizer(self, *args: Any, **kwargs: Any) -> PretrainingNet:
        """Pass matrices and other parameters to the optimizer separately."""
        settings = self.get_params_for("optimizer")
        self.optimizer_ = self.optimizer(*split_parameters(self.network), self.lr, **settings)
        return self

    def run_single_epoch(self, iterator: Any, *args: Any, **kwargs: Any) -> None:
        """Run one epoch on batches moved to the device of the network."""
        if iterator is not None:
            device = next(self.network.parameters()).device
            moved = (to_device(batch, device) for batch in iterator)
            super().run_single_epoch(moved, *args, **kwargs)

    def infer(self, x: dict[str, Tensor], **fit_params: Any) -> Prediction:
        """Run the network, in mixed precision if set so."""
        return mixed_precision(self.module_, x, bfloat16=self.bfloat16)


class AcceleratedNet(AccelerateMixin, PretrainingNet):
    """Train in several processes: each draws its own batches, gradients are averaged."""

    def get_iterator(self, *args: Any, **kwargs: Any) -> Any:
        """Leave the batches as they are: every process draws its own."""
        return PretrainingNet.get_iterator(self, *args, **kwargs)
