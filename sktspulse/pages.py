"""The project's pages, and the links to them that notebooks show."""

from __future__ import annotations

from functools import cache
from importlib import metadata

__all__ = ["Documented"]


class Documented:
    """Let the HTML representation of an estimator link to its page.

    scikit-learn puts a link behind the question mark beside the name of a class. Classes
    outside this package that extend one of its own have none.
    """

    _doc_link_module = "sktspulse"

    @property
    def _doc_link_template(self) -> str:
        pages = _find_pages()
        return f"{pages}/page/generated/sktspulse.{{estimator_name}}.html" if pages else ""


@cache
def _find_pages() -> str:
    """Return the address that the metadata name; empty where the package is not installed."""
    try:
        lines = metadata.metadata("sktspulse").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return ""
    return dict(line.split(", ", 1) for line in lines).get("Documentation", "")
