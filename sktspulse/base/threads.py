"""Independent pieces of work side by side, each on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, TypeVar

import torch
from threadpoolctl import ThreadpoolController

__all__ = ["one_threaded_products", "side_by_side"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Limit:
    """How many pieces of code want products of NumPy and SciPy on one thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._n_users = 0
        self._limiter: Any = None

    def enter(self) -> None:
        """Set the limit for the first user."""
        with self._lock:
            if not self._n_users:
                self._limiter = _controller().limit(limits=1, user_api="blas")
            self._n_users += 1

    def leave(self) -> None:
        """Lift the limit after the last user."""
        with self._lock:
            self._n_users -= 1
            if not self._n_users:
                self._limiter.restore_original_limits()


_limit = _Limit()


@cache
def _controller() -> ThreadpoolController:
    """Find the libraries of the process, which takes milliseconds."""
    return ThreadpoolController()


@contextmanager
def one_threaded_products() -> Iterator[None]:
    """Keep products of NumPy and SciPy on the thread that asks for them.

    Several threads of one product wait for each other, spinning, which takes many times as long
    if another process needs a core. The limit belongs to the process; it is lifted when nobody
    needs it any more.
    """
    _limit.enter()
    try:
        yield
    finally:
        _limit.leave()


def side_by_side(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Apply a function to independent items, on as many threads as torch uses."""
    items = list(items)
    n_threads = min(len(items), torch.get_num_threads())
    with one_threaded_products():
        if n_threads < 2:
            return [function(item) for item in items]
        with ThreadPoolExecutor(n_threads) as pool:
            return list(pool.map(function, items))
