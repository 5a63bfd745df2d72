"""Pages of benchmarks fit on a screen, and their short tables are what their sources say."""

from __future__ import annotations

import csv
import io
import re
import sys

import pytest
from pages.test_words import DOCS

BENCHMARKS = DOCS / "benchmarks"
PAGES = sorted(path.name for path in BENCHMARKS.glob("*.md") if path.name != "index.md")
SCRIPTS = DOCS.parent / "examples" / "benchmarks"
MAX_WORDS = 450
MAX_ROWS = 12


@pytest.fixture
def headlines(monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(SCRIPTS)
    import headlines

    yield headlines.HEADLINES
    for name in [
        name for name in sys.modules if name.partition(".")[0] in ("headlines", "measures")
    ]:
        monkeypatch.delitem(sys.modules, name)


def test_short_tables_are_those_of_their_sources(headlines):
    for name, headline in headlines.items():
        text = io.StringIO((BENCHMARKS / name).read_text())
        assert list(csv.DictReader(text)) == headline.table(BENCHMARKS), name


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_a_figure_short_tables_and_few_words(name):
    text = (BENCHMARKS / name).read_text()
    tables = re.findall(r":file: (\S+)", text)
    assert len(text.split()) <= MAX_WORDS
    assert text.index("![") < text.index("```{csv-table}")
    assert (
        sum(len((BENCHMARKS / table).read_text().splitlines()) - 1 for table in tables) <= MAX_ROWS
    )
    assert "{download}`" in text
    assert "```bash" in text
