"""Quantiles of intervals: what values a series takes in its halves, quarters and so on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ...network import side_by_side
from ...series import Indices, Values
from .shapes import blocks_of_a_length

__all__ = ["QuantileBank"]

_MAX_FEATURES = 2048
_DEPTH = 6  # of the halving
_VALUES_PER_QUANTILE = 4
_SMOOTHING = 5  # time points over which differences are averaged
_BLOCK_VALUES = 1 << 17  # of series at once, to save memory


class Interval(NamedTuple):
    """Part of a series, in shares of its length, and how many quantiles describe it."""

    first: float
    last: float
    n_quantiles: int


class QuantileBank(NamedTuple):
    """Quantiles of dyadic intervals of a series, its differences and its spectrum (QUANT).

    An interval has one quantile for every four of its values; from every second one the mean is
    subtracted (Dempster et al., "QUANT: a minimalist interval method for time series
    classification", 2024, section 3). There are fewer quantiles, and fewer intervals, if there
    were more than 2048 features otherwise, but at least one for each channel and kind.
    """

    intervals: tuple[tuple[Interval, ...], ...]  # of each kind
    n_channels: int

    @classmethod
    def fit(cls, shapes: Sequence[Values]) -> QuantileBank:
        """Choose the intervals for the longest series."""
        longest = max(shapes, key=lambda series: series.shape[1])
        lengths = [kind.shape[-1] for kind in _kinds(longest[:1])]
        for bank in (cls(plan, len(longest)) for plan in _plans(lengths)):
            if bank.n_features <= _MAX_FEATURES:
                break
        return bank

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.n_channels * sum(part.n_quantiles for kind in self.intervals for part in kind)

    def __call__(self, shapes: Sequence[Values]) -> Values:
        """Return quantiles of prepared series: ``(n_series, n_features)``."""
        blocks = list(blocks_of_a_length(shapes, _BLOCK_VALUES // self.n_channels))
        rows = side_by_side(lambda block: self._describe([shapes[i] for i in block]), blocks)
        found = np.empty((len(shapes), self.n_features), np.float32)
        found[np.concatenate(blocks)] = np.concatenate(list(rows))
        return found

    def _describe(self, shapes: Sequence[Values]) -> Values:
        panel = np.stack(shapes)
        pairs = zip(_kinds(panel), self.intervals, strict=True)
        parts = [_quantiles(kind, intervals) for kind, intervals in pairs]
        return np.concatenate(parts, axis=-1).reshape(len(panel), -1)


def _kinds(panel: Values) -> tuple[Values, ...]:
    """Return the series, their smoothed differences, second differences, and spectra."""
    steps = np.diff(panel)
    padding = [(0, 0)] * (panel.ndim - 1) + [(_SMOOTHING // 2,) * 2]
    padded = np.pad(steps, padding, mode="edge")
    smooth = sliding_window_view(padded, _SMOOTHING, axis=-1).mean(-1)
    bends = np.diff(steps) if steps.shape[-1] > 1 else steps
    spectra = np.abs(np.fft.rfft(panel)) / np.sqrt(panel.shape[-1])
    return panel, smooth, bends, spectra.astype(panel.dtype)


def _plans(lengths: Sequence[int]) -> Iterator[tuple[tuple[Interval, ...], ...]]:
    """Yield intervals of all kinds, from many with many quantiles to few with few."""
    steps = [*product(range(_DEPTH, 0, -1), range(5)), *product([1], range(5, 9))]
    for depth, exponent in steps:
        n_values = _VALUES_PER_QUANTILE * 2**exponent
        yield tuple(tuple(_halved(length, depth, n_values)) for length in lengths)


def _halved(length: int, depth: int, values_per_quantile: int) -> Iterator[Interval]:
    """Halve again and again, and shift the parts by half of their width."""
    for level in range(min(depth, max(1, int(np.log2(length))))):
        edges = [round(part * length / 2**level) for part in range(2**level + 1)]
        shift = length // 2 ** (level + 1)
        pairs = list(pairwise(edges))
        pairs += [(first + shift, last + shift) for first, last in pairs[:-1]]
        for first, last in pairs:
            n_quantiles = 1 + (last - first - 1) // values_per_quantile
            yield Interval(first / length, last / length, n_quantiles)


def _quantiles(panel: Values, intervals: tuple[Interval, ...]) -> Values:
    """Return quantiles of all intervals, ``(n_series, n_channels, n_quantiles)``."""
    found = np.empty((*panel.shape[:-1], sum(one.n_quantiles for one in intervals)), panel.dtype)
    for width, starts, places, columns in _alike(intervals, panel.shape[-1]):
        parts = np.sort(sliding_window_view(panel, width, axis=-1)[..., starts, :])
        values = parts[..., places]
        # A sum, as the mean of a short array takes three times as long.
        values[..., 1::2] -= parts.sum(-1, keepdims=True) / width
        found[..., columns] = values
    return found


class _Alike(NamedTuple):
    """Intervals of one width with as many quantiles, which are sorted together."""

    width: int
    starts: Indices  # (n_intervals,)
    places: Indices  # (n_quantiles,) in an ascending interval
    columns: Indices  # (n_intervals, n_quantiles) of the features


@lru_cache(maxsize=1024)
def _alike(intervals: tuple[Interval, ...], length: int) -> list[_Alike]:
    """Find intervals of a series of some length that are alike."""
    ends = np.cumsum([one.n_quantiles for one in intervals])
    found = defaultdict(list)
    for interval, end in zip(intervals, ends, strict=True):
        start = min(round(interval.first * length), length - 1)
        width = max(round(interval.last * length), start + 1) - start
        columns = range(end - interval.n_quantiles, end)
        found[width, interval.n_quantiles].append((start, columns))
    return [
        _Alike(width, np.array(starts), _places(width, n), np.array(columns))
        for (width, n), pairs in found.items()
        for starts, columns in [zip(*pairs, strict=True)]
    ]


def _places(n_values: int, n_quantiles: int) -> Indices:
    """Return where evenly spaced quantiles are in ascending values; one is the median."""
    if n_quantiles == 1:
        return np.array([(n_values - 1) // 2])
    return np.linspace(0, n_values - 1, n_quantiles).round().astype(np.intp)
