"""Every public object is documented in the numpydoc form, in full."""

from __future__ import annotations

import importlib.util
import inspect
from types import ModuleType

import pytest
from numpydoc.validate import validate

import sktspulse

# The class has the extended summary, the related classes and the example of its methods.
IN_THE_CLASS = {"ES01", "SA01", "EX01"}


def is_ours(thing: object) -> bool:
    return getattr(thing, "__module__", "").startswith("sktspulse")


def public_modules() -> list[str]:
    names = ("adapters", "datasets", "distributed", "metrics", "onnx")
    return [name for name in names if importlib.util.find_spec(f"sktspulse.{name}")]


def public_objects():
    """Yield the dotted name of every public object and the codes that need not hold for it."""
    for name in sorted({*sktspulse.__all__, *public_modules()}):
        thing = getattr(sktspulse, name)
        if not isinstance(thing, ModuleType):
            yield f"sktspulse.{name}", set()
        if isinstance(thing, ModuleType):
            members = [member for member in thing.__all__ if is_ours(getattr(thing, member))]
            yield from ((f"sktspulse.{name}.{member}", set()) for member in members)
        elif inspect.isclass(thing):
            yield from ((f"sktspulse.{name}.{m}", IN_THE_CLASS) for m in own_methods(thing))


def own_methods(cls: type) -> list[str]:
    """List the public methods and properties that the package, not a base library, defines."""
    return [
        name
        for name, member in inspect.getmembers_static(cls)
        if not name.startswith("_") and is_ours(function_of(member))
    ]


def function_of(member: object) -> object:
    """Unwrap a property, a class method or a static method; None for anything but a function."""
    inner = getattr(member, "fget", None) or getattr(member, "__func__", member)
    return inner if inspect.isroutine(inner) else None


@pytest.mark.parametrize(("name", "tolerated"), list(public_objects()))
def test_docstring_is_complete(name, tolerated):
    errors = [error for error in validate(name)["errors"] if error[0] not in tolerated]
    assert errors == []
