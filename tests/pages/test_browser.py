"""Pages load in a browser without errors, fit a phone, and their buttons and search work."""

from __future__ import annotations

import doctest
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep

import pytest
from pages.browser import Browser, program
from pages.test_words import DOCS, SOURCES

PAGES = [
    "index.html",
    "anomaly.html",
    "theory.html",
    "api.html",
    "generated/sktspulse.TSPulseClassifier.html",
    "benchmarks/anomaly.html",
    "notes/index.html",
    "auto_examples/index.html",
    "auto_examples/plot_anomaly.html",
]
COPY_ALL = """
(() => {
    const copied = [];
    document.addEventListener("copy", () => copied.push(document.activeElement.value));
    for (const button of document.querySelectorAll(".highlight-python .copybtn")) button.click();
    return copied;
})()
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *message: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(folder):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser(folder, tmp_path_factory):
    if not program():
        pytest.skip("Chromium is not installed")
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_and_fits(browser, site, name, width):
    browser.open(site + name, width)
    assert browser.errors == []
    foreign = [url for url in browser.requests if not url.startswith((site, "data:", "blob:"))]
    assert foreign == []
    assert browser.run("document.documentElement.scrollWidth") <= width


def programs(source: str) -> list[str]:
    """Return the program of every block of a page: its statements where it has prompts."""
    parser = doctest.DocTestParser()
    return [
        "".join(e.source for e in parser.get_examples(block)) if ">>> " in block else block
        for block in re.findall(r"^```python\n(.*?)^```", source, re.S | re.M)
    ]


def dense(text: str) -> list[str]:
    """Lines without empty ones and without what only the doctest reads."""
    lines = (re.sub(r"\s*# doctest:.*", "", line).rstrip() for line in text.splitlines())
    return [line for line in lines if line]


@pytest.mark.parametrize("name", [name for name in SOURCES if ">>> " in (DOCS / name).read_text()])
def test_the_copy_button_copies_whole_programs(browser, site, name):
    browser.open(site + name.removesuffix(".md") + ".html")
    copied = browser.run(COPY_ALL)
    for text in copied:
        compile(text, name, "exec")
    wanted = programs((DOCS / name).read_text())
    assert [dense(text) for text in copied] == [dense(text) for text in wanted]


@pytest.mark.parametrize("query", ["ONNX", "long format", "threshold", "CLI"])
def test_search_finds(browser, site, query):
    browser.open(f"{site}search.html?q={query.replace(' ', '+')}")
    end = monotonic() + 20
    while not (found := browser.run("document.querySelectorAll('#search-results li').length")):
        assert monotonic() < end, "no results"
        sleep(0.2)
    assert found
    assert browser.errors == []
