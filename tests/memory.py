"""How much memory a block of code takes, for tests of files that lie about their size."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_most(n_bytes: int) -> Iterator[None]:
    """Check that no more than so many bytes are allocated at once by Python and NumPy."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= n_bytes, f"{peak} bytes"
