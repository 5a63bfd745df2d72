"""Workers of Dask keep freed memory, and nobody else's settings change."""

from __future__ import annotations

import ctypes

import pytest

from sktspulse.distributed.memory import keep_freed_memory


class Library:
    """Take the place of the C library and remember its settings."""

    settings: list[tuple[int, int]]

    def __init__(self, name: str) -> None:
        type(self).settings = []

    def mallopt(self, what: int, value: int) -> None:
        self.settings.append((what, value))


@pytest.fixture(autouse=True)
def fresh():
    keep_freed_memory.cache_clear()
    yield
    keep_freed_memory.cache_clear()


def test_the_setting_of_dask_is_replaced(monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    monkeypatch.setattr(ctypes, "CDLL", Library)
    keep_freed_memory()
    assert Library.settings == [(-1, 2**27), (-3, 2**25)]


@pytest.mark.parametrize("value", [None, "0", "1000000"])
def test_other_settings_stay(monkeypatch, value):
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    if value is not None:
        monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", value)
    monkeypatch.setattr(ctypes, "CDLL", None)
    keep_freed_memory()


def test_other_systems_have_no_such_library(monkeypatch):
    def refuse(name: str) -> None:
        raise OSError(name)

    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    monkeypatch.setattr(ctypes, "CDLL", refuse)
    keep_freed_memory()


def test_dask_still_has_that_setting():
    dask = pytest.importorskip("dask")
    pytest.importorskip("dask.distributed")
    environment = dask.config.get("distributed.nanny.pre-spawn-environ")
    assert str(environment["MALLOC_TRIM_THRESHOLD_"]) == "65536"
