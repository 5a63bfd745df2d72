"""What to hide of a recording, to learn from it how such gaps are filled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..network import gap_mask, hybrid_mask
from ..series import Values, window_starts

__all__ = ["N_PARTS", "GapMasks", "Windows", "draw_masks", "draw_windows", "hide"]

N_PARTS = 4  # that a series is divided into, to learn from some what is measured on another
_WINDOWS = 256  # windows drawn, at most
_REPEATS = 8  # times a window is used, at most, each time with other points hidden
_RATIOS = (0.05, 0.6)  # share of points hidden in a window
_ONE_GAP = 0.25  # share of windows in which they lie in one piece
_GAPS = (0.02, 0.5)  # share of points hidden there


class Windows(NamedTuple):
    """Windows of all channels."""

    values: Values  # (n_windows, n_channels, length), NaN where missing
    part: NDArray[np.intp]  # (n_windows,), which of N_PARTS parts of its series it is of


def draw_windows(panels: list[Values], length: int, rng: np.random.Generator) -> Windows:
    """Draw windows of all channels, some of them repeatedly if there are few.

    Parameters
    ----------
    panels : list of ndarray of shape (n_series, n_channels, n_timepoints)
        Series, NaN where missing. Short ones are padded with missing points in front.
    length : int
        Length of a window [time steps].
    rng : Generator
        Source of randomness.

    Returns
    -------
    Windows
        256 at most.
    """
    found = [_draw(panel, length, rng) for panel in panels]
    values, part = (np.concatenate(both) for both in zip(*found, strict=True))
    order = rng.permutation(len(values))[:_WINDOWS]
    repeats = min(_REPEATS, -(-_WINDOWS // len(order)))
    order = np.tile(order, repeats)[:_WINDOWS]
    return Windows(values[order], part[order])


def _draw(panel: Values, length: int, rng: np.random.Generator) -> Windows:
    short = max(0, length - panel.shape[-1])
    panel = np.pad(panel, ((0, 0), (0, 0), (short, 0)), constant_values=np.nan)
    starts = window_starts(panel.shape[-1], length, max(1, length // 4))
    chosen = rng.permutation(len(panel) * len(starts))[:_WINDOWS]
    row, start = chosen // len(starts), starts[chosen % len(starts)]
    values = [panel[r, :, s : s + length] for r, s in zip(row, start, strict=True)]
    part = N_PARTS * (2 * start + length) // (2 * panel.shape[-1] + 1)
    return Windows(np.stack(values), part)


def draw_masks(
    shape: tuple[int, ...], patch_length: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Draw what to hide: half blocks, half points, of any share; or one long gap.

    Parameters
    ----------
    shape : tuple of (..., n_timepoints)
        Shape of the masks.
    patch_length : int
        Length of a block [time steps].
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of bool, of that shape
        True where observed.
    """
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    each = (*shape[:-1], 1)
    ratio = torch.from_numpy(rng.uniform(*_RATIOS, each))
    spread = hybrid_mask(shape, ratio, patch_length, generator).numpy()
    shortest, longest = np.log(_GAPS)
    length = torch.from_numpy(np.exp(rng.uniform(shortest, longest, each)))
    in_one_piece = gap_mask(shape, length, generator).numpy()
    return np.where(rng.random(each) < _ONE_GAP, in_one_piece, spread)


def hide(
    values: NDArray[np.float64], patch_length: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Hide some known points of windows: blocks and points, or the gaps of another window.

    Parameters
    ----------
    values : ndarray of shape (n_windows, n_channels, n_timepoints)
        Windows, NaN where missing.
    patch_length : int
        Length of a block [time steps].
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndarray of the same shape
        NaN where missing or hidden. Blocks and points are drawn for each channel alone;
        gaps are taken over from one window for all channels.
    """
    observed = draw_masks(values.shape, patch_length, rng)
    known = ~np.isnan(values)
    gaps = np.flatnonzero(~known.all((1, 2)))
    if len(gaps):
        borrowed = known[rng.choice(gaps, len(values))]
        observed = np.where(rng.random((len(values), 1, 1)) < 0.5, borrowed, observed)
    shown = np.where(observed, values, np.nan)
    # A channel that would be left without a known point shows all it has.
    return np.where((observed & known).any(-1, keepdims=True), shown, values)


class GapMasks:
    """Draw masks to train with: those of the gaps there are, and blocks, points, long gaps.

    Parameters
    ----------
    windows : ndarray of shape (n_windows, n_channels, length)
        Windows with the gaps to imitate; NaN where missing.
    patch_length : int
        Length of a block [time steps].
    """

    def __init__(self, windows: Values, patch_length: int) -> None:
        known = ~np.isnan(windows.reshape(-1, windows.shape[-1]))
        some = known.any(1) & ~known.all(1)
        self.known = known[some]
        self.patch_length = patch_length

    def __call__(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        """Return which points are shown, of the shape ``(n, 1, length)`` asked for."""
        seed = int(torch.randint(2**31, (1,), generator=generator))
        rng = np.random.default_rng(seed)
        observed = draw_masks(shape, self.patch_length, rng)
        if len(self.known):
            borrowed = self.known[rng.integers(len(self.known), size=shape[0])][:, None]
            observed = np.where(rng.random((shape[0], 1, 1)) < 0.5, borrowed, observed)
        return torch.from_numpy(observed)
