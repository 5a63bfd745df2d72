"""What an installation promises: one version, lower bounds, the files it needs, no surprises."""

from __future__ import annotations

import ast
import pickle
import re
import socket
import sys
import tomllib
from importlib import import_module, metadata, resources
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import sktspulse

ROOT = Path(__file__).parents[1]
PACKAGE = Path(sktspulse.__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {
    "aeon",
    "all",
    "cli",
    "dev",
    "distributed",
    "docs",
    "hub",
    "faiss",
    "onnx",
    "plot",
    "plotly",
    "sktime",
    "test",
}
UNPINNED = {"aeon", "sktime"}  # need an older NumPy and pandas than the others
CORE = {"joblib", "narwhals", "numpy", "safetensors", "scikit-learn", "scipy", "skorch"}
CORE |= {"threadpoolctl", "torch"}
NETWORKING = {"aiohttp", "http", "httpx", "requests", "socket", "ssl", "urllib", "urllib3"}


def requirements() -> list[Requirement]:
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [Requirement(text) for texts in lists for text in texts]


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    return {canonicalize_name(pin.name): str(pin.specifier) for pin in pins}


def imported(path: Path) -> set[str]:
    """Top-level names of the modules that a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    members = [node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level]
    return {name.partition(".")[0] for name in plain + members}


def providers(module: str) -> set[str]:
    return {canonicalize_name(name) for name in metadata.packages_distributions().get(module, ())}


def test_version_is_the_same_everywhere():
    version = sktspulse.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert metadata.version("sktspulse") == version
    assert PROJECT["dynamic"] == ["version"]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_no_requirement_has_an_upper_bound(requirement):
    operators = {specifier.operator for specifier in requirement.specifier}
    assert operators == (set() if requirement.name == "sktspulse" else {">="})


def test_python_has_no_upper_bound():
    assert PROJECT["requires-python"] == ">=3.11"


def test_core_and_extras_are_those_promised():
    assert {Requirement(text).name for text in PROJECT["dependencies"]} == CORE
    assert set(PROJECT["optional-dependencies"]) == EXTRAS


def test_every_requirement_is_pinned_in_the_constraints():
    named = {canonicalize_name(r.name) for r in requirements()} - {"sktspulse"}
    named -= UNPINNED
    assert named <= set(constraints())
    assert constraints()["torch"] == "==2.13.0"


def test_every_constraint_satisfies_its_bound():
    pins = constraints()
    for requirement in requirements():
        pin = pins.get(canonicalize_name(requirement.name), "").removeprefix("==")
        assert not pin or requirement.specifier.contains(pin)


def test_every_imported_library_is_required():
    declared = {canonicalize_name(requirement.name) for requirement in requirements()}
    brought = [Requirement(text) for name in CORE for text in metadata.requires(name) or ()]
    plain = [r for r in brought if r.marker is None or r.marker.evaluate({"extra": ""})]
    allowed = declared | {canonicalize_name(requirement.name) for requirement in plain}
    own = {"sktspulse", *sys.stdlib_module_names}
    names = set().union(*(imported(path) for path in PACKAGE.rglob("*.py"))) - own
    assert {name for name in names if not providers(name) & allowed} == set()


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_no_module_opens_a_connection_of_its_own(path):
    assert not imported(path) & NETWORKING


def test_a_pickle_of_the_first_version_says_which_version_loads_it():
    with pytest.raises(ModuleNotFoundError, match=r"load the pickle with sktspulse 0\.1\.0"):
        pickle.loads(b"csktspulse._imputer\nTSPulseImputer\n.")
    with pytest.raises(ModuleNotFoundError, match=r"No module named .sktspulse\.imputers."):
        import_module("sktspulse.imputers")


def test_the_package_is_typed_and_licensed():
    assert resources.files(sktspulse).joinpath("py.typed").is_file()
    assert metadata.metadata("sktspulse")["License-Expression"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text()


def test_checkpoints_are_installed():
    names = {
        item.name for item in resources.files(sktspulse).joinpath("network", "weights").iterdir()
    }
    weights = {name.removesuffix(".safetensors") for name in names if name.endswith(".safetensors")}
    assert "tspulse-p8" in weights
    assert {f"{name}.json" for name in weights} | {f"{name}.md" for name in weights} <= names


def test_tests_cannot_leave_this_machine():
    with pytest.raises(RuntimeError, match="Tests run offline"):
        socket.create_connection(("example.org", 80))
    with socket.socket() as outside, pytest.raises(RuntimeError, match="Tests run offline"):
        outside.connect(("192.0.2.1", 80))


def test_tests_can_talk_to_themselves():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


def test_the_command_is_a_function_of_the_package():
    assert PROJECT["scripts"] == {"sktspulse": "sktspulse.cli:main"}
    assert callable(import_module("sktspulse.cli").main)


def bounds(texts: list[str]) -> dict[str, str]:
    """Lower bounds by name, the package itself left out."""
    needed = [Requirement(text) for text in texts]
    return {r.name: str(r.specifier).removeprefix(">=") for r in needed if r.specifier}


def test_the_oldest_versions_that_are_tested_are_those_promised():
    lines = (ROOT / ".ci" / "oldest.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    extras = PROJECT["optional-dependencies"]
    texts = [*PROJECT["dependencies"], *extras["test"], *extras["all"]]
    texts += [text for name in EXTRAS - UNPINNED - {"dev", "docs"} for text in extras[name]]
    tested = {name: Version(version) for name, version in pins.items()}
    assert tested == {name: Version(version) for name, version in bounds(texts).items()}


def test_the_conda_recipe_asks_for_the_same_versions():
    recipe = (ROOT / "conda" / "recipe.yaml").read_text()
    assert f'version: "{sktspulse.__version__}"' in recipe
    run = re.search(r"  run:\n((?:    - .+\n)+)", recipe).group(1)
    found = dict(re.findall(r"- ([\w-]+) >=([\d.]+)", run.replace("pytorch", "torch")))
    assert found.pop("python") == PROJECT["requires-python"].removeprefix(">=")
    assert found == bounds(PROJECT["dependencies"])


def test_the_citation_names_this_version_and_the_paper():
    citation = (ROOT / "CITATION.cff").read_text()
    assert f"\nversion: {sktspulse.__version__}\n" in citation
    assert f'repository-code: "{PROJECT["urls"]["Source"]}"' in citation
    assert "arXiv:2505.13033" in citation


def test_links_of_the_readme_work_on_an_index():
    text = (ROOT / "README.md").read_text()
    targets = re.findall(r"\]\(([^)]+)\)|^\[[\w-]+\]: (\S+)$", text, flags=re.MULTILINE)
    links = {inline or listed for inline, listed in targets}
    assert len(links) > 20
    assert re.findall(r"\n\n\[[\w-]+\]: ", text)  # in a paragraph of its own
    assert [link for link in links if not link.startswith("https://")] == []
    used = set(re.findall(r"\]\[([\w-]+)\]", text))
    assert used == set(re.findall(r"^\[([\w-]+)\]:", text, flags=re.MULTILINE))


def test_links_of_the_readme_lead_to_what_is_there():
    text = (ROOT / "README.md").read_text()
    pages, source = PROJECT["urls"]["Documentation"], PROJECT["urls"]["Source"]
    for page in re.findall(rf"{pages}/page/([\w/]+)\.html", text):
        assert (ROOT / "docs" / f"{page}.md").is_file(), page
    for path in re.findall(rf"{source}/(?:blob|tree)/main/(\S+)", text):
        assert (ROOT / path).exists(), path
    for figure in re.findall(r"/main/(docs/images/\S+)", text):
        assert (ROOT / figure).is_file(), figure


def test_the_project_has_one_address():
    source = PROJECT["urls"]["Source"]
    assert PROJECT["urls"]["Homepage"] == source
    names = ["README.md", "CITATION.cff", "conda/recipe.yaml", ".github/ISSUE_TEMPLATE/config.yml"]
    for name in names:
        text = (ROOT / name).read_text()
        assert {*re.findall(r"https://github\.com/[\w-]+/[\w-]+", text)} == {source}
        hosts = {*re.findall(r"https://[\w-]+\.readthedocs\.io", text)}
        assert hosts == {PROJECT["urls"]["Documentation"]}


TEXTS = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *PACKAGE.rglob("*.py")]


@pytest.mark.parametrize("path", sorted(TEXTS), ids=lambda path: path.name)
def test_no_page_and_no_message_promises_an_index(path):
    assert re.findall(r"pip install [^`&\n]*[\s\"']sktspulse(?:\[|\b)", path.read_text()) == []
