"""Labelled windows as batches for a TSLens, and the time there is for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor
from torch.utils.data import Dataset, Sampler

from ...base import TimeBudget
from ...network import TSLens, hybrid_mask
from ...series import Integers

__all__ = ["Batch", "Examples", "Hide", "InOrder", "LensBatches", "Shuffled", "encode"]

Batch = tuple[dict[str, Tensor], dict[str, Tensor]]
Hide = Callable[["Examples", Generator], Tensor]

_ENCODED_AT_ONCE = 64  # windows of one channel
_ENOUGH_TO_TELL = 0.1  # share of the work after which its speed is known


class Examples(NamedTuple):
    """Windows, and what is to be learned from each."""

    x: Tensor  # (n, C, T), 0 where not observed
    observed: Tensor  # (n, C, T), bool
    moments: Tensor  # (n, 2C)
    targets: Tensor  # (n,) or (n, n_outputs)
    weights: Tensor  # (n,), of mean 1

    def take(self, places: Integers) -> Examples:
        """Return some of them."""
        return Examples(*(part[torch.from_numpy(places)] for part in self))

    def hidden(self, ratio: float, patch_length: int, generator: Generator) -> Tensor:
        """Return what is observed when a share of the points of every window is hidden."""
        shape = (len(self.x), 1, self.x.shape[-1])
        return self.observed & hybrid_mask(shape, ratio, patch_length, generator)


def encode(lens: TSLens, x: Tensor, observed: Tensor, clock: TimeBudget) -> Tensor | None:
    """Run the backbone on windows, a few at a time.

    Parameters
    ----------
    lens : TSLens
        The network.
    x, observed : tensor of shape (n, n_channels, context_length)
        Values and mask.
    clock : TimeBudget
        Time there is for this.

    Returns
    -------
    tensor of shape (n, n_tokens, n_channels, d_model), half precision, or None
        Tokens; None as soon as it is seen that time will be too short.
    """
    step = max(1, _ENCODED_AT_ONCE // x.shape[1])
    device = next(lens.parameters()).device
    parts: list[Tensor] = []
    for first in range(0, len(x), step):
        done = first / len(x)
        if clock.spent_fraction > (done if done > _ENOUGH_TO_TELL else 1):
            return None
        chunk = [part[first : first + step].to(device) for part in (x, observed)]
        with torch.no_grad():
            parts.append(lens.encode(*chunk).movedim(0, 1).half().cpu())
    return torch.cat(parts)


class LensBatches(Dataset[Batch]):
    """Give the batch of any examples, hidden in another way whenever asked.

    Parameters
    ----------
    examples : Examples
        Windows and targets.
    hide : callable
        ``hide(examples, generator)`` says which points of windows are shown.
    seed : int
        Seed of what is drawn.

    Attributes
    ----------
    tokens : sequence of tensor of shape (n, n_tokens, n_channels, d_model)
        What the backbone made of the windows, each time with other points hidden. One is
        drawn for each example; as long as there is none, the windows themselves are given.
    """

    def __init__(self, examples: Examples, hide: Hide, seed: int) -> None:
        self.examples = examples
        self.tokens: Sequence[Tensor] = ()
        self.hide = hide
        self.generator = Generator().manual_seed(seed)

    def __len__(self) -> int:
        return len(self.examples.weights)

    def __getitem__(self, places: Integers) -> Batch:
        chosen = self.examples.take(places)
        truth = {"targets": chosen.targets, "weights": chosen.weights}
        if not self.tokens:
            observed = self.hide(chosen, self.generator)
            return {"moments": chosen.moments, "x": chosen.x, "observed": observed}, truth
        drawn = torch.randint(len(self.tokens), (len(places),), generator=self.generator)
        pairs = zip(drawn.tolist(), places.tolist(), strict=True)
        tokens = torch.stack([self.tokens[which][place] for which, place in pairs]).float()
        return {"moments": chosen.moments, "tokens": tokens}, truth


class Shuffled(Sampler[Integers]):
    """Deal examples to batches of nearly equal sizes, in another order each time."""

    def __init__(self, n_examples: int, batch_size: int, seed: int) -> None:
        self.n_examples = n_examples
        self.n_batches = math.ceil(n_examples / batch_size)
        self.rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[Integers]:
        yield from np.array_split(self.rng.permutation(self.n_examples), self.n_batches)


class InOrder(Sampler[Integers]):
    """Deal examples to batches as they come."""

    def __init__(self, n_examples: int, batch_size: int) -> None:
        self.n_examples = n_examples
        self.n_batches = math.ceil(n_examples / batch_size)

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[Integers]:
        yield from np.array_split(np.arange(self.n_examples), self.n_batches)
