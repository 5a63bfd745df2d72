"""Entries of an index: whole series or windows of them, numbered once and for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..series import Integers, Panel, Values, window_starts
from .vector_index import SearchResult

__all__ = ["Entries"]


def _empty() -> Integers:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Entries:
    """Ids of entries and their positions in the series; immutable.

    Parameters
    ----------
    window : int or None
        Length of the windows [time points]; None for whole series.
    stride : int or None
        Steps from one window to the next [time points].
    n_ids : int
        Number of ids given so far, which is the next id.
    n_series : int
        Number of series added so far, which is the number of the next series.
    ids : ndarray of shape (n_entries,), int64
        Ascending.
    series : ndarray of shape (n_entries,), int64
        Number of the series of each entry.
    starts : ndarray of shape (n_entries,), int64
        First time point of each entry.
    """

    window: int | None = None
    stride: int | None = None
    n_ids: int = 0
    n_series: int = 0
    ids: Integers = field(default_factory=_empty)
    series: Integers = field(default_factory=_empty)
    starts: Integers = field(default_factory=_empty)

    def __post_init__(self) -> None:
        """Reject what a damaged file may hold."""
        edges = np.concatenate([[-1], self.ids, [self.n_ids]])
        is_ascending = (edges[:-1] < edges[1:]).all()  # a difference might overflow
        is_inside = ((self.series >= 0) & (self.series < self.n_series) & (self.starts >= 0)).all()
        if not (is_ascending and is_inside):
            raise ValueError("Ids do not ascend, or positions lie outside the series.")

    def __len__(self) -> int:
        return len(self.ids)

    def following(self, panel: Panel) -> Self:
        """Return the entries of a panel alone, with the next ids."""
        starts = [self._window_starts(one.shape[1]) for one in panel]
        counts = [len(one) for one in starts]
        return replace(
            self,
            ids=self.n_ids + np.arange(sum(counts)),
            series=self.n_series + np.repeat(np.arange(len(panel)), counts),
            starts=np.concatenate(starts),
            n_ids=self.n_ids + sum(counts),
            n_series=self.n_series + len(panel),
        )

    def values(self, panel: Panel, block: slice) -> list[Values]:
        """Return views of the values of some entries that :meth:`following` made of a panel."""
        return self.cut(block, panel, self.n_series - len(panel))

    def cut(
        self, rows: Integers | slice, panel: Panel | Mapping[int, Values], first: int = 0
    ) -> list[Values]:
        """Return views of the values of the entries in some rows.

        The panel has series by number, which count from the first one of the panel.
        """
        positions = zip(self.series[rows].tolist(), self.starts[rows].tolist(), strict=True)
        return [panel[number - first][:, start:][:, : self.window] for number, start in positions]

    def extended(self, following: Self) -> Self:
        """Return these entries and those that :meth:`following` made."""
        return replace(
            following,
            ids=np.concatenate([self.ids, following.ids]),
            series=np.concatenate([self.series, following.series]),
            starts=np.concatenate([self.starts, following.starts]),
        )

    def selected(self, rows: Integers) -> Self:
        """Return the entries in some rows."""
        return replace(self, ids=self.ids[rows], series=self.series[rows], starts=self.starts[rows])

    def find_rows(self, ids: ArrayLike) -> Integers:
        """Return the rows of ids, in an array of the same shape."""
        ids = np.asarray(ids)
        if ids.size and ids.dtype.kind not in "iu":
            raise ValueError(f"ids are {ids.dtype}, expected integers. Pass ids from ids_.")
        absent = ids[~np.isin(ids, self.ids)]
        if absent.size:
            raise ValueError(
                f"The index has no entry {_first_three(absent)}; it holds {len(self)} of the "
                f"{self.n_ids} entries ever added. Pass ids from ids_."
            )
        return np.searchsorted(self.ids, ids).astype(np.int64)

    def count_near(self, n_neighbors: int, min_separation: int | None) -> int:
        """Count the entries among which so many are certain to be far enough from each other."""
        if min_separation is None:
            return n_neighbors
        if self.stride is None:
            raise ValueError(
                f"min_separation is {min_separation}, but whole series are indexed. Fit with a "
                "window, or leave it out."
            )
        n_near = 2 * -(-min_separation // self.stride)  # within reach of one, on both sides
        return n_neighbors + (n_neighbors - 1) * n_near

    def separated(
        self, result: SearchResult, n_neighbors: int, min_separation: int
    ) -> SearchResult:
        """Keep the nearest of entries that start too near to each other."""
        kept = np.empty((len(result.rows), n_neighbors), int)
        for query, rows in enumerate(result.rows):
            series, starts = self.series[rows], self.starts[rows]
            is_left = np.ones(len(rows), bool)
            for number in range(n_neighbors):
                if not is_left.any():
                    raise ValueError(
                        f"n_neighbors is {n_neighbors}, but query {query} has {number} neighbours "
                        f"that start min_separation = {min_separation} time points from each "
                        "other. Pass less of either."
                    )
                first = kept[query, number] = np.argmax(is_left)
                is_near = abs(starts - starts[first]) < min_separation
                is_left &= ~(is_near & (series == series[first]))
        take = partial(np.take_along_axis, indices=kept, axis=1)
        return SearchResult(take(result.distances), take(result.rows))

    def _window_starts(self, n_timepoints: int) -> Integers:
        if self.window is None or self.stride is None:
            return np.zeros(1, np.int64)
        return window_starts(n_timepoints, self.window, self.stride)


def _first_three(ids: NDArray[Any]) -> str:
    listed = ", ".join(map(str, ids[:3]))
    return listed + (f" and {ids.size - 3} more" if ids.size > 3 else "")
