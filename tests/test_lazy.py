"""Fronts that import names on first use."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sktspulse.lazy import on_first_use


def test_a_name_is_imported_on_first_use_and_kept():
    code = (
        "import sys, sktspulse.network as front\n"
        "before = 'torch' in sys.modules\n"
        "front.TSPulse\n"
        "print(before, 'torch' in sys.modules, 'TSPulse' in vars(front))"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == ["False", "True", "True"]


def test_an_unknown_name_is_an_attribute_error():
    load = on_first_use("sktspulse.network", {"tspulse": "TSPulse"})
    with pytest.raises(AttributeError, match=r"'sktspulse\.network' has no attribute 'Oracle'"):
        load("Oracle")


@pytest.mark.parametrize("room", ["network", "series", "embedding", "supervised", "anomaly"])
def test_fronts_have_all_that_they_list(room):
    front = __import__(f"sktspulse.{room}", fromlist=["__all__"])
    assert all(getattr(front, name).__name__ for name in front.__all__ if name[0].islower())
    with pytest.raises(AttributeError):
        _ = front.oracle
