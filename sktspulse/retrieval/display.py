"""Figure of a query above its nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base import one_series, stacked_axes
from ..series import Floats, Integers, parse_panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .retriever import TSPulseRetriever

__all__ = ["RetrievalDisplay"]


class RetrievalDisplay:
    """Show a query and its nearest neighbours below it, the nearest first.

    Create it with :meth:`from_estimator`.

    Parameters
    ----------
    query : ndarray of shape (n_timepoints,)
        One channel of the query.
    neighbors : list of ndarray of shape (n_timepoints_i,)
        The same channel of the neighbours.
    distances : ndarray of shape (n_neighbors,)
        Distance of each from the query.
    names : list of str
        Title of each neighbour.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (n_neighbors + 1,)
        Axes of the query and of each neighbour.
    figure_ : matplotlib Figure
        Figure that holds them.
    lines_ : list of matplotlib Line2D
        The query and its neighbours.

    See Also
    --------
    TSPulseRetriever : Finds neighbours.
    EmbeddingDisplay : Shows the embeddings of all series in a plane.

    Notes
    -----
    Every series has its own units and fills the width, as embeddings by default ignore
    level, scale and length.

    Examples
    --------
    >>> from sktspulse import RetrievalDisplay, TSPulseRetriever
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, y = make_labelled_panel(30, n_classes=3, random_state=0)
    >>> retriever = TSPulseRetriever(3).fit(X[1:])
    >>> display = RetrievalDisplay.from_estimator(retriever, X[0], X[1:], y[1:])
    >>> len(display.lines_)
    4
    """

    def __init__(
        self, query: Floats, neighbors: list[Floats], distances: Floats, names: list[str]
    ) -> None:
        self.query = query
        self.neighbors = neighbors
        self.distances = distances
        self.names = names

    @classmethod
    def from_estimator(
        cls,
        estimator: TSPulseRetriever,
        query: ArrayLike,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        n_neighbors: int | None = None,
        channel: int = 0,
        axes: Sequence[Axes] | None = None,
        **line_kwargs: Any,
    ) -> Self:
        """Find the neighbours of a query and draw them.

        Parameters
        ----------
        estimator : TSPulseRetriever
            A fitted retriever.
        query : array-like of shape (n_timepoints,) or (n_channels, n_timepoints)
            One series.
        X : array-like
            All series that were indexed, in order of arrival; a retriever does not keep
            them.
        y : array-like of shape (n_series,), default=None
            A label for each series of X.
        n_neighbors : int, default=None
            Number of neighbours; None takes the parameter of the retriever.
        channel : int, default=0
            Channel to draw.
        axes : sequence of n_neighbors + 1 matplotlib Axes, default=None
            Where to draw; None opens a figure.
        **line_kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        RetrievalDisplay
            The display with its figure drawn.

        Raises
        ------
        ValueError
            If the query is not one series, or X or y have fewer series than were indexed.
        """
        values = one_series(query)
        estimator = copy(estimator)  # a snapshot, as other threads may remove entries
        distances, ids = estimator.kneighbors(values[None], n_neighbors)
        series, starts = estimator.locate(ids[0])
        panel: Any = parse_panel(X).values if hasattr(X, "columns") else X
        _check_length("X", panel, series)
        neighbors = [
            one_series(panel[i])[channel, start:][: estimator.window_]
            for i, start in zip(series, starts, strict=True)
        ]
        names = [f"id {i}" for i in ids[0]]
        if estimator.window_ is not None:
            positions = zip(names, series, starts, strict=True)
            names = [f"{name}: series {i} from {start}" for name, i, start in positions]
        if y is not None:
            _check_length("y", y, series)
            labels = np.asarray(y)[series]
            names = [f"{name}, labelled {label}" for name, label in zip(names, labels, strict=True)]
        return cls(values[channel], neighbors, distances[0], names).plot(axes, **line_kwargs)

    def plot(self, axes: Sequence[Axes] | None = None, **line_kwargs: Any) -> Self:
        """Draw the query and its neighbours.

        Parameters
        ----------
        axes : sequence of n_neighbors + 1 matplotlib Axes, default=None
            Where to draw; None opens a figure.
        **line_kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        RetrievalDisplay
            This object.

        Raises
        ------
        ValueError
            If there are not as many axes as series.
        ImportError
            If matplotlib is not installed.
        """
        rows = [self.query, *self.neighbors]
        names = ["query", *self.names]
        notes = ["", *(f"distance {distance:.3g}" for distance in self.distances)]
        self.axes_ = stacked_axes(axes, len(rows), figsize=(7, 0.4 + 1.05 * len(rows)))
        self.lines_ = []
        for i, ax in enumerate(self.axes_):
            style = {"color": f"C{min(i, 1)}", "lw": 1} | line_kwargs
            self.lines_ += ax.plot(rows[i], **style)
            ax.set_title(names[i], loc="left", fontsize="small")
            ax.set_title(notes[i], loc="right", fontsize="small")
            _simplify(ax, len(rows[i]))
        _label_time(self.axes_, [len(row) for row in rows])
        self.figure_ = self.axes_[0].figure
        return self


def _check_length(name: str, values: Any, series: Integers) -> None:
    if len(values) <= series.max():
        raise ValueError(
            f"{name} has {len(values)} series, but series {series.max()} was found. Pass all "
            "series that were indexed, in order of arrival."
        )


def _simplify(ax: Any, n_timepoints: int) -> None:
    ax.set_xlim(0, max(1, n_timepoints - 1))
    ax.spines[["top", "right"]].set_visible(False)
    ax.locator_params(axis="y", nbins=3)
    ax.tick_params(labelsize="small")


def _label_time(axes: NDArray[Any], lengths: list[int]) -> None:
    """Label the time axis below the last axes, and ticks below all if lengths differ."""
    axes[-1].set_xlabel("time", fontsize="small")
    for ax in axes[:-1]:
        ax.tick_params(labelbottom=len(set(lengths)) > 1)
