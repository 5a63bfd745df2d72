"""Axes and series for the displays. Matplotlib is imported when a figure is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..lazy import import_extra
from ..series import Floats, parse_series

__all__ = ["load_pyplot", "one_series", "shorten_dates", "single_axes", "stacked_axes"]


def load_pyplot() -> Any:
    """Import :mod:`matplotlib.pyplot`; the ImportError says how to install it."""
    return import_extra("matplotlib.pyplot", "plot", "Drawing")


def single_axes(ax: Any | None, **settings: Any) -> Any:
    """Return the given axes, or those of a new figure made with ``settings``."""
    if ax is not None:
        return ax
    return load_pyplot().subplots(layout="constrained", **settings)[1]


def stacked_axes(axes: Sequence[Any] | None, n: int, **settings: Any) -> NDArray[Any]:
    """Return the ``n`` given axes, or those of a new figure, one below the other."""
    if axes is None:
        plt = load_pyplot()
        return plt.subplots(n, layout="constrained", squeeze=False, **settings)[1][:, 0]
    given = np.ravel(np.asarray(axes, dtype=object))
    if len(given) != n:
        raise ValueError(f"axes has {len(given)} axes, but {n} are drawn on. Pass {n}.")
    return given


def shorten_dates(axis: Any, n_ticks: int = 9) -> None:
    """Write what all dates of an axis have in common once."""
    dates: Any = import_module("matplotlib.dates")
    locator = dates.AutoDateLocator(minticks=3, maxticks=n_ticks)
    axis.set_major_locator(locator)
    axis.set_major_formatter(dates.ConciseDateFormatter(locator))


def one_series(values: ArrayLike) -> Floats:
    """Return one series as ``(n_channels, n_timepoints)``, or raise a ValueError.

    In a data frame, rows are moments.
    """
    series = parse_series(values, "The series").astype(np.float64)
    if series.ndim != 2:
        raise ValueError(
            f"The series has shape {series.shape}, expected (n_timepoints,) or (n_channels, "
            "n_timepoints). Pass one series, such as X[0]."
        )
    return series
