"""Memory that the processes of Dask give back too often."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from functools import cache

__all__ = ["keep_freed_memory"]

_OF_DASK = "65536"  # bytes of free memory, from which on it is given back to the system
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # in malloc.h of glibc
_TRIM, _MMAP = 2**27, 2**25  # bytes; the first bounds what a worker keeps


@cache
def keep_freed_memory() -> None:
    """Let a worker of Dask use freed memory again, which doubles the speed of networks.

    Dask starts its workers with a low MALLOC_TRIM_THRESHOLD_. Then glibc returns the memory of each
    operation to the system and gets it back page by page. Another value of the variable, which
    users have chosen, is left alone, and so are other systems.
    """
    if os.environ.get("MALLOC_TRIM_THRESHOLD_") == _OF_DASK:
        with suppress(OSError, AttributeError):
            library = ctypes.CDLL("libc.so.6")
            library.mallopt(_M_TRIM_THRESHOLD, _TRIM)
            library.mallopt(_M_MMAP_THRESHOLD, _MMAP)
