"""Exact nearest-neighbour search among vectors stored with 4, 2 or 1 bytes a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize
from sklearn.utils import gen_batches

from ..series import Floats, Integers, Values

__all__ = ["METRICS", "STORES", "Metric", "SearchResult", "Store", "VectorIndex", "prepared"]

Metric = Literal["euclidean", "cosine"]
Store = Literal["float32", "float16", "int8"]

METRICS = ("euclidean", "cosine")
STORES = ("float32", "float16", "int8")
_INT8_MAX = 127
_BLOCK = 16384  # vectors decoded at once
# Bounds of scikit-learn's rounding: it takes float32 radii, and products in float64.
_RADIUS_ERROR, _PRODUCT_ERROR = 1e-6, 1e-13


class SearchResult(NamedTuple):
    """Distances in ascending order, and the rows of the vectors found."""

    distances: Floats
    rows: Integers


@dataclass(frozen=True, eq=False)
class VectorIndex:
    """Stored vectors and the search among them; immutable.

    scikit-learn's brute-force search finds candidates, block by block. Their distances
    are then computed from the differences to the stored vectors, so that equal vectors
    are at distance 0. At equal distances the lower row comes first.

    Parameters
    ----------
    metric : {"euclidean", "cosine"}
        Distance. Cosine expects vectors of length 1, see :func:`prepared`, and is half
        of their squared Euclidean distance.
    codes : ndarray of shape (n_vectors, n_features), float32, float16 or int8
        Stored numbers.
    centre : ndarray of shape (n_features,), float32, default=None
        For int8: mean of the vectors fitted, which codes are relative to.
    scales : ndarray of shape (n_vectors,), float32, default=None
        For int8: size of a step of each vector.
    """

    metric: Metric
    codes: NDArray[Any]
    centre: Values | None = None
    scales: Values | None = None

    @classmethod
    def fit(cls, vectors: Values, metric: Metric, store: Store) -> Self:
        """Store vectors from :func:`prepared`; float32 makes no copy.

        Raises
        ------
        ValueError
            If float16 cannot hold a number.
        """
        is_int8 = store == "int8"
        centre = vectors.mean(0, dtype=np.float64).astype(np.float32) if is_int8 else None
        codes, scales = _encoded(vectors, store, centre)
        return cls(metric, codes, centre, scales)

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def store(self) -> Store:
        """Type of the stored numbers."""
        return self.codes.dtype.name  # type: ignore[return-value]

    def encoded(self, vectors: Values) -> tuple[NDArray[Any], Values | None]:
        """Return other vectors as this index stores them: codes and, for int8, scales."""
        return _encoded(vectors, self.store, self.centre)

    def extended(self, vectors: Values) -> Self:
        """Return an index with new vectors after those of this one; see :meth:`fit`."""
        codes, scales = self.encoded(vectors)
        if self.scales is not None and scales is not None:
            scales = np.concatenate([self.scales, scales])
        return replace(self, codes=np.concatenate([self.codes, codes]), scales=scales)

    def selected(self, rows: Integers) -> Self:
        """Return an index of the vectors in some rows."""
        scales = None if self.scales is None else self.scales[rows]
        return replace(self, codes=self.codes[rows], scales=scales)

    def decoded(self, rows: Integers | slice) -> Values:
        """Return stored vectors as float32; they can serve as queries."""
        vectors: Values = self.codes[rows].astype(np.float32, copy=False)
        if self.scales is None or self.centre is None:
            return vectors
        vectors *= self.scales[rows, None]
        vectors += self.centre
        return vectors

    def nearest(
        self, queries: Values, n_neighbors: int, among: Integers | None = None
    ) -> SearchResult:
        """Find the nearest vectors of every query: arrays of (n_queries, n_neighbors).

        Queries are from :func:`prepared` or :meth:`decoded`. Only rows among some, in ascending
        order, are searched; None means all.
        """
        n_rows = len(self) if among is None else len(among)
        candidates = self.candidates(queries, min(n_rows, 2 * n_neighbors + 16), among)
        ranked = [
            self._ranked(*pair, n_neighbors) for pair in zip(queries, candidates, strict=True)
        ]
        distances, rows = (np.stack(parts) for parts in zip(*ranked, strict=True))
        return SearchResult(distances, rows)

    def within(self, queries: Values, radius: float) -> list[SearchResult]:
        """Find all vectors within a radius of every query; see :meth:`nearest`."""
        square = radius * radius if self.metric == "euclidean" else 2 * radius
        candidates = []
        for block in gen_batches(len(self), _BLOCK):
            vectors = self.decoded(block)
            peak = float(abs(vectors).max() + abs(queries).max())
            error = _PRODUCT_ERROR * vectors.shape[1] * peak**2
            widened = (1 + _RADIUS_ERROR) * math.sqrt(square + error)
            search = NearestNeighbors(radius=widened, algorithm="brute")
            found = search.fit(vectors).radius_neighbors(queries, return_distance=False)
            candidates.append([rows + block.start for rows in found])
        rows_by_query = map(np.concatenate, zip(*candidates, strict=True))
        ranked = [self._ranked(*pair) for pair in zip(queries, rows_by_query, strict=True)]
        counts = [np.searchsorted(distances, radius, "right") for distances, _ in ranked]
        return [SearchResult(d[:n], rows[:n]) for (d, rows), n in zip(ranked, counts, strict=True)]

    def candidates(
        self, queries: Values, n_candidates: int, among: Integers | None = None
    ) -> Sequence[Integers]:
        """Return the rows of the nearest vectors of every query, up to rounding."""
        distances, rows = np.zeros((len(queries), 0)), np.zeros((len(queries), 0), np.int64)
        n_rows = len(self) if among is None else len(among)
        for block in gen_batches(n_rows, _BLOCK) if n_rows and len(queries) else ():
            numbers = block if among is None else among[block]
            vectors = self.decoded(numbers)
            search = NearestNeighbors(algorithm="brute").fit(vectors)
            near, found = search.kneighbors(queries, min(n_candidates, len(vectors)))
            distances = np.hstack([distances, near])
            rows = np.hstack([rows, found + block.start if among is None else numbers[found]])
            order = np.argsort(distances, axis=1, kind="stable")[:, :n_candidates]
            distances = np.take_along_axis(distances, order, 1)
            rows = np.take_along_axis(rows, order, 1)
        return list(rows)

    def _ranked(self, query: Values, rows: Integers, n_rows: int | None = None) -> SearchResult:
        """Sort rows by exact distance from a query, and keep the first."""
        blocks = (rows[start : start + _BLOCK] for start in range(0, len(rows), _BLOCK))
        squares = [cdist(query[None], self.decoded(block), "sqeuclidean")[0] for block in blocks]
        distances = np.concatenate([np.zeros(0), *squares])
        distances = np.sqrt(distances) if self.metric == "euclidean" else distances / 2
        order = np.lexsort((rows, distances))[:n_rows]
        return SearchResult(distances[order], rows[order])


def prepared(vectors: Values, metric: Metric) -> Values:
    """Return vectors to store or to search for: scaled to length 1 for cosine."""
    return normalize(vectors) if metric == "cosine" else vectors


def _encoded(
    vectors: Values, store: Store, centre: Values | None
) -> tuple[NDArray[Any], Values | None]:
    if centre is not None:
        return _quantized(vectors, centre)
    peak = max(vectors.max(), -vectors.min())
    if peak > np.finfo(store).max:
        raise ValueError(
            f"The embeddings hold {peak:.3g}, which {store} cannot store. Choose store='float32'."
        )
    return vectors.astype(store, copy=False), None


def _quantized(vectors: Values, centre: Values) -> tuple[NDArray[np.int8], Values]:
    """Round differences from the centre to 255 steps, block by block to save memory."""
    codes, scales = np.empty(vectors.shape, np.int8), np.empty(len(vectors), np.float32)
    for block in gen_batches(len(vectors), _BLOCK):
        centred = vectors[block] - centre
        steps = np.abs(centred).max(1) / _INT8_MAX
        scales[block] = np.where(steps > 0, steps, 1)
        codes[block] = np.rint(centred / scales[block, None])
    return codes, scales
