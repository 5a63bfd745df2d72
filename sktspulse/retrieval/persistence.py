"""Index files: safetensors with a description inside; nothing in them is ever executed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..base import BaseTSPulse
from ..network import write_atomically
from .series_index import Catalogue
from .vectorizer import Levels

__all__ = ["BaseSavedIndex", "explained", "read_index", "write_index"]

_METADATA_KEY = "sktspulse-index"
_FORMAT = 1
_MAX_JSON = 2**24  # characters; column names may be many
_TYPES = ("F64", "F32", "F16", "I8", "I64")
_FAULTS = (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)

Arrays = dict[str, NDArray[Any]]


def write_index(
    path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]
) -> None:
    """Write arrays and what they are, whole or not at all.

    Parameters
    ----------
    path : str or path-like
        Name of the file, ending in ``.safetensors``.
    arrays : mapping of str to ndarray
        Float64, float32, float16, int8 or int64.
    about : mapping
        Anything JSON can hold.

    Raises
    ------
    ValueError
        If the name has another ending.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"path is {str(path)!r}, expected a name that ends in '.safetensors'.")
    text = json.dumps({"format": _FORMAT, **about}, default=_plain)
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    write_atomically(path, safetensors.numpy.save(contiguous, {_METADATA_KEY: text}))


def read_index(path: str | os.PathLike[str]) -> tuple[Arrays, dict[str, Any]]:
    """Read what :func:`write_index` wrote.

    Parameters
    ----------
    path : str or path-like
        Name of the file.

    Returns
    -------
    arrays : dict of str to ndarray
        The arrays. Nothing is known of them yet but their types.
    about : dict
        What they are.

    Raises
    ------
    ValueError
        If it is no such file, or is damaged.
    """
    with explained(path), safetensors.safe_open(os.fspath(path), framework="numpy") as file:
        about = _described((file.metadata() or {}).get(_METADATA_KEY))
        kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
        if not set(kinds.values()) <= set(_TYPES):
            raise ValueError(f"It holds numbers of the types {sorted(set(kinds.values()))}.")
        return {name: file.get_tensor(name) for name in kinds}, about


@contextmanager
def explained(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn whatever a damaged file makes go wrong into one error.

    Parameters
    ----------
    path : str or path-like
        Name of the file.

    Yields
    ------
    None
        While the file is read.
    """
    try:
        yield
    except (*_FAULTS, safetensors.SafetensorError) as error:
        raise ValueError(f"{os.fspath(path)} cannot be loaded as an index. {error}") from error


def _plain(value: Any) -> Any:
    """Turn numbers of numpy, and paths, into what JSON knows."""
    return value.item() if isinstance(value, np.generic) else os.fspath(value)


def _described(text: str | None) -> dict[str, Any]:
    if text is None:
        raise ValueError("It was not written by TSPulseRetriever.save. Check the path.")
    about = json.loads(text) if len(text) < _MAX_JSON else None
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        raise ValueError(f"Its description is not of format {_FORMAT}. Write it again.")
    return about


_OF_CATALOGUE = ("metric", "store", "index", "window", "stride")
_OTHERS = ("n_neighbors", "radius", "checkpoint")
_SEEN = ("n_features_in_", "n_channels_in_", "fingerprint_")


class BaseSavedIndex(BaseTSPulse):
    """Estimator whose index can be written into a file, and read.

    The class has the methods ``_check_parameters``, ``_prepare`` and ``_keep``.
    """

    transformer_: Any
    _catalogue: Catalogue
    _levels: Levels | None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index into one file, whole or not at all.

        Parameters
        ----------
        path : str or path-like
            Name of the file, ending in ``.safetensors``. It holds the vectors, where
            they come from, and a hash of the network, which is needed to ask.
        """
        check_is_fitted(self)
        parameters = {name: getattr(self, name) for name in _OTHERS}
        parameters["embedding"] = self.transformer_.embedding
        parameters["channels"] = self.transformer_.channels
        parameters["normalize"] = self._levels is None
        about = {"parameters": parameters, "names": list(getattr(self, "feature_names_in_", ()))}
        about["seen"] = {name: getattr(self, name) for name in _SEEN}
        arrays = self._catalogue.arrays()
        if self._levels is not None:
            arrays["levels"] = np.stack(self._levels)
        write_index(path, arrays, self._catalogue.about() | about)

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, checkpoint: str | None = None, device: str = "auto"
    ) -> Self:
        """Read an index from a file.

        Parameters
        ----------
        path : str or path-like
            Name of a file that :meth:`save` wrote. Nothing in it is executed.
        checkpoint : str or path, default=None
            Where the network is; None looks where it was when the index was saved.
        device : str, default="auto"
            Where network and search run.

        Returns
        -------
        TSPulseRetriever
            Ready to be asked, or added to.

        Raises
        ------
        ValueError
            If it is no such file, is damaged, or was made with another network.
        """
        arrays, about = read_index(path)
        with explained(path):
            catalogue = Catalogue.restored(arrays, about)
            parameters = {name: about[name] for name in _OF_CATALOGUE} | about["parameters"]
            if checkpoint is not None:
                parameters["checkpoint"] = checkpoint
            return cls(**parameters, device=device)._restored(
                catalogue, arrays.get("levels"), about
            )

    def _restored(
        self, catalogue: Catalogue, levels: NDArray[Any] | None, about: dict[str, Any]
    ) -> Self:
        """Become what was saved, unless it fits neither the network nor itself."""
        self._check_parameters()
        self.__dict__.update({name: about["seen"][name] for name in _SEEN})
        if about["names"]:
            self.feature_names_in_ = np.array(about["names"], dtype=object)
        self._load_network()
        self._prepare()
        width = len(self.transformer_.get_feature_names_out())
        if not self.normalize:
            self._levels = Levels.restored(levels)
            width += len(self._levels.loc)
        if width != catalogue.index.codes.shape[1]:
            raise ValueError(f"Its vectors do not have {width} numbers. It is damaged.")
        self._keep(catalogue)
        return self
