"""The shape of the package: how long things are, and what importing does."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

import sktspulse

PACKAGE = Path(sktspulse.__file__).parent
MAX_FILE_LINES = 400  # docstrings not counted, so that a file ends where an idea does
MAX_FUNCTION_LINES = 40
MAX_MEDIAN_FUNCTION_LINES = 10
MAX_IMPORT_SECONDS = 0.3

FILES = sorted(PACKAGE.rglob("*.py"))
each_file = pytest.mark.parametrize(
    "path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix()
)


def docstring_lines(tree: ast.AST) -> int:
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    documented = [n for n in ast.walk(tree) if isinstance(n, kinds) and ast.get_docstring(n)]
    return sum(node.body[0].end_lineno - node.body[0].lineno + 1 for node in documented)


def functions(tree: ast.AST):
    """Yield name and length of every function, its docstring not counted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            yield node.name, node.end_lineno - body[0].lineno + 1 if body else 0


def run_python(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@each_file
def test_files_are_short(path):
    text = path.read_text()
    assert len(text.splitlines()) - docstring_lines(ast.parse(text)) <= MAX_FILE_LINES


@each_file
def test_functions_fit_on_a_screen(path):
    lengths = functions(ast.parse(path.read_text()))
    assert [(name, n) for name, n in lengths if n > MAX_FUNCTION_LINES] == []


def test_half_of_the_functions_have_ten_lines_at_most():
    lengths = sorted(n for path in FILES for _, n in functions(ast.parse(path.read_text())))
    assert lengths[len(lengths) // 2] <= MAX_MEDIAN_FUNCTION_LINES


@each_file
def test_private_names_stay_in_their_module(path):
    imports = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.ImportFrom)]
    ours = [alias.name for node in imports if node.level for alias in node.names]
    assert [name for name in ours if name.startswith("_")] == []


def test_a_name_has_one_meaning():
    nodes = [(path, node) for path in FILES for node in ast.parse(path.read_text()).body]
    kinds = ast.ClassDef | ast.FunctionDef
    names = [node.name for _, node in nodes if isinstance(node, kinds) and node.name[0] != "_"]
    assert [name for name, n in Counter(names).items() if n > 1] == []


@each_file
def test_every_module_has_its_tests(path):
    place = path.relative_to(PACKAGE)
    if place.stem in ("__init__", "__main__", "types"):
        return
    assert (Path(__file__).parent / place).with_name(f"test_{place.name}").is_file()


@each_file
def test_nothing_is_left_undone(path):
    assert not re.findall(r"\b(?:TODO|FIXME|XXX|HACK)\b", path.read_text())


@each_file
def test_only_the_command_line_prints(path):
    nodes = ast.walk(ast.parse(path.read_text()))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    assert path.stem == "demonstration" or "print" not in names


def test_import_is_quick():
    code = "import time; t = time.perf_counter(); import sktspulse; print(time.perf_counter() - t)"
    assert min(float(run_python(code)) for _ in range(3)) < MAX_IMPORT_SECONDS


def test_import_is_free_of_side_effects():
    code = (
        "import json, os, sys, warnings\n"
        "before = dict(os.environ), list(warnings.filters), list(sys.path)\n"
        "import sktspulse\n"
        "after = dict(os.environ), list(warnings.filters), list(sys.path)\n"
        "print(json.dumps([before == after, sorted(sys.modules)]))"
    )
    unchanged, modules = json.loads(run_python(code))
    assert unchanged
    assert not {"torch", "sklearn", "skorch", "numpy", "matplotlib"} & set(modules)


def test_public_names_are_sorted_and_listed():
    assert all(a < b for a, b in pairwise(sktspulse.__all__))
    assert set(sktspulse.__all__) <= set(dir(sktspulse))


@pytest.mark.parametrize("name", sktspulse.__all__)
def test_every_public_name_is_there(name):
    assert getattr(sktspulse, name).__name__.rpartition(".")[2] == name


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="has no attribute 'TSPulseOracle'"):
        _ = sktspulse.TSPulseOracle
