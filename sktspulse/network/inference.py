"""Arrays through the network: batches, devices, and which weights they met."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .isolation import isolated
from .scaling import standardize
from .threads import count_threads, side_by_side
from .tspulse import TSPulse

__all__ = ["Progress", "Read", "fingerprint", "infer", "reconstruct", "resolve_device"]

Read = Callable[[TSPulse, Tensor, Tensor], Tensor]

# The tokens of two windows fill the vector loops of element-wise kernels. An odd one would be left
# to their scalar tails, which round otherwise, so that an answer would depend on the batch.
_ROWS_PER_THREAD = 2
_LEAST_ROWS = 8  # in a batch of its own, since smaller ones take longer for each row


class Progress(Protocol):
    """The part of a progress bar that is used here."""

    def update(self, n: int) -> object:
        """Count ``n`` more as done."""


def infer(
    network: TSPulse,
    rows: NDArray[np.floating[Any]],
    read: Read,
    *,
    batch_size: int,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Run one-channel windows through the network in batches.

    Parameters
    ----------
    network : TSPulse
        The network, in evaluation mode. It runs on its own device.
    rows : ndarray of shape (n_rows, context_length)
        Windows of one channel each, in about standardised units, since the network bounds
        their variance from below; NaN where missing.
    read : callable
        ``read(network, x, observed)`` gets ``(n_batch, 1, context_length)`` values, 0 where
        not observed, and the mask, and returns ``(n_batch, ...)``.
    batch_size : int
        Largest number of rows in a batch, rounded up to fill vector loops.
    progress : Progress, default=None
        Updated after each batch.

    Returns
    -------
    ndarray of shape (n_rows, ...), float32
        The results of ``read``. That of a row does not depend on its batch, up to
        rounding.
    """
    size = _even_size(len(rows), batch_size)
    batches = [rows[start : start + size] for start in range(0, len(rows), size)]
    answers = []
    run = side_by_side if network.mask_token.values.device.type == "cpu" else map
    for answer in run(partial(_infer_batch, network, read), batches):
        answers.append(answer)
        if progress is not None:
            progress.update(len(answer))
    return np.concatenate(answers)


def _even_size(n_rows: int, batch_size: int) -> int:
    """Divide rows among the threads, in batches of about the same size."""
    n_batches = max(-(-n_rows // batch_size), min(count_threads(), n_rows // _LEAST_ROWS))
    return max(1, -(-n_rows // max(1, n_batches)))


def _infer_batch(
    network: TSPulse, read: Read, batch: NDArray[np.floating[Any]]
) -> NDArray[np.float32]:
    device = network.mask_token.values.device
    multiple = _ROWS_PER_THREAD * torch.get_num_threads()
    padded = np.zeros((len(batch) + -len(batch) % multiple, 1, batch.shape[1]), np.float32)
    padded[: len(batch), 0] = batch
    with isolated(device), torch.inference_mode():
        x = torch.from_numpy(padded).to(device)
        answer = read(network, x.nan_to_num(), ~x.isnan())
        return np.asarray(answer[: len(batch)].float().cpu().numpy())


def reconstruct(
    network: TSPulse,
    rows: NDArray[np.floating[Any]],
    heads: Sequence[str],
    *,
    batch_size: int,
    progress: Progress | None = None,
) -> NDArray[np.float64]:
    """Standardise one-channel windows, and reconstruct or forecast them in their own units.

    Parameters
    ----------
    network : TSPulse
        The network, in evaluation mode. It runs on its own device.
    rows : ndarray of shape (n_rows, context_length)
        Windows of one channel each, in any unit; NaN where missing.
    heads : sequence of str
        ``"time"`` and ``"frequency"``, or ``"forecast"``.
    batch_size : int
        Largest number of rows in a batch.
    progress : Progress, default=None
        Updated after each batch.

    Returns
    -------
    ndarray of shape (n_rows, n_heads, length), float64
        Values in the units of the rows. A row whose known values are all equal gives
        that value. A row with fewer known values than a patch gives NaN.
    """

    def read(network: TSPulse, x: Tensor, observed: Tensor) -> Tensor:
        prediction = network(x, observed, heads)
        return torch.cat([prediction.in_units(head) for head in heads], 1)

    config = network.config
    length = config.forecast_length if "forecast" in heads else config.context_length
    z, loc, scale = standardize(rows)
    enough = np.isfinite(rows).sum(-1) >= config.patch_length
    varies = enough & (np.nan_to_num(z) != 0).any(-1)
    answers = np.zeros((len(rows), len(heads), length))
    answers[~enough] = np.nan
    if varies.any():
        settings: dict[str, Any] = {"batch_size": batch_size, "progress": progress}
        answers[varies] = infer(network, z[varies], read, **settings)
    if progress is not None:
        progress.update(int((~varies).sum()))
    return answers * scale[:, None] + loc[:, None]


def resolve_device(device: str | torch.device) -> torch.device:
    """Return a device; ``"auto"`` is CUDA where there is one, else MPS, else the CPU.

    A ValueError says which devices there are, if this is none of them.
    """
    if isinstance(device, str) and device == "auto":
        return torch.device(_devices()[-1])
    try:
        found = torch.device(device)
        torch.empty(1, device=found)
    except (AssertionError, RuntimeError, TypeError, ValueError, ImportError) as error:
        raise _no_such(device) from error
    if found.type == "meta":
        raise _no_such(device)
    return found


def _devices() -> list[str]:
    """Return the devices there are, the fastest last."""
    has_mps, has_cuda = torch.backends.mps.is_available(), torch.cuda.is_available()
    return ["cpu", *["mps"] * has_mps, *["cuda"] * has_cuda]


def _no_such(device: Any) -> ValueError:
    known = ", ".join(map(repr, _devices()))
    return ValueError(
        f"device={device!r} is not available on this machine, which has {known}. "
        "Use one of these, or device='auto'."
    )


@lru_cache(maxsize=8)
def fingerprint(network: TSPulse) -> str:
    """Return the SHA-256 of the sizes and weights of a network; the same on every device.

    The weights must not change afterwards, since the result is kept.
    """
    digest = hashlib.sha256(repr(network.config).encode())
    for name, tensor in network.state_dict().items():
        digest.update(name.encode() + tensor.cpu().numpy().tobytes())
    return digest.hexdigest()
