"""The built pages, as the tests of pages read them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

SKIPPED = {"_static", "_sources", "_modules", "_downloads", "_images"}
WITHOUT_END = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta"}
WITHOUT_END |= {"source", "track", "wbr"}


class Page(HTMLParser):
    """What a page holds: anchors, addresses of links and files, and the text of its article."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.ids: set[str] = set()
        self.addresses: list[tuple[str, str, str]] = []  # tag, attribute, address
        self.text = ""
        self._open: list[tuple[str, bool]] = []  # tags, and whether their text counts
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids |= {found[key] for key in ("id", "name") if found.get(key)}
        named = ((key, found[key]) for key in ("href", "src", "srcset", "data") if found.get(key))
        self.addresses += [(tag, key, value) for key, value in named]
        if tag in WITHOUT_END:
            return
        counts = "bd-article" in (found.get("class") or "").split()
        self._open.append((tag, counts or any(inside for _, inside in self._open[-1:])))

    def handle_endtag(self, tag: str) -> None:
        while any(tag == other for other, _ in self._open):
            if self._open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][1]:
            self.text += data


@cache
def page(path: Path) -> Page:
    return Page(path)


def pages(folder: Path) -> Iterator[Page]:
    """Yield every page but those that only show a source."""
    for path in sorted(folder.rglob("*.html")):
        if path.relative_to(folder).parts[0] not in SKIPPED:
            yield page(path)
