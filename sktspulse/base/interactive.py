"""Interactive figures of recordings. Plotly is imported when one is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

import numpy as np

from ..lazy import import_extra
from .axes import ALARM, merged_spans
from .times import TimeAxis

__all__ = ["interactive_figure"]

_PANEL_HEIGHT = 140  # [px]


def interactive_figure(
    time: TimeAxis,
    panels: Sequence[Sequence[Mapping[str, Any]]],
    *,
    titles: Sequence[str],
    spans: Iterable[tuple[int, int]] = (),
    threshold: float | None = None,
) -> Any:
    """Return a figure with one panel below the other, which share the time axis.

    Each panel has traces, with ``"name"``, ``"y"``, and further settings of a trace. Rows of
    spans are shaded, and the threshold is a line in the last panel. Plotly has no time
    zones: time stamps are drawn in local time.
    """
    graphs = import_extra("plotly.graph_objects", "plotly", "An interactive figure")
    subplots = import_extra("plotly.subplots", "plotly", "An interactive figure")
    figure = subplots.make_subplots(len(panels), 1, shared_xaxes=True, vertical_spacing=0.03)
    places = _local(time)
    for row, traces in enumerate(panels, start=1):
        for trace in traces:
            settings = {"mode": "lines", "line": {"width": 1.2}} | dict(trace)
            color = settings.pop("color", None)
            if color is not None:
                settings["line"] = settings["line"] | {"color": color}
            figure.add_trace(graphs.Scattergl(x=places, **settings), row=row, col=1)
        figure.update_yaxes(title_text=titles[row - 1], row=row, col=1)
    style = {"type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "fillcolor": ALARM}
    style |= {"opacity": 0.2, "line": {"width": 1, "color": ALARM}}
    merged = merged_spans(spans, len(places))
    ends = (np.datetime_as_string(places) if time.has_dates else places).tolist()
    figure.update_layout(shapes=[{**style, "x0": ends[i], "x1": ends[j]} for i, j in merged])
    if threshold is not None and np.isfinite(threshold):
        style = {"line_dash": "dash", "line_color": ALARM, "annotation_text": "threshold"}
        figure.add_hline(threshold, row=len(panels), col=1, **style)
    figure.update_xaxes(title_text=time.label, row=len(panels), col=1)
    figure.update_layout(height=_PANEL_HEIGHT * len(panels) + 160, hovermode="x unified")
    return figure


def _local(time: TimeAxis) -> Any:
    """Return places, dates as in their zone."""
    if time.zone is None:
        return time.places
    moments = time.places.astype("M8[us]").tolist()
    zoned = (one.replace(tzinfo=UTC).astimezone(time.zone) for one in moments)
    return np.array([one.replace(tzinfo=None) for one in zoned], dtype="M8[us]")
