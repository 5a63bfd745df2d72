"""Neighbours of queries, in the shapes and order of scikit-learn's estimators."""

from __future__ import annotations

from copy import copy
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from sklearn.utils._param_validation import (
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import check_is_fitted

from ..series import Integers
from .vector_index import SearchResult

__all__ = ["NeighborsMixin"]


class NeighborsMixin:
    """Neighbour queries of an estimator that holds an index.

    A query reads a shallow copy, so that what other threads add or remove meanwhile does not
    mix with it.

    The class has the parameters ``n_neighbors`` and ``radius``, the attribute ``ids_``,
    and the methods ``_nearest``, ``_within`` and ``_find_rows``.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "radius": [Interval(Real, 0, None, closed="both")],
    }
    n_neighbors: int
    radius: float
    ids_: Integers

    def kneighbors(
        self,
        X: ArrayLike | None = None,
        n_neighbors: int | None = None,
        return_distance: bool = True,
        *,
        among: ArrayLike | None = None,
        min_separation: int | None = None,
    ) -> Any:
        """Find the nearest entries of every query.

        Parameters
        ----------
        X : array-like, default=None
            Panel of queries with as many channels as fitted; each is embedded whole. Those
            of a two-dimensional panel have the length fitted, others any. None takes every
            entry of the index, which is then no neighbour of itself.
        n_neighbors : int, default=None
            Number of neighbours; None takes the parameter of the same name.
        return_distance : bool, default=True
            Whether to return the distances as well.
        among : array-like of int, default=None
            Ids of the entries to search, such as ``ids_[starts_ >= 1000]`` or those whose
            metadata pass a filter. None searches all.
        min_separation : int, default=None
            Least distance between the starts of two neighbours in one series, and from a
            query that is itself an entry [time points]. As long as a window, it leaves
            neighbours that do not overlap. None allows any.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_neighbors), float64
            Ascending. Only if ``return_distance``.
        ids : ndarray of shape (n_queries, n_neighbors), int64
            Ids of the entries; :meth:`locate` gives their positions.

        Raises
        ------
        ValueError
            If X is invalid, an id is unknown, or there are fewer such entries.
        NotFittedError
            If the retriever is not fitted.
        """
        snapshot = copy(self)
        distances, rows = snapshot._checked_nearest(X, n_neighbors, among, min_separation)
        ids = snapshot.ids_[rows]
        return (distances, ids) if return_distance else ids

    def radius_neighbors(
        self,
        X: ArrayLike | None = None,
        radius: float | None = None,
        return_distance: bool = True,
    ) -> Any:
        """Find all entries within a radius of every query.

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
            Distances for each query, ascending. Only if ``return_distance``.
        ids : ndarray of shape (n_queries,) of ndarray, int64
            Ids of the entries.

        Raises
        ------
        ValueError
            If X is invalid, or the radius is negative.
        NotFittedError
            If the retriever is not fitted.
        """
        snapshot = copy(self)
        radius = snapshot.radius if radius is None else radius
        snapshot._check_query("radius_neighbors", radius=radius)
        results = snapshot._within(X, radius)
        ids = _ragged([snapshot.ids_[rows] for _, rows in results])
        return (_ragged([distances for distances, _ in results]), ids) if return_distance else ids

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
            Number of neighbours; None takes the parameter of the same name.
        mode : {"connectivity", "distance"}, default="connectivity"
            Values of the matrix: ones or distances.

        Returns
        -------
        csr_matrix of shape (n_queries, n_entries)
            Column j is for entry ``ids_[j]``; square if X is None. The neighbours of a row
            are in the order of their distance.

        Raises
        ------
        ValueError
            As :meth:`kneighbors`, or if the mode is unknown.
        """
        snapshot = copy(self)
        snapshot._check_query("kneighbors_graph", mode=mode)
        distances, rows = snapshot._checked_nearest(X, n_neighbors)
        values = distances if mode == "distance" else np.ones_like(distances)
        ends = np.arange(len(rows) + 1) * rows.shape[1]
        return csr_matrix((values.ravel(), rows.ravel(), ends), (len(rows), len(snapshot.ids_)))

    def _nearest(
        self,
        X: ArrayLike | None,
        n_neighbors: int,
        among: Integers | None,
        min_separation: int | None,
    ) -> SearchResult:
        raise NotImplementedError

    def _find_rows(self, ids: ArrayLike) -> Integers:
        raise NotImplementedError

    def _within(self, X: ArrayLike | None, radius: float) -> list[SearchResult]:
        raise NotImplementedError

    def _checked_nearest(
        self,
        X: ArrayLike | None,
        n_neighbors: int | None,
        among: ArrayLike | None = None,
        min_separation: int | None = None,
    ) -> SearchResult:
        n_neighbors = self.n_neighbors if n_neighbors is None else n_neighbors
        self._check_query("kneighbors", n_neighbors=n_neighbors, min_separation=min_separation)
        rows = None if among is None else np.unique(self._find_rows(among))
        n_rows = len(self.ids_) if rows is None else len(rows)
        largest = n_rows - (X is None)
        if n_neighbors > largest:
            itself = ", and an entry is no neighbour of itself" if X is None else ""
            raise ValueError(
                f"n_neighbors is {n_neighbors}, but the index holds n_samples = {n_rows} "
                f"entries{itself}. Pass at most {largest}, or add series with partial_fit."
            )
        return self._nearest(X, n_neighbors, rows, min_separation)

    def _check_query(self, method: str, **arguments: Any) -> None:
        check_is_fitted(self)
        constraints = self._parameter_constraints | {
            "mode": [StrOptions({"connectivity", "distance"})],
            "min_separation": [Interval(Integral, 1, None, closed="left"), None],
        }
        name = f"{type(self).__name__}.{method}"
        validate_parameter_constraints(constraints, arguments, caller_name=name)
        if not len(self.ids_):
            raise ValueError(
                "The index is empty, as every entry was removed. Add series with partial_fit, or "
                "fit again."
            )


def _ragged(arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """Put arrays of unequal length into one array of objects."""
    ragged = np.empty(len(arrays), dtype=object)
    ragged[:] = arrays
    return ragged
