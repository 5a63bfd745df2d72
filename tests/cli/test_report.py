"""``sktspulse report``."""

from __future__ import annotations

from pathlib import Path

import pytest

pd = pytest.importorskip("pandas")
pytest.importorskip("matplotlib")
LOCAL = ("--time", "when", "--tz", "Europe/Berlin")


def test_a_page_says_what_was_filled(tiny, sensors):
    answer = tiny("report", sensors, "-o", "page.html", *LOCAL)
    assert answer.code == 0, answer.err
    assert "120 rows, 3 channels. 6 values in 2 gaps filled, " in answer.out
    page = Path("page.html").read_text("utf-8")
    assert "<title>sensors.csv</title>" in page
    assert "2024-10-25 00:00:00+02:00" in page
    assert "compared with itself" in page
    facts = tiny("report", sensors, "-o", "page.html", *LOCAL, "--force", "--json").facts
    assert facts["command"] == "report"
    assert (facts["n_rows"], facts["n_filled"], facts["n_gaps"]) == (120, 6, 2)


@pytest.mark.parametrize("normal", [["--train-rows", "60"], ["--train", "sensors.csv"]])
def test_a_recording_is_compared_with_a_normal_one(tiny, sensors, normal):
    answer = tiny("report", sensors, "-o", "page.html", *LOCAL, *normal, "--title", "Pump <1>")
    assert answer.code == 0, answer.err
    page = Path("page.html").read_text("utf-8")
    assert "the detector was fitted on" in page
    assert "<h1>Pump &lt;1&gt;</h1>" in page


def test_errors_leave_no_page(tiny, sensors, gestures):
    answer = tiny("report", sensors, "-o", "page.txt", *LOCAL)
    assert "page.txt: choose a name that ends in .html." in answer.err
    names = ("--id", "case", "--columns", "x,y")
    answer = tiny("report", gestures, "-o", "page.html", *names)
    assert "holds 20 recordings, but a page is about one." in answer.err
    assert not Path("page.html").exists()
