"""An index of series: entries and a vector for each, extended, reduced and searched together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

import numpy as np
from sklearn.utils import gen_batches

from ..network import Progress
from ..series import Integers, Panel, Values
from .entries import Entries
from .faiss_index import FaissIndex
from .vector_index import Metric, SearchResult, Store, VectorIndex, prepared

__all__ = ["INDEXES", "IndexSpec", "SearchContext", "SeriesIndex"]

INDEXES = {"exact": VectorIndex, "faiss": FaissIndex}

_BLOCK = 1024  # entries or queries embedded and searched for at once


class IndexSpec(NamedTuple):
    """How vectors are compared, stored and searched."""

    metric: Metric
    store: Store
    kind: Literal["exact", "faiss"]


class SearchContext(NamedTuple):
    """How series become vectors, and the progress bar to update."""

    vectorize: Callable[[list[Values]], Values]
    progress: Progress | None


@dataclass(frozen=True, eq=False)
class SeriesIndex:
    """Entries and a vector for each; immutable.

    Parameters
    ----------
    entries : Entries
        What is indexed.
    vectors : VectorIndex
        Their vectors, in the same order.
    """

    entries: Entries
    vectors: VectorIndex

    @classmethod
    def fit(cls, panel: Panel, entries: Entries, spec: IndexSpec, context: SearchContext) -> Self:
        """Index a panel, whose entries are given."""
        vectors = _vectorized(panel, entries, spec.metric, context)
        return cls(entries, INDEXES[spec.kind].fit(vectors, spec.metric, spec.store))

    @property
    def spec(self) -> IndexSpec:
        """Kind of the index."""
        kind: Literal["exact", "faiss"]
        kind = "faiss" if isinstance(self.vectors, FaissIndex) else "exact"
        return IndexSpec(self.vectors.metric, self.vectors.store, kind)

    def extended(self, panel: Panel, following: Entries, context: SearchContext) -> Self:
        """Return an index that also holds a panel, whose entries follow those of this one."""
        vectors = _vectorized(panel, following, self.vectors.metric, context)
        return type(self)(self.entries.extended(following), self.vectors.extended(vectors))

    def without(self, rows: Integers) -> Self:
        """Return an index that lacks some rows."""
        rest = np.delete(np.arange(len(self.entries)), np.unique(rows))
        return type(self)(self.entries.selected(rest), self.vectors.selected(rest))

    def nearest(
        self,
        panel: Panel | None,
        n_neighbors: int,
        context: SearchContext,
        among: Integers | None = None,
        min_separation: int | None = None,
    ) -> SearchResult:
        """Find the nearest entries of every query: arrays of (n_queries, n_neighbors).

        Without queries every entry is one, and no neighbour of itself. Rows among some, in
        ascending order, are searched; None means all. With a separation, neighbours that start
        nearer to each other, or to the query itself, are left out.
        """
        n_wanted = n_neighbors + (panel is None)
        n_rows = len(self.entries) if among is None else len(among)
        n_found = min(n_rows, self.entries.count_near(n_wanted, min_separation))
        results = []
        for start, queries in self._queries(panel, context):
            result = self.vectors.nearest(queries, n_found, among)
            if panel is None:
                result = _self_first(result, start)
            if min_separation is not None:
                result = self.entries.separated(result, n_wanted, min_separation)
            results.append(result)
        distances, rows = (np.concatenate(parts) for parts in zip(*results, strict=True))
        is_other = slice(n_wanted - n_neighbors, None)
        return SearchResult(distances[:, is_other], rows[:, is_other])

    def within(
        self, panel: Panel | None, radius: float, context: SearchContext
    ) -> list[SearchResult]:
        """Find all entries within a radius of every query; see :meth:`nearest`."""
        results = []
        for start, queries in self._queries(panel, context):
            for query, (distances, rows) in enumerate(self.vectors.within(queries, radius), start):
                found = rows != query if panel is None else slice(None)
                results.append(SearchResult(distances[found], rows[found]))
        return results

    def _queries(self, panel: Panel | None, context: SearchContext) -> Iterator[tuple[int, Values]]:
        """Yield the number of the first query of each block, and the vectors of the block."""
        n_queries = len(self.entries) if panel is None else len(panel)
        for block in gen_batches(n_queries, _BLOCK):
            if panel is None:
                yield block.start, self.vectors.decoded(block)
            else:
                vectors = context.vectorize(list(panel[block]))
                yield block.start, prepared(vectors, self.vectors.metric)
            _advance(context.progress, block)


def _advance(progress: Progress | None, block: slice) -> None:
    if progress is not None:
        progress.update(block.stop - block.start)


def _vectorized(panel: Panel, entries: Entries, metric: Metric, context: SearchContext) -> Values:
    """Return the vectors of entries, which are cut out and embedded block by block."""
    vectors = np.empty((len(entries), 0), np.float32)
    for block in gen_batches(len(entries), _BLOCK):
        part = prepared(context.vectorize(entries.values(panel, block)), metric)
        if not vectors.size:
            vectors = np.empty((len(entries), part.shape[1]), np.float32)
        vectors[block] = part
        _advance(context.progress, block)
    return vectors


def _self_first(result: SearchResult, start: int) -> SearchResult:
    """Put each query before its neighbours, of which it replaces itself or the last."""
    distances, rows = result
    itself = start + np.arange(len(rows))[:, None]
    is_self = rows == itself
    is_self[~is_self.any(1), -1] = True
    shape = (len(rows), rows.shape[1] - 1)
    return SearchResult(
        np.hstack([np.zeros_like(itself, float), distances[~is_self].reshape(shape)]),
        np.hstack([itself, rows[~is_self].reshape(shape)]),
    )
