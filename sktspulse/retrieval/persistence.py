"""Index files: safetensors with a JSON description; nothing in them is ever executed."""

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
from ..embedding import TSPulseTransformer
from ..network import write_atomically
from .entries import Entries
from .series_index import INDEXES, SeriesIndex
from .vectorizer import LevelScaler, SeriesVectorizer

__all__ = ["BaseSavableRetriever"]

_KEY = "sktspulse-index"
_FORMAT = 2  # format 1 differs by holding a centre for every store
_FORMATS = (1, _FORMAT)
_MAX_JSON = 2**24  # characters; there may be many column names
_ERRORS = (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
_SPEC = ("metric", "store", "index")
_NUMBERS = ("window", "stride", "n_ids", "n_series")
_PARAMETERS = ("n_neighbors", "radius", "checkpoint")
_FITTED = ("n_features_in_", "n_channels_in_", "fingerprint_")
_TYPES = {"float32": "F32", "float16": "F16", "int8": "I8"}

Description = dict[str, Any]


class BaseSavableRetriever(BaseTSPulse):
    """Retriever whose index can be saved in a file, and loaded.

    Subclasses have the methods ``_check_parameters`` and ``_fitted_transformer``.
    """

    _series_index: SeriesIndex
    _vectorizer: SeriesVectorizer

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save the index in one file, completely or not at all.

        Parameters
        ----------
        path : str or path-like
            Name of the file, ending in ``.safetensors``. It holds the vectors, their
            positions, and a hash of the network, which is needed again for queries.
        """
        check_is_fitted(self)
        path = Path(path)
        if path.suffix != ".safetensors":
            raise ValueError(f"path is {str(path)!r}, expected a name that ends in '.safetensors'.")
        text = json.dumps(_describe(self), default=_as_json)
        write_atomically(path, safetensors.numpy.save(_arrays(self), {_KEY: text}))

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, checkpoint: str | None = None, device: str = "auto"
    ) -> Self:
        """Load an index from a file.

        Parameters
        ----------
        path : str or path-like
            Name of a file that :meth:`save` wrote. Nothing in it is executed.
        checkpoint : str or path, default=None
            Where the network is; None uses the one named when the index was saved.
        device : str, default="auto"
            Where the network runs.

        Returns
        -------
        TSPulseRetriever
            A fitted retriever.

        Raises
        ------
        ValueError
            If the file is no index or damaged, or was made with another network.
        """
        with _explained(path), safetensors.safe_open(os.fspath(path), framework="numpy") as file:
            about = _read_description((file.metadata() or {}).get(_KEY))
            parameters = {name: about[name] for name in (*_SPEC, "window", "stride")}
            parameters |= about["parameters"] | {"device": device}
            if checkpoint is not None:
                parameters["checkpoint"] = checkpoint
            retriever = cls(**parameters)
            retriever._restore(file, about)
        return retriever

    def _check_parameters(self) -> None:
        raise NotImplementedError

    def _fitted_transformer(self) -> TSPulseTransformer:
        raise NotImplementedError

    def _restore(self, file: Any, about: Description) -> None:
        """Set the fitted attributes from a file, unless it does not fit the network."""
        self._check_parameters()
        self.__dict__.update({name: about["seen"][name] for name in _FITTED})
        if about["names"]:
            self.feature_names_in_ = np.array(about["names"], dtype=object)
        self._load_network()
        transformer = self._fitted_transformer()
        width = len(transformer.get_feature_names_out())
        arrays = _read_arrays(file, about, width)
        scaler = LevelScaler(*arrays["levels"]) if "levels" in arrays else None
        self._vectorizer = SeriesVectorizer(transformer, scaler)
        self._series_index = _restored_index(arrays, about)


def _describe(retriever: Any) -> Description:
    """Return everything but the arrays."""
    index, transformer = retriever._series_index, retriever.transformer_
    parameters = {name: getattr(retriever, name) for name in _PARAMETERS}
    parameters["embedding"] = transformer.embedding
    parameters["channels"] = transformer.channels
    parameters["normalize"] = retriever._vectorizer.level_scaler is None
    about = {"format": _FORMAT, "parameters": parameters}
    about |= dict(zip(_SPEC, index.spec, strict=True))
    about |= {name: getattr(index.entries, name) for name in _NUMBERS}
    about["names"] = list(getattr(retriever, "feature_names_in_", ()))
    about["seen"] = {name: getattr(retriever, name) for name in _FITTED}
    return about


def _arrays(retriever: Any) -> dict[str, NDArray[Any]]:
    entries, vectors = retriever._series_index.entries, retriever._series_index.vectors
    arrays = {"ids": entries.ids, "series": entries.series, "starts": entries.starts}
    arrays["vectors"] = vectors.codes
    if vectors.scales is not None:
        arrays |= {"centre": vectors.centre, "scales": vectors.scales}
    if retriever._vectorizer.level_scaler is not None:
        arrays["levels"] = np.stack(retriever._vectorizer.level_scaler)
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _as_json(value: Any) -> Any:
    """Turn NumPy numbers and paths into what JSON can hold."""
    return value.item() if isinstance(value, np.generic) else os.fspath(value)


@contextmanager
def _explained(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn any error that a damaged file causes into one that names the file."""
    try:
        yield
    except (*_ERRORS, safetensors.SafetensorError) as error:
        raise ValueError(f"{os.fspath(path)} cannot be loaded as an index. {error}") from error


def _read_description(text: str | None) -> Description:
    if text is None:
        raise ValueError("It was not written by TSPulseRetriever.save. Check the path.")
    about = json.loads(text) if len(text) < _MAX_JSON else None
    if not isinstance(about, dict) or about.get("format") not in _FORMATS:
        raise ValueError(f"Its format is none of {list(_FORMATS)}. Save the index again.")
    return about


def _read_arrays(file: Any, about: Description, n_features: int) -> dict[str, NDArray[Any]]:
    """Read the arrays, after types and shapes in the header have been checked."""
    expected = _expected_arrays(file.get_slice("vectors").get_shape()[0], about, n_features)
    names = set(file.keys()) - ({"centre"} - set(expected) if about["format"] == 1 else set())
    if names != set(expected):
        raise ValueError(f"It holds {sorted(names)}, expected {sorted(expected)}. It is damaged.")
    for name, (dtype, shape) in expected.items():
        header = file.get_slice(name)
        found = header.get_dtype(), tuple(header.get_shape())
        if found != (dtype, shape):
            raise ValueError(f"{name} is {found}, expected {(dtype, shape)}. It is damaged.")
    arrays = {name: file.get_tensor(name) for name in expected}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite. The file is damaged.")
    return arrays


def _expected_arrays(
    n_entries: int, about: Description, n_features: int
) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return type and shape of each array, by name."""
    parameters, n_levels = about["parameters"], 0
    per_entry = dict.fromkeys(("ids", "series", "starts"), ("I64", (n_entries,)))
    expected: dict[str, tuple[str, tuple[int, ...]]] = {**per_entry}
    if not parameters["normalize"]:
        n_levels = 2 if parameters["channels"] == "mean" else 2 * about["seen"]["n_channels_in_"]
        expected["levels"] = ("F64", (2, n_levels))
    width = n_features + n_levels
    expected["vectors"] = (_TYPES[about["store"]], (n_entries, width))
    if about["store"] == "int8":
        expected |= {"centre": ("F32", (width,)), "scales": ("F32", (n_entries,))}
    return expected


def _restored_index(arrays: Mapping[str, NDArray[Any]], about: Description) -> SeriesIndex:
    numbers = [about[name] for name in _NUMBERS]
    entries = Entries(*numbers, *(arrays[name] for name in ("ids", "series", "starts")))
    vectors = INDEXES[about["index"]](
        about["metric"], arrays["vectors"], arrays.get("centre"), arrays.get("scales")
    )
    return SeriesIndex(entries, vectors)
