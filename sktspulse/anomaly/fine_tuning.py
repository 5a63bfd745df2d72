"""Fine-tune a network to reconstruct hidden patches of the training recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy

import numpy as np
import torch
from torch import Generator, Tensor

from ..network import TSPulse
from ..pretraining import FineTuner
from ..series import Values

__all__ = ["N_STEPS", "fine_tune"]

_HIDDEN = 0.125  # fraction of the patches, as when points are scored
N_STEPS, _BATCH_SIZE, _STEPS_PER_CHECK = 400, 32, 25  # bound the time to a minute or two


def fine_tune(
    network: TSPulse,
    values: Values,
    heads: Sequence[str],
    seed: int,
    report: Callable[[int], object] | None = None,
) -> TSPulse:
    """Return a copy of a network, trained on the channels of a recording ``(T, C)``.

    It is the best on the last fifth of the recording. If no head of the network is used or all
    channels are constant, it is an untrained copy. ``report`` gets the number of steps done.
    """
    weights = {name: 1.0 for name in heads if name in ("time", "frequency", "forecast")}
    varying = [column for column in values.T if _varies(column)]
    if not weights or not varying:
        return deepcopy(network)
    patch_length = network.config.patch_length

    def hide(shape: tuple[int, ...], generator: Generator) -> Tensor:
        patches = (*shape[:-1], shape[-1] // patch_length)
        shown = torch.rand(patches, generator=generator, dtype=torch.float32) >= _HIDDEN
        return shown.repeat_interleave(patch_length, -1)

    tuner = FineTuner(
        hide,
        weights,
        n_steps=N_STEPS,
        batch_size=_BATCH_SIZE,
        steps_per_check=_STEPS_PER_CHECK,
        seed=seed,
    )
    return tuner.fine_tune(network, varying, report)


def _varies(column: Values) -> bool:
    known = column[np.isfinite(column)]
    return len(known) > 0 and bool(np.ptp(known) > 0)
