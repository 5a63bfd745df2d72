"""Independent pieces of work side by side, each on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache, partial
from typing import Any, TypeVar

import torch
from threadpoolctl import ThreadpoolController

__all__ = ["one_threaded_products", "side_by_side"]

Item = TypeVar("Item")
Result = TypeVar("Result")


@cache
def _controller() -> ThreadpoolController:
    """Find the libraries of the process, which takes milliseconds."""
    return ThreadpoolController()


def one_threaded_products() -> AbstractContextManager[Any]:
    """Keep products of NumPy and SciPy on the thread that asks for them.

    Several threads of one product wait for each other, spinning, which takes many times as long
    if another process needs a core. The limit belongs to the process and is lifted afterwards.
    """
    return _controller().limit(limits=1, user_api="blas")


def side_by_side(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Apply a function to independent items, on as many threads as torch uses.

    Each item has a single thread. Results are yielded in the order of the items.
    """
    n_threads = torch.get_num_threads()
    with one_threaded_products():
        if n_threads < 2:
            yield from map(function, items)
            return
        pool = ThreadPoolExecutor(n_threads, initializer=partial(torch.set_num_threads, 1))
        try:
            yield from pool.map(function, items)
        finally:
            pool.shutdown(cancel_futures=True)
            # Threads that the caller starts later get as many as this one.
            torch.set_num_threads(n_threads)
