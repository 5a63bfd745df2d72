"""Fronts that import names on first use, and libraries that may be absent."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sktspulse.lazy import import_extra, on_first_use


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


def test_a_library_that_is_there_is_imported():
    assert import_extra("json.decoder", "plot", "Drawing").__name__ == "json.decoder"


def test_a_missing_library_is_an_error_that_names_its_use_and_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "oracle.delphi", None)
    with pytest.raises(ImportError) as caught:
        import_extra("oracle.delphi", "hub", "A guess")
    remedy = "Install the extra 'hub': pip install '.[hub]' in a checkout of sktspulse."
    assert str(caught.value) == f"A guess needs oracle. {remedy}"
    with pytest.raises(ImportError, match=r"of sktspulse\. Or think\.$"):
        import_extra("oracle.delphi", "hub", "A guess", otherwise="Or think.")
