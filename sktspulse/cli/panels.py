"""Panels of series in tables and other files."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .layout import TableLayout, read_layout, row_groups
from .tables import read_archive, table_format
from .ts_files import read_ts

__all__ = ["SeriesFile", "read_panel"]


class SeriesFile(NamedTuple):
    """The series of one or several files."""

    X: list[Any]  # (n_channels, n_timepoints_i) each
    ids: list[Any]
    labels: list[Any] | None = None
    times: list[Any] | None = None  # of each series, as they are written

    def describe_size(self) -> str:
        """Return how much there is, in words."""
        lengths = [series.shape[1] for series in self.X]
        n_channels, low, high = len(self.X[0]), min(lengths), max(lengths)
        points = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        plural = "s" if n_channels > 1 else ""
        return f"{len(self.X):,} series of {n_channels} channel{plural} and {points} time points"


def read_panel(paths: Sequence[Path], options: Namespace) -> SeriesFile:
    """Read the series of files, which are those of one panel."""
    parts = [_read_part(path, options) for path in paths]
    if len(parts) == 1:
        return parts[0]
    channels = {len(series) for part in parts for series in part.X}
    if len(channels) > 1:
        raise ValueError(f"The files have series of {sorted(channels)} channels. Pass --columns.")
    ids = [
        one if len(part.ids) == 1 else f"{path.stem}:{one}"
        for path, part in zip(paths, parts, strict=True)
        for one in part.ids
    ]
    X = [series for part in parts for series in part.X]
    return SeriesFile(X, ids, *(_joined(parts, name) for name in ("labels", "times")))


def _joined(parts: list[SeriesFile], name: str) -> list[Any] | None:
    values = [getattr(part, name) for part in parts]
    return None if any(one is None for one in values) else [x for one in values for x in one]


def _read_part(path: Path, options: Namespace) -> SeriesFile:
    kind = table_format(path)
    if kind == "ts":
        X, labels = read_ts(path)
        return SeriesFile(X, [*range(len(X))], labels)
    if kind == "npz":
        return _from_arrays(path)
    return _from_table(read_layout(path, options), getattr(options, "label", None))


def _from_arrays(path: Path) -> SeriesFile:
    arrays = read_archive(path)
    X = arrays.get("X", next(iter(arrays.values())) if len(arrays) == 1 else None)
    if X is None or X.ndim not in (2, 3):
        raise ValueError(
            f"{path} holds the arrays {', '.join(arrays)}, expected X of shape (n_series, "
            "n_channels, n_timepoints), and y for labels."
        )
    panel = [*(X[:, None] if X.ndim == 2 else X)]
    labels = [*arrays["y"]] if "y" in arrays else None
    if labels is not None and len(labels) != len(panel):
        raise ValueError(f"{path} holds {len(panel)} series in X, but {len(labels)} labels in y.")
    return SeriesFile(panel, [*range(len(panel))], labels)


def _from_table(layout: TableLayout, label: str | None) -> SeriesFile:
    """Read a long table; without a column of ids, it is one series with the name of the file."""
    from ..series import panel_from_long  # takes a second

    table = layout.table
    ids = layout.path.stem if layout.id is None else table[layout.id]
    times = np.arange(len(table)) if layout.stamps is None else layout.stamps
    # Names that no column of a file has.
    long = layout.values.assign(**{"\0id": ids, "\0time": times})
    X, names, _ = panel_from_long(long, id="\0id", time="\0time")
    labels = None if label is None else _labels(table[label], long["\0id"], label)
    if layout.time is None:
        return SeriesFile(X, names.to_list(), labels)
    written, ranks = table[layout.time].to_numpy(), layout.stamps.rank().to_numpy()
    rows = [part[np.argsort(ranks[part])] for part in row_groups(table, [layout.id])]
    return SeriesFile(X, names.to_list(), labels, [written[part] for part in rows])


def _labels(column: Any, ids: Any, name: str) -> list[Any]:
    """Return the label of each series, which all its rows must have."""
    groups = column.groupby(ids, sort=False)
    for series in groups.nunique(dropna=False).loc[lambda n: n > 1].index[:1]:
        found = ", ".join(map(repr, column[ids == series].unique()[:3]))
        raise ValueError(
            f"Series {series!r} has several labels in column {name!r}: {found}. Correct them, or "
            "pass another column as --id."
        )
    labels: list[Any] = groups.first().to_list()
    return labels
