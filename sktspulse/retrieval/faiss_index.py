"""Approximate nearest-neighbour search among many millions of vectors, with faiss."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any, Self

from ..series import Integers, Values
from .vector_index import VectorIndex

__all__ = ["FaissIndex", "load_faiss"]

_N_PROBES = 32  # lists that are searched
_PER_LIST = 64  # training vectors of each list
_GROWTH = 2  # train again once there should be more than so many times as many lists
_BLOCK = 32768  # vectors decoded at once


def load_faiss() -> Any:
    """Import faiss, or say how to install it."""
    try:
        # Its wrapper creates types in a way that newer versions of Python warn about.
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
    """Vectors divided into inverted lists, a few of which are searched for candidates.

    The lists hold one byte a number, beside the stored vectors. Distances to candidates
    are exact, but a neighbour may be missed. :meth:`within` stays exact.

    Parameters
    ----------
    metric, codes, centre, scales
        As for :class:`VectorIndex`.
    lists : faiss.IndexIVFScalarQuantizer, default=None
        The lists, filled; None trains them on the stored vectors, if there are any.
    """

    lists: Any = None

    def __post_init__(self) -> None:
        if self.lists is None and len(self):
            object.__setattr__(self, "lists", _filled(_trained(self), self))

    def extended(self, vectors: Values) -> Self:
        """Return an index with new vectors after those of this one."""
        extended = super().extended(vectors)
        if not len(self) or _n_lists(len(extended)) > _GROWTH * self.lists.nlist:
            return replace(extended, lists=None)
        return replace(extended, lists=_filled(self.lists, extended, len(self)))

    def selected(self, rows: Integers) -> Self:
        """Return an index of the vectors in some rows."""
        selected = super().selected(rows)
        if not len(selected):
            return replace(selected, lists=None)
        empty = load_faiss().clone_index(self.lists)
        empty.reset()
        return replace(selected, lists=_filled(empty, selected))

    def candidates(self, queries: Values, n_candidates: int) -> Integers:
        """Return rows of near vectors from a few lists: (n_queries, n_candidates)."""
        rows: Integers = self.lists.search(queries, n_candidates)[1]
        is_short = (rows < 0).any(1)
        if is_short.any():  # these lists hold too few vectors
            rows[is_short] = super().candidates(queries[is_short], n_candidates)
        return rows


def _n_lists(n_vectors: int) -> int:
    return max(1, math.isqrt(n_vectors))


def _trained(index: VectorIndex) -> Any:
    """Return empty lists trained on the vectors of an index."""
    faiss = load_faiss()
    n_lists, n_features = _n_lists(len(index)), index.codes.shape[1]
    quantizer = faiss.IndexFlatL2(n_features)
    lists = faiss.IndexIVFScalarQuantizer(
        quantizer, n_features, n_lists, faiss.ScalarQuantizer.QT_8bit
    )
    lists.cp.min_points_per_centroid = 1  # or faiss warns that there are few vectors
    lists.cp.max_points_per_centroid = _PER_LIST
    lists.nprobe = min(_N_PROBES, n_lists)
    step = max(1, len(index) // (_PER_LIST * n_lists))
    lists.train(index.decoded(slice(None, None, step)))
    return lists


def _filled(lists: Any, index: VectorIndex, start: int = 0) -> Any:
    """Return a copy of the lists with the vectors added from row ``start`` on."""
    filled = load_faiss().clone_index(lists)
    for first in range(start, len(index), _BLOCK):
        filled.add(index.decoded(slice(first, first + _BLOCK)))
    return filled
