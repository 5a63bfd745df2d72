"""Threads that change one retriever take turns."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

__all__ = ["writing"]

# Kept apart from the retrievers, so that these can be copied and pickled.
_locks: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

if hasattr(os, "register_at_fork"):  # a lock may be held by a thread that the child lacks
    os.register_at_fork(after_in_child=_locks.clear)


@contextmanager
def writing(retriever: Any) -> Iterator[None]:
    """Wait until no other thread changes a retriever, and keep others waiting."""
    with _locks.setdefault(retriever, RLock()):
        yield
