"""Words that a user looks for are in the index of the search."""

from __future__ import annotations

import json
import re

import pytest


@pytest.fixture(scope="module")
def index(folder) -> dict:
    text = (folder / "searchindex.js").read_text()
    return json.loads(re.fullmatch(r"Search\.setIndex\((.*)\)\s*", text, re.S).group(1))


def pages_with(index: dict, word: str) -> set[str]:
    """Names of the pages that have a word, in the form that the index keeps, in text or title."""
    found = [index[part].get(word, []) for part in ("terms", "titleterms")]
    numbers = {n for entry in found for n in ([entry] if isinstance(entry, int) else entry)}
    return {index["docnames"][number] for number in numbers}


@pytest.mark.parametrize(
    ("query", "page"),
    [
        (("onnx",), "generated/sktspulse.export_onnx"),
        (("long", "format"), "data"),
        (("threshold",), "generated/sktspulse.TSPulseAnomalyDetector"),
        (("cli",), "command_line"),
    ],
    ids=["ONNX", "long format", "threshold", "CLI"],
)
def test_search_finds(index, query, page):
    found = [pages_with(index, word) for word in query]
    assert page in set.intersection(*found)
