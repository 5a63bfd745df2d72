"""Training a TSLens on labelled windows: learning rate, early end, best weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import takewhile
from typing import Any, NamedTuple

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, EarlyStopping, GradientNormClipping, PassthroughScoring
from skorch.helper import predefined_split
from skorch.utils import noop
from torch import Generator, Tensor
from torch.utils.data import DataLoader

from ...base import TimeBudget
from ...network import TSLens
from .batches import Batch, Examples, InOrder, LensBatches, Shuffled, encode
from .callbacks import Deadline, EpochBar, HeldOutLoss, Objective, OneCycle, _set_rate

__all__ = ["Row", "Tuning", "descent", "table", "tune"]

Row = dict[str, Any]

_MAX_GRADIENT_NORM = 1.0
_WEIGHT_DECAY = 0.01
_TRIED_RATES = np.geomspace(1e-4, 1e-1, 31)
_BLIND_RATE = 1e-3  # where no rate tried lets the loss fall
_DIVERGED = 4.0  # times the least loss
_SMOOTHING = 0.9  # weight of the past in the losses that rates are chosen by
_N_MASKS = 3  # times that windows are encoded with points hidden, beside once without
_MAX_TOKEN_BYTES = 1.5e9  # of tokens that are kept; of more windows, they are made in each epoch
_COLUMNS = ("epoch", "train_loss", "valid_loss", "lr", "seconds")
_SEARCHING, _ENCODING = 0.15, 0.5  # shares of the time that may go into them


class Tuning(NamedTuple):
    """How a TSLens is trained."""

    max_epochs: int
    lr: float | str  # a number, or "auto" to look for one
    batch_size: int
    mask_ratio: float
    n_iter_no_change: int
    seed: int
    callbacks: Sequence[Any] = ()
    show_progress: bool = False


def tune(
    lens: TSLens,
    parts: tuple[Examples, Examples],
    objective: Objective,
    tuning: Tuning,
    clock: TimeBudget,
) -> tuple[list[Row], Tensor] | None:
    """Train a lens in place, and leave it with the weights that were best on held-out rows.

    Parameters
    ----------
    lens : TSLens
        Where to start.
    parts : (Examples, Examples)
        Examples to learn from, and those held out.
    objective : Objective
        What is to be made small.
    tuning : Tuning
        How.
    clock : TimeBudget
        Time there is for everything.

    Returns
    -------
    (list of dict, tensor) or None
        A row for each epoch, and the outputs for what was held out; None if time ran out
        before anything was learned.
    """
    data = _batches(lens.eval(), parts, tuning, clock)
    if data is None:
        return None
    cycle = OneCycle(tuning.max_epochs * math.ceil(len(data[0]) / tuning.batch_size), clock)
    net = _net(lens, data, objective, tuning, cycle).initialize()
    cycle.lr = tuning.lr if isinstance(tuning.lr, float | int) else net.find_rate(data[0])
    net.partial_fit(data[0])
    rows = [row for row in net.history if "train_loss" in row and "valid_loss" in row]
    if not rows:
        return None
    return rows, torch.cat([output.cpu() for output in net.forward_iter(data[1])])


def _batches(
    lens: TSLens, parts: tuple[Examples, Examples], tuning: Tuning, clock: TimeBudget
) -> tuple[LensBatches, LensBatches] | None:
    """Return the batches to learn from, and those held out, of which nothing is hidden."""
    patch_length = lens.network.config.patch_length

    def hide(examples: Examples, generator: Generator) -> Tensor:
        return examples.hidden(tuning.mask_ratio, patch_length, generator)

    def hide_nothing(examples: Examples, generator: Generator) -> Tensor:
        return examples.observed

    learned, held = parts
    batches = LensBatches(learned, hide, tuning.seed), LensBatches(held, hide_nothing, 0)
    n_kept = _n_kept(lens, parts)
    if lens.tune_embeddings or not n_kept:
        return batches
    generator = Generator().manual_seed(tuning.seed)
    n_masks = min(n_kept - 1, _N_MASKS) if tuning.mask_ratio else 0
    masks = [learned.observed, *(hide(learned, generator) for _ in range(n_masks))]
    shown = [(learned.x, mask) for mask in masks] + [(held.x, held.observed)]
    tokens = _encoded(lens, shown, TimeBudget(_ENCODING * clock.left))
    if tokens is None:
        return None
    batches[0].tokens, batches[1].tokens = tokens[:-1], tokens[-1:]
    return batches


def _n_kept(lens: TSLens, parts: tuple[Examples, Examples]) -> int:
    """Count how often the tokens of the windows to learn from fit into memory."""
    config = lens.network.config
    n_bytes = 2 * config.n_tokens * config.d_model * lens.sizes.n_channels
    learned, held = (len(part.x) * n_bytes for part in parts)
    return max(0, int((_MAX_TOKEN_BYTES - held) // learned))


def _encoded(
    lens: TSLens, shown: Sequence[tuple[Tensor, Tensor]], clock: TimeBudget
) -> list[Tensor] | None:
    """Encode several sets of windows, each in the share of the time that it is of all."""
    n_windows = sum(len(x) for x, _ in shown)
    tokens = []
    for x, observed in shown:
        found = encode(lens, x, observed, TimeBudget(clock.seconds * len(x) / n_windows))
        if found is None:
            return None
        tokens.append(found)
    return tokens


def table(rows: Sequence[Row]) -> dict[str, list[float]]:
    """Turn a row for each epoch into a list for each column."""
    return {name: [row[name] for row in rows] for name in _COLUMNS}


class WeightedLoss:
    """Average the losses of rows by their weights, whose mean over all rows is 1."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective

    def __call__(self, outputs: Tensor, truth: dict[str, Tensor]) -> Tensor:
        return (truth["weights"] * self.objective.loss(outputs, truth["targets"])).mean()


class LensNet(NeuralNet):
    """Train until the time is over, the last epoch cut short but looked at.

    Parameters
    ----------
    clock : TimeBudget
        Time there is.
    """

    def __init__(self, *args: Any, clock: TimeBudget, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clock = clock

    def get_default_callbacks(self) -> list[tuple[str, Callback]]:
        """Average the losses of batches, and print nothing."""
        return [("train_loss", PassthroughScoring("train_loss", on_train=True))]

    def run_single_epoch(
        self, iterator: Iterable[Batch], training: bool, *args: Any, **kwargs: Any
    ) -> None:
        """Leave out what the time is too short for."""
        if training:
            iterator = takewhile(lambda _: self.clock.left > 0, iterator)
        super().run_single_epoch(iterator, training, *args, **kwargs)

    def find_rate(self, batches: LensBatches) -> float:
        """Try growing rates, a step each, and return one from the middle of the descent."""
        before = {name: weight.clone() for name, weight in self.module_.state_dict().items()}
        clock = TimeBudget(_SEARCHING * self.clock.left)
        losses: list[float] = []
        for rate, batch in zip(_TRIED_RATES, self._endless(batches), strict=False):
            _set_rate(self, float(rate))
            losses.append(self.train_step(batch)["loss"].item())
            if clock.left <= 0 or not losses[-1] < _DIVERGED * min(losses):
                break
        self.module_.load_state_dict(before)
        self.initialize_optimizer()
        place = descent(_smoothed(losses))
        return float(_TRIED_RATES[place]) if place else _BLIND_RATE

    def _endless(self, batches: LensBatches) -> Iterator[Batch]:
        while True:
            yield from self.get_iterator(batches, training=True)


def _smoothed(losses: Sequence[float]) -> list[float]:
    """Return a running average that the first values do not weigh on."""
    mean, averages = 0.0, []
    for i, loss in enumerate(losses):
        mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
        averages.append(mean / (1 - _SMOOTHING ** (i + 1)))
    return averages


def descent(losses: Sequence[float]) -> int:
    """Find the middle of the longest fall of a curve, small rises on the way put up with.

    Parameters
    ----------
    losses : sequence of float
        The curve.

    Returns
    -------
    int
        Place half-way between the ends of the longest falling subsequence; 0 if none falls.
    """
    lengths, starts = [1] * len(losses), list(range(len(losses)))
    for end, loss in enumerate(losses):
        for i in range(end):
            if losses[i] > loss and lengths[i] >= lengths[end]:
                lengths[end], starts[end] = lengths[i] + 1, starts[i]
    end = int(np.argmax(lengths))
    return (starts[end] + end) // 2 if lengths[end] > 1 else 0


def _net(
    lens: TSLens,
    data: tuple[LensBatches, LensBatches],
    objective: Objective,
    tuning: Tuning,
    cycle: OneCycle,
) -> LensNet:
    patience = EarlyStopping(patience=tuning.n_iter_no_change, sink=noop, load_best=True)
    bar = [EpochBar(tuning.max_epochs)] if tuning.show_progress else []
    clipping = GradientNormClipping(_MAX_GRADIENT_NORM)
    learned, held = (len(part) for part in data)
    return LensNet(
        lens,
        partial(WeightedLoss, objective),
        clock=cycle.clock,
        optimizer=torch.optim.AdamW,
        optimizer__weight_decay=_WEIGHT_DECAY,
        max_epochs=tuning.max_epochs,
        callbacks=[
            HeldOutLoss(objective),
            clipping,
            cycle,
            *bar,
            *tuning.callbacks,
            patience,
            Deadline(cycle.clock),
        ],
        train_split=predefined_split(data[1]),
        device=next(lens.parameters()).device,
        **_loading("train", Shuffled(learned, tuning.batch_size, tuning.seed)),
        **_loading("valid", InOrder(held, tuning.batch_size)),
    )


def _loading(part: str, sampler: Shuffled | InOrder) -> dict[str, Any]:
    """Say in skorch's words how the batches of one part are drawn."""
    name = f"iterator_{part}"
    # Without a generator of its own, a loader would draw from the global one.
    return {
        name: DataLoader,
        f"{name}__batch_size": None,
        f"{name}__sampler": sampler,
        f"{name}__generator": Generator(),
    }
