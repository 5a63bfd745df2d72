"""Imports on first use: names, so that what needs no torch does not load it, and extras."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["import_extra", "on_first_use"]


def on_first_use(package: str, modules: Mapping[str, str]) -> Callable[[str], object]:
    """Return the ``__getattr__`` of a package.

    Parameters
    ----------
    package : str
        Its name.
    modules : mapping of str to str
        For each of its modules, the names that are imported from it, separated by spaces. None may
        be that of a module.

    Returns
    -------
    callable
        Imports the module of a name; raises an AttributeError for others.
    """
    homes = {name: module for module, names in modules.items() for name in names.split()}

    def load(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(f".{homes[name]}", package), name)
        setattr(sys.modules[package], name, value)
        return value

    return load


def import_extra(module: str, extra: str, use: str, *, otherwise: str = "") -> Any:
    """Import a library that an extra brings.

    Parameters
    ----------
    module : str
        Its name.
    extra : str
        The extra.
    use : str
        What needs the library, the beginning of a sentence.
    otherwise : str, default=""
        A sentence on what to do without it.

    Returns
    -------
    module
        The library.

    Raises
    ------
    ImportError
        If it is not installed. The message names what needs it and the extra.
    """
    try:
        return import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        raise ImportError(
            f"{use} needs {library}. Install the extra '{extra}': pip install '.[{extra}]' in a "
            f"checkout of sktspulse. {otherwise}".rstrip()
        ) from error
