"""Competing random kernels: how often, and how clearly, each of a group fits a series best."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ...network import side_by_side
from ...series import Floats, Values
from .shapes import blocks_of_a_length

__all__ = ["KernelBank"]

_SEED = 0  # of the kernels, which are the same for all data, like the weights of the network
_LENGTH = 9  # weights of a kernel
_N_COMPETING = 8  # kernels of a group
_MAX_GROUPS = 32  # for the series, and as many for its differences
_MIN_GROUPS = 8
_MAX_SUMS = 1 << 26  # groups times time points of all series
_MAX_FEATURES = 2048  # if there are more series, for which products of features are found
_MAX_CHANNELS = 8  # that a kernel reads the sum of
_ROUNDING = 1e-5  # difference that counts as none
_BLOCK_VALUES = 1 << 19  # responses of series that are read at once
_PART_VALUES = 1 << 17  # responses at once: they stay in the cache of a core


class KernelBank(NamedTuple):
    """Groups of kernels at dilations 1, 2, 4, ... up to the length of the series (Hydra).

    At each time point, the kernel of a group with the largest response gains that response, and
    the one with the smallest is counted. Sums over time are the features (Dempster et al.,
    "Hydra: competing convolutional kernels for fast and accurate time series classification",
    2023, section 3), here divided by the length, so that series may differ in it.
    """

    n_channels: int
    n_dilations: int
    n_groups: int

    @classmethod
    def fit(cls, shapes: Sequence[Values]) -> KernelBank:
        """Choose the dilations: a kernel spans at most the longest series."""
        n_series, longest = len(shapes), max(series.shape[1] for series in shapes)
        n_dilations = 1 + int(np.log2(max(1.0, (longest - 1) / (_LENGTH - 1))))
        limits = [_MAX_GROUPS, _MAX_SUMS // (n_series * longest)]
        if n_series > _MAX_FEATURES:
            limits.append(_MAX_FEATURES // cls(1, n_dilations, 1).n_features)
        return cls(len(shapes[0]), n_dilations, max(_MIN_GROUPS, min(limits)))

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.n_dilations * 4 * self.n_groups * _N_COMPETING

    def __call__(self, shapes: Sequence[Values]) -> Values:
        """Return square roots of the features of prepared series: ``(n_series, n_features)``."""
        n_kernels = self.n_groups * _N_COMPETING
        blocks = list(blocks_of_a_length(shapes, _BLOCK_VALUES // n_kernels))
        sums = side_by_side(lambda block: self._sums(np.stack([shapes[i] for i in block])), blocks)
        found = np.empty((len(shapes), self.n_features), np.float32)
        found[np.concatenate(blocks)] = np.sqrt(np.concatenate(list(sums)))
        return found

    def _sums(self, series: Values) -> Values:
        kinds, exponents = (series, np.diff(series)), range(self.n_dilations)
        drawn = [_draw(self.n_channels, self.n_groups, exponent) for exponent in exponents]
        pairs = [pair for kernels in drawn for pair in zip(kinds, kernels, strict=True)]
        return np.concatenate([_compete(*pair) for pair in pairs], axis=1)


class _Kernels(NamedTuple):
    weights: Values  # (n_groups, n_competing, length)
    mixing: Values  # (n_groups, n_channels), how often a group adds up a channel
    dilation: int


@lru_cache(maxsize=64)
def _draw(n_channels: int, n_groups: int, exponent: int) -> tuple[_Kernels, ...]:
    """Draw the kernels of one dilation, for series and for differences."""
    pair = [
        _draw_groups(np.random.default_rng([_SEED, exponent, kind]), n_channels, n_groups)
        for kind in range(2)
    ]
    return tuple(_Kernels(*drawn, 2**exponent) for drawn in pair)


def _draw_groups(rng: np.random.Generator, n_channels: int, n_groups: int) -> tuple[Values, Values]:
    weights = rng.standard_normal((n_groups, _N_COMPETING, _LENGTH))
    weights -= weights.mean(-1, keepdims=True)
    weights /= np.abs(weights).sum(-1, keepdims=True)
    n_summed = min(_MAX_CHANNELS, max(1, n_channels // 2))
    channels = rng.integers(0, n_channels, (n_groups, n_summed, 1))
    mixing = (channels == np.arange(n_channels)).sum(1)
    return weights.astype(np.float32), mixing.astype(np.float32)


def _compete(series: Values, kernels: _Kernels) -> Values:
    """Return gains and counts of all kernels: ``(n_series, 2 * n_kernels)``."""
    seen = _seen(series, kernels)
    step = max(1, _PART_VALUES // (len(series) * _N_COMPETING * series.shape[-1]))
    parts = [slice(first, first + step) for first in range(0, len(kernels.weights), step)]
    totals = [_totals(kernels.weights[part] @ seen[:, part]) for part in parts]
    # The largest of few responses can be negative.
    return np.concatenate(totals, 2).reshape(len(series), -1).clip(0) / series.shape[-1]


def _totals(responses: Values) -> Floats:
    """Return gains and counts: ``(n_series, 2, n_groups, n_competing)``."""
    largest, smallest = responses.max(2, keepdims=True), responses.min(2, keepdims=True)
    gains = np.einsum("sgkt,sgkt->sgk", responses == largest, responses)
    # np.count_nonzero takes four times as long, as it adds up large integers.
    counts = (responses == smallest).view(np.uint8).sum(-1, dtype=np.uint16)
    return np.stack([gains, counts], axis=1, dtype=np.float64)


def _seen(series: Values, kernels: _Kernels) -> Values:
    """Return what the weights meet: ``(n_series, n_groups, length, n_timepoints)``."""
    step, n_timepoints = kernels.dilation, series.shape[-1]
    mixed = kernels.mixing @ series if series.shape[1] > 1 else series
    reach = step * (_LENGTH // 2)
    padded = np.zeros((*mixed.shape[:2], n_timepoints + 2 * reach), np.float32)
    padded[..., reach : reach + n_timepoints] = mixed
    seen = sliding_window_view(padded, n_timepoints, axis=-1)[..., ::step, :]
    # Where a series is flat, all kernels tie; rounding must not choose among them.
    is_same = np.abs(padded[..., step:] - padded[..., :-step]) < _ROUNDING
    parts = (is_same[..., step * i : step * i + n_timepoints] for i in range(_LENGTH - 1))
    is_flat = reduce(np.logical_and, parts)
    seen = seen * ~is_flat[:, :, None] if is_flat.any() else np.ascontiguousarray(seen)
    return np.broadcast_to(seen, (len(series), len(kernels.weights), *seen.shape[2:]))
