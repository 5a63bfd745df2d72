"""Segments of outliers, each with the head and the channel that stand out most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..series import runs
from .normal_model import AnomalyScores

if TYPE_CHECKING:
    from ..series import Container

__all__ = ["find_segments", "segments_by_row", "segments_like"]

_FIELDS = ("start", "end", "peak", "score", "head", "channel")
_SEGMENT = np.dtype(list(zip(_FIELDS, ("i8", "i8", "i8", "f8", "U9", "i8"), strict=True)))


def find_segments(scores: AnomalyScores, offset: float, heads: Sequence[str]) -> NDArray[np.void]:
    """List the segments whose negated scores lie below the offset, in order of time."""
    segments: list[tuple[Any, ...]] = []
    for start, end in runs(-scores.combined < offset):
        peak = start + scores.combined[start:end].argmax()
        head = int(scores.heads[:, peak].argmax())
        channel = scores.top_channels[head, peak]
        segments.append((start, end, peak, -scores.combined[peak], heads[head], channel))
    return np.array(segments, dtype=_SEGMENT)


def segments_like(container: Container, segments: NDArray[np.void]) -> Any:
    """Return segments as a data frame, with labels of rows and channels, if they are of one.

    With an index or time stamps, ``start`` and ``end`` are labels of the first and the last row.
    """
    if not container.is_frame:
        return segments
    columns: dict[str, Any] = {name: segments[name] for name in _FIELDS}
    columns["channel"] = container.channels(segments["channel"])
    if container.has_labels:
        places = {"start": segments["start"], "end": segments["end"] - 1, "peak": segments["peak"]}
        columns |= {name: container.labels(rows) for name, rows in places.items()}
    return container.new(columns)


def segments_by_row(container: Container, segments: Any) -> NDArray[np.void]:
    """Undo :func:`segments_like`: numbers of rows and channels for labels."""
    if isinstance(segments, np.ndarray):
        return segments
    names = [name for name in _FIELDS if name in list(segments.columns)]
    columns = {name: segments[name].to_numpy() for name in names}
    if container.has_labels:
        for name in {"start", "end", "peak"} & columns.keys():
            columns[name] = container.places(segments[name]) + (name == "end")
    if "channel" in columns:
        columns["channel"] = container.channel_places(columns["channel"])
    types = [(name, _SEGMENT[name]) for name in names]
    return np.array([*zip(*columns.values(), strict=True)], dtype=types)
