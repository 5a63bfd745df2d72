"""What all displays share: matplotlib, imported when a figure is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["load_pyplot"]


def load_pyplot() -> Any:
    """Import :mod:`matplotlib.pyplot`, or say how to install it.

    Returns
    -------
    module
        The module.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Drawing needs matplotlib, which is not installed. "
            'Install it with: pip install "sktspulse[plot]"'
        ) from error
    return plt


def _axes(ax: Axes | None, **settings: Any) -> Any:
    """Return the axes given, or new ones in a figure of their own."""
    if ax is not None:
        return ax
    return load_pyplot().subplots(layout="constrained", **settings)[1]
