"""Find the series of a panel, or the windows of long series, that are most like a query."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils._param_validation import (
    Interval,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils.validation import check_is_fitted

from ..base import BaseTSPulse, safetensors_path
from ..embedding import TSPulseTransformer, fitted_transformer
from ..series import Floats, Integers, OutputMixin, Panel, check_panel, fitted_copy
from .dtw import pick_series, warped_distances
from .entries import Entries
from .inverted_lists import load_faiss
from .merging import merge_indexes
from .neighbors import NeighborsMixin
from .persistence import BaseSavableRetriever
from .series_index import INDEXES, IndexSpec, SearchContext, SeriesIndex
from .vector_index import METRICS, STORES, SearchResult
from .vectorizer import SeriesVectorizer
from .writing import writing

__all__ = ["TSPulseRetriever"]

_N_SAMPLED = 1024  # entries that levels are scaled by, at most


class TSPulseRetriever(
    OutputMixin,
    NeighborsMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseSavableRetriever,
):
    """Index series by their embeddings and find those most like a query.

    ``fit`` embeds a panel with the pre-trained network, which it does not train. A query
    is embedded as well and compared with every stored vector, so the search is exact.
    With ``window``, windows of long series are indexed instead of whole series, and a
    query finds the places where something like it happens.

    Parameters
    ----------
    n_neighbors : int, default=5
        Number of neighbours to find by default.
    radius : float, default=1.0
        Radius of :meth:`radius_neighbors` by default [distance between embeddings].
    embedding : {"semantic", "detailed", "time", "frequency", "all"}, default="semantic"
        What is compared; see :class:`TSPulseTransformer`.
    metric : {"euclidean", "cosine"}, default="euclidean"
        Distance between embeddings.
    channels : {"concatenate", "mean"}, default="concatenate"
        Whether to concatenate the vectors of the channels, which compares channels one
        by one, or to average them.
    normalize : bool, default=True
        Whether to ignore level and scale of every channel. If False, level and logarithm
        of the scale are compared as well, in units of their spread among the entries of
        the first ``fit``; both together count as much as the embedding.
    window : int, default=None
        Length of the windows to index [time points]. None indexes whole series.
    stride : int, default=None
        Steps from one window to the next [time points]; None means half a window.
    store : {"float32", "float16", "int8"}, default="float32"
        Type of the stored numbers: 4, 2 or 1 bytes each.
    index : {"exact", "faiss"}, default="exact"
        How to search. ``"faiss"`` searches a part of the index, which is faster for very
        many entries but misses some neighbours; it needs the package faiss.
    checkpoint : str or path, default="tspulse-p16"
        Name of a shipped network, path of a file or folder, or hub id.
    batch_size : int, default=32
        Windows given to the network at once.
    n_jobs : int, default=None
        Number of threads, -1 for one on each core. None means what
        :func:`joblib.parallel_config` says, else as many as torch uses. Results are the
        same up to rounding.
    device : str, default="auto"
        Where the network runs: ``"cpu"``, ``"cuda"``, ... or the best there is.
    verbose : int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
    ids_ : ndarray of shape (n_entries,), int64
        Ids of the entries: 0, 1, ... in order of arrival. No id is given twice.
    series_ : ndarray of shape (n_entries,), int64
        Number of the series of each entry, in order of arrival.
    starts_ : ndarray of shape (n_entries,), int64
        First time point of each entry in its series.
    transformer_ : TSPulseTransformer
        Transformer that gives the embeddings; fitted.
    window_ : int or None
        Length of the windows [time points].
    n_features_in_ : int
        Number of channels; of time points for a two-dimensional panel.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame with names that are strings.
    n_channels_in_ : int
        Number of channels.
    fingerprint_ : str
        Hash of the weights of the network.

    See Also
    --------
    TSPulseTransformer : Gives the embeddings themselves.
    RetrievalDisplay : Draws a query above its neighbours.
    sklearn.neighbors.NearestNeighbors : Searches among vectors of any kind.

    Notes
    -----
    Shorter series than the input of the network, 512 time points, are interpolated, longer
    ones averaged block by block. NaN is missing:
    gaps of at most one in 32 time points are interpolated, longer ones are masked. ±inf
    is an error.

    Distances are computed in double precision between the query and the stored vectors;
    at equal distances the lower id comes first. One CPU core indexes 1,000 entries of one
    channel in about 1 s and searches 100,000 for many queries in about 1.5 ms each. A
    search needs little memory beside the index. ``fit`` holds 4 bytes a number whatever
    ``store`` is, and :meth:`partial_fit` holds the index twice.

    Several threads may use one retriever. A query sees the entries of one moment. ``fit``,
    :meth:`partial_fit` and :meth:`remove` wait for each other.

    References
    ----------
    .. [1] Ekambaram et al., "TSPulse: Tiny Pre-Trained Models with Disentangled
       Representations for Rapid Time-Series Analysis", 2025, arXiv:2505.13033, section 4.

    Examples
    --------
    >>> from sktspulse import TSPulseRetriever
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, y = make_labelled_panel(60, n_classes=3, random_state=0)
    >>> retriever = TSPulseRetriever(n_neighbors=3).fit(X[:50])
    >>> distances, ids = retriever.kneighbors(X[50:])
    >>> ids.shape
    (10, 3)
    >>> bool((y[ids[:, 0]] == y[50:]).mean() > 0.8)
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **BaseTSPulse._parameter_constraints,
        **NeighborsMixin._parameter_constraints,
        "embedding": [StrOptions({"semantic", "detailed", "time", "frequency", "all"})],
        "metric": [StrOptions(set(METRICS))],
        "channels": [StrOptions({"concatenate", "mean"})],
        "normalize": ["boolean"],
        "window": [Interval(Integral, 2, None, closed="left"), None],
        "stride": [Interval(Integral, 1, None, closed="left"), None],
        "store": [StrOptions(set(STORES))],
        "index": [StrOptions(set(INDEXES))],
    }

    def __init__(
        self,
        n_neighbors: int = 5,
        *,
        radius: float = 1.0,
        embedding: Literal["semantic", "detailed", "time", "frequency", "all"] = "semantic",
        metric: Literal["euclidean", "cosine"] = "euclidean",
        channels: Literal["concatenate", "mean"] = "concatenate",
        normalize: bool = True,
        window: int | None = None,
        stride: int | None = None,
        store: Literal["float32", "float16", "int8"] = "float32",
        index: Literal["exact", "faiss"] = "exact",
        checkpoint: str = "tspulse-p16",
        batch_size: int = 32,
        n_jobs: int | None = None,
        device: str = "auto",
        verbose: int = 0,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.radius = radius
        self.embedding = embedding
        self.metric = metric
        self.channels = channels
        self.normalize = normalize
        self.window = window
        self.stride = stride
        self.store = store
        self.index = index
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.device = device
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Index a panel; forget what was indexed before.

        Parameters
        ----------
        X : array-like of shape (n_series, n_timepoints) or (n_series, n_channels, \
n_timepoints), or list of arrays of shape (n_channels, n_timepoints_i)
            Panel; NaN where missing. A series has at least 2 time points, or a window.
        y : array-like, default=None
            Ignored; for pipelines.

        Returns
        -------
        TSPulseRetriever
            This object.

        Raises
        ------
        ValueError
            If X is empty, too short, infinite or of the wrong shape, a parameter is out
            of range, or the checkpoint cannot be read. The index is then left as it was.
        """
        self._check_parameters()
        if self.index == "faiss":
            load_faiss()
        with writing(self), fitted_copy(self) as fitted:
            fitted._fit(check_panel(fitted, X, reset=True, min_timepoints=self.window or 2))
        return self

    def partial_fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Add series to the index, or start one.

        Parameters
        ----------
        X : array-like
            Panel as in ``fit``, with as many channels as fitted. Entries get the next ids.
        y : array-like, default=None
            Ignored; for pipelines.

        Returns
        -------
        TSPulseRetriever
            This object.

        Raises
        ------
        ValueError
            If X is not as ``fit`` requires. The index is then left as it was.
        """
        with writing(self):
            if not hasattr(self, "_series_index"):
                return self.fit(X)
            panel = check_panel(self, X, reset=False, min_timepoints=self.window_ or 2)
            following = self._series_index.entries.following(panel)
            with self._context(len(following), "entries") as context:
                self._series_index = self._series_index.extended(panel, following, context)
        return self

    def remove(self, ids: ArrayLike) -> Self:
        """Remove entries from the index.

        Parameters
        ----------
        ids : array-like of int
            Ids from :meth:`kneighbors` or ``ids_``. Other entries keep theirs.

        Returns
        -------
        TSPulseRetriever
            This object.

        Raises
        ------
        ValueError
            If an id is not in the index. Then no entry is removed.
        """
        check_is_fitted(self)
        with writing(self):
            rows = self._series_index.entries.find_rows(ids)
            self._series_index = self._series_index.without(rows)
        return self

    @classmethod
    def merge(cls, paths: Sequence[str | os.PathLike[str]], path: str | os.PathLike[str]) -> None:
        """Merge index files into one, which may be larger than memory.

        Parts of a large collection can be indexed by different processes and merged.

        Parameters
        ----------
        paths : sequence of str or path-like
            Files that :meth:`save` wrote, fitted with the same parameters; at least one.
        path : str or path-like
            Name of the new file, ending in ``.safetensors``. Its ids and numbers of series
            are those of the first file, then those of the second file after them, and so
            on. ``store="int8"`` rounds the numbers of all but the first file once more.
            With ``index="faiss"`` the lists of all, a byte a number, are held in memory.

        Raises
        ------
        ValueError
            If a file is no index, or differs from the first in what is compared and how.
        OSError
            If the file cannot be written. One that was there is left as it was.
        """
        target = safetensors_path(path)
        if not len(paths):
            raise ValueError("There is no index to merge. Pass at least one path.")
        merge_indexes([cls.load(part, mmap_mode="r") for part in paths], target)

    def transform(self, X: ArrayLike) -> Any:
        """Return the distances to the nearest entries as a sparse graph.

        Parameters
        ----------
        X : array-like
            Panel of queries as in :meth:`kneighbors`.

        Returns
        -------
        csr_matrix of shape (n_queries, n_entries)
            As from :class:`sklearn.neighbors.KNeighborsTransformer`, with ``n_neighbors``
            + 1 neighbours, since an indexed series finds itself. It cannot become a data
            frame, so ``set_output`` must be ``"default"``.
        """
        return self._to_output(self.kneighbors_graph(X, self.n_neighbors + 1, "distance"), X)

    def locate(self, ids: ArrayLike) -> tuple[Integers, Integers]:
        """Return the positions of entries.

        Parameters
        ----------
        ids : array-like of int
            Ids, of any shape.

        Returns
        -------
        series : ndarray of the same shape
            Numbers of their series, in order of arrival.
        starts : ndarray of the same shape
            First time points there; 0 for whole series.
        """
        check_is_fitted(self)
        entries = self._series_index.entries
        rows = entries.find_rows(ids)
        return entries.series[rows], entries.starts[rows]

    def rerank(
        self, X: ArrayLike, ids: ArrayLike, series: Any, *, max_warp: float = 0.1
    ) -> tuple[Floats, Integers]:
        """Sort what was found by dynamic time warping, which compares the values themselves.

        Parameters
        ----------
        X : array-like
            Panel of queries as in :meth:`kneighbors`.
        ids : array-like of shape (n_queries, n_candidates), int
            Ids of entries for each query, such as the first hundred from
            :meth:`kneighbors`.
        series : array-like
            All series that were indexed, in order of arrival. Of an array, also one that
            is memory-mapped, or a list only those that are needed are read.
        max_warp : float, default=0.1
            Largest shift of a time point, as a fraction of the query's length.

        Returns
        -------
        distances : ndarray of shape (n_queries, n_candidates), float64
            Ascending: root of the sum of squared differences along the best path. With
            ``normalize``, both sides are standardised channel by channel. Entries of
            another length are interpolated to that of the query, and so are gaps.
        ids : ndarray of shape (n_queries, n_candidates), int64
            The ids in this order.

        Raises
        ------
        ValueError
            If X or the series are invalid, an id is unknown, or the shapes do not agree.

        References
        ----------
        .. [1] Sakoe and Chiba, "Dynamic programming algorithm optimization for spoken word
           recognition", IEEE Transactions on Acoustics, Speech, and Signal Processing 26,
           1978.
        """
        check_is_fitted(self)
        constraints = {"max_warp": [Interval(Real, 0, 1, closed="both")]}
        validate_parameter_constraints(constraints, {"max_warp": max_warp}, "rerank")
        snapshot, ids = copy(self), np.asarray(ids)
        queries = check_panel(snapshot, X, reset=False, min_timepoints=2)
        if ids.ndim != 2 or len(ids) != len(queries):
            raise ValueError(
                f"ids has shape {ids.shape}, expected a row for each of {len(queries)} queries."
            )
        entries = snapshot._series_index.entries
        rows = entries.find_rows(ids)
        check = partial(check_panel, snapshot, reset=False, min_timepoints=self.window_ or 2)
        picked = pick_series(series, entries.series[rows], check)
        distances = [
            warped_distances(query, entries.cut(found, picked), max_warp, self.normalize)
            for query, found in zip(queries, rows, strict=True)
        ]
        order = np.lexsort((ids, distances))
        return np.take_along_axis(np.stack(distances), order, 1), np.take_along_axis(ids, order, 1)

    @property
    def ids_(self) -> Integers:  # type: ignore[override]
        """Ids of the entries, ascending."""
        return self._series_index.entries.ids

    @property
    def series_(self) -> Integers:
        """Number of the series of each entry."""
        return self._series_index.entries.series

    @property
    def starts_(self) -> Integers:
        """First time point of each entry in its series."""
        return self._series_index.entries.starts

    @property
    def window_(self) -> int | None:
        """Length of the windows [time points]."""
        return self._series_index.entries.window

    @property
    def transformer_(self) -> TSPulseTransformer:
        """Transformer that gives the embeddings."""
        return self._vectorizer.transformer

    def _check_parameters(self) -> None:
        self._validate_params()
        if self.stride is not None and (self.window is None or self.stride > self.window):
            raise ValueError(
                f"stride is {self.stride}, but window is {self.window}. Pass a window that is at "
                "least as long."
            )

    def _fit(self, panel: Panel) -> None:
        self._fit_network()
        stride = None if self.window is None else self.stride or self.window // 2
        entries = Entries(self.window, stride).following(panel)
        self._vectorizer = SeriesVectorizer(self._fitted_transformer())
        if not self.normalize:
            sample = slice(0, None, -(-len(entries) // _N_SAMPLED))
            values = entries.values(panel, sample)
            self._vectorizer = SeriesVectorizer.fit(self.transformer_, values)
        spec = IndexSpec(self.metric, self.store, self.index)
        with self._context(len(entries), "entries") as context:
            self._series_index = SeriesIndex.fit(panel, entries, spec, context)

    def _fitted_transformer(self) -> TSPulseTransformer:
        return fitted_transformer(
            self.n_channels_in_,
            embedding=self.embedding,
            channels=self.channels,
            checkpoint=self.checkpoint,
            batch_size=self.batch_size,
            n_jobs=self.n_jobs,
            device=self.device,
        )

    @contextmanager
    def _context(self, total: int, unit: str) -> Iterator[SearchContext]:
        names = ("checkpoint", "batch_size", "n_jobs", "device")  # may change after fit
        transformer = copy(self.transformer_)  # as other threads may use it
        transformer.set_params(**{name: getattr(self, name) for name in names})
        with self._progress(total, unit) as progress:
            yield SearchContext(replace(self._vectorizer, transformer=transformer), progress)

    @contextmanager
    def _queries(self, X: ArrayLike | None) -> Iterator[tuple[Panel | None, SearchContext]]:
        panel = None if X is None else check_panel(self, X, reset=False, min_timepoints=2)
        n_queries = len(self.ids_ if panel is None else panel)
        with self._context(n_queries, "queries") as context:
            yield panel, context

    def _nearest(
        self,
        X: ArrayLike | None,
        n_neighbors: int,
        among: Integers | None,
        min_separation: int | None,
    ) -> SearchResult:
        with self._queries(X) as (panel, context):
            return self._series_index.nearest(panel, n_neighbors, context, among, min_separation)

    def _find_rows(self, ids: ArrayLike) -> Integers:
        return self._series_index.entries.find_rows(ids)

    def _within(self, X: ArrayLike | None, radius: float) -> list[SearchResult]:
        with self._queries(X) as (panel, context):
            return self._series_index.within(panel, radius, context)

    @property
    def _n_features_out(self) -> int:
        return len(self.ids_)
