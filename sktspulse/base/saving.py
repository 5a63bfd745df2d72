"""Files of fitted estimators: safetensors with a JSON description; nothing in them is executed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from ..network import TensorFile, check_hash, dump_tensors, explained, write_atomically
from ..series import warn_user
from .decoding import Decoder
from .encoding import Encoder, split_state

__all__ = [
    "KIND",
    "REMEDY",
    "find_class_name",
    "read_estimator",
    "safetensors_path",
    "write_estimator",
]

KIND = "an estimator"
_KEY = "sktspulse-estimator"
_FORMAT = 1
REMEDY = "Copy it again from where it came from, or fit and save again."
_UPDATE = "Install the newest version of sktspulse, or fit and save again with this one."

_DESCRIPTION = {
    "format": int,
    "version": str,
    "estimator": str,
    "parameters": dict,
    "attributes": dict,
    "sha256": str,
}

Estimator = TypeVar("Estimator", bound=BaseEstimator)
Description = dict[str, Any]


def write_estimator(estimator: BaseEstimator, path: Path, classes: Iterable[type]) -> None:
    """Write a fitted estimator to a file, or raise a ValueError if a file cannot hold it."""
    encoder, (parameters, attributes) = Encoder(classes), split_state(estimator)
    about = {
        "format": _FORMAT,
        "version": _version(),
        "estimator": type(estimator).__name__,
        "parameters": encoder.encode_all(parameters),
        "attributes": encoder.encode_all(attributes),
    }
    write_atomically(path, dump_tensors(encoder.tensors, _KEY, about, indent=None)[0])


def read_estimator(
    cls: type[Estimator], file: TensorFile, path: Path, classes: Iterable[type], device: Any
) -> tuple[Estimator, list[BaseEstimator]]:
    """Return the estimator in a file, and those that are parts of it."""
    with explained(path, KIND, REMEDY):
        about, tensors = _read(file)
    with explained(path, KIND, _UPDATE):
        _check_format(about)
    with explained(path, KIND, "Call sktspulse.load, which takes any class."):
        if about["estimator"] != cls.__name__:
            raise ValueError(f"It holds {about['estimator']!r} instead of {cls.__name__!r}.")
    with explained(path, KIND, _remedy(about["version"])):
        decoder = Decoder(classes, tensors, device)
        estimator = decoder.estimator(cls, about["parameters"], about["attributes"])
        decoder.check_end()
        estimator._validate_params()
        check_is_fitted(estimator)
    _warn_of_version(about["version"], path)
    return estimator, decoder.estimators


def find_class_name(file: TensorFile) -> str | None:
    """Return the name of the class in a file; None if ``write_estimator`` did not write it."""
    about = file.describe(_KEY)
    return None if about is None else str(about["estimator"])


def safetensors_path(path: str | os.PathLike[str]) -> Path:
    """Return a path, which must have the right ending."""
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"path is {str(path)!r}, expected a name that ends in '.safetensors'.")
    return path


def _read(file: TensorFile) -> tuple[Description, dict[str, Tensor]]:
    """Return what a file holds; of a newer format, the description alone."""
    about = file.describe(_KEY)
    if about is None:
        raise ValueError("It was not written by the method save of an estimator.")
    if about["format"] != _FORMAT:
        return about, {}
    found = {name: type(value) for name, value in about.items()}
    if found != _DESCRIPTION:
        wrong = ", ".join(sorted(dict(found.items() ^ _DESCRIPTION.items())))
        raise ValueError(f"Its description lacks something or holds too much: {wrong[:99]}.")
    tensors = file.load()
    check_hash(tensors, about)
    return about, tensors


def _check_format(about: Description) -> None:
    if about["format"] != _FORMAT:
        raise ValueError(
            f"Its format is {about['format']!r}, written by sktspulse {about.get('version')}, but "
            f"this is sktspulse {_version()}, which reads format {_FORMAT}."
        )


def _remedy(version: str) -> str:
    """Say what to do if the content of a file is not as expected."""
    if version == _version():
        return REMEDY
    return f"Load it with sktspulse {version[:20]}, or fit and save again with {_version()}."


def _warn_of_version(version: str, path: Path) -> None:
    """Warn if another release has written a file, as its answers may be others."""
    if version.split(".")[:2] != _version().split(".")[:2]:
        warn_user(
            f"{path} was saved by sktspulse {version}, but this is sktspulse {_version()}. Its "
            "answers may differ. Compare them with earlier ones, or fit and save again."
        )


def _version() -> str:
    return str(sys.modules[__name__.partition(".")[0]].__version__)
