"""Answers of a neighbours estimator, in the shapes and order of scikit-learn's."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from sklearn.utils.validation import check_is_fitted

from ..base import check_choice, check_number
from .vector_index import Found

__all__ = ["NeighborsMixin"]

_MODES = ("connectivity", "distance")


class NeighborsMixin:
    """Methods that turn distances and rows into answers.

    The class has the parameters ``n_neighbors`` and ``radius``, the attribute ``ids_``,
    and the methods ``_nearest`` and ``_within``.
    """

    n_neighbors: int
    radius: float
    ids_: NDArray[np.int64]

    def kneighbors(
        self,
        X: ArrayLike | None = None,
        n_neighbors: int | None = None,
        return_distance: bool = True,
    ) -> Any:
        """Find the nearest entries of every query.

        Parameters
        ----------
        X : array-like, default=None
            Panel of queries with the channels fitted; each is embedded whole. Those of a
            two-dimensional panel have the length fitted, others any. None asks for the
            neighbours of every entry in the index, itself not counted.
        n_neighbors : int, default=None
            How many; None takes the parameter of the same name.
        return_distance : bool, default=True
            Whether to return the distances as well.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors), float64
            Ascending. Only if ``return_distance``.
        ids : ndarray of shape (n_queries, n_neighbors), int64
            Ids of the entries. :meth:`locate` says where they lie.

        Raises
        ------
        ValueError
            If X is not as ``fit`` requires, or the index holds fewer entries.
        NotFittedError
            If nothing was indexed.
        """
        distances, rows = self._nearest_checked(X, n_neighbors)
        ids = self.ids_[rows]
        return (distances, ids) if return_distance else ids

    def radius_neighbors(
        self,
        X: ArrayLike | None = None,
        radius: float | None = None,
        return_distance: bool = True,
    ) -> Any:
        """Find all entries near every query.

        Parameters
        ----------
        X : array-like, default=None
            Panel of queries as in :meth:`kneighbors`.
        radius : float, default=None
            Largest distance; None takes the parameter of the same name.
        return_distance : bool, default=True
            Whether to return the distances as well.

        Returns
        -------
        distances : ndarray of shape (n_queries,) of ndarray, float64
            Those of each query, ascending. Only if ``return_distance``.
        ids : ndarray of shape (n_queries,) of ndarray, int64
            Ids of the entries.

        Raises
        ------
        ValueError
            If X is not as ``fit`` requires, or the radius is negative.
        NotFittedError
            If nothing was indexed.
        """
        self._check_filled()
        radius = self.radius if radius is None else radius
        check_number("radius", radius, Real, 0, np.inf)
        found = list(self._within(X, radius))
        distances = _ragged([distances for distances, _ in found])
        ids = _ragged([self.ids_[rows] for _, rows in found])
        return (distances, ids) if return_distance else ids

    def kneighbors_graph(
        self,
        X: ArrayLike | None = None,
        n_neighbors: int | None = None,
        mode: Literal["connectivity", "distance"] = "connectivity",
    ) -> csr_matrix:
        """Return the nearest entries of every query as a sparse matrix.

        Parameters
        ----------
        X : array-like, default=None
            Panel of queries as in :meth:`kneighbors`.
        n_neighbors : int, default=None
            How many; None takes the parameter of the same name.
        mode : {"connectivity", "distance"}, default="connectivity"
            Whether neighbours are marked by ones or by their distances.

        Returns
        -------
        csr_matrix of shape (n_queries, n_entries)
            Column j is for entry ``ids_[j]``; square if X is None. Neighbours stand in
            the order of their distance, as tools with ``metric="precomputed"`` like it.

        Raises
        ------
        ValueError
            As :meth:`kneighbors`, or if the mode is unknown.
        """
        check_choice("mode", mode, _MODES)
        distances, rows = self._nearest_checked(X, n_neighbors)
        values = distances if mode == "distance" else np.ones_like(distances)
        ends = np.arange(len(rows) + 1) * rows.shape[1]
        shape = (len(rows), len(self.ids_))
        return csr_matrix((values.ravel(), rows.ravel(), ends), shape)

    def _nearest(self, X: ArrayLike | None, n_neighbors: int) -> Found:
        raise NotImplementedError

    def _within(self, X: ArrayLike | None, radius: float) -> Iterator[Found]:
        raise NotImplementedError

    def _nearest_checked(self, X: ArrayLike | None, n_neighbors: int | None) -> Found:
        self._check_filled()
        wanted = self.n_neighbors if n_neighbors is None else n_neighbors
        check_number("n_neighbors", wanted, Integral, 1, np.inf)
        most = len(self.ids_) - (X is None)
        if wanted > most:
            own = ", and an entry is no neighbour of its own" if X is None else ""
            raise ValueError(
                f"n_neighbors is {wanted}, but the index holds n_samples = {len(self.ids_)} "
                f"entries{own}. Ask for at most {most}, or add series with partial_fit."
            )
        return self._nearest(X, wanted)

    def _check_filled(self) -> None:
        check_is_fitted(self)
        if not len(self.ids_):
            raise ValueError(
                "The index is empty, as every entry was removed. Add series with partial_fit, or "
                "fit again."
            )


def _ragged(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Put arrays of unequal length into one array of objects."""
    ragged = np.empty(len(parts), dtype=object)
    ragged[:] = parts
    return ragged
