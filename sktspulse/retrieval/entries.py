"""What an index holds: whole series or stretches of them, by ids that stay."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..series import Panel, Values, window_starts

__all__ = ["Entries"]

Integers = NDArray[np.int64]


def _none() -> Integers:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Entries:
    """Ids of entries and where these lie; it never changes.

    Parameters
    ----------
    window : int or None
        Length of the stretches [time points]; None for whole series.
    stride : int or None
        Steps from one to the next [time points].
    n_ids : int
        Number of ids given so far; the next one.
    n_series : int
        Number of series seen so far; the next one.
    ids : ndarray of shape (n_entries,), int64
        Ascending.
    series : ndarray of shape (n_entries,), int64
        Number of the series of each.
    starts : ndarray of shape (n_entries,), int64
        First time point of each.
    """

    window: int | None = None
    stride: int | None = None
    n_ids: int = 0
    n_series: int = 0
    ids: Integers = field(default_factory=_none)
    series: Integers = field(default_factory=_none)
    starts: Integers = field(default_factory=_none)

    def __post_init__(self) -> None:
        """Refuse what a damaged file may hold."""
        places = (self.ids, self.series, self.starts)
        if any(one.dtype != np.int64 or one.shape != self.ids.shape for one in places):
            raise TypeError("Ids and places are not whole numbers, one for each entry.")
        is_ascending = bool((np.diff(self.ids, prepend=-1, append=self.n_ids) > 0).all())
        is_inside = ((self.series >= 0) & (self.series < self.n_series) & (self.starts >= 0)).all()
        if not (is_ascending and is_inside):
            raise ValueError("Ids do not ascend, or places lie outside the series.")

    def __len__(self) -> int:
        return len(self.ids)

    def of(self, panel: Panel) -> Self:
        """Return the entries that a panel would add, alone.

        Parameters
        ----------
        panel : sequence of ndarray of shape (n_channels, n_timepoints_i)
            The series.

        Returns
        -------
        Entries
            Entries with the next ids.
        """
        starts = [self._starts(one.shape[1]) for one in panel]
        counts = [len(one) for one in starts]
        return replace(
            self,
            ids=self.n_ids + np.arange(sum(counts)),
            series=self.n_series + np.repeat(np.arange(len(panel)), counts),
            starts=np.concatenate(starts),
            n_ids=self.n_ids + sum(counts),
            n_series=self.n_series + len(panel),
        )

    def cut(self, panel: Panel, block: slice) -> list[Values]:
        """Return some of the entries that :meth:`of` made of a panel.

        Parameters
        ----------
        panel : sequence of ndarray of shape (n_channels, n_timepoints_i)
            The series.
        block : slice
            Which entries.

        Returns
        -------
        list of ndarray of shape (n_channels, n_timepoints_i)
            Views of their values.
        """
        rows = self.series[block] - (self.n_series - len(panel))
        places = zip(rows.tolist(), self.starts[block].tolist(), strict=True)
        return [panel[row][:, start:][:, : self.window] for row, start in places]

    def joined(self, new: Self) -> Self:
        """Return these entries followed by what :meth:`of` made."""
        return replace(
            new,
            ids=np.concatenate([self.ids, new.ids]),
            series=np.concatenate([self.series, new.series]),
            starts=np.concatenate([self.starts, new.starts]),
        )

    def kept(self, rows: Integers) -> Self:
        """Return the entries in some rows."""
        return replace(self, ids=self.ids[rows], series=self.series[rows], starts=self.starts[rows])

    def rows(self, ids: ArrayLike) -> Integers:
        """Find the rows of ids.

        Parameters
        ----------
        ids : array-like of int
            Of any shape.

        Returns
        -------
        ndarray of the same shape
            Their rows.

        Raises
        ------
        ValueError
            If there is no such entry.
        """
        asked = np.asarray(ids)
        if asked.size and asked.dtype.kind not in "iu":
            raise ValueError(f"ids are {asked.dtype}, expected whole numbers. Pass ids from ids_.")
        rows = np.searchsorted(self.ids, asked)
        absent = ~np.isin(asked, self.ids)
        if absent.any():
            raise ValueError(
                f"There is no entry {_some(asked[absent])}, the index holds {len(self)} of the "
                f"{self.n_ids} entries ever added. Pass ids from ids_."
            )
        return rows.astype(np.int64)

    def _starts(self, n_timepoints: int) -> Integers:
        if self.window is None or self.stride is None:
            return np.zeros(1, np.int64)
        return window_starts(n_timepoints, self.window, self.stride)


def _some(ids: NDArray[Any]) -> str:
    """List ids, but not hundreds of them."""
    shown = ", ".join(map(str, ids.ravel()[:3]))
    return shown + (f" and {ids.size - 3} more" if ids.size > 3 else "")
