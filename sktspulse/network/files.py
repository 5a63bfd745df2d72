"""Files that are replaced at once, and opened only if they are files."""

from __future__ import annotations

import os
import stat
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

__all__ = ["file_status", "open_file", "replaced", "write_atomically", "write_together"]

_HAS_LOCKS = sys.platform != "win32"
_PREFIX, _SUFFIX = ".sktspulse-", ".draft"


def open_file(path: Path) -> BufferedReader:
    """Open a file to read it; a ValueError says if it is a pipe, which would be waited for."""
    file_status(path)
    return path.open("rb")


def file_status(path: Path) -> os.stat_result:
    """Return what the system knows about a file; a ValueError says if it is something else."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("It is not a file.")
    return status


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file at once: readers see the old content or the new, also after a crash.

    A killed writer leaves a draft, which the next writer in the same folder removes. A living
    one locks its draft, so that it stays. Where there are no locks, nothing is removed.
    """
    write_together({path: content})


def write_together(contents: Mapping[Path, bytes]) -> None:
    """Replace a file, and those of the same folder that describe it, which come after it.

    All are written before the first is replaced. A crash between the replacements, or a
    reader at that moment, finds a description of the file or none, never that of another.
    """
    folder = next(iter(contents)).parent
    _remove_drafts(folder)
    with ExitStack() as stack:
        drafts = {}
        for path, content in contents.items():
            drafts[path], file = stack.enter_context(_draft(folder))
            file.write(content)
            _finish(file)
        stack.enter_context(_sole_writer(folder))
        for path in [*contents][1:]:
            path.unlink(missing_ok=True)
        for path, draft in drafts.items():
            draft.replace(path)


@contextmanager
def replaced(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write piece by piece, which takes the place of another if nothing fails."""
    _remove_drafts(path.parent)
    with _draft(path.parent) as (draft, file):
        yield file
        _finish(file)
        with _sole_writer(path.parent):
            draft.replace(path)


@contextmanager
def _draft(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Open a draft, and keep it locked."""
    draft, file = _open_draft(folder)
    try:
        with file:
            yield draft, file
    finally:
        draft.unlink(missing_ok=True)


def _finish(file: BinaryIO) -> None:
    """Make sure that all is on the disk."""
    file.flush()
    os.fsync(file)
    if not _HAS_LOCKS:  # Windows renames no open file
        file.close()


def _open_draft(folder: Path) -> tuple[Path, BinaryIO]:
    """Create and lock a draft; again if it was removed between the two."""
    while True:
        draft = folder / f"{_PREFIX}{uuid.uuid4().hex}{_SUFFIX}"
        file = draft.open("xb")
        with suppress(OSError):
            _lock(file.fileno(), wait=True)
        if draft.exists():
            return draft, file
        file.close()


@contextmanager
def _sole_writer(folder: Path) -> Iterator[None]:
    """Let one writer at a time replace files of a folder, if it can be locked."""
    if not _HAS_LOCKS:
        yield
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            _lock(number, wait=True)
        yield
    finally:
        os.close(number)


def _remove_drafts(folder: Path) -> None:
    """Remove the drafts in a folder that no living writer has locked."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            named = entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX)
            if named and _HAS_LOCKS and entry.is_file(follow_symlinks=False):
                with suppress(OSError), Path(entry).open("rb") as file:
                    _lock(file.fileno(), wait=False)
                    Path(entry).unlink()


def _lock(number: int, *, wait: bool) -> None:
    """Lock an open file until it is closed, also by the end of the process."""
    if sys.platform != "win32":
        fcntl.flock(number, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
