"""Go on training a network on a few recordings, by hiding points of windows of them.

Nothing is labelled: the network learns to fill in what it is not shown. The last part of every
series is held out; training ends when the error there stops falling, and the weights that
were best are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..network import Prediction, TSPulse, TSPulseConfig
from ..series import Values
from .batches import Batch, MaskedBatches
from .corpus import Corpus, WindowStream
from .losses import PretrainingLoss
from .optimizer import MuonAdamW, split_parameters
from .schedule import Schedule

__all__ = ["FineTuner", "Hide"]

Hide = Callable[[tuple[int, ...], Generator], Tensor]  # shape of a batch -> True where shown

_HELD_OUT = 0.2  # share of every series, its end, that the error is watched on
_WATCHED_BATCHES = 4
_DECAY = 0.98  # of the running average of the weights, which is what is kept
_MAX_GRADIENT_NORM = 1.0


class HiddenBatches(MaskedBatches):
    """Give the windows of any step, with points hidden as asked.

    Parameters
    ----------
    stream : WindowStream
        Where the windows come from.
    config : TSPulseConfig
        Sizes of the network.
    hide : callable
        ``hide(shape, generator)`` returns which points of windows are shown.
    """

    def __init__(self, stream: WindowStream, config: TSPulseConfig, hide: Hide) -> None:
        super().__init__(stream, config, (0.0, 0.0), (0.0, 0.0), rank=0)
        self.hide = hide

    def _mask(self, shape: tuple[int, ...], generator: Generator) -> Tensor:
        return self.hide(shape, generator)


@dataclass
class FineTuner:
    """Fit a network to recordings.

    The number of steps bounds the time, rather than a clock, so that a slow machine gets
    the answer of a fast one.

    Parameters
    ----------
    hide : callable
        ``hide(shape, generator)`` gets the shape ``(n, 1, context_length)`` of some windows
        and a ``torch.Generator``, and returns a boolean tensor, True where the network is
        shown the points.
    weights : mapping of str to float
        Weights of the losses by name, see ``pretraining_losses``; those left out are 0.
    n_steps : int
        Steps at most.
    batch_size : int
        Windows a step.
    lr : float
        Highest learning rate.
    patience : int
        Looks at the held-out part without a lower error after which training ends.
    steps_per_look : int
        Steps from one look to the next.
    bfloat16 : bool
        Whether the network, but not the losses, runs in mixed precision.
    seed : int
        Chooses windows and what is hidden in them.

    Attributes
    ----------
    errors : list of float
        Weighted loss on the held-out part, before the first step and at every look.
    """

    hide: Hide
    weights: Mapping[str, float]
    n_steps: int = 600
    batch_size: int = 64
    lr: float = 1e-3
    patience: int = 3
    steps_per_look: int = 50
    bfloat16: bool = True
    seed: int = 0
    errors: list[float] = field(default_factory=list, init=False)

    def fine_tune(
        self,
        network: TSPulse,
        series: Sequence[Values],
        report: Callable[[int], object] | None = None,
    ) -> TSPulse:
        """Train a copy of a network.

        Parameters
        ----------
        network : TSPulse
            Where to start; it is not changed.
        series : sequence of ndarray of shape (n_timepoints_i,)
            Channels of recordings; NaN where missing.
        report : callable, default=None
            Told of the number of steps that are done since it was last told.

        Returns
        -------
        TSPulse
            The network that was best on the held-out part, on the device of the one given,
            in evaluation mode; equal to the one given if none was better.

        Raises
        ------
        ValueError
            If no series has a known value.
        """
        trained = deepcopy(network).requires_grad_(True).train()
        average = AveragedModel(trained, multi_avg_fn=get_ema_multi_avg_fn(_DECAY))
        learned, watched = self._sources(network.config, series)
        loss = PretrainingLoss(network.config, self.weights)
        optimizer = MuonAdamW(*split_parameters(trained), self.lr)
        schedule = Schedule(self.lr, self.n_steps // 20, 0, self.n_steps)
        mean = cast(TSPulse, average.module)
        best, self.errors = network, [self._error(network, watched, loss)]
        for step in range(self.n_steps):
            for group in optimizer.param_groups:
                group["lr"] = schedule.rate(step)
            self._step(trained, learned[step], loss, optimizer)
            average.update_parameters(trained)
            if (step + 1) % self.steps_per_look == 0:
                self.errors.append(self._error(mean, watched, loss))
                best = deepcopy(mean) if self._is_best() else best
                if report is not None:
                    report(self.steps_per_look)
                if self._is_over():
                    break
        return deepcopy(best).eval().requires_grad_(False)

    def _sources(
        self, config: TSPulseConfig, series: Sequence[Values]
    ) -> tuple[HiddenBatches, list[Batch]]:
        """Return the batches to learn from, and those to watch the error on."""
        splits = [len(one) - int(_HELD_OUT * len(one)) for one in series]
        parts = zip(series, splits, strict=True)
        first, last = zip(*((one[:split], one[split:]) for one, split in parts), strict=True)
        learned = self._batches(Corpus.from_series(first), config, self.n_steps)
        if not any(np.isfinite(one).any() for one in last):
            last = first
        watched = self._batches(Corpus.from_series(last), config, _WATCHED_BATCHES)
        return learned, [watched[step] for step in range(_WATCHED_BATCHES)]

    def _batches(self, corpus: Corpus, config: TSPulseConfig, n_steps: int) -> HiddenBatches:
        length = config.context_length + config.forecast_length
        drawing = (length, self.batch_size, 0.0, (1,), False, self.seed, n_steps)
        return HiddenBatches(WindowStream(corpus, *drawing), config, self.hide)

    def _step(
        self, network: TSPulse, batch: Batch, loss: PretrainingLoss, optimizer: MuonAdamW
    ) -> None:
        optimizer.zero_grad()
        self._loss(network, batch, loss).backward()
        clip_grad_norm_(network.parameters(), _MAX_GRADIENT_NORM)
        optimizer.step()

    def _error(self, network: TSPulse, batches: list[Batch], loss: PretrainingLoss) -> float:
        with torch.no_grad():
            losses = [float(self._loss(network, batch, loss)) for batch in batches]
        return sum(losses) / len(losses)

    def _loss(self, network: TSPulse, batch: Batch, loss: PretrainingLoss) -> Tensor:
        place = network.mask_token.values.device
        inputs, truth = ({name: part.to(place) for name, part in one.items()} for one in batch)
        with torch.autocast(place.type, torch.bfloat16, enabled=self.bfloat16):
            prediction = network(**inputs)
        heads = {name: head.float() for name, head in prediction.heads.items()}
        return loss(Prediction(heads, prediction.encoding), truth)

    def _is_best(self) -> bool:
        return self.errors[-1] == min(self.errors)

    def _is_over(self) -> bool:
        return len(self.errors) - 1 - int(np.argmin(self.errors)) >= self.patience
