"""Pages are whole, safe and short."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from reporting.findings import findings

from sktspulse import TSPulseConfig
from sktspulse.anomaly.head_errors import network_heads
from sktspulse.anomaly.signals import DIRECT_HEADS
from sktspulse.reporting import render_page

pytest.importorskip("matplotlib")
VOID = {"meta"}
HEADS = (*network_heads(TSPulseConfig(forecast_length=4), causal=False), *DIRECT_HEADS)


class Tags(HTMLParser):
    """Collect tags and attributes, and check that elements are closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.links, self.text = [], set(), [], ""
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.links += [value for name, value in attrs if name.endswith(("href", "src"))]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_a_page_needs_nothing_else():
    page = render_page(findings(), "A title")
    tags = Tags(page)
    assert not tags.seen & {"script", "link", "img", "iframe", "object", "form"}
    assert all(link.startswith("#") for link in tags.links)
    assert not re.findall(r"https?://(?!www\.w3\.org)", page)
    assert "@import" not in page
    assert "url(http" not in page
    assert "prefers-color-scheme: dark" in page


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><img src=x onerror=1>', "$page"])
def test_names_are_only_text(evil):
    index = pd.Index([f"{evil}{i}" for i in range(400)])
    X = pd.DataFrame(np.zeros((400, 2)), index)
    tags = Tags(render_page(findings(names=[evil, "b"], X=X), evil))
    assert not tags.seen & {"script", "img"}
    assert tags.text.count(evil) > 8


def test_the_page_says_what_was_found():
    alarms, gaps = ((100, 110), (300, 301)), ((0, 20, 25), (1, 399, 400))
    text = Tags(render_page(findings(alarms=alarms, gaps=gaps), "t")).text
    assert "2 alarms; the strongest begins at row 300 in a: unusual level." in text
    assert "6 values in 2 gaps filled." in text
    assert "Scores below -1 are alarms" in text
    assert "Rows 0 to 399" in text
    assert "compared with itself" in text
    other = render_page(findings()._replace(is_own_normal=False), "t")
    assert "compared with the one that the detector was fitted on" in other


def test_nothing_to_tell():
    text = Tags(render_page(findings(alarms=(), gaps=()), "t")).text
    assert "No alarms. No value is missing." in text
    assert "No score is below the threshold of -1." in text


def test_a_channel_without_a_value():
    assert "100.00%" in render_page(findings(gaps=((1, 0, 400),)), "t")


def test_long_tables_are_cut_to_what_matters():
    gaps = [(0, 50 * i, 50 * i + 3) for i in range(150)] + [(1, 0, 30)]
    alarms = [(70 * i, 70 * i + 5) for i in range(100)]
    page = render_page(findings(8000, "ab", alarms, gaps), "t")
    assert "The 50 strongest of 100." in page
    assert "The 50 longest of 151." in page
    assert page.count("<tr>") == 50 + 50 + 2 + 3
    assert ">30</span>" in page
    assert len(page) < 500_000
    names = [f"channel {i}" for i in range(60)]
    page = render_page(findings(names=names), "t")
    assert "The 50 first of 60." in page
    assert "8 of 60 channels are shown." in page


@pytest.mark.parametrize("head", HEADS)
def test_every_head_has_words(head):
    found = findings()
    found.segments["head"] = head
    assert re.search(r"in a: \w[\w ]+\.", render_page(found, "t"))
