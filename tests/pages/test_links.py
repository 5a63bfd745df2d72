"""Links lead somewhere, and a page asks no other host for anything."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from pages.built import page, pages

LOADED = {("script", "src"), ("img", "src"), ("img", "srcset"), ("link", "href"), ("iframe", "src")}
LOADED |= {("source", "src"), ("source", "srcset"), ("object", "data"), ("embed", "src")}


def broken(source) -> list[str]:
    """List the addresses of a page that lead nowhere."""
    return [text for _, _, text in source.addresses if leads_nowhere(source, text)]


def leads_nowhere(source, text: str) -> bool:
    parts = urlsplit(text)
    if parts.scheme or parts.netloc or text.startswith("data:"):
        return False
    target = source.path
    if parts.path:
        target = (source.path.parent / unquote(parts.path)).resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.exists():
        return True
    has_anchors = parts.fragment and target.suffix == ".html"
    return bool(has_anchors) and unquote(parts.fragment) not in page(target).ids


def test_every_internal_link_and_anchor_resolves(folder):
    found = {str(source.path.relative_to(folder)): broken(source) for source in pages(folder)}
    assert {name: sorted(set(links)) for name, links in found.items() if links} == {}


def test_pages_load_nothing_from_other_hosts(folder):
    foreign = [
        (source.path.name, text)
        for source in pages(folder)
        for tag, key, text in source.addresses
        if (tag, key) in LOADED and (urlsplit(text).netloc or text.startswith("//"))
    ]
    assert foreign == []


def test_every_page_has_the_icon(folder):
    for source in pages(folder):
        icons = [text for tag, _, text in source.addresses if tag == "link" and "logo.svg" in text]
        assert icons, source.path
