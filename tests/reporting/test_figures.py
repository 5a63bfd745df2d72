"""Figures are small, and in the colours of the page."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from reporting.findings import findings

from sktspulse.base import ALARM, ESTIMATE
from sktspulse.reporting import render_page
from sktspulse.reporting.figures import NARROW, WIDE, draw_svg, shown_channels

pytest.importorskip("matplotlib")


def test_channels_with_alarms_and_gaps_are_shown_first():
    names = [f"{i}" for i in range(20)]
    found = findings(names=names, gaps=((19, 5, 30), (12, 50, 60)))
    assert shown_channels(found) == [0, 1, 2, 3, 4, 5, 12, 19]


def test_dates_are_those_that_local_clocks_show():
    stamps = pd.date_range("2025-01-01", periods=400, freq="h", tz="Asia/Tokyo")
    svg = draw_svg(findings(X=pd.DataFrame(np.zeros((400, 2)), stamps)), WIDE)
    assert "time (Asia/Tokyo)" in svg


def test_filled_values_and_alarms_have_the_colours_of_all_figures():
    page = render_page(findings(), "A title")
    assert f"--filled: {ESTIMATE}" in page
    assert f"--alarm: {ALARM}" in page


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_colours_are_those_of_the_page(size):
    svg = draw_svg(findings(), size)
    assert svg.startswith("<svg")
    assert {*re.findall(r"var\(--(\w+)\)", svg)} == {"ink", "faint", "line", "filled", "alarm"}
    assert "#0000" not in svg
    assert "metadata" not in svg
    assert not re.search(r' id="(figure|axes|patch|line2d|text)_', svg)
    assert draw_svg(findings(), size) == svg


def test_names_are_text():
    svg = draw_svg(findings(names=["<a> & $x$", "b" * 200]), WIDE)
    assert "&lt;a&gt; &amp; $x$" in svg
    assert "b" * 99 + "…" in svg


def test_many_rows_gaps_and_alarms_make_a_small_figure():
    n = 100_000
    gaps = [(i % 12, 50 * i, 50 * i + 9) for i in range(n // 50)]
    alarms = [(70 * i, 70 * i + 5) for i in range(n // 70)]
    svg = draw_svg(findings(n, "abcdefghijkl", alarms, gaps), WIDE)
    assert len(svg) < 1_000_000


@pytest.mark.parametrize("alarms", [[], [(0, 1)], [(399, 400)], [(0, 400)]])
@pytest.mark.parametrize("gaps", [[], [(0, 0, 400)], [(1, 399, 400)]])
def test_alarms_and_gaps_at_the_ends(alarms, gaps):
    stamps = pd.date_range("2025-01-01", periods=400, freq="min")
    found = findings(alarms=alarms, gaps=gaps, X=pd.DataFrame(np.zeros((400, 2)), stamps))
    assert "2025" in draw_svg(found, NARROW)
