"""Values as JSON and named arrays, and back; nothing is executed. It needs NumPy alone.

In JSON, None, booleans, integers, finite floats, strings and lists stand for themselves. What is
none of them is an object with one key, which says what it is, such as ``{"tuple": [1, 2]}``. JSON
holds the names of arrays. Objects are of classes that the caller permits, and their fields must be
known. An array is used once, so memory is bounded by the size of the file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path, PurePath
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Node",
    "ValueDecoder",
    "ValueEncoder",
    "check_names",
    "is_array_type",
    "is_scalar_type",
]

Node = Any  # of JSON

_NATIVE = ("<f8", "<f4", "<f2", "<i8", "<i4", "|i1", "|u1")  # arrays that are stored as they are
_NUMBERS = r"\|b1|[<>](?:[iu]2|u4|u8|c8|c16)|>(?:f2|f4|f8|i4|i8)"
_MOMENTS = r"[<>][mM]8\[\d{0,9}[a-zA-Z]{1,2}\]"
_ARRAY_TYPE = re.compile(rf"{_NUMBERS}|{_MOMENTS}|[<>]U[1-9]\d{{0,8}}")  # of arrays stored as bytes
_SCALAR_TYPE = re.compile(rf"\|[biu]1|<[iu][248]|<f[248]|{_MOMENTS}")
_LARGEST = {"b": 1, "U": 0x10FFFF}  # code that stands for a value, by the kind of the type


class ValueEncoder:
    """Turn values into JSON, and collect the arrays that it names.

    A value of any other class than the given ones, and those of plain values, is a ValueError.
    """

    _rules: ClassVar[dict[type, str]] = {
        float: "_float",
        list: "_list",
        tuple: "_tuple",
        slice: "_slice",
        dict: "_dict",
        PurePath: "_path",
        np.generic: "_scalar",
        np.ndarray: "_array",
    }

    def __init__(self, classes: Iterable[type]) -> None:
        self.tensors: dict[str, Any] = {}
        self._classes = frozenset(classes)

    def encode(self, value: Any, name: str) -> Node:
        """Return a value as JSON; ``name`` says where it was found."""
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind in self._classes:
            parts = (self.encode_all(part, name) for part in self._parts(value))
            return {"object": [kind.__name__, *parts]}
        for base in (kind, PurePath, np.generic):
            if isinstance(value, base) and base in self._rules:
                return getattr(self, self._rules[base])(value, name)
        raise self._refusal(value, name)

    def encode_all(self, values: dict[str, Any], name: str = "") -> dict[str, Node]:
        """Return named values as JSON."""
        start = f"{name}." if name else ""
        return {key: self.encode(value, f"{start}{key}") for key, value in values.items()}

    def _parts(self, value: Any) -> list[dict[str, Any]]:
        """Return the fields of an object."""
        names = [field.name for field in fields(value)] if is_dataclass(value) else value._fields
        return [{name: getattr(value, name) for name in names}]

    def _store(self, array: Any, name: str) -> str:
        """Keep an array under a new name, which is returned."""
        while name in self.tensors:
            name += "_"
        self.tensors[name] = array
        return name

    def _refusal(self, value: Any, name: str) -> ValueError:
        kind = type(value)
        what = f"an array of type {value.dtype}" if kind is np.ndarray else f"a {_full_name(kind)}"
        return ValueError(f"{name} is {what}, which a file cannot hold.")

    def _float(self, value: float, name: str) -> Node:
        return value if math.isfinite(value) else {"float": repr(value)}

    def _list(self, value: Iterable[Any], name: str) -> list[Node]:
        return [self.encode(one, f"{name}.{i}") for i, one in enumerate(value)]

    def _tuple(self, value: tuple[Any, ...], name: str) -> Node:
        return {"tuple": self._list(value, name)}

    def _slice(self, value: slice, name: str) -> Node:
        return {"slice": self._list([value.start, value.stop, value.step], name)}

    def _dict(self, value: dict[Any, Any], name: str) -> Node:
        keys = self._list(value, f"{name}.keys")
        values = [self.encode(one, f"{name}.{key}") for key, one in value.items()]
        return {"dict": [list(pair) for pair in zip(keys, values, strict=True)]}

    def _path(self, value: PurePath, name: str) -> Node:
        return {"path": str(value)}

    def _scalar(self, value: np.generic, name: str) -> Node:
        if isinstance(value, np.str_):
            return {"scalar": ["U", str(value)]}
        if not is_scalar_type(value.dtype.str):
            raise self._refusal(value, name)
        number = value.view(np.int64) if value.dtype.kind in "mM" else value
        return {"scalar": [value.dtype.str, self.encode(number.item(), name)]}

    def _array(self, value: NDArray[Any], name: str) -> Node:
        if value.dtype == object:
            return {"objects": [list(value.shape), self._list(value.ravel(), name)]}
        settings = {}
        if value.flags.f_contiguous and not value.flags.c_contiguous:
            value, settings["order"] = value.T, "F"  # as products depend on it, in the last digit
        if value.dtype.str not in _NATIVE:
            if not is_array_type(value.dtype.str):
                raise self._refusal(value, name)
            settings["dtype"] = value.dtype.str
            value = np.ascontiguousarray(value).reshape(*value.shape, 1).view(np.uint8)
        stored = self._store(np.require(value, requirements=["C", "W"]), name)
        return {"array": {"tensor": stored, **settings} if settings else stored}


class ValueDecoder:
    """Turn JSON and arrays into values; a ValueError, or another error, says what is wrong."""

    _kinds: ClassVar[frozenset[str]] = frozenset(
        ["array", "dict", "float", "object", "objects", "path", "scalar", "slice", "tuple"]
    )

    def __init__(self, classes: Iterable[type], tensors: Mapping[str, Any]) -> None:
        self._classes = {one.__name__: one for one in classes}
        self._tensors = dict(tensors)

    def decode(self, node: Node) -> Any:
        """Return the value that JSON stands for."""
        if not isinstance(node, dict):
            return self._list(node) if isinstance(node, list) else node
        kind, content = next(iter(node.items()), ("", None))
        if kind not in self._kinds or len(node) != 1:
            raise ValueError(f"It holds a {kind!r}, which is not known.")
        return getattr(self, f"_{kind}")(content)

    def decode_all(self, nodes: Mapping[str, Node]) -> dict[str, Any]:
        """Return the named values that JSON stands for."""
        return {name: self.decode(node) for name, node in nodes.items()}

    def check_end(self) -> None:
        """Raise a ValueError if there are tensors that no value uses."""
        if self._tensors:
            raise ValueError(f"It holds tensors that nothing uses: {sorted(self._tensors)[:3]}.")

    def _object(self, content: Node) -> Any:
        name, *parts = content
        if name not in self._classes:
            raise ValueError(f"It holds a {name!r}, which does not belong there.")
        return self._make(self._classes[name], *parts)

    def _make(self, cls: Any, values: Node) -> Any:
        check_names(cls, values, *_field_names(cls))
        return cls(**self.decode_all(values))

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
        number = self.decode(value)
        if dtype.kind in "iu" and number not in range(*_limits(dtype)):  # NumPy 1 would wrap around
            raise ValueError(f"It holds {number!r} as a number of the type {text!r}.")
        return dtype.type(number)

    def _array(self, content: Node) -> NDArray[Any]:
        settings = content if isinstance(content, dict) else {"tensor": content}
        array: NDArray[Any] = np.asarray(self._take(settings["tensor"]))
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

    def _take(self, name: str) -> Any:
        return self._tensors.pop(name)


def is_array_type(text: str) -> bool:
    """Return whether a file may hold the bytes of arrays of a type."""
    return _ARRAY_TYPE.fullmatch(text) is not None


def is_scalar_type(text: str) -> bool:
    """Return whether a file may hold NumPy's scalars of a type."""
    return _SCALAR_TYPE.fullmatch(text) is not None


def _full_name(kind: type) -> str:
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    """Return the lowest number of a type of integers, and the first that is too high."""
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max) + 1


def _field_names(cls: Any) -> tuple[Iterable[str], Iterable[str]]:
    """Return the names of all fields, and of those that have no default."""
    if is_dataclass(cls):
        found = fields(cls)
        needed = [f.name for f in found if f.default is MISSING and f.default_factory is MISSING]
        return [field.name for field in found], needed
    return cls._fields, [name for name in cls._fields if name not in cls._field_defaults]


def check_names(
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
