"""From series of any length to one vector each: windows, network, average."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..network import Progress, Read, TSPulse, TSPulseConfig, infer, standardize
from ..series import Values, resample, take_windows, window_starts

__all__ = ["LENGTHS", "Length", "Vectors", "count_windows", "cut", "embed", "token_slices"]

Length = Literal["resample", "window"]
LENGTHS = ("resample", "window")

_BLOCK_ROWS = 1024  # windows prepared at once: bounds memory, whatever the size of a panel


class Vectors(NamedTuple):
    """What series become: how they are cut, what is read from the network, what is averaged."""

    read: Read  # windows -> (n_windows, n_features)
    n_features: int
    length: Length  # stretch each series to one window, or lay windows over it
    average: bool = False  # over the channels of a series


def embed(
    network: TSPulse,
    panel: Iterable[Values],
    shape: tuple[int, int],
    vectors: Vectors,
    batch_size: int,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Average the vectors of the windows of each series, and of its channels if asked to.

    Parameters
    ----------
    network : TSPulse
        The network, in evaluation mode.
    panel : iterable of ndarray of shape (n_channels, n_timepoints_i)
        The series, taken one after the other; NaN where missing.
    shape : tuple of two int
        Number of series and of channels.
    vectors : Vectors
        What to make of them.
    batch_size : int
        Windows given to the network at once.
    progress : Progress, default=None
        Told of every window that is done.

    Returns
    -------
    ndarray of shape (n_series, n_channels, n_features), float32
        The vectors; one channel only if averaged.

    Notes
    -----
    A series has the same vectors, to the bit, whatever it comes along with. Beside
    these, memory does not grow with the panel.
    """
    n_series, n_channels = shape
    n_owners = 1 if vectors.average else n_channels
    sums = np.zeros((n_series * n_owners, vectors.n_features), dtype=np.float32)
    for block in _blocks(_pieces(panel, network.config.context_length, vectors)):
        settings = (network, block.rows, vectors.read)
        answer = infer(*settings, batch_size=batch_size, progress=progress)
        np.add.at(sums, block.owners, answer * block.weights[:, None])
    return sums.reshape(n_series, n_owners, -1)


def count_windows(panel: Iterable[Values], context_length: int, length: Length) -> int:
    """Count the windows of one channel that the network will see.

    Parameters
    ----------
    panel : iterable of ndarray of shape (n_channels, n_timepoints_i)
        The series.
    context_length : int
        Length of a window [time points].
    length : {"resample", "window"}
        How series are cut.

    Returns
    -------
    int
        Their number.
    """
    return sum(len(one) * _n_windows(one, context_length, length) for one in panel)


def cut(series: Values, context_length: int, length: Length) -> Iterator[Values]:
    """Yield the windows of one series, of long ones a part at a time.

    Parameters
    ----------
    series : ndarray of shape (n_channels, n_timepoints)
        The series; NaN where missing.
    context_length : int
        Length of a window [time points].
    length : {"resample", "window"}
        How series are cut.

    Yields
    ------
    ndarray of shape (n_windows, n_channels, context_length)
        Windows; the channels of the series have mean 0 and variance 1.
    """
    yield from (_resampled if length == "resample" else _windowed)(series, context_length)


def token_slices(config: TSPulseConfig) -> dict[str, slice]:
    """Say where among the tokens each kind lies.

    Parameters
    ----------
    config : TSPulseConfig
        Sizes of a network.

    Returns
    -------
    dict of str to slice
        Of ``"time"``, ``"frequency"`` and ``"semantic"``.
    """
    start = config.n_register_start
    return {
        "time": slice(0, config.n_patches),
        "frequency": slice(config.n_patches, start),
        "semantic": slice(start, config.n_tokens),
    }


class _Windows(NamedTuple):
    """Windows of one channel, and what becomes of the vector of each."""

    rows: NDArray[np.float32]  # (n, context_length)
    owners: NDArray[np.int64]  # (n,) vector that it adds to
    weights: NDArray[np.float32]  # (n,) share it has in that


def _n_windows(series: Values, context_length: int, length: Length) -> int:
    if length == "resample":
        return 1
    n_timepoints = max(series.shape[1], context_length)
    return len(window_starts(n_timepoints, context_length, context_length // 2))


def _pieces(panel: Iterable[Values], context_length: int, vectors: Vectors) -> Iterator[_Windows]:
    """Yield the windows of one series after the other, of long ones a part at a time."""
    for i, series in enumerate(panel):
        owners = np.arange(len(series)) + i * len(series)
        weight = 1 / _n_windows(series, context_length, vectors.length)
        if vectors.average:
            owners, weight = np.full(len(series), i), weight / len(series)
        for windows in cut(series, context_length, vectors.length):  # (n, C, context_length)
            rows = windows.reshape(-1, context_length).astype(np.float32)
            weights = np.full(len(rows), weight, dtype=np.float32)
            yield _Windows(rows, np.tile(owners, len(windows)), weights)


def _resampled(series: Values, length: int) -> Iterator[Values]:
    yield standardize(resample(series, length)).values[None]


def _windowed(series: Values, length: int) -> Iterator[Values]:
    n_missing = max(0, length - series.shape[1])
    scaled = np.pad(standardize(series).values, ((0, 0), (n_missing, 0)), constant_values=np.nan)
    starts = window_starts(scaled.shape[1], length, length // 2)
    step = max(1, _BLOCK_ROWS // len(series))
    for first in range(0, len(starts), step):
        yield take_windows(scaled, starts[first : first + step], length)


def _blocks(pieces: Iterable[_Windows]) -> Iterator[_Windows]:
    """Join pieces to blocks large enough for the network to be kept busy."""
    held: list[_Windows] = []
    n_rows = 0
    for piece in pieces:
        held.append(piece)
        n_rows += len(piece.rows)
        if n_rows >= _BLOCK_ROWS:
            yield _joined(held)
            held, n_rows = [], 0
    if held:
        yield _joined(held)


def _joined(pieces: list[_Windows]) -> _Windows:
    return _Windows(*(np.concatenate(parts) for parts in zip(*pieces, strict=True)))
