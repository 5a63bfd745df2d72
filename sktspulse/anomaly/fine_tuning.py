"""Go on training a network to fill in hidden patches of the recording that it will judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor

from ..network import TSPulse
from ..pretraining import FineTuner
from ..series import Values

__all__ = ["N_STEPS", "tune"]

_HIDDEN = 0.125  # share of the patches, as when points are scored
N_STEPS, _BATCH_SIZE, _STEPS_PER_LOOK = 400, 32, 25  # bound the time to a minute or two


def tune(
    network: TSPulse,
    values: Values,
    heads: Sequence[str],
    seed: int,
    report: Callable[[int], object] | None = None,
) -> TSPulse:
    """Train a copy of a network on the channels of a recording.

    Parameters
    ----------
    network : TSPulse
        Where to start.
    values : ndarray of shape (n_timepoints, n_channels)
        The recording; NaN where missing.
    heads : sequence of str
        Heads that are used; others than those of the network are ignored.
    seed : int
        Chooses windows and patches.
    report : callable, default=None
        Told of the number of steps that are done since it was last told.

    Returns
    -------
    TSPulse
        The network that was best on the last fifth of the recording, maybe as it was; so
        it is where no head of the network is used or no channel moves.
    """
    weights = {name: 1.0 for name in heads if name in ("time", "frequency", "forecast")}
    moving = [column for column in values.T if _moves(column)]
    if not weights or not moving:
        return network
    patch_length = network.config.patch_length

    def hide(shape: tuple[int, ...], generator: Generator) -> Tensor:
        shown = torch.rand((*shape[:-1], shape[-1] // patch_length), generator=generator) >= _HIDDEN
        return shown.repeat_interleave(patch_length, -1)

    tuner = FineTuner(
        hide,
        weights,
        n_steps=N_STEPS,
        batch_size=_BATCH_SIZE,
        steps_per_look=_STEPS_PER_LOOK,
        seed=seed,
    )
    return tuner.tune(network, moving, report)


def _moves(column: Values) -> bool:
    known = column[np.isfinite(column)]
    return len(known) > 0 and bool(np.ptp(known) > 0)
