"""Nothing that a page says in its source is lost on the way to the built page."""

from __future__ import annotations

import html
import re
from collections import Counter
from pathlib import Path

import pytest
from pages.built import page

DOCS = Path(__file__).parents[2] / "docs"
SOURCES = sorted(
    path.relative_to(DOCS).as_posix()
    for path in DOCS.rglob("*.md")
    if not {"_build", "auto_examples", "generated"} & set(path.relative_to(DOCS).parts)
)
DIRECTIVE = re.compile(r"^(`{3,}|:{3,})\{([\w:-]+)\}(.*)$")
SILENT = {"toctree", "eval-rst", "include", "raw", "grid", "image"}  # whose lines are not text
MARKUP = (
    (re.compile(r"<!--.*?-->", re.S), " "),
    (re.compile(r"\$\$.*?\$\$(?: \([\w-]+\))?|\$[^$\n]+\$", re.S), " "),  # formulas, with labels
    (re.compile(r"^\([\w-]+\)=$", re.M), " "),  # targets
    (re.compile(r"!\[([^\]]*)\]\([^)]*\)"), " "),  # the words of a picture are an attribute
    (re.compile(r"\]\([^)]*\)"), " "),
    (re.compile(r"^\[\^?[\w-]+\]:( https?:\S+)?", re.M), " "),
    (re.compile(r"\[\^[\w-]+\]"), " "),
    (re.compile(r"\{[\w:-]+\}`([^`<]+?)\s*<[^`>]+>`"), r"\1"),  # a role with a text of its own
    (re.compile(r"\{(?:doc|ref|eq|numref)\}`[^`]+`"), " "),  # its text is that of the target
    (re.compile(r"\{[\w:-]+\}`[~!]?(?:[\w.]+\.)?([^`]+)`"), r"\1"),
    (re.compile(r"<(https?:[^>]+)>"), r"\1"),
)


def visible(source: str) -> str:
    """Drop directives, their options, and what only guides the builder."""
    lines: list[str] = []
    silent_until = ""
    in_options = False
    for line in source.splitlines():
        opening = DIRECTIVE.match(line.strip())
        if silent_until:
            silent_until = "" if line.strip() == silent_until else silent_until
        elif opening:
            fence, name, title = opening.groups()
            silent_until = fence if name in SILENT and fence[0] == "`" else ""
            in_options = True
            if name not in SILENT | {"figure", "literalinclude", "code-block", "image"}:
                lines.append(title)
        elif in_options and re.match(r"^\s*:[\w-]+:", line):
            continue
        else:
            in_options = False
            lines.append(line)
    return "\n".join(lines)


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[A-Za-z]{2,}", text))


def lost(source: str, built: str) -> Counter[str]:
    text = visible(source)
    for pattern, replacement in MARKUP:
        text = pattern.sub(replacement, text)
    text = re.sub(r"^```\w+.*$|^~~~\w+.*$", " ", text, flags=re.M)  # languages
    text = re.sub(r"# doctest: .*", " ", text)
    return words(html.unescape(text)) - words(built)


@pytest.mark.parametrize("name", SOURCES)
def test_no_word_is_lost(folder, name):
    built = page(folder / Path(name).with_suffix(".html"))
    source = (DOCS / name).read_text()
    assert lost(source, built.text) == Counter()


@pytest.mark.parametrize(
    ("source", "built", "expected"),
    [
        ("Two words.", "<p>Two words.</p>", Counter()),
        ("A [link](page.md) and {term}`gap`.", "A link and gap.", Counter()),
        ("It took 5\n% less.", "It took 5", Counter(["less"])),  # taken for a comment
        ("One sentence here.", "One here.", Counter(["sentence"])),
    ],
)
def test_lost_words_are_found(source, built, expected):
    assert lost(source, built) == expected
