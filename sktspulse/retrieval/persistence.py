"""Index files: safetensors with a JSON description; nothing in them is ever executed.

A file may come from a stranger. Its header is compared with its size before anything is
allocated, only known parameters are taken from it, and it never starts a download.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..base import BaseTSPulse, safetensors_path
from ..embedding import TSPulseTransformer
from ..network import (
    Place,
    TensorFile,
    check_hash,
    explained,
    replaced,
    resolve_device,
    stream_tensors,
)
from .entries import Entries
from .faiss_index import FaissIndex
from .inverted_lists import ListArrays, load_faiss
from .series_index import SeriesIndex
from .vector_index import VectorIndex
from .vectorizer import LevelScaler, SeriesVectorizer

__all__ = ["BaseSavableRetriever", "is_index"]

_KEY = "sktspulse-index"
_FORMAT = 4
_FORMATS = (1, 2, 3, _FORMAT)  # 3 has no lists, 2 no hash, 1 also a centre for every store
_UNHASHED = 2  # and those before
_LISTS = "list_content"
_LARGEST = 2**53  # integer
_REMEDY = "Copy it again from where it came from, or fit and save a new index."
_NO_NETWORK = "Pass the path or the name of its network as checkpoint."
_SPEC = ("metric", "store", "index")
_NUMBERS = ("window", "stride", "n_ids", "n_series")
_TYPES = {"float32": "F32", "float16": "F16", "int8": "I8"}

# What the description holds, and of which types.
_PARAMETERS = {
    "n_neighbors": (int,),
    "radius": (str, float, int),  # text since format 3, as JSON has no infinity
    "checkpoint": (str,),
    "embedding": (str,),
    "channels": (str,),
    "normalize": (bool,),
}
_FITTED = {"n_features_in_": (int,), "n_channels_in_": (int,), "fingerprint_": (str,)}
_DESCRIPTION = {
    "format": (int,),
    "parameters": (dict,),
    "seen": (dict,),
    "names": (list,),
    **dict.fromkeys(_SPEC, (str,)),
    "window": (int, type(None)),
    "stride": (int, type(None)),
    "n_ids": (int,),
    "n_series": (int,),
}

Description = dict[str, Any]
Arrays = dict[str, NDArray[Any]]
Kind = tuple[str, tuple[int, ...]]  # type and shape


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

        Raises
        ------
        ValueError
            If the name has another ending.
        OSError
            If the file cannot be written. One that was there is left as it was.
        """
        check_is_fitted(self)
        path = safetensors_path(path)
        snapshot = copy(self)  # as other threads may add entries
        tensors = {name: torch.from_numpy(array) for name, array in _arrays(snapshot).items()}
        with replaced(path) as file:
            stream_tensors(file, tensors, _KEY, _describe(snapshot))

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        checkpoint: str | None = None,
        device: str = "auto",
        mmap_mode: Literal["r"] | None = None,
    ) -> Self:
        """Load an index from a file.

        Parameters
        ----------
        path : str or path-like
            Name of a file that :meth:`save` wrote. Nothing in it is executed, and it
            starts no download.
        checkpoint : str or path, default=None
            Where the network is. None takes the one named when the index was saved, which
            must be on this machine.
        device : str, default="auto"
            Where the network runs.
        mmap_mode : {"r"}, default=None
            ``"r"`` leaves the vectors in the file and reads those that a search needs, so
            that an index may be larger than memory. Its hash is not checked then. The file
            may be replaced afterwards, but not cut. None reads all at once.

        Returns
        -------
        TSPulseRetriever
            A fitted retriever.

        Raises
        ------
        ValueError
            If the file is no index, is damaged, was made with another network, or names
            one that is not on this machine.
        """
        if mmap_mode not in ("r", None):
            raise ValueError(f"mmap_mode is {mmap_mode!r}, expected 'r' or None.")
        with TensorFile.opened(Path(path), "an index", _REMEDY) as file:
            return cls._load(file, Path(path), checkpoint, device, mmap_mode)

    @classmethod
    def _load(
        cls,
        file: TensorFile,
        path: Path,
        checkpoint: str | None,
        device: str,
        mmap_mode: Literal["r"] | None = None,
    ) -> Self:
        resolve_device(device)
        with explained(path, "an index", _REMEDY):
            about, arrays, place = _read(file, mmap_mode)
            retriever = cls(**_read_parameters(about), device=device)
            retriever._check_parameters()
        if retriever.index == "faiss":
            load_faiss()
        with explained(path, "an index", _NO_NETWORK):
            if checkpoint is not None:
                retriever.checkpoint = checkpoint
            retriever.fingerprint_ = about["seen"]["fingerprint_"]
            retriever._find_network(download=checkpoint is not None)
        with explained(path, "an index", _REMEDY):
            retriever._restore(about, arrays, place)
        return retriever

    def _check_parameters(self) -> None:
        raise NotImplementedError

    def _fitted_transformer(self) -> TSPulseTransformer:
        raise NotImplementedError

    def _restore(self, about: Description, arrays: Arrays, place: Place | None) -> None:
        """Set the fitted attributes from a file, unless it does not fit the network."""
        self.__dict__.update({name: about["seen"][name] for name in _FITTED})
        if about["names"]:
            self.feature_names_in_ = np.array(about["names"], dtype=object)
        scaler = LevelScaler(*arrays["levels"]) if "levels" in arrays else None
        self._vectorizer = SeriesVectorizer(self._fitted_transformer(), scaler)
        found, expected = arrays["vectors"].shape[1], self._vectorizer.n_features
        if found != expected:
            raise ValueError(f"Its vectors have {found} numbers each, expected {expected}.")
        self._series_index = _restored_index(arrays, about, place)


def is_index(file: TensorFile) -> bool:
    """Return whether a file was written by :meth:`BaseSavableRetriever.save`."""
    return file.describe(_KEY) is not None


def _describe(retriever: Any) -> Description:
    """Return everything but the arrays."""
    index, transformer = retriever._series_index, retriever.transformer_
    parameters = {
        "n_neighbors": retriever.n_neighbors,
        "radius": str(float(retriever.radius)),
        "checkpoint": os.fspath(retriever.checkpoint),
        "embedding": transformer.embedding,
        "channels": transformer.channels,
        "normalize": retriever._vectorizer.level_scaler is None,
    }
    about = {"format": _FORMAT, "parameters": parameters}
    about |= dict(zip(_SPEC, index.spec, strict=True))
    about |= {name: getattr(index.entries, name) for name in _NUMBERS}
    about["names"] = list(getattr(retriever, "feature_names_in_", ()))
    about["seen"] = {name: getattr(retriever, name) for name in _FITTED}
    return about


def _arrays(retriever: Any) -> Arrays:
    entries, vectors = retriever._series_index.entries, retriever._series_index.vectors
    arrays = {"ids": entries.ids, "series": entries.series, "starts": entries.starts}
    arrays["vectors"] = vectors.codes
    if vectors.scales is not None:
        arrays |= {"centre": vectors.centre, "scales": vectors.scales}
    if isinstance(vectors, FaissIndex) and vectors.lists is not None:
        arrays |= ListArrays.from_lists(vectors.lists)._asdict()
    if retriever._vectorizer.level_scaler is not None:
        arrays["levels"] = np.stack(retriever._vectorizer.level_scaler)
    return {name: np.require(array, requirements=["C", "W"]) for name, array in arrays.items()}


def _read(
    file: TensorFile, mmap_mode: Literal["r"] | None
) -> tuple[Description, Arrays, Place | None]:
    """Return what a file holds, after type and size of all of it have been checked.

    If it is mapped, the place of the lists comes along.
    """
    about = file.describe(_KEY)
    if about is None:
        raise ValueError("It was not written by TSPulseRetriever.save.")
    _check_description(about)
    _check_kinds(file.kinds, about)
    if mmap_mode is not None:
        return about, file.map(), file.place(_LISTS if _LISTS in file.kinds else "vectors")
    tensors = file.load()
    check_hash(tensors, about)
    arrays: Arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} is not finite.")
    return about, arrays, None


def _check_description(about: Description) -> None:
    if about.get("format") not in _FORMATS:
        raise ValueError(f"Its format is none of {list(_FORMATS)}.")
    hashed = {"sha256": (str,)} if about["format"] > _UNHASHED else {}
    _check_types(about, _DESCRIPTION | hashed)
    _check_types(about["parameters"], _PARAMETERS)
    _check_types(about["seen"], _FITTED)
    names, n_features = about["names"], about["seen"]["n_features_in_"]
    if not all(isinstance(name, str) for name in names) or len(names) not in (0, n_features):
        raise ValueError(f"names holds {len(names)} values, expected {n_features} texts or none.")
    if (about["window"] is None) != (about["stride"] is None):
        raise ValueError("It holds a window without a stride, or a stride without a window.")


def _check_types(values: Description, types: Mapping[str, tuple[type, ...]]) -> None:
    if values.keys() != types.keys():
        wrong = ", ".join(sorted(values.keys() ^ types.keys())[:3])
        raise ValueError(f"Its description lacks something or holds too much: {wrong}.")
    for name, value in values.items():
        is_huge = type(value) is int and not 0 <= value < _LARGEST
        if type(value) not in types[name] or is_huge:
            kinds = " or ".join(kind.__name__ for kind in types[name])
            raise ValueError(f"{name} is {str(value)[:40]}, expected {kinds}.")


def _check_kinds(kinds: Mapping[str, Kind], about: Description) -> None:
    """Compare type and shape of each array with what belongs to the description."""
    n_entries, width = kinds["vectors"][1]
    expected: dict[str, Kind] = dict.fromkeys(("ids", "series", "starts"), ("I64", (n_entries,)))
    expected["vectors"] = (_TYPES[about["store"]], (n_entries, width))
    if about["store"] == "int8":
        expected |= {"centre": ("F32", (width,)), "scales": ("F32", (n_entries,))}
    elif about["format"] == 1 and "centre" in kinds:
        expected["centre"] = kinds["centre"]
    if not about["parameters"]["normalize"]:
        is_mean = about["parameters"]["channels"] == "mean"
        n_levels = 2 if is_mean else 2 * about["seen"]["n_channels_in_"]
        expected["levels"] = ("F64", (2, n_levels))
    if about["index"] == "faiss" and _LISTS in kinds and about["format"] == _FORMAT:
        n_lists = kinds["list_sizes"][1][0]
        expected |= {"list_sizes": ("I64", (n_lists,)), _LISTS: ("U8", kinds[_LISTS][1][:1])}
        expected |= {
            "list_centres": ("F32", (n_lists, width)),
            "list_ranges": ("F32", (2 * width,)),
        }
    for name in sorted(kinds.keys() | expected.keys()):
        if kinds.get(name) != expected.get(name):
            raise ValueError(f"{name} is {kinds.get(name)}, expected {expected.get(name)}.")


def _read_parameters(about: Description) -> Description:
    parameters = {name: about[name] for name in (*_SPEC, "window", "stride")}
    radius = float(about["parameters"]["radius"])
    return parameters | about["parameters"] | {"radius": radius}


def _restored_index(arrays: Arrays, about: Description, place: Place | None) -> SeriesIndex:
    numbers = [about[name] for name in _NUMBERS]
    entries = Entries(*numbers, *(arrays[name] for name in ("ids", "series", "starts")))
    centre = arrays["centre"] if about["store"] == "int8" else None
    stored = about["metric"], arrays["vectors"], centre, arrays.get("scales")
    if about["index"] == "exact":
        return SeriesIndex(entries, VectorIndex(*stored))
    return SeriesIndex(entries, FaissIndex(*stored, _restored_lists(arrays, place)))


def _restored_lists(arrays: Arrays, place: Place | None) -> Any:
    """Return the lists in a file; None if it has none, so that they are trained again."""
    if _LISTS not in arrays:
        return None
    lists = ListArrays(*(arrays[name] for name in ListArrays._fields))
    lists.check(*arrays["vectors"].shape)
    return lists.in_memory() if place is None else lists.on_disk(place)
