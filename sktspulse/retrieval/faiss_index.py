"""Approximate nearest-neighbour search among many millions of vectors, with faiss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from ..series import Integers, Values
from .inverted_lists import empty_copy, new_lists, search_lists, without_file
from .vector_index import VectorIndex

__all__ = ["FaissIndex"]

_PER_LIST = 64  # training vectors of each list
# New vectors are searched one by one until there are so many, or such a share, that the lists
# are trained again. Until then no list need fit them, whatever their kind.
_N_UNLISTED, _UNLISTED_SHARE = 2048, 0.05
_BLOCK = 32768  # vectors decoded at once


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

    def __getstate__(self) -> dict[str, Any]:
        """Pickle lists with what they hold, also where that is in a file."""
        return {**vars(self), "lists": without_file(self.lists)}

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
        return replace(selected, lists=_filled(empty_copy(self.lists), selected, n_listed))

    def candidates(
        self, queries: Values, n_candidates: int, among: Integers | None = None
    ) -> Sequence[Integers]:
        """Return rows of at least so many near vectors for every query."""
        n_listed = self.lists.ntotal
        rows = np.arange(len(self)) if among is None else among
        if len(rows) * self.lists.nlist <= self.lists.nprobe * len(self):
            return super().candidates(queries, n_candidates, rows)  # no more than lists hold
        listed, rest = np.split(rows, [np.searchsorted(rows, n_listed)])
        n_found = min(n_candidates, len(listed))
        selected = None if among is None else listed
        found = search_lists(self.lists, queries, n_found, selected)
        is_short = ((found < 0) | (found >= n_listed)).any(1)  # lists hold too few, or damage
        unlisted = super().candidates(queries, n_candidates, rest)
        near = [np.concatenate(pair) for pair in zip(found, unlisted, strict=True)]
        exact = super().candidates(queries[is_short], n_candidates, rows)
        for query, row in zip(np.flatnonzero(is_short), exact, strict=True):
            near[query] = row
        return near


def _n_lists(n_vectors: int) -> int:
    return max(1, math.isqrt(n_vectors))


def _trained(index: VectorIndex) -> Any:
    """Return empty lists trained on the vectors of an index."""
    n_lists = _n_lists(len(index))
    lists = new_lists(n_lists, index.codes.shape[1])
    lists.cp.min_points_per_centroid = 1  # or faiss warns that there are few vectors
    lists.cp.max_points_per_centroid = _PER_LIST
    step = max(1, len(index) // (_PER_LIST * n_lists))
    lists.train(index.decoded(slice(None, None, step)))
    return lists


def _filled(empty: Any, index: VectorIndex, n_listed: int) -> Any:
    """Fill empty lists with the first vectors of an index."""
    for first in range(0, n_listed, _BLOCK):
        empty.add(index.decoded(slice(first, min(first + _BLOCK, n_listed))))
    return empty
