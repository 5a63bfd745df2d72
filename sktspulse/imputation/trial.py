"""Hide known points of some series, and read the candidates for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..series import Flags, Floats, Indices, Integers, Values, window_starts
from .blending import error_products
from .candidates import CandidateReader, Candidates
from .filled import Filled, HiddenWindows, fill_channel, stack
from .simulated_gaps import Segments, hide_long, hide_scattered, sample_segments

__all__ = ["Trial", "run_trials", "shuffled"]

_MAX_WINDOWS = 256  # passed through the network for each channel
_MAX_REPEATS = 8  # of a window, each time with other points hidden
_LONG_SEGMENT = 8192  # time points at most, in segments with long gaps
_SEGMENT_PERIODS = 3  # that a segment has, even if it gets longer


@dataclass(frozen=True)
class Trial:
    """Segments with hidden points, and the candidates for all missing points of each channel."""

    segments: Segments
    visible: Floats  # values of the segments, NaN where missing or hidden
    wanted: Flags
    candidates: list[Candidates]
    repeats: float  # how often a point of the data occurs in the segments, at least 1

    def products(self) -> Floats:
        """Sum the products of the errors of the candidates, for each channel and bin."""
        return np.stack(
            [
                self._channel_products(candidates, self.segments.values[:, channel])
                for channel, candidates in enumerate(self.candidates)
            ]
        )

    def _channel_products(self, candidates: Candidates, truth: Values) -> Floats:
        errors = candidates.values - truth[candidates.row, candidates.time][:, None]
        known = ~np.isnan(errors[:, -1])
        return error_products(errors[known], candidates.gap_bins[known]) / self.repeats**0.5

    def fill(self, weights: Floats) -> Filled:
        """Fill the missing points of all segments."""
        parts = zip(self.candidates, weights, strict=True)
        return stack(
            [
                fill_channel(self.visible[:, c], self.wanted[:, c], candidates, one)
                for c, (candidates, one) in enumerate(parts)
            ]
        )

    def windows(self, filled: Filled, length: int) -> HiddenWindows:
        """Cut the filled segments into windows."""
        total = self.visible.shape[-1]
        length = min(length, total)
        starts = window_starts(total, length, length)

        def cut(array: NDArray[Any]) -> NDArray[Any]:
            return np.concatenate([array[..., start : start + length] for start in starts])

        pieces = Filled(*(cut(part) for part in filled))
        fold = self.segments.folds()[:, starts + length // 2].T.ravel()
        return HiddenWindows(cut(self.segments.values), pieces, fold)


def run_trials(
    panels: Sequence[Values], reader: CandidateReader, periods: Integers, rng: np.random.Generator
) -> Iterator[Trial]:
    """Hide scattered points and short gaps, then long gaps, and read the candidates.

    For scattered points, every window passes the network once, so there are more of them.
    """
    context = reader.context_length
    longest = max(panel.shape[-1] for panel in panels)
    available = sum(len(p) * _n_windows(p.shape[-1], context, context // 4) for p in panels)
    budget = max(1, min(_MAX_WINDOWS, _MAX_REPEATS * available) // 2)
    kinds = (hide_scattered, context, context), (hide_long, reader.stride, _LONG_SEGMENT)
    for hide, stride, usual in kinds:
        length = min(longest, max(usual, _SEGMENT_PERIODS * int(periods.max())))
        length = min(length, context + (budget - 1) * stride)
        count = max(1, budget // _n_windows(length, context, stride))
        segments = sample_segments(panels, length, count, rng)
        visible = hide(segments.values, reader.patch_length, rng)
        yield _read(segments, visible, replace(reader, stride=stride), periods, panels)


def _n_windows(n_timepoints: int, context: int, stride: int) -> int:
    return len(window_starts(max(n_timepoints, context), context, stride))


def _read(
    segments: Segments,
    visible: Floats,
    reader: CandidateReader,
    periods: Integers,
    panels: Sequence[Values],
) -> Trial:
    # The padding before short series, where all channels are missing, is not filled.
    wanted = np.isnan(visible) & ~np.isnan(segments.values).all(axis=1, keepdims=True)
    candidates = [
        reader.read(visible[:, channel], wanted[:, channel], period)
        for channel, period in enumerate(periods)
    ]
    repeats = segments.values.size / sum(panel.size for panel in panels)
    return Trial(segments, visible, wanted, candidates, max(1.0, repeats))


def shuffled(trials: list[HiddenWindows], rng: np.random.Generator) -> HiddenWindows:
    """Join windows, and put them into a random order."""
    truth, fold = (np.concatenate([getattr(t, name) for t in trials]) for name in ("truth", "fold"))
    filled = Filled(
        *(np.concatenate(parts) for parts in zip(*(t.filled for t in trials), strict=True))
    )
    order: Indices = rng.permutation(len(truth))
    return HiddenWindows(truth, filled, fold).take(order)
