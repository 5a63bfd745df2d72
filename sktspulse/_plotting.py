"""What all displays share: matplotlib, imported when a figure is drawn."""

from __future__ import annotations

from typing import Any

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
