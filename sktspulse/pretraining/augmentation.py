"""What a semantic embedding should see through: two views of one recording, and noise."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

__all__ = ["noisy", "span_length", "two_views"]

_MARGIN = 4  # views are cut from a span longer than a window by its 4th part
_ROLLED = 0.25  # share of views that are rolled
_MAX_ROLL = 0.2  # of a window, as in the paper's queries for similar series (section 4.4)
_NOISY = 0.4  # share of windows that are shown with noise
_MAX_NOISE = 0.6  # of a window's standard deviation


def span_length(length: int, n_ahead: int) -> int:
    """Tell how long the spans are that two views are cut from.

    Parameters
    ----------
    length : int
        Length of a window [time steps].
    n_ahead : int
        Steps kept after the window.

    Returns
    -------
    int
        Length of a span [time steps].
    """
    return length + length // _MARGIN + n_ahead


def two_views(spans: Tensor, length: int, n_ahead: int, generator: Generator) -> Tensor:
    """Cut two windows from each span, anywhere in it, and roll some of them.

    Parameters
    ----------
    spans : tensor of shape (n_spans, n_timepoints)
        Stretches of recordings, as long as a window and what follows it, or longer.
    length : int
        Length of a window [time steps].
    n_ahead : int
        Steps kept after the window; NaN after a rolled one, which nothing follows.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    tensor of shape (2 * n_spans, length + n_ahead)
        Views; ``i`` and ``i + n_spans`` are of the same span.
    """
    spans = torch.cat([spans, spans])
    reach, margin = int(_MAX_ROLL * length), spans.shape[1] - length - n_ahead
    drawing: dict[str, Any] = {"generator": generator, "device": generator.device}
    each = {"size": (len(spans), 1), **drawing}
    starts = torch.randint(margin + 1, **each)
    shifts = torch.randint(-reach, reach + 1, **each) * (torch.rand(**each) < _ROLLED)
    step = torch.arange(length + n_ahead, device=generator.device)
    windows = spans.gather(1, starts + (step[:length] + shifts) % length)
    ahead = spans.gather(1, starts + step[length:])
    return torch.cat([windows, ahead.masked_fill(shifts != 0, torch.nan)], 1)


def noisy(x: Tensor, known: Tensor, generator: Generator) -> Tensor:
    """Add white noise to some windows.

    Parameters
    ----------
    x : tensor of shape (n_windows, 1, length)
        Windows; 0 where not known.
    known : tensor of bool, of the same shape
        True where the data has a value.
    generator : torch.Generator
        Source of randomness.

    Returns
    -------
    tensor of shape (n_windows, 1, length)
        A copy. The noise has up to 0.6 times the standard deviation of its window.
    """
    count = known.sum(-1, keepdim=True).clamp(min=1)
    mean = x.sum(-1, keepdim=True) / count
    deviation = (((x - mean) * known).square().sum(-1, keepdim=True) / count).sqrt()
    drawing: dict[str, Any] = {"generator": generator, "device": generator.device}
    chosen = torch.rand(mean.shape, **drawing) < _NOISY
    level = chosen * torch.rand(mean.shape, **drawing) * _MAX_NOISE * deviation
    return x + level * torch.randn(x.shape, **drawing)
