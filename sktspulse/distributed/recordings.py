"""The recordings in a table that has a row for each moment of each device."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..series import Floats, Integers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Recordings", "Roles", "naming"]


@dataclass(frozen=True)
class Roles:
    """What the columns of a table are."""

    by: Hashable  # says which recording a row belongs to
    time: Hashable | None  # that rows are sorted by; None leaves their order
    columns: tuple[Hashable, ...] | None  # the channels; None takes all others

    def channels(self, names: Sequence[Hashable]) -> list[Any]:
        """Return the names of the channels, and check that all columns are there."""
        keys = [self.by] if self.time is None else [self.by, self.time]
        others = [name for name in names if name not in keys]
        channels = others if self.columns is None else list(self.columns)
        if not channels or not {*keys, *channels} <= set(names):
            raise ValueError(
                f"by={self.by!r}, time={self.time!r} and columns={channels[:3]!r} must be names of "
                f"columns, and at least one channel, but the table has {list(names)[:5]}."
            )
        return channels


@dataclass(frozen=True)
class Recordings:
    """A table of whole recordings, or of pieces of them."""

    table: pd.DataFrame
    roles: Roles
    ids: Any  # (n,), pandas index
    rows: Sequence[Integers]  # for each, its rows in order of time

    @classmethod
    def find(cls, table: pd.DataFrame, roles: Roles) -> Recordings:
        """Find the rows of each recording; its first row decides on the order."""
        import pandas as pd

        _check_known(table[[roles.by] if roles.time is None else [roles.by, roles.time]])
        codes, ids = pd.factorize(table[roles.by])
        stamps = codes if roles.time is None else _sortable(table[roles.time])
        order = np.arange(len(codes))
        if not _is_sorted(codes, stamps, strictly=roles.time is not None):
            order = np.argsort(codes, kind="stable")
            order = order if roles.time is None else np.lexsort((stamps, codes))
            if roles.time is not None:
                _check_distinct(codes[order], stamps[order], ids, roles)
        rows = np.split(order, np.cumsum(np.bincount(codes))[:-1]) if len(codes) else []
        return cls(table, roles, ids, rows)

    def __iter__(self) -> Iterator[tuple[Hashable, Integers]]:
        """Yield the id and the rows of each recording."""
        return zip(self.ids, self.rows, strict=True)

    def name(self, one: Hashable) -> str:
        """Return how a message names a recording."""
        return f"{self.roles.by}={one!r}"

    @property
    def values(self) -> Floats:
        """Channels of all rows, ``(n_rows, n_channels)``, NaN where missing."""
        channels = self.table[self.roles.channels(list(self.table.columns))]
        kind = np.float32 if (channels.dtypes == np.float32).all() else np.float64
        return np.asarray(channels.to_numpy(dtype=kind, na_value=np.nan))

    def panel(self) -> Any:
        """Return the recordings as a panel, an array if they have the same length."""
        values = self.values
        series = [values[rows].T for rows in self.rows]
        return np.stack(series) if len({one.shape for one in series}) == 1 else series

    def frame(self, rows: Integers) -> pd.DataFrame:
        """Return the channels of one recording, with its time stamps as index."""
        frame = self.table[self.roles.channels(list(self.table.columns))].iloc[rows]
        frame = frame.astype("float64") if not all(map(_is_float, frame.dtypes)) else frame
        time = self.roles.time
        if time is None or not _is_time(self.table[time].dtype):
            return frame.reset_index(drop=True)
        return frame.set_axis(self.table[time].iloc[rows])

    def alone(self, number: int) -> Recordings:
        """Return one of the recordings."""
        ids, rows = self.ids[[number]], self.rows[number]
        return Recordings(self.table.iloc[rows], self.roles, ids, [np.arange(len(rows))])


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Put the name of what is worked on in front of the message of an error.

    It becomes a RuntimeError, which every engine can send from one process to another.
    """
    try:
        yield
    except Exception as error:
        raise RuntimeError(f"{what}: {error}") from error


def _sortable(stamps: pd.Series) -> Any:
    """Return integers in the order of time stamps."""
    import pandas as pd

    if isinstance(stamps.dtype, np.dtype) and stamps.dtype.kind in "iuMm":
        return stamps.to_numpy().astype(np.int64, copy=False)
    return pd.factorize(stamps, sort=True)[0]


def _is_sorted(codes: Integers, stamps: Any, *, strictly: bool) -> bool:
    steps = np.diff(codes)
    if (steps < 0).any():
        return False
    return not strictly or not ((np.diff(stamps) <= 0) & (steps == 0)).any()


def _check_known(keys: pd.DataFrame) -> None:
    for name, column in keys.items():
        missing = np.flatnonzero(column.isna())
        if len(missing):
            raise ValueError(
                f"{len(missing)} rows have no value in column {name!r}; the first is row "
                f"{missing[0]} of the partition. Drop such rows."
            )


def _check_distinct(codes: Integers, stamps: Any, ids: Any, roles: Roles) -> None:
    repeated = np.flatnonzero((np.diff(codes) == 0) & (np.diff(stamps) == 0))
    if len(repeated):
        raise ValueError(
            f"{roles.by}={ids[codes[repeated[0]]]!r} has the same {roles.time} in two rows. Drop "
            "or average duplicates."
        )


def _is_float(dtype: Any) -> bool:
    return dtype in (np.float32, np.float64)


def _is_time(dtype: Any) -> bool:
    return dtype.kind in "mM"
