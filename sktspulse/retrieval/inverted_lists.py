"""The inverted lists of faiss as arrays, in memory or mapped from an index file.

faiss has files of its own, but its reader trusts them. Here arrays are checked, and faiss is only
told where they are.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..lazy import import_extra
from ..network import Place
from ..series import Integers, Values

__all__ = ["ListArrays", "empty_copy", "load_faiss", "new_lists", "search_lists", "without_file"]

_N_PROBES = 32  # lists that are searched
_ID_BYTES = 8


def load_faiss() -> Any:
    """Import faiss, or say how to install it."""
    # Its wrapper creates types in a way that newer versions of Python warn about.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return import_extra("faiss", "faiss", "index='faiss'")


def new_lists(n_lists: int, n_features: int) -> Any:
    """Return lists of vectors at one byte a number, not trained yet."""
    faiss = load_faiss()
    quantizer = faiss.IndexFlatL2(n_features)
    kind = faiss.ScalarQuantizer.QT_8bit
    lists = faiss.IndexIVFScalarQuantizer(quantizer, n_features, n_lists, kind)
    lists.nprobe = min(_N_PROBES, n_lists)
    return lists


def empty_copy(lists: Any) -> Any:
    """Return lists that are trained like others, and hold nothing."""
    return ListArrays.trained(lists).empty()


def without_file(lists: Any) -> Any:
    """Return lists that hold their content in memory."""
    faiss = load_faiss()
    is_mapped = lists is not None and isinstance(
        faiss.downcast_InvertedLists(lists.invlists), faiss.OnDiskInvertedLists
    )
    return ListArrays.from_lists(lists).in_memory() if is_mapped else lists


def search_lists(
    lists: Any, queries: Values, n_neighbors: int, among: Integers | None = None
) -> Integers:
    """Find near vectors, maybe among some rows: (n_queries, n_neighbors), -1 where too few."""
    if not n_neighbors:
        return np.zeros((len(queries), 0), np.int64)
    faiss = load_faiss()
    selector = {} if among is None else {"sel": faiss.IDSelectorBatch(among)}
    parameters = faiss.SearchParametersIVF(nprobe=lists.nprobe, **selector)
    rows: Integers = lists.search(queries, n_neighbors, params=parameters)[1]
    return rows


class ListArrays(NamedTuple):
    """All that inverted lists hold."""

    list_centres: Values  # (n_lists, n_features)
    list_ranges: Values  # (2 * n_features,), that a byte stands for
    list_sizes: Integers  # (n_lists,)
    list_content: NDArray[np.uint8]  # of each list the codes, then the rows of the vectors

    @classmethod
    def from_lists(cls, lists: Any) -> Self:
        """Copy what lists hold."""
        faiss, held = load_faiss(), lists.invlists
        sizes = np.array([held.list_size(number) for number in range(lists.nlist)], np.int64)
        content = [np.zeros(0, np.uint8)]
        for number, size in enumerate(sizes.tolist()):
            if size:
                codes = faiss.rev_swig_ptr(held.get_codes(number), size * lists.code_size)
                rows = faiss.rev_swig_ptr(held.get_ids(number), size)
                content += [codes, rows.astype("<i8").view(np.uint8)]
        return cls.trained(lists)._replace(list_sizes=sizes, list_content=np.concatenate(content))

    @classmethod
    def trained(cls, lists: Any) -> Self:
        """Copy what lists were trained to, without their content."""
        centres = lists.quantizer.reconstruct_n(0, lists.nlist)
        ranges = load_faiss().vector_to_array(lists.sq.trained)
        return cls(centres, ranges, np.zeros(lists.nlist, np.int64), np.zeros(0, np.uint8))

    def check(self, n_vectors: int, n_features: int) -> None:
        """Raise a ValueError if these cannot be lists of the first of some vectors."""
        sizes, n_bytes = self.list_sizes, n_features + _ID_BYTES
        if (sizes < 0).any() or (sizes > n_vectors).any() or sizes.sum() > n_vectors:
            raise ValueError("Its lists hold more vectors than the index.")
        if len(self.list_content) != sizes.sum() * n_bytes:
            raise ValueError("Its lists are cut.")

    def empty(self) -> Any:
        """Return lists that are trained, and hold nothing."""
        lists = new_lists(*self.list_centres.shape)
        lists.quantizer.add(np.ascontiguousarray(self.list_centres))
        load_faiss().copy_array_to_vector(np.ascontiguousarray(self.list_ranges), lists.sq.trained)
        lists.is_trained = True
        return lists

    def in_memory(self) -> Any:
        """Return lists that hold a copy of the content."""
        faiss, lists = load_faiss(), self.empty()
        for number, size, start in self._places():
            part = self.list_content[start : start + size * self._n_bytes]
            codes, rows = np.split(np.ascontiguousarray(part), [size * lists.code_size])
            pointers = faiss.swig_ptr(rows.view(np.int64)), faiss.swig_ptr(codes)
            lists.invlists.add_entries(number, size, *pointers)
        lists.ntotal = int(self.list_sizes.sum())
        return lists

    def on_disk(self, place: Place) -> Any:
        """Return lists whose content is read when used, from some byte of a file on."""
        faiss, lists = load_faiss(), self.empty()
        held = faiss.OnDiskInvertedLists()
        held.nlist, held.code_size, held.read_only = lists.nlist, lists.code_size, True
        held.filename, held.totsize = str(place.path), place.path.stat().st_size
        held.lists.clear()
        for _, size, start in self._places():
            one = faiss.OnDiskOneList()
            one.size = one.capacity = size
            one.offset = place.offset + start
            held.lists.push_back(one)
        held.do_mmap()
        place.check()
        lists.replace_invlists(held, True)
        held.this.disown()
        lists.ntotal = int(self.list_sizes.sum())
        return lists

    @property
    def _n_bytes(self) -> int:
        """Bytes that a vector takes."""
        return self.list_centres.shape[1] + _ID_BYTES

    def _places(self) -> Iterator[tuple[int, int, int]]:
        """Yield the number of each list, its size and the byte at which it starts."""
        starts = np.concatenate([[0], np.cumsum(self.list_sizes * self._n_bytes)[:-1]])
        sizes = self.list_sizes.tolist()
        return zip(range(len(sizes)), sizes, starts.astype(int).tolist(), strict=True)
