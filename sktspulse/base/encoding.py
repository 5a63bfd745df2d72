"""Values of a fitted estimator as JSON and named tensors.

In JSON, None, booleans, integers, finite floats, strings and lists stand for themselves. What is
none of them is an object with one key, which says what it is, such as ``{"tuple": [1, 2]}``. Arrays
are tensors, and JSON holds their names.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields, is_dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from torch import Tensor

from ..network import TSPulse

__all__ = ["Encoder", "Node", "is_array_type", "is_scalar_type"]

Node = Any  # of JSON

_NATIVE = ("<f8", "<f4", "<f2", "<i8", "<i4", "|i1", "|u1")  # arrays that are tensors as they are
_NUMBERS = r"\|b1|[<>](?:[iu]2|u4|u8|c8|c16)|>(?:f2|f4|f8|i4|i8)"
_MOMENTS = r"[<>][mM]8\[\d{0,9}[a-zA-Z]{1,2}\]"
_ARRAY_TYPE = re.compile(rf"{_NUMBERS}|{_MOMENTS}|[<>]U[1-9]\d{{0,8}}")  # of arrays stored as bytes
_SCALAR_TYPE = re.compile(rf"\|[biu]1|<[iu][248]|<f[248]|{_MOMENTS}")


class Encoder:
    """Turn values into JSON, and collect the tensors that it names.

    A value of any other class than the given ones, and those of plain values, is a ValueError.
    """

    def __init__(self, classes: Iterable[type]) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._classes = frozenset(classes)
        self._places: set[int] = set()  # in memory

    def encode(self, value: Any, name: str) -> Node:
        """Return a value as JSON; ``name`` says where it was found."""
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind in self._classes:
            return {"object": self._object(value, name)}
        for base in (kind, PurePath, np.generic):
            if isinstance(value, base) and base in _RULES:
                return _RULES[base](self, value, name)
        raise ValueError(_explain(value, name))

    def encode_all(self, values: dict[str, Any], name: str = "") -> dict[str, Node]:
        """Return named values as JSON."""
        start = f"{name}." if name else ""
        return {key: self.encode(value, f"{start}{key}") for key, value in values.items()}

    def _object(self, value: Any, name: str) -> Node:
        """Return the name of a class, and its fields, or parameters and attributes."""
        return [type(value).__name__, *(self.encode_all(part, name) for part in _parts(value))]

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
            raise ValueError(_explain(value, name))
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
                raise ValueError(_explain(value, name))
            settings["dtype"] = value.dtype.str
            value = np.ascontiguousarray(value).reshape(*value.shape, 1).view(np.uint8)
        stored = self._store(torch.from_numpy(np.require(value, requirements=["C", "W"])), name)
        return {"array": {"tensor": stored, **settings} if settings else stored}

    def _tensor(self, value: Tensor, name: str) -> Node:
        return {"tensor": self._store(value, name)}

    def _network(self, value: TSPulse, name: str) -> Node:
        weights = value.state_dict().items()
        names = {key: self._store(weight, f"{name}.{key}") for key, weight in weights}
        return {"network": [asdict(value.config), names]}

    def _store(self, tensor: Tensor, name: str) -> str:
        """Keep a tensor under a new name, which is returned; none may share its memory."""
        if tensor.data_ptr() in self._places:
            tensor = tensor.clone()
        self._places.add(tensor.data_ptr())
        while name in self.tensors:
            name += "_"
        self.tensors[name] = tensor
        return name


_RULES: dict[type, Callable[[Encoder, Any, str], Node]] = {
    float: Encoder._float,
    list: Encoder._list,
    tuple: Encoder._tuple,
    slice: Encoder._slice,
    dict: Encoder._dict,
    PurePath: Encoder._path,
    np.generic: Encoder._scalar,
    np.ndarray: Encoder._array,
    Tensor: Encoder._tensor,
    TSPulse: Encoder._network,
}


def is_array_type(text: str) -> bool:
    """Return whether a file may hold the bytes of arrays of a type."""
    return _ARRAY_TYPE.fullmatch(text) is not None


def is_scalar_type(text: str) -> bool:
    """Return whether a file may hold NumPy's scalars of a type."""
    return _SCALAR_TYPE.fullmatch(text) is not None


def _parts(value: Any) -> list[dict[str, Any]]:
    """Return the fields of an object, or the parameters and the attributes of an estimator."""
    if isinstance(value, BaseEstimator):
        return list(split_state(value))
    names = [field.name for field in fields(value)] if is_dataclass(value) else value._fields
    return [{name: getattr(value, name) for name in names}]


def split_state(estimator: BaseEstimator) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return parameters, without the device, which belongs to the machine, and attributes."""
    names = estimator.get_params(deep=False)
    state = {name: value for name, value in vars(estimator).items() if name != "device"}
    parameters = {name: value for name, value in state.items() if name in names}
    return parameters, {name: value for name, value in state.items() if name not in names}


def _explain(value: Any, name: str) -> str:
    """Say why a value cannot be saved, and what to do."""
    kind = type(value)
    if isinstance(value, np.random.RandomState):
        remedy = "Set it to an integer or None, as a fitted model no longer uses it"
        return f"{name} is a RandomState instance, which a file cannot hold. {remedy}."
    what = f"an array of type {value.dtype}" if kind is np.ndarray else f"a {_full_name(kind)}"
    return (
        f"{name} is {what}, which a file cannot hold. Save the estimator with skops.io.dump or "
        "with pickle instead."
    )


def _full_name(kind: type) -> str:
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
