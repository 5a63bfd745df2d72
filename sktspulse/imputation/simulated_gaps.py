"""Hide known points, to fit and to measure how such gaps are filled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..series import Flags, Floats, Indices, Values

if TYPE_CHECKING:
    import torch

__all__ = [
    "N_FOLDS",
    "GapMasks",
    "Segments",
    "draw_masks",
    "hide_long",
    "hide_scattered",
    "sample_segments",
]

N_FOLDS = 4  # consecutive parts of every series, for cross-validation
_STRETCH = 512  # time points with one mask
_HIDDEN_FRACTIONS = (0.05, 0.6)  # of the points of a stretch, smallest and largest
_SINGLE_GAP_PROBABILITY = 0.25  # that they form one gap
_SINGLE_GAP_FRACTIONS = (0.02, 0.5)  # of the points of a stretch, smallest and largest
_LONG_GAP_FRACTION = 0.4  # of the known points, longest long gap
_ONE_SIDED_FRACTION = 0.05  # of the known points, shortest gap at a start or an end
_ONE_SIDED_PROBABILITY = 0.8  # of a gap at the start of a channel, and of one at its end
_MIN_VISIBLE = 8  # known points of a channel


class Segments(NamedTuple):
    """Series of all channels, or parts of them."""

    values: Floats  # (n_segments, n_channels, length), NaN where missing
    start: Indices  # (n_segments,), first time point in its series; negative for padding
    n_timepoints: Indices  # (n_segments,), of its series

    def folds(self) -> Indices:
        """Return the fold of each time point, ``(n_segments, length)``."""
        place = self.start[:, None] + np.arange(self.values.shape[-1])
        n_timepoints = self.n_timepoints[:, None]
        return N_FOLDS * place.clip(0, n_timepoints - 1) // n_timepoints


def sample_segments(
    panels: Sequence[Values], max_length: int, count: int, rng: np.random.Generator
) -> Segments:
    """Draw segments of all channels; series are repeated if there are few.

    Segments are as long as the longest series, but at most ``max_length``. Shorter series are
    padded with NaN in front.
    """
    length = min(max_length, max(panel.shape[-1] for panel in panels))
    sizes = np.concatenate([np.full(len(panel), panel.shape[-1]) for panel in panels])
    pieces = np.repeat(np.arange(len(sizes)), -(-sizes // length))
    pieces = np.resize(rng.permutation(pieces), count)
    spare = (sizes - length)[pieces]
    start = np.where(spare > 0, rng.integers(0, spare.clip(0) + 1), spare)
    first = np.cumsum([0, *map(len, panels)])
    values = np.full((count, panels[0].shape[1], length), np.nan)
    for target, piece, begin in zip(values, pieces, start, strict=True):
        panel = int(np.searchsorted(first, piece, side="right")) - 1
        row = panels[panel][piece - first[panel]]
        target[:, max(0, -begin) :] = row[:, max(0, begin) : max(0, begin + length)]
    return Segments(values, start, sizes[pieces])


def draw_masks(shape: tuple[int, ...], patch_length: int, rng: np.random.Generator) -> Flags:
    """Draw which points of windows ``(..., n_timepoints)`` stay visible.

    In a quarter of the windows one gap is hidden, in the others patches and single points.
    """
    import torch

    from ..network import gap_mask, hybrid_mask

    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    each = (*shape[:-1], 1)
    fraction = torch.from_numpy(rng.uniform(*_HIDDEN_FRACTIONS, each))
    scattered = hybrid_mask(shape, fraction, patch_length, generator).numpy()
    smallest, largest = np.log(_SINGLE_GAP_FRACTIONS)
    length = torch.from_numpy(np.exp(rng.uniform(smallest, largest, each)))
    single = gap_mask(shape, length, generator).numpy()
    return np.where(rng.random(each) < _SINGLE_GAP_PROBABILITY, single, scattered)


def hide_scattered(values: Floats, patch_length: int, rng: np.random.Generator) -> Floats:
    """Return segments ``(n_segments, n_channels, n_timepoints)`` with more points missing.

    Every stretch of 512 time points of a channel gets a mask of its own from ``draw_masks``.
    """
    n_timepoints = values.shape[-1]
    stretch = min(-(-n_timepoints // patch_length) * patch_length, _STRETCH)
    shape = (*values.shape[:-1], -(-n_timepoints // stretch), stretch)
    masks = draw_masks(shape, patch_length, rng).reshape(*values.shape[:-1], -1)
    return _hide(values, masks[..., :n_timepoints], rng)


def hide_long(values: Floats, shortest: float, rng: np.random.Generator) -> Floats:
    """Return segments with long gaps inside and at the ends of every channel."""
    observed = np.ones(values.shape, bool)
    for place in np.ndindex(values.shape[:-1]):
        known = np.flatnonzero(~np.isnan(values[place]))
        if len(known) > _MIN_VISIBLE:
            for start, stop in _long_gaps(len(known), shortest, rng):
                observed[place][known[start:stop]] = False
    return _hide(values, observed, rng)


def _long_gaps(
    n_known: int, shortest: float, rng: np.random.Generator
) -> Iterator[tuple[int, int]]:
    """Yield start and end of gaps among the known points of a channel."""
    longest = max(1.0, _LONG_GAP_FRACTION * n_known)

    def length(at_least: float) -> int:
        low, high = np.log([min(at_least, longest), longest])
        return int(np.exp(rng.uniform(low, high)))

    at_start, at_end = (
        length(_ONE_SIDED_FRACTION * n_known) if rng.random() < _ONE_SIDED_PROBABILITY else 0
        for _ in range(2)
    )
    yield 0, at_start
    yield n_known - at_end, n_known
    gap = length(shortest)
    start = at_start + int(rng.uniform(0, 1) * gap) + 1
    while start + gap < n_known - at_end:
        yield start, start + gap
        start += 2 * gap  # as many points stay known in between
        gap = length(shortest)


def _hide(values: Floats, observed: Flags, rng: np.random.Generator) -> Floats:
    """Hide points; in half of the segments as they are missing elsewhere, in all channels.

    Time points without a known value are skipped: if every second one is known, every second one
    of these is hidden.
    """
    known = ~np.isnan(values)
    with_gaps = np.flatnonzero(~known.all((1, 2)))
    for one in with_gaps[rng.random(len(with_gaps)) < 0.5] if len(with_gaps) else []:
        shift = int(rng.integers(values.shape[-1]))
        elsewhere = np.roll(known[rng.choice(with_gaps)], shift, axis=-1)
        places = np.flatnonzero(known[one].any(0))
        observed[one][:, places] = elsewhere[:, : len(places)]
    # If too little of a channel would stay visible, none of it is hidden.
    is_enough = (observed & known).sum(-1, keepdims=True) >= _MIN_VISIBLE
    return np.where(is_enough & ~observed, np.nan, values)


class GapMasks:
    """Draw masks for training: half of them copied from the windows, half by ``draw_masks``."""

    def __init__(self, windows: Values, patch_length: int) -> None:
        known = ~np.isnan(windows.reshape(-1, windows.shape[-1]))
        self.known = known[known.any(1) & ~known.all(1)]
        self.patch_length = patch_length

    def __call__(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        """Return which points are observed, for a shape ``(n, 1, length)``."""
        import torch

        seed = int(torch.randint(2**31, (1,), generator=generator))
        rng = np.random.default_rng(seed)
        observed = draw_masks(shape, self.patch_length, rng)
        if len(self.known):
            copied = self.known[rng.integers(len(self.known), size=shape[0])][:, None]
            observed = np.where(rng.random((shape[0], 1, 1)) < 0.5, copied, observed)
        return torch.from_numpy(observed)
