"""Pieces of work side by side, and products that stay on one thread meanwhile."""

from __future__ import annotations

import threading
import time

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from sktspulse.network import one_threaded_products, side_by_side


@pytest.fixture(autouse=True)
def two_threads():
    """Let torch and products of NumPy have two threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with threadpool_limits(2, user_api="blas"):
        yield
    torch.set_num_threads(before)


def count_threads():
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


def test_the_limit_holds_inside_and_is_lifted_after_the_last_that_needs_it():
    with one_threaded_products():
        with one_threaded_products():
            assert count_threads() == {1}
        assert count_threads() == {1}
    assert count_threads() == {2}


def test_the_limit_is_lifted_after_an_error():
    with pytest.raises(KeyError), one_threaded_products():
        raise KeyError
    assert count_threads() == {2}


def test_results_are_in_the_order_of_items_whatever_ends_first():
    def wait(i):
        time.sleep(0.02 * (3 - i))
        return i, count_threads()

    assert list(side_by_side(wait, range(3))) == [(i, {1}) for i in range(3)]
    assert count_threads() == {2}


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
    assert count_threads() == {2}


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
    assert count_threads() == {2}
    assert torch.get_num_threads() == 2
