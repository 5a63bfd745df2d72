"""Random changes of windows that a semantic embedding should be invariant to."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

__all__ = ["add_noise", "blend_and_flip", "crop_pairs", "span_length"]

_CROP_MARGIN = 4  # a span is longer than a crop by one part in so many
_ROLLED_FRACTION = 0.25  # of crops
_MAX_ROLL = 0.2  # of a window, as in the paper's queries for similar series (section 4.4)
_NOISY_FRACTION = 0.4  # of windows
_MAX_NOISE = 0.6  # standard deviations of a window
_BLENDED_FRACTION = 0.2  # of windows


def span_length(length: int, forecast_length: int) -> int:
    """Return the length of the spans that pairs of crops are taken from [time steps]."""
    return length + length // _CROP_MARGIN + forecast_length


def crop_pairs(spans: Tensor, length: int, forecast_length: int, generator: Generator) -> Tensor:
    """Take two random crops of each span ``(n_spans, n_timepoints)``, and roll some of them.

    Returns crops ``(2 * n_spans, length + forecast_length)``, of which ``i`` and
    ``i + n_spans`` come from the same span. If a window is rolled, what follows it is NaN.
    """
    spans = torch.cat([spans, spans])
    max_roll, margin = int(_MAX_ROLL * length), spans.shape[1] - length - forecast_length
    drawing: dict[str, Any] = {"generator": generator, "device": generator.device}
    each = {"size": (len(spans), 1), **drawing}
    starts = torch.randint(margin + 1, **each)
    shifts = torch.randint(-max_roll, max_roll + 1, **each)
    shifts = shifts * (torch.rand(**each, dtype=torch.float32) < _ROLLED_FRACTION)
    step = torch.arange(length + forecast_length, device=generator.device)
    windows = spans.gather(1, starts + (step[:length] + shifts) % length)
    future = spans.gather(1, starts + step[length:])
    return torch.cat([windows, future.masked_fill(shifts != 0, torch.nan)], 1)


def blend_and_flip(windows: Tensor, partners: Tensor, uniform: Tensor) -> Tensor:
    """Blend a fifth of the windows with their partners and flip the sign of half of them.

    ``uniform`` has shape ``(3, n_windows, 1)`` and holds random numbers in [0, 1): whether to
    blend, with which weight, and whether to flip.
    """
    weight = (0.5 + uniform[1] / 2).to(windows.dtype)
    blends = weight * windows + (1 - weight) * partners
    blended = torch.where(uniform[0] < _BLENDED_FRACTION, blends, windows)
    return torch.where(uniform[2] < 0.5, -blended, blended)


def add_noise(x: Tensor, known: Tensor, generator: Generator) -> Tensor:
    """Add white noise to some windows ``(n_windows, 1, length)``, which are 0 where unknown."""
    count = known.sum(-1, keepdim=True).clamp(min=1)
    mean = x.sum(-1, keepdim=True) / count
    deviation = (((x - mean) * known).square().sum(-1, keepdim=True) / count).sqrt()
    drawing: dict[str, Any] = {"generator": generator, "device": generator.device}
    drawing["dtype"] = torch.float32
    chosen = torch.rand(mean.shape, **drawing) < _NOISY_FRACTION
    level = chosen * torch.rand(mean.shape, **drawing) * _MAX_NOISE * deviation
    return x + level * torch.randn(x.shape, **drawing)
