"""Approximate search among tens of millions of vectors: faiss finds candidates."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch

from .vector_index import Found, Rows, VectorIndex, Vectors, blocks

__all__ = ["FaissIndex", "load_faiss"]

_N_PROBES = 32  # lists that are searched
_PER_LIST = 64  # vectors that the centre of a list is learned from
_GROWTH = 2  # lists are made anew once there should be so many times as many
_CANDIDATES, _SPARE = 2, 16  # for each neighbour, and beyond that
_BLOCK = 32768


def load_faiss() -> Any:
    """Import faiss.

    Returns
    -------
    module
        It.

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        # Its wrapper makes types the way that newer versions of Python warn of.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            import faiss
    except ImportError as error:
        raise ImportError(
            "index='faiss' needs faiss. Install it with: pip install 'sktspulse[faiss]'"
        ) from error
    return faiss


@dataclass(frozen=True, eq=False)
class FaissIndex(VectorIndex):
    """Vectors that are divided into lists, of which a search reads a few.

    The lists hold one byte a number, beside the vectors as they are stored. Candidates
    come from the lists whose centres are nearest to the query; among these, distances
    to what is stored decide. So a distance is exact, but a neighbour may be missed.
    :meth:`within` stays exact.

    Parameters
    ----------
    metric, codes, centre, scales
        As for :class:`VectorIndex`.
    lists : faiss.IndexIVFScalarQuantizer, default=None
        The lists; None makes them of the vectors there are.
    """

    lists: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lists is None and len(self):
            object.__setattr__(self, "lists", _filled(_trained(self), self))

    def added(self, vectors: Vectors) -> Self:
        """Return an index that holds more vectors, after those of this one."""
        grown = super().added(vectors)
        if not len(self):
            return grown
        if _n_lists(len(grown)) > _GROWTH * self.lists.nlist:
            return replace(grown, lists=None)
        lists = load_faiss().clone_index(self.lists)
        return replace(grown, lists=_filled(lists, grown, len(self)))

    def kept(self, rows: Rows) -> Self:
        """Return an index of some of the vectors."""
        fewer = super().kept(rows)
        lists = load_faiss().clone_index(self.lists)
        lists.reset()
        return replace(fewer, lists=_filled(lists, fewer))

    def nearest(self, queries: Vectors, n_neighbors: int, device: torch.device) -> Found:
        """Find nearest vectors of every query among those in a few lists."""
        n_candidates = min(len(self), _CANDIDATES * n_neighbors + _SPARE)
        near, lists = self._centres().nearest(queries, self.lists.nprobe, torch.device("cpu"))
        near = np.square(near, dtype=np.float32, casting="same_kind")
        _, rows = self.lists.search_preassigned(queries, n_candidates, lists, near)
        is_short = (rows < 0).any(1)
        squares, found = self._ranked(queries, np.maximum(rows, 0), n_neighbors)
        distances = self._distances(squares)
        if is_short.any():
            # The lists hold too few: nothing but all vectors will do.
            exact = super().nearest(queries[is_short], n_neighbors, device)
            distances[is_short], found[is_short] = exact
        return distances, found

    def _centres(self) -> VectorIndex:
        """Return the centres of the lists, for a search that no other query changes."""
        centres = self.lists.quantizer.reconstruct_n(0, self.lists.nlist)
        return VectorIndex.build(centres, "euclidean", "float32")


def _n_lists(n_vectors: int) -> int:
    return max(1, math.isqrt(n_vectors))


def _trained(index: VectorIndex) -> Any:
    """Make empty lists that suit the vectors of an index."""
    faiss = load_faiss()
    n_lists, n_features = _n_lists(len(index)), index.codes.shape[1]
    quantizer = faiss.IndexFlatL2(n_features)
    lists = faiss.IndexIVFScalarQuantizer(
        quantizer, n_features, n_lists, faiss.ScalarQuantizer.QT_8bit
    )
    lists.cp.min_points_per_centroid = 1  # or few vectors are warned of
    lists.cp.max_points_per_centroid = _PER_LIST
    lists.nprobe = min(_N_PROBES, n_lists)
    step = max(1, len(index) // (_PER_LIST * n_lists))
    lists.train(index.stored(slice(None, None, step)))
    return lists


def _filled(lists: Any, index: VectorIndex, start: int = 0) -> Any:
    """Put vectors into lists, from one on."""
    for block in blocks(len(index) - start, _BLOCK):
        lists.add(index.stored(slice(block.start + start, block.stop + start)))
    return lists
