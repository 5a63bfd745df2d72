"""Random masks of the points that the network may see.

Every function returns a boolean ``observed`` mask, True where a point stays visible. The
number of hidden points is exact, not right on average only.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

__all__ = ["block_mask", "gap_mask", "hybrid_mask", "point_mask", "varied_mask"]

_GAP_FRACTION = 0.15  # of training windows: all hidden points are consecutive


def _hide_lowest(scores: Tensor, n_hidden: Tensor) -> Tensor:
    """Return True for all but the ``n_hidden`` lowest scores of each row."""
    ranks = scores.argsort(-1).argsort(-1)
    return ranks >= n_hidden


def _draw(shape: tuple[int, ...], generator: Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float32)


def _as_floats(fraction: Tensor | float, generator: Generator) -> Tensor:
    return torch.as_tensor(fraction, device=generator.device, dtype=torch.float32)


def point_mask(shape: tuple[int, ...], n_hidden: Tensor | int, generator: Generator) -> Tensor:
    """Hide single points at random places.

    Parameters
    ----------
    shape : tuple of int
        Shape of the mask, ``(..., n_timepoints)``.
    n_hidden : int or tensor of shape (..., 1)
        Number of points hidden in each series.
    generator : torch.Generator
        Source of randomness. The mask is on its device.

    Returns
    -------
    tensor of bool, of shape ``shape``
        True where observed.
    """
    return _hide_lowest(_draw(shape, generator), torch.as_tensor(n_hidden, device=generator.device))


def block_mask(
    shape: tuple[int, ...], n_hidden: Tensor | int, patch_length: int, generator: Generator
) -> Tensor:
    """Hide whole patches at random places.

    Parameters
    ----------
    shape : tuple of int
        Shape of the mask, ``(..., n_timepoints)``.
    n_hidden : int or tensor of shape (..., 1)
        Number of patches hidden in each series.
    patch_length : int
        Length of a patch [time steps].
    generator : torch.Generator
        Source of randomness. The mask is on its device.

    Returns
    -------
    tensor of bool, of shape ``shape``
        True where observed.
    """
    patches = point_mask((*shape[:-1], shape[-1] // patch_length), n_hidden, generator)
    return patches.repeat_interleave(patch_length, -1)


def hybrid_mask(
    shape: tuple[int, ...],
    fraction: Tensor | float,
    patch_length: int,
    generator: Generator,
    block_fraction: Tensor | float = 0.5,
) -> Tensor:
    """Hide whole patches and, elsewhere, single points.

    Parameters
    ----------
    shape : tuple of int
        Shape of the mask, ``(..., n_timepoints)``.
    fraction : float or tensor of shape (..., 1)
        Fraction of points hidden in each series, in [0, 1].
    patch_length : int
        Length of a patch [time steps].
    generator : torch.Generator
        Source of randomness. The mask is on its device.
    block_fraction : float or tensor of shape (..., 1), default=0.5
        Fraction of the hidden points that lie in whole hidden patches, in [0, 1].

    Returns
    -------
    tensor of bool, of shape ``shape``
        True where observed; ``floor(fraction * n_timepoints)`` points of each series are not.

    References
    ----------
    .. [1] Ekambaram et al., 2025, arXiv:2505.13033, section 3.1.
    """
    n_hidden = (_as_floats(fraction, generator) * shape[-1]).long()
    n_patches = (n_hidden * _as_floats(block_fraction, generator) / patch_length).long()
    in_blocks = block_mask(shape, n_patches, patch_length, generator)
    scores = _draw(shape, generator).masked_fill(~in_blocks, -1)
    return _hide_lowest(scores, n_hidden)


def gap_mask(shape: tuple[int, ...], fraction: Tensor | float, generator: Generator) -> Tensor:
    """Hide consecutive points at a random place.

    Parameters
    ----------
    shape : tuple of int
        Shape of the mask, ``(..., n_timepoints)``.
    fraction : float or tensor of shape (..., 1)
        Fraction of points hidden in each series, in [0, 1].
    generator : torch.Generator
        Source of randomness. The mask is on its device.

    Returns
    -------
    tensor of bool, of shape ``shape``
        True where observed; ``floor(fraction * n_timepoints)`` points of each series are not.
    """
    n_hidden = (_as_floats(fraction, generator) * shape[-1]).long()
    start = (_draw((*shape[:-1], 1), generator) * (shape[-1] - n_hidden + 1)).long()
    step = torch.arange(shape[-1], device=generator.device)
    return (step < start) | (step >= start + n_hidden)


def varied_mask(
    shape: tuple[int, ...],
    mask_fraction: tuple[float, float],
    block_fraction: tuple[float, float],
    patch_length: int,
    generator: Generator,
) -> Tensor:
    """Hide points as in training: a random fraction, as patches and points or as one gap.

    Parameters
    ----------
    shape : tuple of int
        Shape of the mask, ``(n_windows, n_channels, n_timepoints)``.
    mask_fraction, block_fraction : (float, float)
        Range of the fraction of points hidden in a window, and of the fraction of these
        that lie in whole patches. Both are drawn for each window.
    patch_length : int
        Length of a patch [time steps].
    generator : torch.Generator
        Source of randomness. The mask is on its device.

    Returns
    -------
    tensor of bool, of shape ``shape``
        True where observed.
    """
    each = (shape[0], 1, 1)
    hidden, blocks = (
        _uniform(bounds, each, generator) for bounds in (mask_fraction, block_fraction)
    )
    spread = hybrid_mask(shape, hidden, patch_length, generator, blocks)
    is_gap = _draw(each, generator) < _GAP_FRACTION
    return torch.where(is_gap, gap_mask(shape, hidden, generator), spread)


def _uniform(bounds: tuple[float, float], shape: tuple[int, ...], generator: Generator) -> Tensor:
    low, high = bounds
    return low + (high - low) * _draw(shape, generator)
