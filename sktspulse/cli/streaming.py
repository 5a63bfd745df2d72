"""Scores of a recording that is read piece by piece."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

import numpy as np

from ..network import replaced
from .layout import read_numbers, text_columns
from .stamps import LocalClock, check_ascending, is_stamps, read_stamps
from .tables import Table, load_pandas, read_chunks, shortened, table_format

__all__ = ["stream_scores"]


def stream_scores(detector: Any, options: Namespace) -> dict[str, Any]:
    """Score a table of text row by row into another, in little memory; return counts."""
    stream, writer = detector.stream(), _Writer(detector.offset_, options)
    channels = [*detector.feature_names_in_]
    clock = LocalClock(options.tz) if options.tz else None
    with replaced(options.output) as file:
        writer.open(file)
        for chunk in read_chunks(options.file, text_columns(options), options.decimal):
            frame = read_numbers(_checked(chunk, channels, options), channels, options.file)
            labels = np.arange(stream.n_seen, stream.n_seen + len(frame))
            if options.time is not None:
                labels = chunk[options.time].to_numpy()
                frame = frame.set_axis(_index(chunk[options.time], options, clock))
            writer.write(labels, stream.update(frame))
        writer.write(np.empty(0, dtype=object), stream.finish())
    size = f"{stream.n_seen:,} rows, {len(channels)} channels"
    return {"size": size, "n_rows": stream.n_seen, "n_anomalies": writer.n_anomalies}


class _Writer:
    """Write scores as they come, with the labels of their rows, which come earlier."""

    def __init__(self, offset: float, options: Namespace) -> None:
        self.offset, self.column = offset, options.time or "row"
        self.separator = "\t" if table_format(options.output) == "tsv" else ","
        self.labels = np.empty(0, dtype=object)
        self.n_anomalies = 0

    def open(self, file: Any) -> None:
        self.file = file
        file.write(f"{self.separator.join([self.column, 'score', 'is_anomaly'])}\n".encode())

    def write(self, labels: Any, scores: Any) -> None:
        self.labels = np.concatenate([self.labels, labels])
        is_anomaly = (scores < self.offset).astype(int)
        self.n_anomalies += int(is_anomaly.sum())
        done, self.labels = self.labels[: len(scores)], self.labels[len(scores) :]
        table = load_pandas().DataFrame(
            {self.column: done, "score": shortened(scores), "is_anomaly": is_anomaly}
        )
        table.to_csv(self.file, mode="wb", sep=self.separator, index=False, header=False)


def _checked(chunk: Table, channels: list[str], options: Namespace) -> Table:
    absent = [name for name in [*channels, *text_columns(options)] if name not in chunk.columns]
    if absent:
        raise ValueError(
            f"{options.file} has no column {absent[0]!r}, which {options.train} has. "
            "Rename columns, or pass --columns."
        )
    return chunk


def _index(column: Any, options: Namespace, clock: LocalClock | None) -> Any:
    """Return the time stamps of a piece; local time goes on from the piece before."""
    pandas = load_pandas()
    stamps = read_stamps(column, options.time_format, None)
    if clock is None or not is_stamps(stamps):
        index = pandas.Index(stamps)
    elif stamps.dt.tz is None:
        index = clock.in_zone(pandas.DatetimeIndex(stamps))
    else:
        index = pandas.Index(read_stamps(column, options.time_format, options.tz))
    check_ascending(index, str(options.file))
    return index
