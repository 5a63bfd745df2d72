"""Fitted values as JSON and arrays, without pickle: what is read can only become what is listed."""

from __future__ import annotations

import base64
import dataclasses
import io
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

__all__ = ["classes_within", "dump_arrays", "load_arrays", "pack", "unpack"]

Arrays = dict[str, NDArray[Any]]


def classes_within(*roots: type) -> dict[str, type]:
    """Return all dataclasses and named tuples that fields of the roots can hold, by name."""
    found: dict[str, type] = {}
    pending: list[Any] = list(roots)
    while pending:
        hint = pending.pop()
        pending += get_args(hint)
        if _is_record(hint) and hint.__name__ not in found:
            found[hint.__name__] = hint
            pending += get_type_hints(hint).values()
    return found


def pack(value: Any, arrays: Arrays) -> Any:
    """Return what JSON can hold, with arrays put aside under numbers."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        return _pack_array(value, arrays)
    if isinstance(value, bool | np.bool_ | Real):
        return _pack_number(value)
    if _is_record(type(value)):
        names = _fields(type(value))
        fields = {name: pack(getattr(value, name), arrays) for name in names}
        return {"record": type(value).__name__, "fields": fields}
    if isinstance(value, Mapping):
        return {"dict": {str(key): pack(one, arrays) for key, one in value.items()}}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [pack(one, arrays) for one in value]}
    raise TypeError(f"A {type(value).__name__} cannot be written to an ONNX file.")


def _pack_array(value: NDArray[Any], arrays: Arrays) -> Any:
    if value.dtype == object:  # labels
        return {"objects": value.tolist()}
    name = str(len(arrays))
    arrays[name] = value
    return {"array": name}


def _pack_number(value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, Integral):
        return int(value)
    return float(value) if np.isfinite(value) else {"float": repr(float(value))}


def unpack(packed: Any, arrays: Mapping[str, NDArray[Any]], classes: Mapping[str, type]) -> Any:
    """Undo :func:`pack`; only the given classes are made."""
    if not isinstance(packed, dict):
        return packed
    if "record" in packed:
        fields = packed["fields"].items()
        values = {name: unpack(one, arrays, classes) for name, one in fields}
        return classes[packed["record"]](**values)
    kind, content = next(iter(packed.items()))
    if kind == "dict":
        return {key: unpack(one, arrays, classes) for key, one in content.items()}
    if kind in ("list", "tuple"):
        members = [unpack(one, arrays, classes) for one in content]
        return members if kind == "list" else tuple(members)
    return _unpack_leaf(kind, content, arrays)


def _unpack_leaf(kind: str, content: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if kind == "array":
        return arrays[content]
    if kind == "float":
        return float(content)
    return np.array(content, dtype=object)


def dump_arrays(arrays: Arrays) -> str:
    """Return arrays as text: a compressed file of NumPy in base64."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return base64.b64encode(buffer.getvalue()).decode()


def load_arrays(text: str) -> Arrays:
    """Undo :func:`dump_arrays`."""
    with np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False) as file:
        return dict(file)


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"))


def _fields(kind: Any) -> list[str]:
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind)]
    return list(kind._fields)
