"""What all estimators share: parameters, a checkpoint, a progress bar."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from numbers import Integral
from os import PathLike
from typing import Any, ClassVar

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from ..network import Progress, TSPulse, fingerprint, load_checkpoint, resolve_device

__all__ = ["BaseTSPulse"]


class BaseTSPulse(BaseEstimator):
    """Base of the estimators that use a pre-trained network.

    Estimators hold no weights: they name a checkpoint, which is loaded once per process,
    on first use. So a pickle is small and moves between devices. A hash in it says which
    weights the estimator was fitted with.

    Subclasses have the parameters ``checkpoint``, ``batch_size``, ``device`` and
    ``verbose``, and ``n_jobs`` unless they train the network. They extend
    ``_parameter_constraints``. ``fit`` calls ``_validate_params`` and ``_fit_network``;
    the other methods call ``_load_network``.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "checkpoint": [str, PathLike],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "device": "no_validation",  # ``resolve_device`` does it
        "verbose": ["verbose"],
    }

    def _fit_network(self) -> TSPulse:
        """Load the network and remember the hash of its weights."""
        network = self._read_checkpoint()
        self.fingerprint_ = fingerprint(network)
        return network

    def _load_network(self) -> TSPulse:
        """Return the fitted network on the chosen device.

        A network that was trained in ``fit`` is kept on the CPU and copied, never moved. A
        ValueError says if the checkpoint holds other weights than in ``fit``.
        """
        trained: TSPulse | None = getattr(self, "network_", None)
        if trained is not None:
            device = resolve_device(self.device)
            return trained if device.type == "cpu" else deepcopy(trained).to(device)
        network = self._read_checkpoint()
        if fingerprint(network) != self.fingerprint_:
            raise ValueError(
                f"Checkpoint {self.checkpoint!r} holds other weights than when "
                f"{type(self).__name__} was fitted (sha256 {fingerprint(network)[:12]}..., "
                f"not {self.fingerprint_[:12]}...). Restore the old file, or fit again."
            )
        return network

    def _read_checkpoint(self) -> TSPulse:
        return load_checkpoint(self.checkpoint, device=resolve_device(self.device))

    def _progress(
        self, total: int, unit: str = "windows"
    ) -> AbstractContextManager[Progress | None]:
        """Open a progress bar if ``verbose``."""
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
