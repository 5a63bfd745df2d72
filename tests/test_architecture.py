"""Imports between rooms point up: a room may use those above it in this table."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sktspulse

PACKAGE = Path(sktspulse.__file__).parent
ROOMS = ["network", "series", "datasets", "metrics", "base", "embedding", "pretraining"]
TASKS = ["supervised", "anomaly", "imputation", "retrieval"]  # none may use another
ABOVE = {room: set(ROOMS[: i + 1]) for i, room in enumerate(ROOMS)}
ABOVE |= {room: {*ROOMS, room} for room in TASKS}


def imported_rooms(source: str, package: list[str]) -> set[str]:
    """Name what a module of ``package`` takes from ours: a room each, "" for the front."""
    paths = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            paths += [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            paths += [[*base, alias.name] for alias in node.names]
    ours = [path[1] if path[1:] else "" for path in paths if path[0] == "sktspulse"]
    return {room if (PACKAGE / room / "__init__.py").is_file() else "" for room in ours}


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*/**/*.py")), ids=str)
def test_imports_point_up(path):
    package = ["sktspulse", *path.relative_to(PACKAGE).parts[:-1]]
    assert imported_rooms(path.read_text(), package) <= ABOVE[package[1]]
