"""Windows as batches, with what the network may not see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from ..network import TSPulseConfig, varied_mask
from .augmentation import noisy, two_views
from .corpus import WindowStream

__all__ = ["Batch", "MaskedBatches", "Steps", "loading"]

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
