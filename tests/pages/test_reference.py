"""Everything public has a page, and the page of a class has every public method."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest
from pages.built import page
from test_docstrings import public_modules

import sktspulse


def public_names() -> list[str]:
    names = [n for n in sktspulse.__all__ if not isinstance(getattr(sktspulse, n), ModuleType)]
    for module in public_modules():
        names += [f"{module}.{name}" for name in getattr(sktspulse, module).__all__]
    return sorted(name for name in names if callable(find(name)) and not is_listed_above(name))


def is_listed_above(name: str) -> bool:
    """Tell whether a name of a module is also one of the package, which has the page."""
    module, _, last = name.rpartition(".")
    return bool(module) and getattr(sktspulse, last, None) is find(name)


def find(name: str) -> object:
    thing: object = sktspulse
    for part in name.split("."):
        thing = getattr(thing, part)
    return thing


@pytest.mark.parametrize("name", public_names())
def test_a_public_name_has_a_page_with_its_source(folder, name):
    built = page(folder / "generated" / f"sktspulse.{name}.html")
    assert f"sktspulse.{name}" in built.ids
    if find(name).__name__ == name.rpartition(".")[2]:  # a source is found by its own name only
        assert any("_modules/" in address for _, _, address in built.addresses)


@pytest.mark.parametrize("name", [n for n in public_names() if inspect.isclass(find(n))])
def test_the_page_of_a_class_has_every_public_method(folder, name):
    built = page(folder / "generated" / f"sktspulse.{name}.html")
    methods = [
        method
        for method, member in inspect.getmembers(find(name), inspect.isroutine)
        if not method.startswith("_") and inspect.getdoc(member)
    ]
    assert [m for m in methods if f"sktspulse.{name}.{m}" not in built.ids] == []


@pytest.mark.parametrize("name", ["TSPulseClassifier", "TSPulseImputer", "TSPulseAnomalyDetector"])
def test_an_estimator_shows_the_examples_that_use_it(folder, name):
    built = page(folder / "generated" / f"sktspulse.{name}.html")
    assert f"Examples using {name}" in built.text
    assert any("auto_examples/plot_" in address for _, _, address in built.addresses)
