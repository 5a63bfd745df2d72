"""Files of estimators that differ from what was written, with a hash that fits."""

from __future__ import annotations

from dataclasses import is_dataclass
from typing import get_args, get_type_hints

from sktspulse.network.tensor_files import TensorFile, dump_tensors

KEY = "sktspulse-estimator"


def spoil(path, damage):
    """Write a file again after ``damage(tensors, about)`` has changed its content."""
    with TensorFile.open(path) as file:
        about, tensors = file.describe(KEY), file.load()
    about.pop("sha256")
    damage(tensors, about)
    path.write_bytes(dump_tensors(tensors, KEY, about)[0])


def field_classes(cls):
    """Return a class, and the classes of this package that its fields are annotated with."""
    found, waiting = set(), [cls]
    while waiting:
        one = waiting.pop()
        inner = get_args(one)
        waiting += inner
        is_part = hasattr(one, "_fields") or is_dataclass(one)
        if not inner and is_part and one.__module__.startswith("sktspulse.") and one not in found:
            found.add(one)
            waiting += get_type_hints(one).values()
    return found
