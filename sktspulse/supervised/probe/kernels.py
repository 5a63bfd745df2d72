"""Competing random kernels: how often, and how clearly, each of a group fits a series best."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv1d, hardshrink

from ...network import standardize
from ...series import Neighbors, Panel, Values, interpolate_linear, resample

__all__ = ["KernelBank"]

_SEED = 0  # of the kernels, which are the same for all data, like the weights of the network
_LENGTH = 9  # weights of a kernel
_N_COMPETING = 8  # kernels of a group
_N_GROUPS = 32  # for the series, and as many for its differences
_MAX_CHANNELS = 8  # that a kernel reads the sum of
_MAX_TIMEPOINTS = 1024  # longer series are averaged
_ROUNDING = 1e-5  # response that counts as none
_BLOCK_VALUES = 1 << 16  # responses at once: they stay in the cache of a core


class KernelBank(NamedTuple):
    """Groups of kernels at dilations 1, 2, 4, ... up to the length of the series (Hydra).

    At each time point, the kernel of a group with the largest response gains that response, and
    the one with the smallest is counted. Sums over time are the features (Dempster et al.,
    "Hydra: competing convolutional kernels for fast and accurate time series classification",
    2023, section 3), here divided by the length, so that series may differ in it.
    """

    n_channels: int
    n_dilations: int

    @classmethod
    def fit(cls, panel: Panel) -> KernelBank:
        """Choose the dilations: a kernel spans at most the longest series."""
        longest = min(max(series.shape[1] for series in panel), _MAX_TIMEPOINTS)
        n_dilations = 1 + int(np.log2(max(1.0, (longest - 1) / (_LENGTH - 1))))
        return cls(len(panel[0]), n_dilations)

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.n_dilations * 4 * _N_GROUPS * _N_COMPETING

    def __call__(self, panel: Panel) -> Values:
        """Return square roots of the features: ``(n_series, n_features)``."""
        found = np.empty((len(panel), self.n_features), np.float32)
        for places in _blocks(panel):
            series = torch.from_numpy(np.stack([_prepared(panel[i]) for i in places]))
            found[places] = np.sqrt(self._sums(series))
        return found

    def _sums(self, series: Tensor) -> Values:
        kinds = series, torch.diff(series)
        parts = [
            _compete(values, group)
            for dilation in range(self.n_dilations)
            for values, group in zip(kinds, _kernels(self.n_channels, dilation), strict=True)
        ]
        return np.asarray(torch.cat(parts, 1))


class _Kernels(NamedTuple):
    weights: Tensor  # (n_groups * n_competing, 1, length)
    channels: Tensor  # (n_groups, n_summed)
    dilation: int


@lru_cache(maxsize=64)
def _kernels(n_channels: int, exponent: int) -> tuple[_Kernels, _Kernels]:
    """Draw the kernels of one dilation, for series and for differences."""
    rng = np.random.default_rng([_SEED, exponent])
    pair = []
    for _ in range(2):
        weights = rng.standard_normal((_N_GROUPS * _N_COMPETING, 1, _LENGTH))
        weights -= weights.mean(-1, keepdims=True)
        weights /= np.abs(weights).sum(-1, keepdims=True)
        n_summed = min(_MAX_CHANNELS, max(1, n_channels // 2))
        channels = rng.integers(0, n_channels, (_N_GROUPS, n_summed))
        pair.append(
            _Kernels(
                torch.tensor(weights, dtype=torch.float32), torch.tensor(channels), 2**exponent
            )
        )
    return pair[0], pair[1]


def _compete(series: Tensor, kernels: _Kernels) -> Tensor:
    """Return gains and counts of all kernels: ``(n_series, 2 * n_kernels)``."""
    n_inputs, dilation = 1, kernels.dilation
    if series.shape[1] > 1:
        n_inputs, series = _N_GROUPS, series[:, kernels.channels].sum(2)
    padding = dilation * (_LENGTH // 2)
    found = conv1d(series, kernels.weights, None, 1, padding, dilation, n_inputs)
    # Where a series is flat, all kernels tie; rounding must not choose among them.
    responses = hardshrink(found, _ROUNDING).unflatten(1, (_N_GROUPS, _N_COMPETING))
    gains = (responses == responses.amax(2, keepdim=True)) * responses
    counts = responses == responses.amin(2, keepdim=True)
    n_timepoints = responses.shape[-1]
    totals = gains.sum(-1).clamp(min=0), counts.sum(-1, dtype=torch.float32)
    return torch.cat([one.flatten(1) / n_timepoints for one in totals], 1)


def _prepared(series: Values) -> Values:
    """Standardise, bridge gaps by straight lines, and shorten: 0 where a channel is unknown."""
    z: Values = standardize(series).values
    known = ~np.isnan(z)
    z = np.where(known.any(1, keepdims=True), z, 0)
    known |= ~known.any(1, keepdims=True)
    z = interpolate_linear(z, Neighbors.from_mask(known))
    return resample(z, min(z.shape[1], _MAX_TIMEPOINTS)).astype(np.float32)


def _blocks(panel: Panel) -> Iterator[list[int]]:
    """Yield the places of series of one length, as many as fit into memory at once."""
    lengths = np.array([series.shape[1] for series in panel])
    for length in np.unique(lengths):
        places = np.flatnonzero(lengths == length)
        n_values = _N_GROUPS * _N_COMPETING * min(int(length), _MAX_TIMEPOINTS)
        step = max(1, _BLOCK_VALUES // n_values)
        for first in range(0, len(places), step):
            yield places[first : first + step].tolist()
