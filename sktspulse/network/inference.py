"""What all estimators share: a checkpoint, a device, and inference in small pieces."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .tspulse import TSPulse

__all__ = ["Progress", "Read", "chunk_size", "fingerprint", "infer", "resolve_device"]

Values = NDArray[np.floating[Any]]
Read = Callable[[TSPulse, Tensor, Tensor], Tensor]

_SIZE_STEP = 12  # rows; times widths of 24 or 48 it fills the registers of most processors


class Progress(Protocol):
    """The part of a progress bar that is used here."""

    def update(self, n: int) -> object:
        """Count ``n`` more as done."""


def infer(
    network: TSPulse,
    rows: Values | Iterable[Values],
    read: Read,
    *,
    batch_size: int,
    progress: Progress | None = None,
) -> Iterator[NDArray[np.float32]]:
    """Run one-channel windows through the network, a chunk at a time.

    Parameters
    ----------
    network : TSPulse
        The network, in evaluation mode; it runs on the device it lies on.
    rows : ndarray of shape (n_rows, context_length), or iterable of these
        Windows, one channel each; NaN where missing. Their variance should be well
        above the network's floor, which is in the units of the rows.
    read : callable
        ``read(network, x, observed)`` gets ``(n_chunk, 1, context_length)`` values, 0
        where not observed, and the mask, and returns ``(n_chunk, ...)``.
    batch_size : int
        Rows in a chunk, at least; see Notes.
    progress : Progress, default=None
        Told of every row that is done.

    Yields
    ------
    ndarray of shape (n_rows, ...), float32
        What ``read`` makes of each block of rows; one block if ``rows`` is an array.

    Notes
    -----
    A row has the same answer, to the bit, whatever stands beside it and wherever it
    stands. Matrix products add up in an order that depends on their shape, so every
    chunk has the same number of rows, filled up with zeros that are cut off again. The
    order also depends on how rows fall on the columns that a processor works on at
    once, so that number is one at which, on this machine, all rows fare alike:
    ``batch_size`` if it is, else somewhat more. Blocks of many chunks waste little.
    """
    size = chunk_size(network, batch_size)
    for block in [rows] if isinstance(rows, np.ndarray) else rows:
        parts = []
        for chunk in (block[start : start + size] for start in range(0, len(block), size)):
            parts.append(_run(network, chunk, read, size))
            if progress is not None:
                progress.update(len(chunk))
        yield np.concatenate(parts)


def _run(network: TSPulse, rows: Values, read: Read, size: int) -> NDArray[np.float32]:
    device = network.mask_token.values.device
    padded = np.zeros((size, 1, rows.shape[-1]), dtype=np.float32)
    padded[: len(rows), 0] = rows
    x = torch.from_numpy(padded)
    observed = ~x.isnan()
    with torch.inference_mode():
        answer = read(network, x.nan_to_num().to(device), observed.to(device))
    return answer[: len(rows)].float().cpu().numpy()


def chunk_size(network: TSPulse, batch_size: int) -> int:
    """Find a number of rows at which the place of a row in a chunk makes no difference.

    Parameters
    ----------
    network : TSPulse
        The network.
    batch_size : int
        The number wanted.

    Returns
    -------
    int
        That number, or a multiple of 12 above it that will do; 1, which always does, if
        there is none nearby.

    Notes
    -----
    Found by trying, once in a process: equal rows must have equal answers.
    """
    return _chunk_size(network, batch_size, torch.get_num_threads())


@lru_cache(maxsize=64)
def _chunk_size(network: TSPulse, batch_size: int, _n_threads: int) -> int:
    row = np.random.default_rng(0).normal(size=network.config.context_length)
    first = batch_size + -batch_size % _SIZE_STEP
    for size in (batch_size, *range(first, first + 8 * _SIZE_STEP, _SIZE_STEP)):
        answers = _run(network, np.tile(row, (size, 1)), _read_all, size)
        if (answers == answers[0]).all():
            return size
    return 1


def _read_all(network: TSPulse, x: Tensor, observed: Tensor) -> Tensor:
    prediction = network(x, observed)
    tokens = prediction.encoding.tokens.movedim(1, 0)
    return torch.cat([part.flatten(1) for part in (tokens, *prediction.heads.values())], 1)


def resolve_device(device: str | torch.device) -> torch.device:
    """Turn ``"auto"`` into the fastest device there is.

    Parameters
    ----------
    device : str or torch.device
        A device, or ``"auto"`` for CUDA, else MPS, else the CPU.

    Returns
    -------
    torch.device
        The device.
    """
    if device != "auto":
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


@lru_cache(maxsize=8)
def fingerprint(network: TSPulse) -> str:
    """Hash sizes and weights of a network.

    Parameters
    ----------
    network : TSPulse
        The network. Its weights must not change afterwards.

    Returns
    -------
    str
        SHA-256, in hexadecimal. The same on every device.
    """
    digest = hashlib.sha256(repr(network.config).encode())
    for name, tensor in network.state_dict().items():
        digest.update(name.encode() + tensor.cpu().numpy().tobytes())
    return digest.hexdigest()
