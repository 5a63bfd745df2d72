"""Recordings in a table: each with its channels and an index of time."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .layout import TableLayout, read_layout, row_groups
from .stamps import check_ascending, is_stamps, write_stamps
from .tables import Table, load_pandas

__all__ = ["Recording", "describe_size", "read_recordings", "row_labels"]


class Recording(NamedTuple):
    """One recording of a table."""

    name: Any  # in the column of ids; None without one
    values: Table  # the channels, with time stamps, times or row numbers as the index
    rows: Any  # of the table; -1 for those that were inserted


def read_recordings(path: Path, options: Namespace) -> tuple[TableLayout, list[Recording]]:
    """Read the recordings of a table; without a column of ids, it is one."""
    if options.freq and not options.time:
        raise ValueError("--freq needs time stamps. Pass their column as --time.")
    if options.freq:
        try:
            _to_offset(options.freq)
        except ValueError as error:
            raise ValueError(
                f"--freq {options.freq} is not a step of time. Pass one such as 1h, 15min or 1D."
            ) from error
    layout = read_layout(path, options)
    groups = row_groups(layout.table, [layout.id])
    return layout, [_recording(layout, np.sort(rows), options.freq) for rows in groups]


def _recording(layout: TableLayout, rows: Any, freq: str | None) -> Recording:
    name = None if layout.id is None else layout.table[layout.id].iloc[rows[0]]
    values = layout.values.iloc[rows]
    if layout.stamps is None:
        return Recording(name, values, rows)
    where = f"{layout.path}" if name is None else f"series {name!r} in {layout.path}"
    index = load_pandas().Index(layout.stamps.iloc[rows], name=None)
    check_ascending(index, where)
    values = values.set_axis(index)
    from ..series import Pace, asfreq  # takes a second

    if freq is not None:
        whole = asfreq(values, freq)
        places = values.index.get_indexer(whole.index)
        return Recording(name, whole, np.where(places < 0, -1, rows[places]))
    if is_stamps(layout.stamps) and len(rows) > 2:
        step = load_pandas().Series(index).diff().median()
        Pace().check(values, f"Pass --freq {_to_offset(step).freqstr} to insert the missing rows")
    return Recording(name, values, rows)


def _to_offset(step: Any) -> Any:
    load_pandas()
    from pandas.tseries.frequencies import to_offset

    return to_offset(step)


def row_labels(layout: TableLayout, recording: Recording) -> Any:
    """Return what identifies each row: the time as it is written in the file, or its number."""
    if layout.time is None:
        return np.asarray(recording.values.index)
    written = layout.table[layout.time]
    is_new = recording.rows < 0
    labels = written.iloc[recording.rows].reset_index(drop=True)
    if is_new.any():
        labels = labels.astype(object)
        labels[is_new] = write_stamps(recording.values.index[is_new], written, layout.time_format)
        labels = labels.infer_objects()
    return labels


def describe_size(recordings: list[Recording]) -> str:
    """Return how much there is, in words."""
    n_rows = sum(len(one.values) for one in recordings)
    n_channels = recordings[0].values.shape[1]
    many = f"{len(recordings):,} recordings, " if len(recordings) > 1 else ""
    return f"{many}{n_rows:,} rows, {n_channels} channel{'s' if n_channels > 1 else ''}"
