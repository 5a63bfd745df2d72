"""Approximate nearest-neighbour search among many millions of vectors, with faiss."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from ..series import Integers, Values
from .vector_index import VectorIndex

__all__ = ["FaissIndex", "load_faiss"]

_N_PROBES = 32  # lists that are searched
_PER_LIST = 64  # training vectors of each list
# New vectors are searched one by one until there are so many, or such a share, that the lists
# are trained again. Until then no list need fit them, whatever their kind.
_N_UNLISTED, _UNLISTED_SHARE = 2048, 0.05
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

    The lists hold one byte a number, beside the stored vectors. Vectors added after the lists
    were trained are searched exactly. Distances to candidates are exact, but a neighbour may
    be missed. :meth:`within` stays exact.

    Parameters
    ----------
    metric, codes, centre, scales
        As for :class:`VectorIndex`.
    lists : faiss.IndexIVFScalarQuantizer, default=None
        The lists of the first vectors; None trains them on all, if there are any.
    """

    lists: Any = None

    def __post_init__(self) -> None:
        if self.lists is None and len(self):
            object.__setattr__(self, "lists", _filled(_trained(self), self, len(self)))

    def extended(self, vectors: Values) -> Self:
        """Return an index with new vectors after those of this one."""
        extended = super().extended(vectors)
        n_listed = extended.lists.ntotal if len(extended) else 0
        is_due = len(extended) - n_listed > max(_N_UNLISTED, _UNLISTED_SHARE * n_listed)
        return replace(extended, lists=None) if is_due else extended

    def selected(self, rows: Integers) -> Self:
        """Return an index of the vectors in some rows, which ascend."""
        selected = super().selected(rows)
        n_listed = int(np.searchsorted(rows, self.lists.ntotal)) if len(self) else 0
        if not n_listed or 2 * _n_lists(n_listed) < self.lists.nlist:
            return replace(selected, lists=None)
        return replace(selected, lists=_filled(self.lists, selected, n_listed))

    def candidates(self, queries: Values, n_candidates: int) -> Integers:
        """Return rows of near vectors: (n_queries, at least n_candidates)."""
        n_listed = self.lists.ntotal
        rows: Integers = self.lists.search(queries, min(n_candidates, n_listed))[1]
        if n_listed < len(self):
            scales = None if self.scales is None else self.scales[n_listed:]
            unlisted = VectorIndex(self.metric, self.codes[n_listed:], self.centre, scales)
            rows = np.hstack([rows, n_listed + unlisted.candidates(queries, n_candidates)])
        is_short = (rows < 0).any(1)
        if is_short.any():  # these lists hold too few vectors
            rows[is_short] = super().candidates(queries[is_short], rows.shape[1])
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


def _filled(lists: Any, index: VectorIndex, n_listed: int) -> Any:
    """Return a copy of the lists that holds the first vectors of an index."""
    filled = load_faiss().clone_index(lists)
    filled.reset()
    for first in range(0, n_listed, _BLOCK):
        filled.add(index.decoded(slice(first, min(first + _BLOCK, n_listed))))
    return filled
