"""Exact search for nearest vectors: fast products find candidates, exact distances decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = [
    "METRICS",
    "STORES",
    "Found",
    "Metric",
    "Pairs",
    "Rows",
    "Store",
    "VectorIndex",
    "Vectors",
    "blocks",
]

Metric = Literal["euclidean", "cosine"]
Store = Literal["float32", "float16", "int8"]
Found = tuple[NDArray[np.float64], NDArray[np.int64]]  # distances and rows
Pairs = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]  # query before these
Vectors = NDArray[np.float32]
Rows = NDArray[np.int64]

METRICS = ("euclidean", "cosine")
STORES = ("float32", "float16", "int8")
_INT8_MAX = 127
_QUERIES, _VECTORS = 128, 32768  # compared at once: 16 MiB of scores
_GROUP = 32  # scores of which the lowest is looked at first
_SPARE = 8  # candidates beyond those asked for
_WIDER = 8  # times as many candidates if these might not hold all neighbours
_MAX_CANDIDATES = 2**21  # of all queries compared at once
_MAX_NUMBERS = 2**21  # of vectors whose distances are computed at once
# Relative error of a number that enters a product, by the precision asked of torch.
_INPUT_ERROR = {"highest": 0.0, "high": 2.0**-11, "medium": 2.0**-8}
_SINGLE_ERROR = 2.0**-24


@dataclass(frozen=True, eq=False)
class VectorIndex:
    """Vectors as they are stored, and the search among them.

    It never changes: adding and removing give another one. Distances are computed in
    double precision from the differences of what is stored and the query, in an order
    that depends on neither the other vectors nor the other queries; of two vectors at
    the same distance the one added first comes first.

    Parameters
    ----------
    metric : {"euclidean", "cosine"}
        Distance. For cosine, vectors of length 1 are stored, and the distance is half
        the squared Euclidean one, which is the same.
    codes : ndarray of shape (n_vectors, n_features), float32, float16 or int8
        What is stored.
    centre : ndarray of shape (n_features,), float32
        Mean of the vectors added first. It is subtracted before rounding can matter:
        int8 codes are relative to it, and so are the products that find candidates.
    scales : ndarray of shape (n_vectors,), float32, default=None
        Size of a step of each vector; for int8 only.
    """

    metric: Metric
    codes: NDArray[Any]
    centre: Vectors
    scales: Vectors | None = None

    def __post_init__(self) -> None:
        halves = np.empty(len(self), np.float32)
        for block in blocks(len(self), _VECTORS):
            halves[block] = np.square(self._centred(block), dtype=np.float64).sum(1) / 2
        object.__setattr__(self, "_halves", halves)

    @classmethod
    def build(cls, vectors: Vectors, metric: Metric, store: Store) -> Self:
        """Store vectors.

        Parameters
        ----------
        vectors : ndarray of shape (n_vectors, n_features), float32
            Finite; at least one. The index may keep and change this array.
        metric : {"euclidean", "cosine"}
            Distance.
        store : {"float32", "float16", "int8"}
            Type of the numbers stored; int8 with a scale for each vector.

        Returns
        -------
        VectorIndex
            The index.
        """
        parts = (_prepared(vectors[block], metric) for block in blocks(len(vectors), _VECTORS))
        total = np.sum([part.sum(0, dtype=np.float64) for part in parts], axis=0)
        centre = (total / len(vectors)).astype(np.float32)
        scales = np.zeros(0, np.float32) if store == "int8" else None
        empty = cls(metric, np.zeros((0, vectors.shape[1]), store), centre, scales)
        return empty.added(vectors)

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def store(self) -> Store:
        """Type of the numbers stored."""
        return self.codes.dtype.name  # type: ignore[return-value]

    def added(self, vectors: Vectors) -> Self:
        """Return an index that holds more vectors, after those of this one.

        Parameters
        ----------
        vectors : ndarray of shape (n_new, n_features), float32
            Finite. The index may keep and change this array: a second one as large is
            what many vectors leave no memory for.

        Returns
        -------
        VectorIndex
            The index.

        Raises
        ------
        ValueError
            If float16 cannot hold a number.
        """
        is_kept = self.store == "float32"
        codes = vectors if is_kept else np.empty(vectors.shape, self.codes.dtype)
        scales = np.empty(len(vectors), np.float32)
        is_done = is_kept and self.metric == "euclidean"
        for block in blocks(0 if is_done else len(vectors), _VECTORS):
            codes[block], scales[block] = self._encoded(_prepared(vectors[block], self.metric))
        if len(self):
            codes = np.concatenate([self.codes, codes])
        if self.scales is None:
            return replace(self, codes=codes)
        return replace(self, codes=codes, scales=np.concatenate([self.scales, scales]))

    def kept(self, rows: Rows) -> Self:
        """Return an index of some of the vectors.

        Parameters
        ----------
        rows : ndarray of shape (n_kept,)
            Which.

        Returns
        -------
        VectorIndex
            The index.
        """
        scales = None if self.scales is None else self.scales[rows]
        return replace(self, codes=self.codes[rows], scales=scales)

    def query(self, vectors: Vectors) -> Vectors:
        """Make queries of vectors: for cosine, give them length 1."""
        return _prepared(vectors, self.metric)

    def stored(self, rows: Rows | slice) -> Vectors:
        """Return vectors as they are stored, which are queries as well."""
        if self.scales is None:
            return self.codes[rows].astype(np.float32)
        return self._centred(rows) + self.centre

    def nearest(self, queries: Vectors, n_neighbors: int, device: torch.device) -> Found:
        """Find the nearest vectors of every query.

        Parameters
        ----------
        queries : ndarray of shape (n_queries, n_features), float32
            From :meth:`query` or :meth:`stored`.
        n_neighbors : int
            How many, at most as many as there are.
        device : torch.device
            Where candidates are looked for.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors), float64
            Ascending.
        rows : ndarray of shape (n_queries, n_neighbors), int64
            Which they are.
        """
        squares, rows = self._nearest(queries, n_neighbors, n_neighbors + _SPARE, device)
        return self._distances(squares), rows

    def within(self, queries: Vectors, radius: float, device: torch.device) -> Pairs:
        """Find all vectors that are at most so far from a query.

        Parameters
        ----------
        queries : ndarray of shape (n_queries, n_features), float32
            From :meth:`query` or :meth:`stored`.
        radius : float
            Largest distance.
        device : torch.device
            Where candidates are looked for.

        Returns
        -------
        owners : ndarray of shape (n_found,), int64
            Queries, ascending.
        distances : ndarray of shape (n_found,), float64
            Ascending for each query.
        rows : ndarray of shape (n_found,), int64
            Which they are.
        """
        norms, errors = self._errors(queries)
        square = radius**2 if self.metric == "euclidean" else 2 * radius
        limits = ((square - norms**2) / 2 + errors).astype(np.float32)
        # Rounded up, so that single precision leaves out no candidate.
        highest = torch.from_numpy(np.nextafter(limits, np.float32(np.inf))[:, None]).to(device)
        near = [
            (scores <= highest[block]).nonzero().cpu().numpy() + np.array([block.start, start])
            for block, start, scores in self._scores(queries, device)
        ]
        owners, rows = np.concatenate(near).T
        distances = self._distances(self._squares(queries, owners, rows))
        kept = distances <= radius
        owners, distances, rows = owners[kept], distances[kept], rows[kept]
        order = np.lexsort((rows, distances, owners))
        return owners[order], distances[order], rows[order]

    def _distances(self, squares: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sqrt(squares) if self.metric == "euclidean" else squares / 2

    def _encoded(self, vectors: Vectors) -> tuple[NDArray[Any], Vectors | float]:
        if self.scales is not None:
            centred = vectors - self.centre
            scales = np.abs(centred).max(1, initial=0) / _INT8_MAX
            scales[scales == 0] = 1
            return np.rint(centred / scales[:, None]).astype(np.int8), scales
        with np.errstate(over="ignore"):
            codes = vectors.astype(self.codes.dtype)
        if not np.isfinite(codes).all():
            raise ValueError(
                f"The embeddings hold {np.abs(vectors).max():.3g}, which {self.store} cannot "
                "store. Choose store='float32'."
            )
        return codes, 1.0

    def _centred(self, rows: Rows | slice) -> Vectors:
        """Return stored vectors relative to the centre."""
        if self.scales is None:
            return np.subtract(self.codes[rows], self.centre, dtype=np.float32)
        return np.multiply(self.codes[rows], self.scales[rows, None], dtype=np.float32)

    def _nearest(
        self, queries: Vectors, n_neighbors: int, n_candidates: int, device: torch.device
    ) -> Found:
        """Return squared distances and rows; look further where candidates may not do."""
        n_candidates = min(n_candidates, len(self))
        if len(queries) > 1 and len(queries) * n_candidates > _MAX_CANDIDATES:
            halves = np.array_split(queries, 2)
            found = [self._nearest(half, n_neighbors, n_candidates, device) for half in halves]
            return tuple(map(np.concatenate, zip(*found, strict=True)))  # type: ignore[return-value]
        rows, floor = self._candidates(queries, n_candidates, device)
        squares, rows = self._ranked(queries, rows, n_neighbors)
        unsure = np.flatnonzero(squares[:, -1] >= floor)
        if len(unsure):
            again = self._nearest(queries[unsure], n_neighbors, _WIDER * n_candidates, device)
            squares[unsure], rows[unsure] = again
        return squares, rows

    def _ranked(
        self, queries: Vectors, rows: Rows, n_neighbors: int
    ) -> tuple[NDArray[np.float64], Rows]:
        """Return squared distances and rows of the nearest of some candidates."""
        owners = np.repeat(np.arange(len(queries)), rows.shape[1])
        squares = self._squares(queries, owners, rows.ravel()).reshape(rows.shape)
        order = np.lexsort((rows, squares))[:, :n_neighbors]
        return np.take_along_axis(squares, order, 1), np.take_along_axis(rows, order, 1)

    def _candidates(
        self, queries: Vectors, n_candidates: int, device: torch.device
    ) -> tuple[Rows, NDArray[np.float64]]:
        """Return rows that seem nearest, and a distance, squared, that no other is below."""
        lowest: dict[int, tuple[Tensor, Tensor]] = {}
        for block, start, scores in self._scores(queries, device):
            values, rows = _lowest(scores, n_candidates)
            found = values, rows + start
            if block.start in lowest:
                found = _merged(lowest[block.start], found, n_candidates)
            lowest[block.start] = found
        highest = torch.cat([values.amax(1) for values, _ in lowest.values()]).cpu().numpy()
        places = torch.cat([rows for _, rows in lowest.values()]).cpu().numpy()
        if n_candidates == len(self):
            return places, np.full(len(queries), np.inf)
        norms, errors = self._errors(queries)
        return places, 2 * (highest.astype(np.float64) - errors) + norms**2

    def _scores(
        self, queries: Vectors, device: torch.device
    ) -> Iterator[tuple[slice, int, Tensor]]:
        """Yield halves of squared distances less those of the queries, some at a time."""
        centred = torch.from_numpy(queries - self.centre).to(device)
        for block in blocks(len(self), _VECTORS):
            vectors = torch.from_numpy(self._centred(block)).to(device)
            halves = torch.from_numpy(self._halves[block]).to(device)  # type: ignore[attr-defined]
            for some in blocks(len(queries), _QUERIES):
                yield some, block.start, torch.addmm(halves, centred[some], vectors.T, alpha=-1)

    def _errors(self, queries: Vectors) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return lengths of the queries, and how wrong a score can be at most."""
        norms = np.linalg.norm(queries.astype(np.float64) - self.centre, axis=1)
        longest = np.sqrt(2 * self._halves.max().astype(np.float64))  # type: ignore[attr-defined]
        # A sum of n products is off by n roundings at most, in whatever order; the others
        # are those of the centred numbers, of the halves, and of the difference.
        n_roundings = queries.shape[1] + 8
        relative = n_roundings * _SINGLE_ERROR
        relative += 2 * _INPUT_ERROR[torch.get_float32_matmul_precision()]
        return norms, relative * longest * (norms + longest)

    def _squares(self, queries: Vectors, owners: Rows, rows: Rows) -> NDArray[np.float64]:
        """Return the squared distance of each pair of a query and a row."""
        squares = np.empty(len(rows))
        for block in blocks(len(rows), max(1, _MAX_NUMBERS // queries.shape[1])):
            difference = self.stored(rows[block]).astype(np.float64) - queries[owners[block]]
            squares[block] = np.square(difference, out=difference).sum(1)
        return squares


def blocks(n: int, size: int) -> Iterator[slice]:
    """Yield slices that together cover so many rows, each of at most one size."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def _prepared(vectors: Vectors, metric: Metric) -> Vectors:
    if metric == "euclidean":
        return vectors
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1)).astype(np.float32)


def _merged(
    one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor], n: int
) -> tuple[Tensor, Tensor]:
    """Return the n lowest scores of both, and their rows."""
    scores, rows = (torch.cat(parts, 1) for parts in zip(one, other, strict=True))
    values, places = _lowest(scores, n)
    return values, rows.gather(1, places)


def _lowest(scores: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Return the n lowest of each row and their places, in no order.

    The n lowest lie in the n groups with the lowest minima, which are found faster.
    """
    n_groups = scores.shape[1] // _GROUP
    if n >= n_groups:
        return tuple(scores.topk(min(n, scores.shape[1]), largest=False, sorted=False))  # type: ignore[return-value]
    grouped = scores[:, : n_groups * _GROUP].unflatten(1, (_GROUP, n_groups))
    groups = grouped.amin(1).topk(n, largest=False, sorted=False).indices
    steps = torch.arange(_GROUP, device=scores.device) * n_groups
    inside = (groups[:, None] + steps[:, None]).flatten(1)
    rest = torch.arange(n_groups * _GROUP, scores.shape[1], device=scores.device)
    places = torch.cat([inside, rest.expand(len(scores), -1)], 1)
    low = scores.gather(1, places).topk(n, largest=False, sorted=False)
    return low.values, places.gather(1, low.indices)
