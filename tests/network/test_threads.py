"""Pieces of work side by side on as many threads as asked for, and products on one of them."""

from __future__ import annotations

import threading
import time

import pytest
import torch
from joblib import Parallel, cpu_count, delayed, parallel_config
from threadpoolctl import threadpool_info, threadpool_limits

from sktspulse.network import limit_threads, side_by_side


@pytest.fixture(autouse=True)
def two_threads():
    """Let torch and products of NumPy have two threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with threadpool_limits(2, user_api="blas"):
        yield
    torch.set_num_threads(before)


def threads_of_products():
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_the_limit_holds_inside_and_is_lifted_after_the_last_that_needs_it():
    with limit_threads(2):
        with limit_threads(None):
            assert threads_of_products() == {1}
        assert threads_of_products() == {1}
    assert threads_of_products() == {2}


def test_the_limit_is_lifted_after_an_error():
    with pytest.raises(KeyError), limit_threads(2):
        raise KeyError
    assert threads_of_products() == {2}


def test_results_are_in_the_order_of_items_whatever_ends_first():
    def wait(i):
        time.sleep(0.02 * (3 - i))
        return i, threads_of_products()

    assert list(side_by_side(wait, range(3))) == [(i, {1}) for i in range(3)]
    assert threads_of_products() == {2}


@pytest.mark.parametrize(("n_threads", "n_items", "n_used"), [(1, 3, 1), (2, 3, 2), (2, 1, 1)])
def test_no_more_threads_work_than_torch_has_and_there_are_items(n_threads, n_items, n_used):
    torch.set_num_threads(n_threads)
    used = set()

    def note(i):
        used.add(threading.get_ident())
        time.sleep(0.05)

    assert len(list(side_by_side(note, range(n_items)))) == n_items
    assert len(used) == n_used


@pytest.mark.parametrize("n_items", [1, 3])
def test_an_error_of_an_item_is_raised_and_none_is_no_work(n_items):
    assert list(side_by_side(str, [])) == []
    with pytest.raises(ZeroDivisionError):
        list(side_by_side(lambda i: 1 // i, range(n_items)))
    assert threads_of_products() == {2}


def test_torch_has_one_thread_in_each_item_and_as_many_as_before_afterwards():
    assert list(side_by_side(lambda i: torch.get_num_threads(), range(4))) == [1, 1, 1, 1]
    seen = []
    later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert (torch.get_num_threads(), seen) == (2, [2])


def test_items_that_have_not_begun_never_do_if_the_caller_stops():
    begun = []

    def work(i):
        begun.append(i)
        time.sleep(0.05)
        return i

    results = side_by_side(work, range(20))
    assert next(results) == 0
    results.close()
    assert len(begun) < 10
    assert threads_of_products() == {2}
    assert torch.get_num_threads() == 2


def used_threads(n_jobs):
    """Count the threads that take four items."""
    torch.set_num_threads(2)  # of this thread
    used = set()

    def note(_):
        used.add(threading.get_ident())
        time.sleep(0.05)

    with limit_threads(n_jobs):
        list(side_by_side(note, range(4)))
    return len(used)


@pytest.mark.parametrize(("n_jobs", "expected"), [(1, 1), (2, 2), (3, 3), (None, 2)])
def test_n_jobs_is_the_number_of_threads_and_none_that_of_torch(n_jobs, expected):
    assert used_threads(n_jobs) == expected


def test_minus_one_is_every_core():
    assert used_threads(-1) == min(4, cpu_count())


def test_none_follows_the_context_of_joblib():
    for n_jobs in (1, 3):
        with parallel_config(n_jobs=n_jobs):
            assert (used_threads(None), used_threads(2)) == (n_jobs, 2)


def test_none_is_one_thread_within_a_task_of_joblib():
    found = Parallel(2, backend="threading")(delayed(used_threads)(n) for n in (None, 2))
    assert found == [1, 2]


def test_items_of_items_share_the_thread_of_their_own():
    def inner(i):
        return i, threading.get_ident() == outer_thread[i // 10]

    outer_thread = {}

    def outer(i):
        outer_thread[i] = threading.get_ident()
        return list(side_by_side(inner, (10 * i, 10 * i + 1)))

    with limit_threads(2):
        assert list(side_by_side(outer, range(2))) == [
            [(0, True), (1, True)],
            [(10, True), (11, True)],
        ]


def test_no_jobs_are_refused():
    with pytest.raises(ValueError, match="n_jobs"), limit_threads(0):
        pass
