"""Read arrays from ``.npz`` files of unknown origin."""

from __future__ import annotations

import math
from collections.abc import Mapping
from io import BufferedIOBase
from pathlib import Path
from typing import Any, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ..network import open_file

__all__ = ["read_arrays"]

_MAX_RATIO = 100  # of the size of the arrays to that of the file; recordings reach about 10
_ALWAYS_ALLOWED = 2**28  # bytes
_CHUNK = 2**20  # bytes that are decompressed at once
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_arrays(path: Path, kinds: Mapping[str, str]) -> list[NDArray[Any]]:
    """Read one-dimensional arrays by name; an error says what is wrong.

    Each must be of one of the NumPy kinds given by letters, such as ``"iu"``; integers are
    returned as int64. Nothing is unpickled, and nothing is allocated before the sizes
    in all headers fit each other and the size of the file.
    """
    with open_file(path) as file, ZipFile(file) as archive:
        members = {info.filename: info for info in archive.infolist()}
        if not {f"{name}.npy" for name in kinds} <= members.keys():
            raise ValueError(f"It must hold the arrays {tuple(kinds)}.")
        chosen = {name: members[f"{name}.npy"] for name in kinds}
        _check_sizes([*chosen.values()], path.stat().st_size)
        arrays = [_read(archive, info, kinds[name], name) for name, info in chosen.items()]
    return [array if array.dtype.kind == "f" else array.astype(np.int64) for array in arrays]


def _check_sizes(members: list[ZipInfo], n_bytes: int) -> None:
    if any(info.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for info in members):
        raise ValueError("It is compressed in a way that numpy.savez does not use.")
    size, allowed = sum(info.file_size for info in members), _MAX_RATIO * n_bytes
    if size > max(allowed, _ALWAYS_ALLOWED):
        raise ValueError(
            f"Its {n_bytes} bytes claim to hold {size}, more than {_MAX_RATIO} times as many."
        )


def _read(archive: ZipFile, info: ZipInfo, kinds: str, name: str) -> NDArray[Any]:
    with cast(BufferedIOBase, archive.open(info)) as member:
        version = npy.read_magic(member)
        if version not in _HEADERS:
            raise ValueError(f"{name} has version {version} of the format, expected 1.0 or 2.0.")
        shape, _, dtype = _HEADERS[version](member)
        if dtype.kind not in kinds or len(shape) != 1:
            raise ValueError(
                f"{name} has type {dtype} and shape {shape}, expected {_words(kinds)}."
            )
        if math.prod(shape) * dtype.itemsize != info.file_size - member.tell():
            raise ValueError(f"The size of {name} is not that of its shape {shape}.")
        array = np.empty(shape, dtype)
        content = array.view(np.uint8).data
        for start in range(0, len(content), _CHUNK):
            part = content[start : start + _CHUNK]
            if member.readinto(part) != len(part):
                raise ValueError(f"{name} is cut short.")
    return array


def _words(kinds: str) -> str:
    return f"one axis of {'numbers' if 'f' in kinds else 'whole numbers'}"
