"""Arrays through the network: batches, devices, and which weights they met."""

from __future__ import annotations

import hashlib
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .isolation import isolated
from .reading import Progress, Read
from .threads import count_threads, side_by_side
from .tspulse import TSPulse

__all__ = ["fingerprint", "infer_batches", "resolve_device"]

# The tokens of two windows fill the vector loops of element-wise kernels. An odd one would be left
# to their scalar tails, which round otherwise, so that an answer would depend on the batch.
_ROWS_PER_THREAD = 2
_LEAST_ROWS = 8  # in a batch of its own, since smaller ones take longer for each row


def infer_batches(
    network: TSPulse,
    rows: NDArray[np.floating[Any]],
    read: Read,
    batch_size: int,
    progress: Progress | None,
) -> NDArray[np.float32]:
    """Do what ``infer`` does for a network in torch."""
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
