"""Imports point up: a room may use those above it in this table, and only through their fronts."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sktspulse

PACKAGE = Path(sktspulse.__file__).parent
ROOMS = ["network", "series", "datasets", "metrics", "base", "embedding", "pretraining"]
TASKS = ["supervised", "anomaly", "imputation", "retrieval"]  # none may use another
# For all rooms.
BESIDE = {("lazy", "import_extra"), ("lazy", "on_first_use"), ("pages", "Documented")}
ABOVE = {room: ROOMS[:i] for i, room in enumerate(ROOMS)} | dict.fromkeys(TASKS, ROOMS)
ABOVE["saving"] = ROOMS + TASKS  # knows all estimators
ABOVE["onnx"] = [*ROOMS, *TASKS]
ABOVE["adapters"] = []  # wrap any estimator
ABOVE["reporting"] = [*ROOMS, "anomaly", "imputation"]
ABOVE["cli"] = [*ROOMS, *TASKS, "saving", "reporting", "onnx"]
ABOVE["distributed"] = [*ROOMS, *TASKS]


def imported(path: Path) -> set[tuple[str, ...]]:
    """Return what a module takes from the package, each as a path below the package."""
    package = ["sktspulse", *path.relative_to(PACKAGE).parts[:-1]]
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = [*base, *node.module.split(".")] if node.module else base
            names += [[*base, alias.name] for alias in node.names]
    return {tuple(name[1:]) for name in names if name[0] == "sktspulse"}


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*/**/*.py")), ids=str)
def test_imports_point_up_and_go_through_fronts(path):
    room = path.relative_to(PACKAGE).parts[0]
    others = {name for name in imported(path) if name[:1] != (room,)} - BESIDE
    assert {name for name in others if not name or name[0] not in ABOVE[room]} == set()
    assert {name for name in others if len(name) != 2 or name[1].startswith("_")} == set()
