"""What all estimators share: parameters, a checkpoint, a progress bar."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from copy import copy, deepcopy
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, Self

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from ..network import (
    Progress,
    TensorFile,
    TSPulse,
    explained,
    fingerprint,
    load_checkpoint,
    resolve_device,
)
from ..pages import Documented
from .saving import KIND, REMEDY, read_estimator, safetensors_path, write_estimator

__all__ = ["BaseTSPulse", "fitted_network", "load_opened"]


class BaseTSPulse(Documented, BaseEstimator):
    """Base of the estimators that use a pre-trained network.

    Estimators hold no weights: they name a checkpoint, which is loaded once per process,
    on first use. So a pickle is small and moves between devices. A hash in it says which
    weights the estimator was fitted with.

    Subclasses have the parameters ``checkpoint``, ``batch_size``, ``device`` and
    ``verbose``, and ``n_jobs`` unless they train the network. They extend
    ``_parameter_constraints``. ``fit`` calls ``_validate_params`` and ``_fit_network``;
    the other methods call ``_load_network``. ``_saved_classes`` lists the classes of this
    package that their parameters and fitted attributes consist of.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "checkpoint": [str, PathLike],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "device": "no_validation",  # ``resolve_device`` does it
        "verbose": ["verbose"],
    }
    _saved_classes: ClassVar[tuple[type, ...]] = ()

    def save(self, path: str | PathLike[str]) -> None:
        """Save the fitted estimator in one file, completely or not at all.

        Parameters
        ----------
        path : str or path-like
            Name of the file, ending in ``.safetensors``. It holds parameters and fitted
            attributes, and a hash of the network, which is needed again. If ``fit`` trained
            the network, it holds its weights instead.

        Raises
        ------
        ValueError
            If the name has another ending, a parameter was set to something invalid after
            ``fit``, or the estimator holds what a file cannot hold, such as a transformer
            of another package.
        NotFittedError
            If ``fit`` was not called.
        OSError
            If the file cannot be written. One that was there is left as it was.
        """
        check_is_fitted(self)
        self._validate_params()
        path = safetensors_path(path)
        write_estimator(copy(self), path, self._saved_classes)  # as other threads may change it

    @classmethod
    def load(
        cls, path: str | PathLike[str], *, checkpoint: str | None = None, device: str = "auto"
    ) -> Self:
        """Load a fitted estimator from a file.

        Parameters
        ----------
        path : str or path-like
            Name of a file that :meth:`save` wrote. Nothing in it is executed, and it
            starts no download.
        checkpoint : str or path, default=None
            Where the network is. None takes the one named when the estimator was saved,
            which must be on this machine.
        device : str, default="auto"
            Where the network runs.

        Returns
        -------
        estimator instance
            A fitted estimator of this class.

        Raises
        ------
        ValueError
            If the file holds no estimator of this class, is damaged, is of a newer format,
            needs another network than the one found, or names one that is not on this
            machine.
        """
        with TensorFile.opened(Path(path), KIND, REMEDY) as file:
            return cls._load(file, Path(path), checkpoint, device)

    @classmethod
    def _load(cls, file: TensorFile, path: Path, checkpoint: str | None, device: str) -> Self:
        resolve_device(device)
        estimator, parts = read_estimator(cls, file, path, cls._saved_classes, device)
        with explained(path, KIND, "Pass the path or the name of its network as checkpoint."):
            if checkpoint is not None:
                estimator.checkpoint = checkpoint
            for part in parts:
                if isinstance(part, BaseTSPulse):
                    part._find_network(download=part is estimator and checkpoint is not None)
        return estimator

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

    def _find_network(self, *, download: bool) -> None:
        """Check that an estimator from a file has its network.

        A ValueError says if the network has other weights than in ``fit``, or, unless a
        download is allowed, if it is not on this machine.
        """
        if not download and getattr(self, "network_", None) is None:
            if str(self.checkpoint).startswith(("//", r"\\")):
                raise ValueError(f"Checkpoint {self.checkpoint!r} is on another machine.")
            load_checkpoint(self.checkpoint, download=False)
        if vars(self).keys() != self.get_params(deep=False).keys():  # it is fitted
            self._load_network()

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


def fitted_network(estimator: BaseTSPulse) -> TSPulse:
    """Return the network that a fitted estimator runs."""
    return estimator._load_network()


def load_opened(
    cls: type[BaseTSPulse], file: TensorFile, path: Path, checkpoint: str | None, device: str
) -> BaseTSPulse:
    """Return an estimator of a class from an open file."""
    return cls._load(file, path, checkpoint, device)
