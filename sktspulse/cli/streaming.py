"""Scores of a recording that is read piece by piece."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..network import replaced
from .layout import read_numbers, text_columns
from .stamps import LocalClock, check_ascending, is_stamps, read_stamps
from .tables import Table, load_pandas, read_chunks, shortened, table_format

__all__ = ["score_table", "stream_scores"]


def stream_scores(detector: Any, options: Namespace) -> dict[str, Any]:
    """Score a table of text row by row into another, in little memory; return counts."""
    separator = "\t" if table_format(options.output) == "tsv" else ","
    stream, labels, n_anomalies = detector.stream(), np.empty(0, dtype=object), 0
    with replaced(options.output) as file:
        for more, scores in _scored(stream, [*detector.feature_names_in_], options):
            labels = np.concatenate([labels, more])  # they come before their scores
            done, labels = labels[: len(scores)], labels[len(scores) :]
            table = score_table(options.time, done, scores, detector.offset_)
            n_anomalies += int(table["is_anomaly"].sum())
            is_first = file.tell() == 0
            table.to_csv(file, mode="wb", sep=separator, index=False, header=is_first)
    size = f"{stream.n_seen:,} rows, {len(detector.feature_names_in_)} channels"
    return {"size": size, "n_rows": stream.n_seen, "n_anomalies": n_anomalies}


def score_table(time: str | None, labels: Any, scores: Any, offset: float) -> Table:
    """Return the table of scores, with the time or the number of each row."""
    is_anomaly = (scores < offset).astype(int)
    columns = {time or "row": labels, "score": shortened(scores), "is_anomaly": is_anomaly}
    return load_pandas().DataFrame(columns)


def _scored(stream: Any, channels: list[str], options: Namespace) -> Iterator[tuple[Any, Any]]:
    """Yield the labels of the rows of each piece, and the scores that are known by then."""
    clock = LocalClock(options.tz) if options.tz else None
    for chunk in read_chunks(options.file, text_columns(options), options.decimal):
        frame = read_numbers(_checked(chunk, channels, options), channels, options.file)
        labels = np.arange(stream.n_seen, stream.n_seen + len(frame))
        if options.time is not None:
            labels = chunk[options.time].to_numpy()
            frame = frame.set_axis(_index(chunk[options.time], options, clock))
        yield labels, stream.update(frame)
    yield np.empty(0, dtype=object), stream.finish()


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
