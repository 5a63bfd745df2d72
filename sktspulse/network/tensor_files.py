"""Files of named tensors with a description in JSON; nothing in them is ever executed.

The format is safetensors. Its own reader opens a file twice and maps it into memory, so a
file that is replaced meanwhile is a mixture, and one that is cut is a crash. Here a file
is opened once, and nothing is allocated before the header fits the size of the file.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor

from .files import open_file

__all__ = ["Place", "TensorFile", "check_hash", "dump_tensors", "explained", "stream_tensors"]

_MAX_HEADER_BYTES = 2**24
_MAX_REASON = 400  # characters: a file may name anything
_HASH = "sha256"
_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I8": torch.int8,
    "U8": torch.uint8,
}
Shape = tuple[int, ...]
Description = dict[str, Any]


@contextmanager
def explained(
    path: str | os.PathLike[str],
    kind: str,
    remedy: str,
    error_type: type[ValueError] = ValueError,
) -> Iterator[None]:
    """Turn every error that a damaged file may cause into one that names it and the remedy."""
    start = f"{os.fspath(path)} cannot be loaded as {kind}."
    try:
        yield
    except OSError as error:
        raise error_type(f"{start} {error}. Check the path and its permissions.") from error
    except MemoryError as error:
        raise error_type(f"{start} It does not fit into memory. {remedy}") from error
    except Exception as error:
        reason = f"It lacks {error}" if isinstance(error, KeyError) else str(error)
        reason = reason if len(reason) < _MAX_REASON else f"{reason[:_MAX_REASON]} [...]"
        raise error_type(f"{start} {reason.rstrip('.')}. {remedy}") from error


def dump_tensors(
    tensors: Mapping[str, Tensor],
    key: str,
    description: Mapping[str, Any],
    indent: int | None = 2,
) -> tuple[bytes, str]:
    """Return the content of a file, and its description as text.

    A hash of both is added to the description, so that damage is noticed. A ValueError says
    if the description is too long to be read again. Without ``indent`` the text is short.
    """
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = _hashed_text(stored, description, indent)
    # One key only: the order in which safetensors writes several is not reproducible.
    content = safetensors.torch.save(stored, {key: text})
    _check_header_size(int.from_bytes(content[:8], "little"))
    return content, text


def stream_tensors(
    file: BinaryIO, tensors: Mapping[str, Tensor], key: str, description: Mapping[str, Any]
) -> None:
    """Write what :func:`dump_tensors` returns into a file, without a copy in memory."""
    text, end, header = _hashed_text(tensors, description, 2), 0, {}
    names = {dtype: name for name, dtype in _DTYPES.items()}
    # Long numbers come first, so that all are aligned.
    ordered = sorted(tensors.items(), key=lambda item: (-item[1].itemsize, item[0]))
    for name, tensor in ordered:
        start, end = end, end + tensor.nbytes
        offsets = {"shape": list(tensor.shape), "data_offsets": [start, end]}
        header[name] = {"dtype": names[tensor.dtype], **offsets}
    content = json.dumps({"__metadata__": {key: text}, **header}).encode()
    content += b" " * (-len(content) % 8)
    _check_header_size(len(content))
    file.write(len(content).to_bytes(8, "little") + content)
    for _, tensor in ordered:
        if tensor.numel():
            file.write(tensor.contiguous().flatten().view(torch.uint8).numpy().data)


def _check_header_size(n_bytes: int) -> None:
    """Raise a ValueError if a file with such a header could not be read again."""
    if n_bytes > _MAX_HEADER_BYTES:
        raise ValueError(
            f"The description takes {n_bytes} bytes, but at most {_MAX_HEADER_BYTES} are read. "
            "Save it in parts, such as groups of channels."
        )


def check_hash(tensors: Mapping[str, Tensor], description: Mapping[str, Any] | None) -> None:
    """Compare what was read with the hash in the description, if it holds one."""
    rest = dict(description or {})
    if _HASH in rest and rest.pop(_HASH) != _digest(tensors, rest):
        raise ValueError("Its content is not what was written. It is damaged.")


class _Entry(NamedTuple):
    """Where a tensor is in a file."""

    start: int
    end: int
    dtype: str
    shape: Shape


class Place(NamedTuple):
    """A byte of a file."""

    path: Path
    offset: int
    identity: tuple[int, int]

    def check(self) -> None:
        """Raise a ValueError if the path leads to another file by now."""
        status = self.path.stat()
        if (status.st_dev, status.st_ino) != self.identity:
            raise ValueError("It was replaced while it was read.")


@dataclass(frozen=True)
class TensorFile:
    """An open file whose header was found to describe exactly the bytes that follow."""

    _file: BufferedReader
    _first: int  # byte at which the tensors begin
    _metadata: dict[str, str]
    _entries: dict[str, _Entry]

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Self]:
        """Open a file and check its header; a ValueError says what is wrong."""
        with open_file(path) as file:
            header, first = _read_header(file)
            metadata = header.pop("__metadata__", {})
            if not all(isinstance(text, str) for text in metadata.values()):
                raise ValueError("Its metadata are not text. It is damaged.")
            entries = {name: _entry(name, **fields) for name, fields in header.items()}
            _check_ends(entries, os.fstat(file.fileno()).st_size - first)
            yield cls(file, first, metadata, entries)

    @classmethod
    @contextmanager
    def opened(cls, path: Path, kind: str, remedy: str) -> Iterator[Self]:
        """Open a file like :meth:`open`; an error names it and the remedy."""
        with ExitStack() as stack:
            with explained(path, kind, remedy):
                file = stack.enter_context(cls.open(path))
            yield file

    def sha256(self) -> str:
        """Return the hash of the whole file."""
        self._file.seek(0)
        return hashlib.file_digest(self._file, "sha256").hexdigest()

    @property
    def kinds(self) -> dict[str, tuple[str, Shape]]:
        """Type and shape of each tensor, by name."""
        return {name: (entry.dtype, entry.shape) for name, entry in self._entries.items()}

    def describe(self, key: str) -> Description | None:
        """Return the description that is stored under a key, if there is one."""
        if key not in self._metadata:
            return None
        description = json.loads(self._metadata[key])
        if not isinstance(description, dict):
            raise TypeError(f"Its description is a JSON {type(description).__name__}.")
        return description

    def load(self) -> dict[str, Tensor]:
        """Read all tensors."""
        return {name: self._read(entry) for name, entry in self._entries.items()}

    def map(self) -> dict[str, NDArray[Any]]:
        """Map all tensors into memory as arrays that cannot be written, read when used.

        The file must not be cut afterwards; to replace it by another is safe.
        """
        return {name: self._map(entry) for name, entry in self._entries.items()}

    def place(self, name: str) -> Place:
        """Return where a tensor begins, for libraries that open files themselves."""
        status = os.fstat(self._file.fileno())
        offset = self._first + self._entries[name].start
        return Place(Path(self._file.name), offset, (status.st_dev, status.st_ino))

    def _read(self, entry: _Entry) -> Tensor:
        content = torch.empty(entry.end - entry.start, dtype=torch.uint8, device="cpu")
        self._file.seek(self._first + entry.start)
        if self._file.readinto(content.numpy().data) != len(content):
            raise ValueError("It was cut while it was read.")
        return content.view(_DTYPES[entry.dtype]).reshape(entry.shape)

    def _map(self, entry: _Entry) -> NDArray[Any]:
        dtype = torch.empty(0, dtype=_DTYPES[entry.dtype]).numpy().dtype
        if entry.start == entry.end:  # nothing can be mapped
            return np.empty(entry.shape, dtype)
        return np.memmap(self._file, dtype, "r", self._first + entry.start, entry.shape)


def _read_header(file: BufferedReader) -> tuple[dict[str, Any], int]:
    """Return the header, and the byte at which it ends."""
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    if not 0 < length <= min(size - 8, _MAX_HEADER_BYTES):
        raise ValueError("It is not a safetensors file, or it is damaged.")
    try:
        header = json.loads(file.read(length).decode())
    except ValueError as error:
        raise ValueError("It is not a safetensors file, or it is damaged.") from error
    if not isinstance(header, dict) or not all(isinstance(part, dict) for part in header.values()):
        raise TypeError("Its header is not that of a safetensors file.")
    return header, 8 + length


def _entry(name: str, dtype: Any, shape: Any, data_offsets: Any) -> _Entry:
    start, end = data_offsets
    if dtype not in _DTYPES:
        raise ValueError(f"{name} has type {dtype!r}, expected one of {', '.join(_DTYPES)}.")
    whole = all(type(number) is int and number >= 0 for number in (start, end, *shape))
    if not whole or end - start != math.prod(shape) * _DTYPES[dtype].itemsize:
        raise ValueError(f"The header gives {name} a size that is not that of its shape.")
    return _Entry(start, end, dtype, tuple(shape))


def _check_ends(entries: Mapping[str, _Entry], n_bytes: int) -> None:
    """Check that the tensors lie one after the other and fill the file."""
    end = 0
    for entry in sorted(entries.values()):
        if entry.start != end:
            raise ValueError("Its tensors overlap or leave gaps. It is damaged.")
        end = entry.end
    if end != n_bytes:
        raise ValueError(f"It has {n_bytes} bytes of tensors instead of {end}. It is damaged.")


def _hashed_text(
    tensors: Mapping[str, Tensor], description: Mapping[str, Any], indent: int | None
) -> str:
    """Return a description in JSON, with a hash of it and the tensors."""
    plain = json.loads(json.dumps(description, allow_nan=False, default=_plain))
    separators = (",", ":") if indent is None else None
    hashed = {**plain, _HASH: _digest(tensors, plain)}
    return json.dumps(hashed, indent=indent, separators=separators)


def _digest(tensors: Mapping[str, Tensor], description: Description) -> str:
    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        if tensor.numel():
            digest.update(tensor.flatten().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    """Turn NumPy numbers into those of Python, which JSON can hold."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"JSON cannot hold {value!r}.")
