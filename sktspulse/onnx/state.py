"""The classes and the arrays of fitted values in ONNX files, without pickle."""

from __future__ import annotations

import base64
import dataclasses
import io
from typing import Any, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

__all__ = ["classes_within", "dump_arrays", "load_arrays"]

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


def dump_arrays(arrays: Arrays) -> str:
    """Return arrays as text: a compressed file of NumPy in base64."""
    buffer = io.BytesIO()
    # NumPy 1 would write an array of the name "allow_pickle", and pickle the others.
    if any(array.dtype.hasobject for array in arrays.values()):
        raise ValueError("Object arrays cannot be written without pickle.")
    named: dict[str, Any] = {**arrays}
    np.savez_compressed(buffer, **named)
    return base64.b64encode(buffer.getvalue()).decode()


def load_arrays(text: str) -> Arrays:
    """Undo :func:`dump_arrays`."""
    with np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False) as file:
        return dict(file)


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"))
