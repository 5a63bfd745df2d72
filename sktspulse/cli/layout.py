"""How a table holds series: which columns are time, names, channels and values."""

from __future__ import annotations

import re
from argparse import Namespace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .stamps import is_stamps, read_stamps
from .tables import Table, load_pandas, read_table

__all__ = ["TableLayout", "read_layout", "read_numbers", "row_groups", "text_columns"]


class TableLayout(NamedTuple):
    """A table with what its columns are."""

    path: Path
    table: Table  # with a column for each channel
    stamps: Any  # time of each row, or None
    channels: list[str]
    values: Table  # of the channels
    time: str | None
    time_format: str | None
    id: str | None


def read_layout(path: Path, options: Namespace) -> TableLayout:
    """Read a table, and find out what its columns are."""
    table = read_table(path, text_columns(options), options.decimal)
    _check_columns(table, path, options)
    stamps = None
    if options.time is not None:
        groups = row_groups(table, [options.id, options.channel])
        stamps = read_stamps(table[options.time], options.time_format, options.tz, groups)
    if options.channel is not None:
        table, stamps = _spread(table, stamps, options)
    channels = _channels(table, path, options)
    values = read_numbers(table, channels, path, can_be_label=hasattr(options, "label"))
    names = (options.time, options.time_format, options.id)
    return TableLayout(path, table, stamps, channels, values, *names)


def text_columns(options: Namespace) -> list[str]:
    """Return the columns that are not to become numbers."""
    label = getattr(options, "label", None)
    names = (options.time, options.id, options.channel, label)
    return [name for name in names if name is not None]


def row_groups(table: Table, columns: list[str | None]) -> list[Any]:
    """Return the rows of each combination of values, in the order in which they appear."""
    names = [name for name in columns if name is not None]
    if not names:
        return [np.arange(len(table))]
    return [*table.groupby(names, sort=False).indices.values()]


def read_numbers(
    table: Table, channels: list[str], path: Path, *, can_be_label: bool = False
) -> Table:
    """Return the channels as numbers; an error says what to do about text."""
    pandas = load_pandas()
    values = {}
    for name in channels:
        column = table[name]
        if not pandas.api.types.is_numeric_dtype(column.dtype):
            raise ValueError(f"{path}: {_explain_text(table[channels], name, can_be_label)}")
        values[name] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return pandas.DataFrame(values)


def _check_columns(table: Table, path: Path, options: Namespace) -> None:
    if (options.channel is None) != (options.value is None):
        raise ValueError("--channel and --value belong together. Pass both, or neither.")
    if options.channel is not None and options.time is None:
        raise ValueError("--channel needs --time, to know which values are of the same moment.")
    wanted = [*text_columns(options), *([options.value] if options.value else [])]
    wanted += _listed(options) if options.channel is None else []
    for name in wanted:
        if name not in table.columns:
            known = ", ".join(map(str, table.columns[:10]))
            raise ValueError(f"{path} has no column {name!r}. Its columns: {known}.")
    for name in (options.id, options.channel):
        rows: Any = [] if name is None else np.flatnonzero(table[name].isna())
        for row in rows[:1]:
            raise ValueError(f"{path}: row {row} has no value in column {name!r}. Drop such rows.")


def _listed(options: Namespace) -> list[str]:
    return [name.strip() for name in options.columns.split(",")] if options.columns else []


def _channels(table: Table, path: Path, options: Namespace) -> list[str]:
    others = [name for name in table.columns if name not in text_columns(options)]
    channels = _listed(options) or others
    for name in channels:
        if name not in others:
            raise ValueError(f"{path} has no channel {name!r}. Its channels: {', '.join(others)}.")
    if not channels:
        raise ValueError(f"{path} has no column of values beside those named by options.")
    return channels


def _explain_text(table: Table, name: str, can_be_label: bool) -> str:
    """Return what to do about a channel that is not numbers."""
    pandas, column = load_pandas(), table[name]
    numbers = pandas.to_numeric(column.astype(str), errors="coerce")
    row = int(np.asarray(numbers.isna() & column.notna()).argmax())
    text = str(column.iloc[row])
    found = f"column {name!r} holds {text!r} in row {row}"
    if _looks_like_time(column):
        return f"{found}, a time stamp. Pass --time {name}."
    found += ", which is not a number. "
    if re.fullmatch(r"-?\d*,\d+", text):
        return f"{found}If it is one with a decimal comma, pass --decimal ','."
    if numbers.notna().any():
        return f"{found}Correct it, or leave the cell empty."
    label = f" If it holds labels, pass --label {name}." if can_be_label else ""
    others = [str(one) for one in table if pandas.api.types.is_numeric_dtype(table[one].dtype)]
    return (
        f"{found}If it names the series, pass --id {name}.{label} Otherwise pass the channels: "
        f"--columns {','.join(others) or 'A,B'}."
    )


def _looks_like_time(column: Any) -> bool:
    try:
        return is_stamps(read_stamps(column, None, None))
    except ValueError:
        return False


def _spread(table: Table, stamps: Any, options: Namespace) -> tuple[Table, Any]:
    """Give each channel of a table with one row a value a column of its own."""
    pandas = load_pandas()
    series = table[options.id] if options.id else np.zeros(len(table), dtype=int)
    cells = pandas.DataFrame({"series": pandas.factorize(series)[0], "stamp": stamps})
    cells["channel"], cells["value"] = table[options.channel], table[options.value]
    for row in np.flatnonzero(cells.duplicated(["series", "stamp", "channel"]))[:1]:
        raise ValueError(
            f"Row {row} has a second value of {table[options.channel].iloc[row]!r} at "
            f"{table[options.time].iloc[row]}. Drop duplicates, or pass --id or --tz."
        )
    moments = cells.drop_duplicates(["series", "stamp"]).sort_values(["series", "stamp"])
    wide = cells.pivot(index=["series", "stamp"], columns="channel", values="value")
    wide = wide.sort_index()[cells["channel"].unique()].reset_index(drop=True)
    names = [name for name in (options.id, options.time) if name is not None]
    written = table.loc[moments.index, names].reset_index(drop=True)
    return pandas.concat([written, wide], axis=1), moments["stamp"].reset_index(drop=True)
