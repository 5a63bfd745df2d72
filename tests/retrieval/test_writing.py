"""Threads that change a retriever take turns, and queries see the entries of one moment."""

from __future__ import annotations

import copy
import importlib.util
import os
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import numpy as np
import pytest
from retrieval.retrieval_cases import draw_panel
from sklearn.base import clone

from sktspulse import TSPulseRetriever
from sktspulse.retrieval import SeriesIndex, persistence
from sktspulse.retrieval.writing import writing

faiss = pytest.param(
    {"index": "faiss"},
    marks=pytest.mark.skipif(importlib.util.find_spec("faiss") is None, reason="needs faiss"),
)
KINDS = [{}, {"store": "float16"}, {"store": "int8"}, {"metric": "cosine"}, faiss]
each_kind = pytest.mark.parametrize("parameters", KINDS, ids=str)


def together(*tasks):
    """Run tasks at the same time, one thread each, and raise their errors."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(task) for task in tasks]]


@each_kind
def test_no_added_series_is_lost(parameters):
    X = draw_panel(48)
    retriever = TSPulseRetriever(1, **parameters)

    def add(part):
        for one in part:
            retriever.partial_fit(one[None])

    together(*(lambda part=part: add(part) for part in np.split(X, 8)))
    assert retriever.ids_.tolist() == list(range(48))
    assert retriever.series_.tolist() == list(range(48))
    found = retriever.kneighbors(X, return_distance=False)[:, 0]
    assert sorted(found) == list(range(48))


def drill(parameters, seconds):
    """Ask, add and remove from 8 threads; every answer names the right series."""
    X, n_kept = draw_panel(400, seed=3), 40
    retriever = TSPulseRetriever(1, **parameters).fit(X[:n_kept])
    end, lists = time.monotonic() + seconds, ([], [])

    def ask(seed):
        rng = np.random.default_rng(seed)
        while time.monotonic() < end:
            wanted = rng.integers(0, n_kept, 2)  # never removed
            assert retriever.kneighbors(X[wanted])[1][:, 0].tolist() == wanted.tolist()
            near = retriever.radius_neighbors(X[wanted], return_distance=False)
            assert all(one in ids for one, ids in zip(wanted, near, strict=True))
            graph = retriever.kneighbors_graph(X[wanted])
            assert (graph.nnz, graph.indices.tolist()) == (2, wanted.tolist())
            assert retriever.locate(wanted)[0].tolist() == wanted.tolist()

    def change(thread):
        rng = np.random.default_rng(thread)
        added, removed = lists
        while time.monotonic() < end:
            retriever.partial_fit(X[rng.integers(n_kept, 400, 2)])
            added.append(2)
            ids = retriever.ids_
            mine = ids[(ids >= n_kept) & (ids % 3 == thread)]
            retriever.remove(mine[:1])
            removed.extend(mine[:1].tolist())

    together(*(lambda s=s: ask(s) for s in range(5)), *(lambda s=s: change(s) for s in range(3)))
    n_added, removed = sum(lists[0]), lists[1]
    assert removed
    expected = set(range(n_kept + n_added)) - set(removed)
    assert retriever.ids_.tolist() == sorted(expected)


@each_kind
def test_answers_are_right_while_others_add_and_remove(parameters):
    drill(parameters, 1.0)


@pytest.mark.nightly
@each_kind
def test_answers_stay_right_for_a_minute(parameters):
    drill(parameters, 60.0)


def test_a_query_sees_one_fit_while_another_thread_fits_other_channels():
    panels = [draw_panel(12, n_channels) for n_channels in (1, 3)]
    retriever = TSPulseRetriever(1, normalize=False).fit(panels[0])
    end, n_answers = time.monotonic() + 1, []

    def ask():
        while time.monotonic() < end:
            for X in panels:
                with suppress(ValueError):  # fitted with the other number of channels
                    ids = retriever.kneighbors(X[:3], return_distance=False)
                    n_answers.append(1)
                    assert ids[:, 0].tolist() == [0, 1, 2]

    def fit():
        while time.monotonic() < end:
            retriever.fit(panels[0]).fit(panels[1])

    together(ask, ask, fit, fit)
    assert n_answers


def test_a_saved_index_is_that_of_one_moment(tmp_path):
    X = draw_panel(60)
    retriever = TSPulseRetriever(1).fit(X[:10])
    done = threading.Event()

    def save():
        while not done.is_set():
            retriever.save(tmp_path / "one.safetensors")
            again = TSPulseRetriever.load(tmp_path / "one.safetensors")
            assert len(again.ids_) == len(again.series_) == again._series_index.entries.n_ids

    def add():
        try:
            for one in X[10:]:
                retriever.partial_fit(one[None])
        finally:
            done.set()

    together(save, add)


def test_what_is_removed_during_a_query_does_not_mix_with_it(monkeypatch):
    X = draw_panel(20)
    retriever = TSPulseRetriever(1).fit(X)

    def then_remove(method):
        def search(*arguments):
            found = method(*arguments)
            retriever.remove(retriever.ids_[0])
            return found

        return search

    for name in ("nearest", "within"):
        monkeypatch.setattr(SeriesIndex, name, then_remove(getattr(SeriesIndex, name)))
    assert retriever.kneighbors(X[[9]], return_distance=False).tolist() == [[9]]
    assert retriever.radius_neighbors(X[[9]], 0.0, return_distance=False)[0].tolist() == [9]
    assert retriever.kneighbors_graph(X[[19]]).shape == (1, 18)
    assert retriever.ids_.tolist() == list(range(3, 20))


def test_what_is_added_during_a_save_does_not_mix_with_it(tmp_path, monkeypatch):
    X = draw_panel(20)
    retriever = TSPulseRetriever(1).fit(X)
    arrays = persistence._arrays

    def then_add(snapshot):
        found = arrays(snapshot)
        retriever.partial_fit(X)
        return found

    monkeypatch.setattr(persistence, "_arrays", then_add)
    retriever.save(tmp_path / "one.safetensors")
    again = TSPulseRetriever.load(tmp_path / "one.safetensors")
    assert again.partial_fit(X[:1]).ids_.tolist() == list(range(21))


def test_only_one_thread_writes_at_a_time_and_others_have_their_own_turns():
    one, other = TSPulseRetriever(), TSPulseRetriever()
    inside, order = threading.Event(), []

    def wait():
        inside.wait(5)
        with writing(other):
            order.append("other")
        with writing(one):
            order.append("second")

    def hold():
        with writing(one), writing(one):  # a thread may enter again
            inside.set()
            time.sleep(0.1)
            order.append("first")

    together(wait, hold)
    assert order == ["other", "first", "second"]


def test_an_error_gives_the_turn_back():
    retriever = TSPulseRetriever().fit(draw_panel(3))
    with pytest.raises(ValueError, match="no entry 7"):
        retriever.remove(7)
    together(lambda: retriever.remove(0))
    assert retriever.ids_.tolist() == [1, 2]


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, clone, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_copies_made_while_a_thread_writes_take_turns_of_their_own(copied):
    retriever = TSPulseRetriever().fit(draw_panel(3))
    with writing(retriever):
        twin = copied(retriever)
        together(lambda: twin.partial_fit(draw_panel(2)))
    assert len(twin.ids_) in (2, 5)
    assert len(retriever.ids_) == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of newer versions of Python, for fork
def test_a_child_does_not_wait_for_a_thread_that_it_lacks():
    retriever = TSPulseRetriever().fit(draw_panel(3))
    held, done = threading.Event(), threading.Event()

    def hold():
        with writing(retriever):
            held.set()
            done.wait(10)

    def fork():
        held.wait(5)
        child = os.fork()
        if not child:
            retriever.remove(0)
            os._exit(0 if retriever.ids_.tolist() == [1, 2] else 1)
        end = time.monotonic() + 5
        while time.monotonic() < end:
            finished, status = os.waitpid(child, os.WNOHANG)
            if finished:
                done.set()
                return status
            time.sleep(0.01)
        done.set()
        os.kill(child, 9)
        os.waitpid(child, 0)
        return None

    assert together(hold, fork)[1] == 0
