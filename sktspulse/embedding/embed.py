"""Embed series of any length: windows, network, average over the windows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..network import Network, Progress, TSPulseConfig, infer, standardize
from ..series import (
    Indices,
    Panel,
    Values,
    downsample,
    resample,
    stacks,
    take_windows,
    window_starts,
)

if TYPE_CHECKING:
    from torch import Tensor

    from ..network import TSPulse

__all__ = [
    "EmbeddingSpec",
    "Windowing",
    "context_windows",
    "count_windows",
    "embed_panel",
    "part_widths",
    "token_slices",
]

Windowing = Literal["resample", "sliding"]

_BLOCK_ROWS = 1024  # windows given to infer at once; bounds memory


class EmbeddingSpec(NamedTuple):
    """Which embedding to compute."""

    parts: tuple[str, ...]  # tokens to concatenate: "time", "frequency", "semantic"
    windowing: Windowing
    average_channels: bool = False


@dataclass(frozen=True)
class _Tokens:
    """Read the tokens of windows."""

    names: tuple[str, ...]

    def __call__(self, network: TSPulse, x: Tensor, observed: Tensor) -> Tensor:
        """Return the embeddings of windows: ``(n_windows, n_features)``."""
        import torch

        tokens = network.decode(network.encode(x, observed)).tokens[:, :, 0]  # (K, B, D)
        slices = token_slices(network.config)
        return torch.cat([tokens[slices[part]] for part in self.names]).movedim(0, 1).flatten(1)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what an exported network answers."""
        return tuple(f"{name}_tokens" for name in self.names)

    def join(self, answers: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Join the tokens of the parts, each ``(n_windows, n_features)``."""
        return np.concatenate(answers, axis=1)


def embed_panel(
    network: Network,
    panel: Panel,
    spec: EmbeddingSpec,
    batch_size: int,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Embed each channel of a panel: ``(n_series, n_channels, n_features)``.

    The embeddings of the windows of a channel are averaged. If ``spec.average_channels``
    is set, so are those of the channels, and the result has one channel.
    """
    n_groups = len(panel) * (1 if spec.average_channels else len(panel[0]))
    n_features = sum(part_widths(network.config)[part] for part in spec.parts)
    sums = np.zeros((n_groups, n_features), dtype=np.float32)
    counts = np.zeros((n_groups, 1), dtype=np.float32)
    read = _Tokens(spec.parts)
    for rows, groups in _blocks(_window_rows(panel, network.config.context_length, spec)):
        vectors = infer(network, rows, read, batch_size=batch_size, progress=progress)
        np.add.at(sums, groups, vectors)
        np.add.at(counts, groups, 1)
    return (sums / counts).reshape(len(panel), -1, n_features)


def count_windows(panel: Iterable[Values], context_length: int, windowing: Windowing) -> int:
    """Count the windows that the network reads, over all series and channels."""
    if windowing == "resample":
        return sum(len(series) for series in panel)
    return sum(len(series) * len(_starts(series, context_length)) for series in panel)


def context_windows(series: Values, context_length: int, windowing: Windowing) -> Iterator[Values]:
    """Yield the windows ``(n_windows, n_channels, context_length)`` of one series.

    ``"resample"`` gives one window: a longer series is averaged, a shorter one interpolated
    linearly. ``"sliding"`` gives windows
    that overlap by half, in blocks if there are many; a series shorter than a window is
    preceded by NaN. Each channel of the series has mean 0 and variance 1.
    """
    if windowing == "resample":
        yield _resampled(series, context_length)[None]
        return
    n_missing = max(0, context_length - series.shape[1])
    scaled = standardize(series).values
    padded = np.pad(scaled, ((0, 0), (n_missing, 0)), constant_values=np.nan)
    starts = _starts(series, context_length)
    step = max(1, _BLOCK_ROWS // len(series))
    for first in range(0, len(starts), step):
        yield take_windows(padded, starts[first : first + step], context_length)


def part_widths(config: TSPulseConfig) -> dict[str, int]:
    """Return the number of features of each part, 0 if the network lacks it."""
    slices = token_slices(config)
    return {part: (s.stop - s.start) * config.d_model for part, s in slices.items()}


def token_slices(config: TSPulseConfig) -> dict[str, slice]:
    """Return the places of each part among the tokens."""
    start = config.n_register_start
    return {
        "time": slice(0, config.n_patches),
        "frequency": slice(config.n_patches, start),
        "semantic": slice(start, config.n_tokens),
    }


def _starts(series: Values, context_length: int) -> Indices:
    n_timepoints = max(series.shape[1], context_length)
    return window_starts(n_timepoints, context_length, context_length // 2)


def _window_rows(
    panel: Panel, context_length: int, spec: EmbeddingSpec
) -> Iterator[tuple[Values, Indices]]:
    """Yield windows of one channel each, and the index of the embedding each belongs to."""
    for windows, series in _windows(panel, context_length, spec.windowing):
        n_channels = windows.shape[1]
        groups = np.repeat(series, n_channels)
        if not spec.average_channels:
            groups = groups * n_channels + np.tile(np.arange(n_channels), len(series))
        yield windows.reshape(-1, context_length).astype(np.float32), groups


def _windows(
    panel: Panel, context_length: int, windowing: Windowing
) -> Iterator[tuple[Values, Indices]]:
    """Yield windows, ``(n_windows, n_channels, context_length)``, and the series of each."""
    if windowing == "resample":
        first = 0
        for block in stacks(panel):
            yield _resampled(block, context_length), first + np.arange(len(block))
            first += len(block)
        return
    for i, one in enumerate(panel):
        for windows in context_windows(one, context_length, windowing):
            yield windows, np.full(len(windows), i)


def _resampled(panel: Values, context_length: int) -> Values:
    return standardize(resample(downsample(panel, context_length), context_length)).values


def _blocks(parts: Iterable[tuple[Values, Indices]]) -> Iterator[tuple[Values, Indices]]:
    """Concatenate rows, and their groups, to blocks of enough rows."""
    block: list[tuple[Values, Indices]] = []
    n_rows = 0
    for rows, groups in parts:
        if n_rows >= _BLOCK_ROWS:
            yield _concatenated(block)
            block, n_rows = [], 0
        block.append((rows, groups))
        n_rows += len(rows)
    yield _concatenated(block)


def _concatenated(parts: list[tuple[Values, Indices]]) -> tuple[Values, Indices]:
    rows, groups = zip(*parts, strict=True)
    return np.concatenate(rows), np.concatenate(groups)
