"""The training loop behind the estimators: a skorch net, what it is fed, and what it minimises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback
from skorch.hf import AccelerateMixin
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from ._corpus import WindowStream
from ._losses import in_pairs, pair_losses, pretraining_losses, weighted_sum
from ._optimizer import split_parameters
from ._views import noisy, two_views
from .network import Prediction, SpectralSignature, Spectrum, TSPulse, TSPulseConfig, varied_mask

__all__ = [
    "AcceleratedNet",
    "Batch",
    "MaskedBatches",
    "PretrainingLoss",
    "PretrainingNet",
    "Steps",
    "loading",
]

Batch = tuple[dict[str, Tensor], dict[str, Tensor]]


class MaskedBatches(Dataset[Batch]):
    """Give the masked windows of any step, the same whenever asked.

    Parameters
    ----------
    stream : WindowStream
        Where the windows come from. If its windows are longer than the network and its
        forecast need, two views are cut from each.
    config : TSPulseConfig
        Sizes of the network.
    mask_ratio, block_share : (float, float)
        Range of the share of points hidden in a window, and of the share of these
        that lies in whole patches; both drawn for each window.
    rank : int
        Number of this process.
    """

    def __init__(
        self,
        stream: WindowStream,
        config: TSPulseConfig,
        mask_ratio: tuple[float, float],
        block_share: tuple[float, float],
        rank: int,
    ) -> None:
        self.stream = stream
        self.config = config
        self.mask_ratio = mask_ratio
        self.block_share = block_share
        self.rank = rank

    def __getitem__(self, step: int) -> Batch:
        key = np.random.SeedSequence([self.stream.seed, step, self.rank, 2])
        generator = torch.Generator().manual_seed(int(key.generate_state(1, np.uint64)[0]))
        length, n_ahead = self.config.context_length, self.config.forecast_length
        drawn = torch.from_numpy(self.stream.batch(step, self.rank))
        if drawn.shape[1] > length + n_ahead:
            drawn = two_views(drawn, length, n_ahead, generator)
        window, future = drawn[:, None].split([length, n_ahead], -1)
        known = window.isfinite()
        x = window.nan_to_num()
        observed = self._mask(x.shape, generator) & known
        shown = noisy(x, known, generator) if self.stream.augment else x
        truth = {"x": x, "observed": observed, "known": known, "future": future}
        return {"x": shown, "observed": observed}, truth

    def _mask(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        ranges = (self.mask_ratio, self.block_share)
        return varied_mask(shape, *ranges, self.config.patch_length, generator)


class Steps(Sampler[int]):
    """Number the steps of one epoch, each epoch going on where the last one ended."""

    def __init__(self, first: int, per_epoch: int) -> None:
        self.next = first
        self.per_epoch = per_epoch

    def __len__(self) -> int:
        return self.per_epoch

    def __iter__(self) -> Iterator[int]:
        # Counted on only when drawn from: a loader with workers asks twice and drops the first.
        first, self.next = self.next, self.next + self.per_epoch
        yield from range(first, self.next)


def loading(first_step: int, steps_per_epoch: int, n_loaders: int) -> dict[str, Any]:
    """Say in skorch's words how batches, each of them one item, are loaded.

    Parameters
    ----------
    first_step, steps_per_epoch : int
        Which batches.
    n_loaders : int
        Background processes.

    Returns
    -------
    dict
        Arguments of a net.
    """
    return {
        "train_split": None,
        "iterator_train": DataLoader,
        "iterator_train__batch_size": None,
        "iterator_train__sampler": Steps(first_step, steps_per_epoch),
        "iterator_train__num_workers": n_loaders,
        "iterator_train__persistent_workers": n_loaders > 0,
        # Without one of its own the loader would draw from the global generator.
        "iterator_train__generator": torch.Generator(),
    }


class PretrainingLoss:
    """Weigh and add the losses of all heads, and remember each."""

    def __init__(self, config: TSPulseConfig, weights: Mapping[str, float]) -> None:
        self.signature = SpectralSignature(config.n_signature_bins, config.signature_scale)
        self.spectrum = Spectrum(config.variance_floor)
        self.n_register_start = config.n_register_start
        self.weights = weights
        self.parts: dict[str, Tensor] = {}

    def __call__(self, prediction: Prediction, truth: Mapping[str, Tensor]) -> Tensor:
        series = (truth["x"], truth["known"], truth["observed"], truth["future"])
        losses = pretraining_losses(prediction, *series, self.signature, self.spectrum)
        if in_pairs(self.weights):
            losses |= pair_losses(prediction.encoding.tokens[self.n_register_start :])
        total = weighted_sum(losses, self.weights)
        self.parts = {name: loss.detach() for name, loss in losses.items()}
        self.parts["loss"] = total.detach()
        return total


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
