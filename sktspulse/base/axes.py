"""Axes, colours and series for the displays. Matplotlib is imported when a figure is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..lazy import import_extra
from ..series import Floats, parse_series, runs

__all__ = [
    "ALARM",
    "CLASS_STYLES",
    "ESTIMATE",
    "MANY_POINTS",
    "RECORDING",
    "TRUTH",
    "draw_channels",
    "draw_legend",
    "draw_series",
    "ink",
    "load_pyplot",
    "merged_spans",
    "one_series",
    "plain_text",
    "shade",
    "single_axes",
    "stacked_axes",
    "thinned",
]

# One colour a meaning, in all figures. They have a contrast of at least 3 to white and to black,
# and colour-blind readers can tell them apart; tests compute both.
RECORDING = "#7a7a7a"  # what was measured
ESTIMATE = "#d55e00"  # what an estimator says: filled values, neighbours, losses
TRUTH = "#0072b2"  # what is known from elsewhere
ALARM = "#b5179e"  # thresholds and segments

# Classes differ in their marker, too. Six colours and seven markers make 42 pairs.
_CLASS_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_MARKERS = ("o", "^", "s", "D", "v", "P", "X")
CLASS_STYLES = [
    {"color": _CLASS_COLOURS[i % 6], "marker": _MARKERS[i % 7]}
    for i in range(len(_CLASS_COLOURS) * len(_MARKERS))
]

MANY_POINTS = 4000  # of a line; of longer ones the extremes of 2,000 parts are drawn
_SPACING = 1.2  # of channels drawn above each other [ranges of a channel]
_MAX_CHARACTERS = 24  # of the name of a channel
_MAX_COLUMNS = 6  # of a legend
_ROOM = 0.15  # for the legend [range of the data]


def load_pyplot() -> Any:
    """Import :mod:`matplotlib.pyplot`; the ImportError says how to install it."""
    return import_extra("matplotlib.pyplot", "plot", "Drawing")


def ink() -> Any:
    """Return the colour of text: dark on a light background, and light on a dark one."""
    return load_pyplot().rcParams["text.color"]


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


def thinned(
    places: NDArray[Any], values: Floats, n_parts: int = MANY_POINTS // 2
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return lowest and highest value of each of ``n_parts`` parts, if there are more values."""
    if len(values) <= 2 * n_parts:
        return places, values
    edges = np.linspace(0, len(values), n_parts, endpoint=False).astype(int)
    ends = np.stack([np.fmin.reduceat(values, edges), np.fmax.reduceat(values, edges)], axis=1)
    return np.repeat(places[edges], 2), ends.ravel()


def draw_series(axis: Any, places: NDArray[Any], values: Floats, **style: Any) -> Any:
    """Draw a line. Long ones show their range, and on it their mean, so that both are seen."""
    if len(values) <= MANY_POINTS:
        return axis.plot(places, values, **style)[0]
    (line,) = axis.plot(*thinned(places, values), **(style | {"lw": 0.6, "alpha": 0.5}))
    edges = np.linspace(0, len(values), MANY_POINTS // 8, endpoint=False).astype(int)
    known = np.isfinite(values)
    sums = np.add.reduceat(np.where(known, values, 0), edges)
    with np.errstate(invalid="ignore"):
        means = sums / np.add.reduceat(known, edges)
    middle = (edges + np.append(edges[1:], len(values)) - 1) // 2
    axis.plot(places[middle], means, **(style | {"label": f"_mean of {line.get_label()}"}))
    return line


def draw_channels(
    axis: Any, places: NDArray[Any], channels: Floats, names: Sequence[str], **style: Any
) -> list[Any]:
    """Draw one channel in its units, or several above each other, each with its range."""
    shown = [plain_text(name) for name in names]
    if len(channels) == 1:
        axis.set_ylabel(shown[0], parse_math=False)
        return [draw_series(axis, places, channels[0], label=names[0], **style)]
    lines, ticks = [], []
    for i, (values, name) in enumerate(zip(channels, names, strict=True)):
        height, ends = _to_unit_range(values)
        lines.append(draw_series(axis, places, height - _SPACING * i, label=name, **style))
        ticks.append(f"{shown[i]}\n{ends}")
    heights = 0.5 - _SPACING * np.arange(len(names))
    axis.set_yticks(heights, ticks, parse_math=False, fontsize="small")
    axis.set_ylim(heights[-1] - 0.6, heights[0] + 0.6)
    return lines


def merged_spans(
    spans: Iterable[tuple[int, int]], n_rows: int, n_parts: int = MANY_POINTS // 2
) -> list[tuple[int, int]]:
    """Return spans of rows, first to last; those in the same part of the width become one."""
    is_shaded = np.zeros(n_parts, dtype=bool)
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    for start, end in spans:
        first, last = (row * n_parts // n_rows for row in (start, end - 1))
        is_shaded[first : last + 1] = True
        starts[first] = min(start, starts.get(first, start))
        ends[last] = max(end - 1, ends.get(last, end - 1))
    return [(starts[first], ends[after - 1]) for first, after in runs(is_shaded)]


def shade(
    axis: Any,
    places: NDArray[Any],
    spans: Iterable[tuple[int, int]],
    heights: tuple[float, float] = (0, 1),
    **style: Any,
) -> Any:
    """Shade rows ``start`` to ``end - 1`` between two heights, in fractions of the axes."""
    low, high = heights
    merged = merged_spans(spans, len(places))
    x = axis.convert_xunits(places)
    corners = [[(x[i], low), (x[i], high), (x[j], high), (x[j], low)] for i, j in merged]
    patches = import_module("matplotlib.collections").PolyCollection(
        corners, transform=axis.get_xaxis_transform(), **({"lw": 1, "zorder": 0.5} | style)
    )
    return axis.add_collection(patches, autolim=False)


def draw_legend(axis: Any, *, is_above: bool = False) -> None:
    """Write the legend into room above the data, or above the axes, where no title is."""
    n_columns = min(len(axis.get_legend_handles_labels()[0]), _MAX_COLUMNS)
    style: dict[str, Any] = {"ncols": n_columns, "frameon": False, "fontsize": "small"}
    style |= {"loc": "lower right" if is_above else "upper right", "columnspacing": 1.4}
    legend = axis.legend(bbox_to_anchor=(1, 1), borderaxespad=0.2, **style)
    for line in legend.get_lines():  # lines of long series are thin and pale
        line.set(alpha=1, linewidth=max(line.get_linewidth(), 1.2))
    limits = axis.dataLim
    if not is_above and np.isfinite(limits.get_points()).all():
        room = _ROOM * (limits.height or 0.1 * abs(limits.y1) or 1.0)
        axis.update_datalim([(limits.x0, limits.y1 + room)])
        axis.autoscale_view()


def plain_text(name: Any, n_characters: int = _MAX_CHARACTERS) -> str:
    """Return a name as text of bounded length."""
    text = str(name)
    return text if len(text) <= n_characters else f"{text[: n_characters - 1]}…"


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


def _to_unit_range(values: Floats) -> tuple[Floats, str]:
    """Scale known values to [0, 1], a constant to a half; return their range as text."""
    known = values[np.isfinite(values)]
    if not len(known):
        return values, "no value"
    low, high = known.min(), known.max()
    if low == high:
        return np.where(np.isfinite(values), 0.5, np.nan), f"{low:.3g}"
    return (values - low) / (high - low), f"{low:.3g} to {high:.3g}"
