"""Windows through a network, be it one of torch or one that was exported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .config import TSPulseConfig
from .scaling import standardize

if TYPE_CHECKING:
    from torch import Tensor

    from .tspulse import TSPulse

__all__ = ["Heads", "Network", "Progress", "Read", "RowReader", "infer", "reconstruct"]

Read = Callable[["TSPulse", "Tensor", "Tensor"], "Tensor"]


class Network(Protocol):
    """A network in torch, or a :class:`RowReader`."""

    @property
    def config(self) -> TSPulseConfig:
        """Sizes of the network."""


@runtime_checkable
class RowReader(Protocol):
    """A network that is run by something else than torch."""

    config: TSPulseConfig

    def read_rows(
        self, rows: NDArray[np.floating[Any]], read: Any, batch_size: int
    ) -> NDArray[np.float32]:
        """Do what :func:`infer` does, for a ``read`` that names what it reads."""


class Progress(Protocol):
    """The part of a progress bar that is used here."""

    def update(self, n: int) -> object:
        """Count ``n`` more as done."""


@dataclass(frozen=True)
class Heads:
    """Read reconstructions, or forecasts, in the units of the windows."""

    names: tuple[str, ...]

    def __call__(self, network: TSPulse, x: Tensor, observed: Tensor) -> Tensor:
        """Return ``(n_batch, n_heads, length)``."""
        import torch

        prediction = network(x, observed, self.names)
        return torch.cat([prediction.in_units(name) for name in self.names], 1)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what an exported network answers."""
        return self.names

    def join(self, answers: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Join the answers ``(n_batch, length)`` of the heads."""
        return np.stack(answers, axis=1)


def infer(
    network: Network,
    rows: NDArray[np.floating[Any]],
    read: Read,
    *,
    batch_size: int,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Run one-channel windows through the network in batches.

    Parameters
    ----------
    network : Network
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
    if isinstance(network, RowReader):
        return network.read_rows(rows, read, batch_size)
    from .inference import infer_batches

    return infer_batches(cast("TSPulse", network), rows, read, batch_size, progress)


def reconstruct(
    network: Network,
    rows: NDArray[np.floating[Any]],
    heads: Sequence[str],
    *,
    batch_size: int,
    progress: Progress | None = None,
) -> NDArray[np.float64]:
    """Standardise one-channel windows, and reconstruct or forecast them in their own units.

    Parameters
    ----------
    network : Network
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
    config = network.config
    length = config.forecast_length if "forecast" in heads else config.context_length
    z, loc, scale = standardize(rows)
    enough = np.isfinite(rows).sum(-1) >= config.patch_length
    varies = enough & (np.nan_to_num(z) != 0).any(-1)
    answers = np.zeros((len(rows), len(heads), length))
    answers[~enough] = np.nan
    if varies.any():
        settings: dict[str, Any] = {"batch_size": batch_size, "progress": progress}
        answers[varies] = infer(network, z[varies], Heads(tuple(heads)), **settings)
    if progress is not None:
        progress.update(int((~varies).sum()))
    return answers * scale[:, None] + loc[:, None]
