"""The shape of the package: which way imports point, how long things are, what importing does."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import sktspulse

PACKAGE = Path(sktspulse.__file__).parent
# A module may import only those above it.
ORDER = [
    "_parameters",
    "_config",
    "_network",
    "_masking",
    "_losses",
    "_published",
    "_checkpoints",
    "_validation",
    "_panels",
    "_windows",
    "_variants",
    "_interpolation",
    "_seasonal",
    "_blend",
    "_gaps",
    "_hiding",
    "_kriging",
    "_correction",
    "_uncertainty",
    "_generators",
    "_processes",
    "datasets",
    "_labelled",
    "_ranges",
    "_vus",
    "metrics",
    "_corpus",
    "_views",
    "_optimizer",
    "_training",
    "_callbacks",
    "_finetuning",
    "_lens",
    "_examples",
    "_tuning",
    "_rotation",
    "_logistic",
    "_linear",
    "_tasks",
    "_base",
    "_filler",
    "_time_index",
    "_grid",
    "_anomaly_scale",
    "_anomaly_heads",
    "_anomaly_joint",
    "_anomaly_model",
    "_anomaly_segments",
    "_anomaly_stream",
    "_anomaly_tuning",
    "_embedding",
    "_probe",
    "_tslens",
    "_labels",
    "_transformer",
    "_comparison",
    "_search",
    "_faiss_index",
    "_entries",
    "_index_file",
    "_catalogue",
    "_saved_index",
    "_neighbors",
    "_retriever",
    "_classifier",
    "_regressor",
    "_imputer",
    "_anomaly",
    "_pretrainer",
    "_plotting",
    "_displays",
    "_anomaly_display",
    "_retrieval_display",
    "_occlusion_display",
    "_curves",
    "__init__",
    "__main__",
]
# Neighbours in ORDER that stand side by side: none knows another.
SIDE_BY_SIDE = {"_transformer", "_classifier", "_regressor", "_imputer", "_anomaly", "_pretrainer"}
SIDE_BY_SIDE |= {"_retriever"}
# But for those of which one is made of the other.
MADE_OF = {("_retriever", "_transformer")}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
MAX_MEDIAN_FUNCTION_LINES = 10
MAX_IMPORT_SECONDS = 0.3

FILES = sorted(PACKAGE.rglob("*.py"))
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def targets(tree: ast.AST):
    """Yield the modules of the package that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            paths = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = f"{'sktspulse.' * (node.level > 0)}{node.module or ''}".rstrip(".")
            paths = [f"{base}.{alias.name}".split(".") for alias in node.names]
        else:
            continue
        ours = [path[1:] for path in paths if path[0] == "sktspulse"]
        yield from (path[0] if path and path[0] in ORDER else "__init__" for path in ours)


def faults(name: str, source: str) -> list[str]:
    """Say which imports of module ``name`` point down or sideways."""
    imported = {target for target in targets(ast.parse(source)) if target != name}
    down = {target for target in imported if ORDER.index(target) > ORDER.index(name)}
    sideways = imported & SIDE_BY_SIDE if name in SIDE_BY_SIDE else set()
    return sorted(down | {target for target in sideways if (name, target) not in MADE_OF})


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
def test_imports_point_up(path):
    assert path.stem in ORDER, f"give {path.stem} its place in ORDER"
    # The package's own front only hands names on, lazily.
    if path.stem != "__init__":
        assert not faults(path.stem, path.read_text())


def test_order_names_only_modules_that_exist():
    assert not set(ORDER) - {path.stem for path in FILES}


@pytest.mark.parametrize(
    ("name", "source", "expected"),
    [
        ("_config", "from ._network import TSPulse", ["_network"]),
        ("_config", "def f():\n    from sktspulse._network import TSPulse", ["_network"]),
        ("_config", "import sktspulse._losses", ["_losses"]),
        ("_config", "from . import datasets", ["datasets"]),
        ("_base", "from . import TSPulseImputer", ["__init__"]),
        ("_base", "import sktspulse", ["__init__"]),
        ("_pretrainer", "from ._transformer import TSPulseTransformer", ["_transformer"]),
        ("_retriever", "from ._transformer import TSPulseTransformer", []),
        ("_retriever", "from ._imputer import TSPulseImputer", ["_imputer"]),
        ("_transformer", "from ._retriever import TSPulseRetriever", ["_retriever"]),
        ("_network", "import torch\nfrom ._config import TSPulseConfig", []),
    ],
)
def test_every_form_of_import_is_seen(name, source, expected):
    assert faults(name, source) == expected


@each_file
def test_files_are_short(path):
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES


@each_file
def test_functions_fit_on_a_screen(path):
    lengths = functions(ast.parse(path.read_text()))
    assert [(name, n) for name, n in lengths if n > MAX_FUNCTION_LINES] == []


def test_half_of_the_functions_have_ten_lines_at_most():
    lengths = sorted(n for path in FILES for _, n in functions(ast.parse(path.read_text())))
    assert lengths[len(lengths) // 2] <= MAX_MEDIAN_FUNCTION_LINES


@each_file
def test_nothing_is_left_undone(path):
    assert not re.findall(r"\b(?:TODO|FIXME|XXX|HACK)\b", path.read_text())


@each_file
def test_only_the_command_line_prints(path):
    nodes = ast.walk(ast.parse(path.read_text()))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    assert path.stem == "__main__" or "print" not in names


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
