"""The tests that the page of promises names exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1]
PAGE = FOLDER / "docs" / "reliability.md"


def named_tests():
    """Yield file and name of every test on the page; a name alone is in the file before it."""
    file, names = "", r"`(tests/[\w/]+\.py(?:::test_\w+)?|test_\w+)`"
    for name in re.findall(names, PAGE.read_text("utf-8")):
        path, _, rest = name.rpartition("::")
        if name.endswith(".py"):
            file = name
            continue
        file = path or file
        yield file, rest


@pytest.mark.parametrize(("file", "name"), sorted(set(named_tests())))
def test_promises_are_tested(file, name):
    assert f"def {name}(" in (FOLDER / file).read_text("utf-8")


def test_the_page_names_tests():
    assert len(set(named_tests())) > 25
