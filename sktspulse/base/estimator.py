"""What all estimators share: a checkpoint, a device, a progress bar."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from numbers import Integral
from typing import Any

from sklearn.base import BaseEstimator

from ..network import Progress, TSPulse, fingerprint, load_checkpoint, resolve_device
from .parameters import check_choice

__all__ = ["BaseTSPulse"]


class BaseTSPulse(BaseEstimator):
    """Base of the estimators that use a pre-trained network as it is.

    Estimators hold no weights: they name a checkpoint, which is loaded once in a
    process, on first use. A pickle is small, moves between devices, and says by a hash
    which weights it was fitted with.

    Subclasses have the parameters ``checkpoint``, ``batch_size``, ``device`` and
    ``verbose``, and call ``_fit_network`` in ``fit`` and ``_load_network`` afterwards.
    """

    def _check_choice(self, name: str, choices: Sequence[str]) -> None:
        check_choice(name, getattr(self, name), choices)

    def _check_count(self, name: str) -> None:
        value = getattr(self, name)
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(
                f"{name} is {value!r}, expected a whole number of at least 1. Pass one."
            )

    def _fit_network(self) -> TSPulse:
        """Load the network and note which weights it has."""
        network = self._read_checkpoint()
        self.fingerprint_ = fingerprint(network)
        return network

    def _load_network(self) -> TSPulse:
        """Load the network; refuse weights other than those fitted with."""
        network = self._read_checkpoint()
        if fingerprint(network) != self.fingerprint_:
            raise ValueError(
                f"Checkpoint {self.checkpoint!r} holds other weights than when "
                f"{type(self).__name__} was fitted (sha256 {fingerprint(network)[:12]}..., "
                f"not {self.fingerprint_[:12]}...). Put the old file back, or fit again."
            )
        return network

    def _read_checkpoint(self) -> TSPulse:
        return load_checkpoint(self.checkpoint, device=resolve_device(self.device))

    def _progress(
        self, total: int, unit: str = "windows"
    ) -> AbstractContextManager[Progress | None]:
        """Open a progress bar if ``verbose``; otherwise nothing."""
        if not self.verbose:
            return nullcontext()
        from tqdm.auto import tqdm

        return tqdm(total=total, desc=type(self).__name__, unit=f" {unit}", unit_scale=True)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        return tags
