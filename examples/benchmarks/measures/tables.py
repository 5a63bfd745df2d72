"""Tables of results: rows of an earlier run are read, and new ones written as they come."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

__all__ = ["add", "read", "write"]


def read(path: Path) -> list[dict[str, str]]:
    """Read the rows of a table; none if it is not there."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write(rows: Iterable[Mapping[str, object]], path: Path, header: Sequence[str] = ()) -> None:
    """Write a table; whoever is stopped meanwhile leaves the old one.

    The header is that of the first row, unless given.
    """
    rows = list(rows)
    draft = path.with_suffix(".draft")
    with draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, header or list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    draft.replace(path)


def add(row: Mapping[str, object], path: Path) -> None:
    """Add a row to a table that may not be there yet."""
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(row)
