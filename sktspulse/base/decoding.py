"""Values of a fitted estimator from JSON and named tensors, of which nothing is executed.

Objects are of classes that the caller permits, and their fields must be known. A tensor is used
once, so memory is bounded by the size of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from torch import Tensor

from ..network import TSPulse, TSPulseConfig, build_network
from .encoding import Node, is_array_type, is_scalar_type

__all__ = ["Decoder"]

_LARGEST = {"b": 1, "U": 0x10FFFF}  # code that stands for a value, by the kind of the type


class Decoder:
    """Turn JSON and tensors into values; a ValueError, or another error, says what is wrong.

    ``estimators`` collects those that were made, with the given ``device``.
    """

    def __init__(
        self, classes: Iterable[type], tensors: Mapping[str, Tensor], device: Any = "auto"
    ) -> None:
        self.estimators: list[BaseEstimator] = []
        self._classes = {one.__name__: one for one in classes}
        self._tensors = dict(tensors)
        self._device = device

    def decode(self, node: Node) -> Any:
        """Return the value that JSON stands for."""
        if not isinstance(node, dict):
            return self._list(node) if isinstance(node, list) else node
        kind, content = next(iter(node.items()), ("", None))
        if kind not in _RULES or len(node) != 1:
            raise ValueError(f"It holds a {kind!r}, which is not known.")
        return _RULES[kind](self, content)

    def check_end(self) -> None:
        """Raise a ValueError if there are tensors that no value uses."""
        if self._tensors:
            raise ValueError(f"It holds tensors that nothing uses: {sorted(self._tensors)[:3]}.")

    def estimator(self, cls: type[BaseEstimator], parameters: Node, attributes: Node) -> Any:
        """Return a fitted estimator."""
        settings, fitted = self._decode_all(parameters), self._decode_all(attributes)
        names = cls().get_params(deep=False)
        if "device" in names:
            settings["device"] = self._device
        _check_names(cls, settings, names, ())
        odd = [name for name in fitted if name.startswith("__") or hasattr(cls, name)]
        if odd:
            raise ValueError(f"{cls.__name__} has no such attributes: {odd[:3]}.")
        estimator = cls(**settings)
        vars(estimator).update(fitted)
        self.estimators.append(estimator)
        return estimator

    def _decode_all(self, nodes: Mapping[str, Node]) -> dict[str, Any]:
        return {name: self.decode(node) for name, node in nodes.items()}

    def _object(self, content: Node) -> Any:
        name, *parts = content
        if name not in self._classes:
            raise ValueError(f"It holds a {name!r}, which does not belong there.")
        cls = self._classes[name]
        if issubclass(cls, BaseEstimator):
            return self.estimator(cls, *parts)
        (values,) = parts
        _check_names(cls, values, *_field_names(cls))
        return cls(**self._decode_all(values))

    def _float(self, content: Node) -> float:
        return float(content)

    def _list(self, content: Node) -> list[Any]:
        return [self.decode(node) for node in content]

    def _tuple(self, content: Node) -> tuple[Any, ...]:
        return tuple(self._list(content))

    def _slice(self, content: Node) -> slice:
        start, stop, step = self._list(content)
        return slice(start, stop, step)

    def _dict(self, content: Node) -> dict[Any, Any]:
        return {self.decode(key): self.decode(value) for key, value in content}

    def _path(self, content: Node) -> Path:
        return Path(content)

    def _scalar(self, content: Node) -> Any:
        text, value = content
        if text == "U":
            return np.str_(value)
        if not is_scalar_type(text):
            raise ValueError(f"It holds a number of the type {text!r}, which is not known.")
        dtype = np.dtype(text)
        if dtype.kind in "mM":
            return np.int64(value).view(dtype)
        return dtype.type(self.decode(value))

    def _array(self, content: Node) -> NDArray[Any]:
        settings = content if isinstance(content, dict) else {"tensor": content}
        array: NDArray[Any] = self._take(settings["tensor"]).numpy()
        if "dtype" in settings:
            array = _typed(array, settings["dtype"])
        return array.T if settings.get("order") == "F" else array

    def _objects(self, content: Node) -> NDArray[Any]:
        shape, items = content
        if np.prod(shape, dtype=object) != len(items):
            raise ValueError(f"It holds {len(items)} objects for an array of the shape {shape}.")
        array = np.empty(len(items), dtype=object)
        for place, item in enumerate(items):
            array[place] = self.decode(item)
        return array.reshape(shape)

    def _network(self, content: Node) -> TSPulse:
        config, names = content
        weights = {name: self._take(place) for name, place in names.items()}
        return build_network(TSPulseConfig.from_dict(config), weights)

    def _take(self, name: str) -> Tensor:
        return self._tensors.pop(name)


_RULES: dict[str, Callable[[Decoder, Node], Any]] = {
    "array": Decoder._array,
    "dict": Decoder._dict,
    "float": Decoder._float,
    "network": Decoder._network,
    "object": Decoder._object,
    "objects": Decoder._objects,
    "path": Decoder._path,
    "scalar": Decoder._scalar,
    "slice": Decoder._slice,
    "tensor": Decoder._take,
    "tuple": Decoder._tuple,
}


def _field_names(cls: Any) -> tuple[Iterable[str], Iterable[str]]:
    """Return the names of all fields, and of those that have no default."""
    if is_dataclass(cls):
        found = fields(cls)
        needed = [f.name for f in found if f.default is MISSING and f.default_factory is MISSING]
        return [field.name for field in found], needed
    return cls._fields, [name for name in cls._fields if name not in cls._field_defaults]


def _check_names(
    cls: type, values: Mapping[str, Any], known: Iterable[str], needed: Iterable[str]
) -> None:
    """Compare names with those that a class has and needs."""
    unknown, missing = sorted(set(values) - set(known)), sorted(set(needed) - set(values))
    if unknown or missing:
        raise ValueError(f"{cls.__name__} lacks {missing[:3]} and has no {unknown[:3]}.")


def _typed(stored: NDArray[Any], text: str) -> NDArray[Any]:
    """Return the array whose bytes are stored, along a last axis, if they are sound."""
    if not is_array_type(text):
        raise ValueError(f"It holds an array of the type {text!r}, which is not known.")
    dtype = np.dtype(text)
    if stored.dtype != np.uint8 or stored.shape[-1:] != (dtype.itemsize,):
        raise ValueError(f"It holds {stored.dtype} {stored.shape} for an array of type {text}.")
    codes = stored.view(f"{text[0]}u4") if dtype.kind == "U" else stored
    if dtype.kind in _LARGEST and codes.max(initial=0) > _LARGEST[dtype.kind]:
        raise ValueError(f"It holds values that are none of type {text}.")
    return stored.view(dtype).reshape(stored.shape[:-1])
