"""Batches of windows, with the points that are hidden from the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from ..network import TSPulseConfig, varied_mask
from .augmentation import add_noise, crop_pairs
from .corpus import WindowStream
from .options import WindowSampling

__all__ = ["Mask", "MaskedBatch", "MaskedBatches", "StepSampler", "loader_settings"]
__all__ += ["masked_batch", "random_mask"]

MaskedBatch = tuple[dict[str, Tensor], dict[str, Tensor]]  # input of the network, and the truth
Mask = Callable[[tuple[int, ...], Generator], Tensor]  # shape of windows -> True where shown


def random_mask(sampling: WindowSampling, config: TSPulseConfig) -> Mask:
    """Return a function that hides as many points as ``sampling`` specifies."""
    return partial(_random_mask, sampling=sampling, patch_length=config.patch_length)


def _random_mask(
    shape: tuple[int, ...], generator: Generator, *, sampling: WindowSampling, patch_length: int
) -> Tensor:
    ranges = sampling.mask_fraction, sampling.block_fraction
    return varied_mask(shape, *ranges, patch_length, generator)


def masked_batch(
    windows: Tensor, config: TSPulseConfig, mask: Mask, generator: Generator, *, noise: bool
) -> MaskedBatch:
    """Turn windows ``(n_windows, n_timepoints)`` into a batch for the network and its losses.

    If windows are longer than the context and the forecast, two crops are taken of each.
    """
    lengths = config.context_length, config.forecast_length
    if windows.shape[1] > sum(lengths):
        windows = crop_pairs(windows, *lengths, generator)
    window, future = windows[:, None].split(lengths, -1)
    known = window.isfinite()
    x = window.nan_to_num()
    observed = mask(x.shape, generator) & known
    shown = add_noise(x, known, generator) if noise else x
    truth = {"x": x, "observed": observed, "known": known, "future": future}
    return {"x": shown, "observed": observed}, truth


@dataclass(frozen=True)
class MaskedBatches(Dataset[MaskedBatch]):
    """Make the batch of any step, always the same for a step and the rank of a process."""

    stream: WindowStream
    config: TSPulseConfig
    mask: Mask
    rank: int = 0

    def __getitem__(self, step: int) -> MaskedBatch:
        key = np.random.SeedSequence([self.stream.seed, step, self.rank, 2])
        generator = torch.Generator().manual_seed(int(key.generate_state(1, np.uint64)[0]))
        windows = torch.from_numpy(self.stream.batch(step, self.rank))
        noise = self.stream.sampling.augment
        return masked_batch(windows, self.config, self.mask, generator, noise=noise)


class StepSampler(Sampler[int]):
    """Number the steps of an epoch, starting where the last epoch ended."""

    def __init__(self, first: int, per_epoch: int) -> None:
        self.next = first
        self.per_epoch = per_epoch

    def __len__(self) -> int:
        return self.per_epoch

    def __iter__(self) -> Iterator[int]:
        # A loader with workers makes two iterators and drops the first one unused, so steps
        # are counted only when the first number is drawn.
        first, self.next = self.next, self.next + self.per_epoch
        yield from range(first, self.next)


def loader_settings(first_step: int, steps_per_epoch: int, num_workers: int) -> dict[str, Any]:
    """Return the arguments of a skorch net that loads every batch as one item."""
    return {
        "train_split": None,
        "iterator_train": DataLoader,
        "iterator_train__batch_size": None,
        "iterator_train__sampler": StepSampler(first_step, steps_per_epoch),
        "iterator_train__num_workers": num_workers,
        "iterator_train__persistent_workers": num_workers > 0,
        # Without a generator of its own the loader would draw from the global one.
        "iterator_train__generator": torch.Generator(),
    }
