"""Independent pieces of work side by side, each on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
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


def side_by_side(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Apply a function to independent items, on as many threads as torch uses."""
    items = list(items)
    n_threads = min(len(items), torch.get_num_threads())
    with one_threaded_products():
        if n_threads < 2:
            return [function(item) for item in items]
        with ThreadPoolExecutor(n_threads) as pool:
            return list(pool.map(function, items))
