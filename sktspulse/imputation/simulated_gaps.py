"""Hide known points, to fit and to measure how such gaps are filled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from ..network import gap_mask, hybrid_mask
from ..series import Flags, Floats, Indices, Values, window_starts

__all__ = ["N_FOLDS", "GapMasks", "Windows", "draw_masks", "draw_windows", "hide"]

N_FOLDS = 4  # consecutive parts of every series, for cross-validation
_MAX_WINDOWS = 256
_MAX_REPEATS = 8  # of a window, each time with other points hidden
_HIDDEN_FRACTIONS = (0.05, 0.6)  # of the points of a window, smallest and largest
_SINGLE_GAP_PROBABILITY = 0.25  # that they form one gap
_SINGLE_GAP_FRACTIONS = (0.02, 0.5)  # of the points of a window, smallest and largest


class Windows(NamedTuple):
    """Windows of all channels."""

    values: Values  # (n_windows, n_channels, length), NaN where missing
    fold: Indices  # (n_windows,), from 0 to N_FOLDS - 1


def draw_windows(panels: list[Values], length: int, rng: np.random.Generator) -> Windows:
    """Draw at most 256 windows of all channels, with repetitions if there are few.

    Short series are padded with NaN in front.
    """
    drawn = [_draw_from_panel(panel, length, rng) for panel in panels]
    values, fold = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    order = rng.permutation(len(values))[:_MAX_WINDOWS]
    repeats = min(_MAX_REPEATS, -(-_MAX_WINDOWS // len(order)))
    order = np.tile(order, repeats)[:_MAX_WINDOWS]
    return Windows(values[order], fold[order])


def _draw_from_panel(panel: Values, length: int, rng: np.random.Generator) -> Windows:
    n_padded = max(0, length - panel.shape[-1])
    panel = np.pad(panel, ((0, 0), (0, 0), (n_padded, 0)), constant_values=np.nan)
    starts = window_starts(panel.shape[-1], length, max(1, length // 4))
    chosen = rng.permutation(len(panel) * len(starts))[:_MAX_WINDOWS]
    row, start = chosen // len(starts), starts[chosen % len(starts)]
    values = [panel[r, :, s : s + length] for r, s in zip(row, start, strict=True)]
    fold = N_FOLDS * (2 * start + length) // (2 * panel.shape[-1] + 1)
    return Windows(np.stack(values), fold)


def draw_masks(shape: tuple[int, ...], patch_length: int, rng: np.random.Generator) -> Flags:
    """Draw which points of windows ``(..., n_timepoints)`` stay visible.

    In a quarter of the windows one gap is hidden, in the others patches and single points.
    """
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    each = (*shape[:-1], 1)
    fraction = torch.from_numpy(rng.uniform(*_HIDDEN_FRACTIONS, each))
    scattered = hybrid_mask(shape, fraction, patch_length, generator).numpy()
    smallest, largest = np.log(_SINGLE_GAP_FRACTIONS)
    length = torch.from_numpy(np.exp(rng.uniform(smallest, largest, each)))
    single = gap_mask(shape, length, generator).numpy()
    return np.where(rng.random(each) < _SINGLE_GAP_PROBABILITY, single, scattered)


def hide(values: Floats, patch_length: int, rng: np.random.Generator) -> Floats:
    """Return windows ``(n_windows, n_channels, n_timepoints)`` with more points missing.

    Half of the windows get the gaps of another window, for all channels together. The others
    get masks from ``draw_masks``, for each channel alone.
    """
    observed = draw_masks(values.shape, patch_length, rng)
    known = ~np.isnan(values)
    with_gaps = np.flatnonzero(~known.all((1, 2)))
    if len(with_gaps):
        copied = known[rng.choice(with_gaps, len(values))]
        observed = np.where(rng.random((len(values), 1, 1)) < 0.5, copied, observed)
    visible = np.where(observed, values, np.nan)
    # If nothing of a channel would stay visible, none of it is hidden.
    return np.where((observed & known).any(-1, keepdims=True), visible, values)


class GapMasks:
    """Draw masks for training: half of them copied from the windows, half by ``draw_masks``."""

    def __init__(self, windows: Values, patch_length: int) -> None:
        known = ~np.isnan(windows.reshape(-1, windows.shape[-1]))
        self.known = known[known.any(1) & ~known.all(1)]
        self.patch_length = patch_length

    def __call__(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        """Return which points are observed, for a shape ``(n, 1, length)``."""
        seed = int(torch.randint(2**31, (1,), generator=generator))
        rng = np.random.default_rng(seed)
        observed = draw_masks(shape, self.patch_length, rng)
        if len(self.known):
            copied = self.known[rng.integers(len(self.known), size=shape[0])][:, None]
            observed = np.where(rng.random((shape[0], 1, 1)) < 0.5, copied, observed)
        return torch.from_numpy(observed)
