"""The figure of a page: channels with filled gaps and alarms, and the score below them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..anomaly import score_ticks
from ..base import TimeAxis, load_pyplot, merged_spans, plain_text, thinned
from .recording import RecordingFindings

__all__ = ["NARROW", "WIDE", "FigureSize", "draw_svg", "shown_channels"]

_MAX_CHANNELS = 8
# Colours that stand for those of the page, which has a light and a dark scheme.
_INK, _FAINT, _LINE, _FILLED, _ALARM = (f"#00000{i}" for i in range(1, 6))
_VARIABLES = {_INK: "ink", _FAINT: "faint", _LINE: "line", _FILLED: "filled", _ALARM: "alarm"}


class FigureSize(NamedTuple):
    """Size of a figure."""

    name: str
    width: float  # [inch]
    height: float  # of a channel
    n_points: int  # across the width
    n_characters: int  # of a name
    n_ticks: int  # of dates, at most


WIDE = FigureSize("wide", 9.0, 1.1, 900, 100, 9)
NARROW = FigureSize("narrow", 3.9, 1.0, 350, 45, 4)


def draw_svg(found: RecordingFindings, size: FigureSize) -> str:
    """Return the figure as SVG, in the colours of the page."""
    plt = load_pyplot()
    channels = shown_channels(found)
    heights = [*[size.height] * len(channels), 1.3 * size.height]
    style = {
        "svg.fonttype": "none",
        "svg.hashsalt": size.name,
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "axes.edgecolor": _FAINT,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "axes.xmargin": 0.005,
        "font.size": 9,
        "figure.dpi": 72,
    }
    with plt.rc_context(style):
        figure = import_module("matplotlib.figure").Figure(
            (size.width, sum(heights) + 0.6), layout="constrained"
        )
        axes = figure.subplots(len(heights), sharex=True, squeeze=False, height_ratios=heights)
        time = TimeAxis.read(found.container.row_labels(len(found.values)))
        places = time.places
        for channel, axis in zip(channels, axes[:, 0], strict=False):
            _draw_channel(axis, found, channel, places, size)
        _draw_scores(axes[-1, 0], found, places, size)
        axes[-1, 0].set_xlabel(time.label)
        time.set_ticks(axes[-1, 0].xaxis, size.n_ticks)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return _inline(buffer.getvalue())


def shown_channels(found: RecordingFindings) -> list[int]:
    """Choose channels with the worst segments, then with the longest gaps; keep their order."""
    worst = found.segments["channel"][np.argsort(found.segments["score"])].tolist()
    longest = [gap.channel for gap in sorted(found.gaps, key=lambda gap: -gap.n_rows)]
    chosen = dict.fromkeys([*worst, *longest, *range(len(found.names))])
    return sorted(list(chosen)[:_MAX_CHANNELS])


def _draw_channel(
    axis: Any, found: RecordingFindings, channel: int, places: NDArray[Any], size: FigureSize
) -> None:
    values, missing = found.values[:, channel], found.missing[:, channel]
    padded = np.pad(missing, 1)
    beside = missing | padded[:-2] | padded[2:]  # lines of gaps end at the known values
    filled = np.where(beside, found.filled[:, channel], np.nan)
    axis.plot(*thinned(places, values, size.n_points), color=_LINE, lw=0.9)
    style = {"color": _FILLED, "lw": 2, "solid_capstyle": "round"}  # so that points are seen
    axis.plot(*thinned(places, filled, size.n_points), **style)
    _shade(axis, found.segments_of(channel), places, size)
    shown = plain_text(found.names[channel], size.n_characters)
    axis.set_title(shown, loc="left", size="medium", pad=3, parse_math=False)
    axis.locator_params(axis="y", nbins=3)


def _draw_scores(
    axis: Any, found: RecordingFindings, places: NDArray[Any], size: FigureSize
) -> None:
    axis.plot(*thinned(places, -found.scores, size.n_points), color=_INK, lw=0.9)
    axis.axhline(-found.offset, color=_ALARM, lw=1, ls="--")
    _shade(axis, found.segments_of(), places, size)
    if found.offset < 0:
        axis.set_yscale("symlog", linthresh=-found.offset)
        axis.set_ylim(0, 1.2 * max(-found.offset, -found.scores.min()))
        axis.set_yticks(score_ticks(-found.offset, axis.get_ylim()[1])[:5])
        axis.yaxis.set_major_formatter("{x:g}")
        axis.minorticks_off()
    axis.set_title("score", loc="left", size="medium", pad=3)


def _shade(
    axis: Any, segments: Iterable[tuple[int, int]], places: NDArray[Any], size: FigureSize
) -> None:
    """Shade segments; those in the same part of the width become one."""
    for first, last in merged_spans(segments, len(places), size.n_points):
        axis.axvspan(places[first], places[last], color=_ALARM, alpha=0.3, lw=1.2)


def _inline(text: str) -> str:
    """Return SVG for a page: without a head, names of elements, and colours of its own."""
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r' id="[a-zA-Z0-9.]+_\d+"', "", text)
    text = re.sub(r' d="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), text)
    for colour, name in _VARIABLES.items():
        text = text.replace(colour, f"var(--{name})")
    return text
