"""Fine-tuning of a network on a few unlabelled series, by masking points of their windows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import torch
from skorch.utils import to_device
from torch import Tensor
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..network import TSPulse, TSPulseConfig, isolated
from ..series import Values
from .batches import Mask, MaskedBatch, MaskedBatches
from .corpus import Corpus, WindowStream
from .losses import PretrainingLoss
from .net import mixed_precision
from .optimizer import MAX_GRADIENT_NORM, MuonAdamW, split_parameters
from .options import WindowSampling
from .schedule import Schedule

__all__ = ["FineTuner"]

_VALIDATION_FRACTION = 0.2  # of every series, at its end
_N_VALIDATION_BATCHES = 4
_EMA_DECAY = 0.98
_SAMPLING = WindowSampling(synthetic_fraction=0.0, resolutions=(1,), augment=False)


@dataclass
class FineTuner:
    """Train a network further on series, with early stopping.

    The last part of every series is held out for validation. Training ends when the
    validation loss stops falling, and the best average of the weights is kept. Steps are
    limited in number rather than time, so that the result does not depend on the machine.

    ``mask(shape, generator)`` gets the shape ``(n, 1, context_length)`` of windows and a
    ``torch.Generator``, and returns True where the network is shown a point.
    """

    mask: Mask
    loss_weights: Mapping[str, float]  # by name; those left out are 0
    n_steps: int = 600  # at most
    batch_size: int = 64
    lr: float = 1e-3
    patience: int = 3  # checks without a lower validation loss
    steps_per_check: int = 50  # between checks of the validation loss
    bfloat16: bool = True
    seed: int = 0
    validation_losses: list[float] = field(default_factory=list, init=False)

    def fine_tune(
        self,
        network: TSPulse,
        series: Sequence[Values],
        report: Callable[[int], object] | None = None,
    ) -> TSPulse:
        """Train a copy of a network on one-dimensional series, NaN where missing.

        Returns the network with the lowest validation loss, in evaluation mode; a copy of the
        given one if no other was better. After every check ``report`` is called with the
        number of steps since the last one.
        """
        with isolated(network.mask_token.values.device):
            return self._fine_tune(network, series, report)

    def _fine_tune(
        self,
        network: TSPulse,
        series: Sequence[Values],
        report: Callable[[int], object] | None,
    ) -> TSPulse:
        trained = deepcopy(network).requires_grad_(True).train()
        average = AveragedModel(trained, multi_avg_fn=get_ema_multi_avg_fn(_EMA_DECAY))
        ema = cast(TSPulse, average.module)
        training, validation = self._split(network.config, series)
        criterion = PretrainingLoss(network.config, self.loss_weights)
        optimizer = MuonAdamW(*split_parameters(trained), self.lr)
        schedule = Schedule(self.lr, self.n_steps // 20, 0, self.n_steps)
        best, losses = network, [self._validation_loss(network, validation, criterion)]
        for step in range(self.n_steps):
            schedule.set_rate(optimizer, step)
            optimizer.zero_grad()
            self._loss(trained, training[step], criterion).backward()
            clip_grad_norm_(trained.parameters(), MAX_GRADIENT_NORM)
            optimizer.step()
            average.update_parameters(trained)
            if (step + 1) % self.steps_per_check == 0:
                losses.append(self._validation_loss(ema, validation, criterion))
                best = deepcopy(ema) if losses[-1] == min(losses) else best
                if report is not None:
                    report(self.steps_per_check)
                if len(losses) - 1 - int(np.argmin(losses)) >= self.patience:
                    break
        self.validation_losses = losses
        return deepcopy(best).eval().requires_grad_(False)

    def _split(
        self, config: TSPulseConfig, series: Sequence[Values]
    ) -> tuple[MaskedBatches, list[MaskedBatch]]:
        """Return the batches for training, and those for validation."""
        ends = [len(one) - int(_VALIDATION_FRACTION * len(one)) for one in series]
        first = [one[:end] for one, end in zip(series, ends, strict=True)]
        last = [one[end:] for one, end in zip(series, ends, strict=True)]
        training = self._batches(first, config, self.n_steps)
        if not any(np.isfinite(one).any() for one in last):
            last = first
        validation = self._batches(last, config, _N_VALIDATION_BATCHES)
        return training, [validation[step] for step in range(_N_VALIDATION_BATCHES)]

    def _batches(
        self, series: Sequence[Values], config: TSPulseConfig, n_steps: int
    ) -> MaskedBatches:
        corpus, length = Corpus.from_series(series), config.context_length + config.forecast_length
        stream = WindowStream(corpus, length, self.batch_size, _SAMPLING, self.seed, n_steps)
        return MaskedBatches(stream, config, self.mask)

    def _validation_loss(
        self, network: TSPulse, batches: list[MaskedBatch], criterion: PretrainingLoss
    ) -> float:
        with torch.no_grad():
            losses = [float(self._loss(network, batch, criterion)) for batch in batches]
        return sum(losses) / len(losses)

    def _loss(self, network: TSPulse, batch: MaskedBatch, criterion: PretrainingLoss) -> Tensor:
        inputs, truth = to_device(batch, network.mask_token.values.device)
        return criterion(mixed_precision(network, inputs, bfloat16=self.bfloat16), truth)
