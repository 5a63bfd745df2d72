"""Find the series of a panel, or the stretches of long ones, that are most like a query."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral, Real
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ..base import check_number
from ..embedding import TSPulseTransformer
from ..network import resolve_device
from ..series import Panel, check_panel
from .entries import Entries
from .faiss_index import load_faiss
from .neighbors import NeighborsMixin
from .persistence import BaseSavedIndex
from .series_index import INDEXES, Catalogue, Kind, Search
from .vector_index import METRICS, STORES, Found
from .vectorizer import Comparison, Levels

__all__ = ["TSPulseRetriever"]

_CHOICES = {
    "embedding": ("semantic", "detailed", "time", "frequency", "all"),
    "metric": METRICS,
    "channels": ("concatenate", "mean"),
    "store": STORES,
    "index": tuple(INDEXES),
}
_USUAL = 1024  # entries from which usual levels are learned, at most


class TSPulseRetriever(
    NeighborsMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseSavedIndex
):
    """Index series by their embeddings and find those most like a query.

    ``fit`` embeds a panel with the pre-trained network, which it does not train. A query
    is embedded as well and compared with every vector kept: the answer is exact. With
    ``window``, stretches of long series are indexed instead of whole ones, and a query
    finds the places where something like it happens.

    Parameters
    ----------
    n_neighbors : int, default=5
        How many neighbours to find unless told otherwise.
    radius : float, default=1.0
        Largest distance that :meth:`radius_neighbors` answers unless told otherwise
        [distance between embeddings].
    embedding : {"semantic", "detailed", "time", "frequency", "all"}, default="semantic"
        What is compared; see :class:`TSPulseTransformer`.
    metric : {"euclidean", "cosine"}, default="euclidean"
        Distance between embeddings.
    channels : {"concatenate", "mean"}, default="concatenate"
        Whether the vectors of the channels follow one another, so that channels are
        compared one by one, or are averaged.
    normalize : bool, default=True
        Whether level and unit of a series do not matter, channel by channel. If they
        do, level and logarithm of the scale are compared as well, in units of their
        spread among the entries of the first ``fit``; both together count as much as
        the shape.
    window : int, default=None
        Length of the stretches to index [time points]. None indexes whole series.
    stride : int, default=None
        Steps from one stretch to the next [time points]; None means half a window.
    store : {"float32", "float16", "int8"}, default="float32"
        Type of the numbers kept: 4, 2 or 1 bytes each.
    index : {"exact", "faiss"}, default="exact"
        How to search. ``"faiss"`` reads a few of many lists of vectors, which pays for
        very many entries, and misses some neighbours; it needs the package faiss.
    checkpoint : str or path, default="tspulse-p16"
        Name of a shipped network, path of a file or folder, or hub id.
    batch_size : int, default=32
        Windows given to the network at once.
    device : str, default="auto"
        Where network and search run: ``"cpu"``, ``"cuda"``, ... or the best.
    verbose : int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
    ids_ : ndarray of shape (n_entries,), int64
        Ids of the entries: 0, 1, ... in order of arrival. None is given twice.
    series_ : ndarray of shape (n_entries,), int64
        Number of the series that each entry is of, in order of arrival.
    starts_ : ndarray of shape (n_entries,), int64
        First time point of each entry in its series.
    transformer_ : TSPulseTransformer
        What embeds; fitted.
    window_ : int or None
        Length of the stretches [time points].
    n_features_in_ : int
        Number of channels; of time points for a two-dimensional panel.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame with names that are strings.
    n_channels_in_ : int
        Number of channels.
    fingerprint_ : str
        Hash of the network fitted with.

    See Also
    --------
    TSPulseTransformer : Gives the embeddings themselves.
    RetrievalDisplay : Draws a query above its neighbours.
    sklearn.neighbors.NearestNeighbors : Searches among vectors of any kind.

    Notes
    -----
    Whatever its length, a series is resampled to that which the network reads. NaN is
    missing; gaps of at most one in 32 time points are bridged by lines beforehand, longer
    ones are shown to the network as such. ±inf is an error.

    Distances are computed in double precision from what is stored; of two entries at
    the same distance the one with the lower id comes first. An answer is the same, to
    the bit, whatever other queries come along. One CPU core indexes 1,000 entries of one
    channel in about 1 s and finds a query among 100,000 in about 1 ms. A search needs
    little memory beside the index. ``fit`` holds 4 bytes a number whatever ``store`` is,
    and :meth:`partial_fit` the index twice: build the largest by the former with
    float32, else by the latter.

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
        self.device = device
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Index a panel; forget what was indexed before.

        Parameters
        ----------
        X : array-like of shape (n_series, n_timepoints) or (n_series, n_channels, \
n_timepoints), or list of arrays of shape (n_channels, n_timepoints_i)
            Panel; NaN where missing. Series have 2 time points at least, or a window.
        y : array-like, default=None
            Ignored; here for pipelines.

        Returns
        -------
        TSPulseRetriever
            This object.

        Raises
        ------
        ValueError
            If X is empty, too short, infinite or of the wrong shape, a parameter is out
            of range, or the checkpoint cannot be read. What was fitted before stays.
        """
        self._check_parameters()
        fresh = copy.copy(self)
        fresh._fit(check_panel(fresh, X, reset=True, min_timepoints=self.window or 2))
        # All at once: a fit that fails or is stopped leaves the index as it was.
        self.__dict__ = fresh.__dict__
        return self

    def partial_fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Add series to the index, or begin one.

        Parameters
        ----------
        X : array-like
            Panel as in ``fit``, with the channels fitted. Entries get the next ids.
        y : array-like, default=None
            Ignored; here for pipelines.

        Returns
        -------
        TSPulseRetriever
            This object.

        Raises
        ------
        ValueError
            If X is not as ``fit`` requires. The index is then left as it was.
        """
        if not hasattr(self, "_catalogue"):
            return self.fit(X)
        panel = check_panel(self, X, reset=False, min_timepoints=self.window_ or 2)
        entries = self._catalogue.entries
        with self._search(len(entries.of(panel)), "entries") as search:
            self._keep(self._catalogue.added(panel, search))
        return self

    def remove(self, ids: ArrayLike) -> Self:
        """Take entries out of the index.

        Parameters
        ----------
        ids : array-like of int
            Their ids, from :meth:`kneighbors` or ``ids_``. Other entries keep theirs.

        Returns
        -------
        TSPulseRetriever
            This object.

        Raises
        ------
        ValueError
            If there is no such entry. Then none is removed.
        """
        check_is_fitted(self)
        self._keep(self._catalogue.without(self._catalogue.entries.rows(ids)))
        return self

    def transform(self, X: ArrayLike) -> csr_matrix:
        """Return distances to nearest entries, for estimators that take such a graph.

        Parameters
        ----------
        X : array-like
            Panel of queries as in :meth:`kneighbors`.

        Returns
        -------
        csr_matrix of shape (n_queries, n_entries)
            As :class:`sklearn.neighbors.KNeighborsTransformer` does, with one neighbour
            more than ``n_neighbors``, since a series that was indexed finds itself.
        """
        return self.kneighbors_graph(X, self.n_neighbors + 1, "distance")

    def locate(self, ids: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Say where entries lie.

        Parameters
        ----------
        ids : array-like of int
            Of any shape.

        Returns
        -------
        series : ndarray of the same shape
            Numbers of their series, in order of arrival.
        starts : ndarray of the same shape
            First time points there; 0 for whole series.
        """
        check_is_fitted(self)
        rows = self._catalogue.entries.rows(ids)
        return self.series_[rows], self.starts_[rows]

    def _check_parameters(self) -> None:
        for name, choices in _CHOICES.items():
            self._check_choice(name, choices)
        self._check_count("n_neighbors")
        self._check_count("batch_size")
        if not isinstance(self.normalize, bool):
            raise ValueError(f"normalize is {self.normalize!r}, expected True or False.")
        if self.index == "faiss":
            load_faiss()
        check_number("radius", self.radius, Real, 0, np.inf)
        if self.window is not None:
            check_number("window", self.window, Integral, 2, np.inf)
        elif self.stride is not None:
            raise ValueError(f"stride is {self.stride}, but window is None. Set window as well.")
        if self.window is not None and self.stride is not None:
            check_number("stride", self.stride, Integral, 1, self.window)

    def _check(self, X: ArrayLike | None) -> Panel | None:
        return None if X is None else check_panel(self, X, reset=False, min_timepoints=2)

    def _fit(self, panel: Panel) -> None:
        self._fit_network()
        self._prepare()
        stride = None if self.window is None else self.stride or self.window // 2
        entries = Entries(self.window, stride)
        new = entries.of(panel)
        some = slice(0, None, -(-len(new) // _USUAL))
        if not self.normalize:
            self._levels = self._comparison().usual(new.cut(panel, some))
        kind = Kind(self.metric, self.store, INDEXES[self.index])
        with self._search(len(new), "entries") as search:
            self._keep(Catalogue.build(panel, entries, kind, search))

    def _prepare(self) -> None:
        """Make what embeds."""
        self.transformer_ = TSPulseTransformer(
            self.embedding, channels=self.channels, checkpoint=self.checkpoint
        ).fit(np.zeros((1, self.n_channels_in_, 2)))
        self._levels: Levels | None = None

    def _keep(self, catalogue: Catalogue) -> None:
        entries = catalogue.entries
        self.ids_, self.series_, self.starts_ = entries.ids, entries.series, entries.starts
        self.window_ = entries.window
        self._catalogue = catalogue

    def _comparison(self) -> Comparison:
        settings = {name: getattr(self, name) for name in ("checkpoint", "batch_size", "device")}
        transformer = self.transformer_.set_params(**settings)
        return Comparison(transformer.transform, transformer.channels == "mean", self._levels)

    @contextmanager
    def _search(self, total: int, unit: str) -> Iterator[Search]:
        with self._progress(total, unit) as progress:
            yield Search(self._comparison(), resolve_device(self.device), progress)

    def _nearest(self, X: ArrayLike | None, n_neighbors: int) -> Found:
        panel = self._check(X)
        with self._search(len(self.ids_ if panel is None else panel), "queries") as search:
            return self._catalogue.nearest(panel, n_neighbors, search)

    def _within(self, X: ArrayLike | None, radius: float) -> Iterator[Found]:
        panel = self._check(X)
        with self._search(len(self.ids_ if panel is None else panel), "queries") as search:
            yield from self._catalogue.within(panel, radius, search)

    @property
    def _n_features_out(self) -> int:
        return len(self.ids_)
