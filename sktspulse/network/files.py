"""Atomic writes."""

from __future__ import annotations

import os
import sys
import uuid
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

__all__ = ["write_atomically"]

_HAS_LOCKS = sys.platform != "win32"
_PREFIX, _SUFFIX = ".sktspulse-", ".draft"


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file at once: readers see the old content or the new, also after a crash.

    A killed writer leaves a draft, which the next writer in the same folder removes. A living
    one locks its draft, so that it stays. Where there are no locks, nothing is removed.
    """
    _remove_drafts(path.parent)
    draft, file = _open_draft(path.parent)
    try:
        with file:
            file.write(content)
            file.flush()
            os.fsync(file)
            if not _HAS_LOCKS:  # Windows renames no open file
                file.close()
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _open_draft(folder: Path) -> tuple[Path, BinaryIO]:
    """Create and lock a draft; again if it was removed between the two."""
    while True:
        draft = folder / f"{_PREFIX}{uuid.uuid4().hex}{_SUFFIX}"
        file = draft.open("xb")
        with suppress(OSError):
            _lock(file, wait=True)
        if draft.exists():
            return draft, file
        file.close()


def _remove_drafts(folder: Path) -> None:
    """Remove the drafts in a folder that no living writer has locked."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            named = entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX)
            if named and _HAS_LOCKS and entry.is_file(follow_symlinks=False):
                with suppress(OSError), Path(entry).open("rb") as file:
                    _lock(file, wait=False)
                    Path(entry).unlink()


def _lock(file: BinaryIO, *, wait: bool) -> None:
    """Lock a file until it is closed, also by the end of the process; OSError if that fails."""
    if sys.platform != "win32":
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
