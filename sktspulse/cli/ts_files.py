"""Panels in ``.ts`` files, the format of sktime, aeon and the UCR and UEA archives."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["read_ts"]


def read_ts(path: Path) -> tuple[list[Any], list[str] | None]:
    """Return the series of a file, and their labels if it has any."""
    with path.open(encoding="utf-8-sig") as file:
        lines = enumerate(map(str.strip, file), start=1)
        content = [(n, line) for n, line in lines if line and not line.startswith("#")]
    n_tags = sum(line.startswith("@") for _, line in content)
    tags = _read_tags(line for _, line in content[:n_tags])
    if "@data" not in tags or n_tags == len(content):
        raise ValueError(f"{path} has no series after a line @data. Check that it is complete.")
    if tags.get("@timestamps") == "true":
        raise ValueError(f"{path} has series with time stamps. Write them without, as numbers.")
    is_labelled = "true" in (tags.get("@classlabel"), tags.get("@targetlabel"))
    cases = [_read_case(line, is_labelled, f"{path}, line {n}") for n, line in content[n_tags:]]
    return [series for series, _ in cases], [label for _, label in cases] if is_labelled else None


def _read_tags(lines: Iterable[str]) -> dict[str, str]:
    """Return the first word after each tag."""
    words = [line.lower().split() for line in lines]
    return {tag: values[0] if values else "" for tag, *values in words}


def _read_case(line: str, is_labelled: bool, where: str) -> tuple[Any, str]:
    *channels, label = line.split(":") if is_labelled else [*line.split(":"), ""]
    try:
        rows = [[_number(text) for text in channel.split(",")] for channel in channels]
    except ValueError as error:
        raise ValueError(f"{where}: {error}. Each channel must be numbers with commas.") from error
    if not rows:
        raise ValueError(f"{where}: there is no series before the label. Check the file.")
    longest = max(map(len, rows))
    return np.array([row + [np.nan] * (longest - len(row)) for row in rows]), label.strip()


def _number(text: str) -> float:
    return float("nan") if text.strip() in ("?", "") else float(text)
