"""Entries and their vectors, side by side: built, added to, thinned, searched, put in a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray

from ..network import Progress
from ..series import Panel, Values
from .entries import Entries
from .faiss_index import FaissIndex
from .vector_index import METRICS, STORES, Found, Metric, Pairs, Store, VectorIndex, blocks

__all__ = ["INDEXES", "Catalogue", "Kind", "Search"]

INDEXES = {"exact": VectorIndex, "faiss": FaissIndex}

Embed = Callable[[list[Values]], NDArray[np.float32]]

_BLOCK = 1024  # entries or queries that are cut out, embedded and searched for at once


class Kind(NamedTuple):
    """What vectors are compared by, how they are stored, and how they are searched."""

    metric: Metric
    store: Store
    cls: type[VectorIndex]  # one of INDEXES


class Search(NamedTuple):
    """How queries become vectors, where these are compared, and who is told of progress."""

    embed: Embed
    device: torch.device
    progress: Progress | None


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Entries and a vector for each; it never changes.

    Parameters
    ----------
    entries : Entries
        What is indexed.
    index : VectorIndex
        Their vectors, in the same order.
    """

    entries: Entries
    index: VectorIndex

    @classmethod
    def build(cls, panel: Panel, entries: Entries, kind: Kind, search: Search) -> Self:
        """Index a panel.

        Parameters
        ----------
        panel : sequence of ndarray of shape (n_channels, n_timepoints_i)
            The series.
        entries : Entries
            Without any yet.
        kind : Kind
            Which index.
        search : Search
            How to embed.

        Returns
        -------
        Catalogue
            The catalogue.
        """
        new = entries.of(panel)
        vectors = _embedded(panel, new, search)
        return cls(new, kind.cls.build(vectors, kind.metric, kind.store))

    def added(self, panel: Panel, search: Search) -> Self:
        """Return a catalogue that holds a panel as well."""
        new = self.entries.of(panel)
        index = self.index.added(_embedded(panel, new, search))
        return type(self)(self.entries.joined(new), index)

    def without(self, rows: NDArray[np.int64]) -> Self:
        """Return a catalogue that lacks some rows."""
        left = np.delete(np.arange(len(self.entries)), np.unique(rows))
        return type(self)(self.entries.kept(left), self.index.kept(left))

    def nearest(self, panel: Panel | None, n_neighbors: int, search: Search) -> Found:
        """Find the nearest rows of every query.

        Parameters
        ----------
        panel : sequence of ndarray of shape (n_channels, n_timepoints_i), or None
            Queries; None stands for every entry, which is then not found itself.
        n_neighbors : int
            How many.
        search : Search
            How to embed and search.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors), float64
            Ascending.
        rows : ndarray of shape (n_queries, n_neighbors), int64
            Which they are.
        """
        wanted = n_neighbors + (panel is None)
        parts = []
        for start, queries in self._queries(panel, search):
            found = self.index.nearest(queries, wanted, search.device)
            parts.append(_without_self(found, start) if panel is None else found)
        distances, rows = (np.concatenate(part) for part in zip(*parts, strict=True))
        return distances, rows

    def within(self, panel: Panel | None, radius: float, search: Search) -> Iterator[Found]:
        """Yield distances and rows of what is near each query; see :meth:`nearest`."""
        for start, queries in self._queries(panel, search):
            pairs = self.index.within(queries, radius, search.device)
            if panel is None:
                other = pairs[0] + start != pairs[2]
                owners, distances, found = (part[other] for part in pairs)
                pairs = owners, distances, found
            yield from _split(pairs, len(queries))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all arrays by name, for a file."""
        entries, index = self.entries, self.index
        arrays = {"vectors": index.codes, "centre": index.centre, "ids": entries.ids}
        arrays |= {"series": entries.series, "starts": entries.starts}
        return arrays if index.scales is None else arrays | {"scales": index.scales}

    def about(self) -> dict[str, Any]:
        """Return everything else, for a file."""
        entries = self.entries
        numbers = {name: getattr(entries, name) for name in _NUMBERS}
        index = next(name for name, cls in INDEXES.items() if type(self.index) is cls)
        about = {"metric": self.index.metric, "store": self.index.store, "index": index}
        return about | numbers

    @classmethod
    def restored(cls, arrays: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> Self:
        """Check and join what :meth:`arrays` and :meth:`about` gave.

        Parameters
        ----------
        arrays : mapping of str to ndarray
            From a file, which may be damaged.
        about : mapping
            From the same file.

        Returns
        -------
        Catalogue
            The catalogue.

        Raises
        ------
        ValueError, TypeError or LookupError
            If they do not fit together.
        """
        numbers = (about[name] for name in _NUMBERS)
        entries = Entries(*numbers, *(arrays[name] for name in ("ids", "series", "starts")))
        _check_arrays(arrays, about, len(entries))
        parts = (arrays["vectors"], arrays["centre"], arrays.get("scales"))
        return cls(entries, INDEXES[about["index"]](about["metric"], *parts))

    def _queries(
        self, panel: Panel | None, search: Search
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield vectors to look for, some at a time, and the number of the first."""
        n_queries = len(self.entries) if panel is None else len(panel)
        for block in blocks(n_queries, _BLOCK):
            if panel is None:
                yield block.start, self.index.stored(block)
            else:
                yield block.start, self.index.query(search.embed(list(panel[block])))
            _tell(search.progress, block)


_NUMBERS = ("window", "stride", "n_ids", "n_series")


def _tell(progress: Progress | None, block: slice) -> None:
    if progress is not None:
        progress.update(block.stop - block.start)


def _embedded(panel: Panel, new: Entries, search: Search) -> NDArray[np.float32]:
    """Return the vectors of entries, which are cut out a block at a time."""
    vectors = np.empty((len(new), 0), np.float32)
    for block in blocks(len(new), _BLOCK):
        part = search.embed(new.cut(panel, block))
        if not vectors.size:
            vectors = np.empty((len(new), part.shape[1]), np.float32)
        vectors[block] = part
        _tell(search.progress, block)
    return vectors


def _without_self(found: Found, start: int) -> Found:
    """Drop each query from what it found; the last, where others are just as near."""
    distances, rows = found
    own = rows == start + np.arange(len(rows))[:, None]
    own[~own.any(1), -1] = True
    shape = (len(rows), rows.shape[1] - 1)
    return distances[~own].reshape(shape), rows[~own].reshape(shape)


def _split(pairs: Pairs, n_queries: int) -> Iterator[Found]:
    owners, distances, rows = pairs
    ends = np.searchsorted(owners, np.arange(n_queries + 1))
    for start, stop in pairwise(ends):
        yield distances[start:stop], rows[start:stop]


def _check_arrays(arrays: Mapping[str, Any], about: Mapping[str, Any], n_entries: int) -> None:
    """Refuse vectors that do not fit what is said of them."""
    if about["metric"] not in METRICS or about["store"] not in STORES:
        raise ValueError("Its metric or store is unknown.")
    has_scales = about["store"] == "int8"
    if ("scales" in arrays) != has_scales:
        raise ValueError("Vectors have scales if they are of int8, and only then.")
    width = arrays["centre"].shape[0]
    shapes = {"vectors": (about["store"], (n_entries, width)), "centre": ("float32", (width,))}
    if has_scales:
        shapes["scales"] = ("float32", (n_entries,))
    for name, expected in shapes.items():
        array = arrays[name]
        if (array.dtype.name, array.shape) != expected or not np.isfinite(array).all():
            raise ValueError(f"{name} is {array.dtype} {array.shape}, expected finite {expected}.")
