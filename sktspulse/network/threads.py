"""Independent pieces of work side by side, each on a thread of its own.

An exported model works without torch and the libraries that it brings, on the calling thread.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

__all__ = ["count_threads", "limit_threads", "side_by_side"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_n_threads: ContextVar[int | None] = ContextVar("n_threads", default=None)


@cache
def _controller() -> ThreadpoolController:
    """Find the libraries of the process, which takes milliseconds."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _one_threaded_products() -> AbstractContextManager[Any]:
    """Keep products of NumPy and SciPy on the thread that asks for them.

    Several threads of one product wait for each other, spinning, which takes many times as long
    if another process needs a core. The limit belongs to the process and is lifted afterwards.
    """
    return _controller().limit(limits=1, user_api="blas")


@contextmanager
def limit_threads(n_jobs: int | None) -> Iterator[None]:
    """Work on as many threads as ``n_jobs`` says.

    Parameters
    ----------
    n_jobs : int or None
        Number of threads, where -1 means all cores and -2 all but one. None means the number of
        joblib's context, if there is one; 1 within a task of joblib; else that of torch.
    """
    token = _n_threads.set(_resolve(n_jobs))
    try:
        with _one_threaded_products():
            yield
    finally:
        _n_threads.reset(token)


def _resolve(n_jobs: int | None) -> int:
    import torch
    from joblib import effective_n_jobs
    from joblib.parallel import get_active_backend

    backend, of_context = get_active_backend()
    is_task = bool(backend.nesting_level)
    if n_jobs is None and of_context is None and not is_task:
        return torch.get_num_threads()
    return int(effective_n_jobs(n_jobs))


def count_threads() -> int:
    """Return how many threads the work has."""
    import torch

    return _n_threads.get() or torch.get_num_threads()


def side_by_side(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Apply a function to independent items, on the threads that the work has.

    Each item has a single thread. Results are yielded in the order of the items.
    """
    if "torch" not in sys.modules:
        yield from map(function, items)
        return
    import torch

    n_threads, of_torch = count_threads(), torch.get_num_threads()
    if n_threads == of_torch == 1:
        yield from map(function, items)
        return
    pool = ThreadPoolExecutor(n_threads, initializer=partial(torch.set_num_threads, 1))
    with _one_threaded_products():
        try:
            yield from pool.map(function, items)
        finally:
            pool.shutdown(cancel_futures=True)
            # Threads that the caller starts later get as many as this one.
            torch.set_num_threads(of_torch)
