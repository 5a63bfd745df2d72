"""A query above what was found for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base import load_pyplot
from ..series import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .retriever import TSPulseRetriever

__all__ = ["RetrievalDisplay"]


class RetrievalDisplay:
    """Show a query and its nearest neighbours below, the nearest first.

    Make it with :meth:`from_estimator`.

    Parameters
    ----------
    query : ndarray of shape (n_timepoints,)
        One channel of the query.
    neighbors : list of ndarray of shape (n_timepoints_i,)
        The same channel of what was found.
    distances : ndarray of shape (n_neighbors,)
        Distance of each from the query.
    names : list of str
        What to call each.

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
    EmbeddingDisplay : Shows how all series lie among each other.

    Notes
    -----
    Every series has its own units and its own length on the same width, since that is
    how embeddings see them.

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
            The panel that was indexed, which a retriever does not keep: all series that
            came, in order of arrival.
        y : array-like of shape (n_series,), default=None
            A label for each series of X.
        n_neighbors : int, default=None
            How many to draw; None takes the parameter of the retriever.
        channel : int, default=0
            Which channel to draw.
        axes : sequence of n_neighbors + 1 matplotlib Axes, default=None
            Where to draw; None opens a figure.
        **line_kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        RetrievalDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the query is not one series, or X or y have fewer series than were indexed.
        """
        asked = _one_series(query)
        distances, ids = estimator.kneighbors(asked[None], n_neighbors)
        series, starts = estimator.locate(ids[0])
        panel = list(np.asarray(X)) if hasattr(X, "columns") else X
        _check_series("X", panel, series)
        found = [
            _one_series(panel[i])[channel, start:][: estimator.window_]  # type: ignore[index]
            for i, start in zip(series, starts, strict=True)
        ]
        names = [f"id {i}" for i in ids[0]]
        if estimator.window_ is not None:
            places = zip(names, series, starts, strict=True)
            names = [f"{name}: series {i} from {start}" for name, i, start in places]
        if y is not None:
            _check_series("y", y, series)
            labels = np.asarray(y)[series]
            names = [f"{name}, labelled {label}" for name, label in zip(names, labels, strict=True)]
        return cls(asked[channel], found, distances[0], names).plot(axes, **line_kwargs)

    def plot(self, axes: Sequence[Axes] | None = None, **line_kwargs: Any) -> Self:
        """Draw the query and its neighbours below each other.

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
        self.axes_ = _axes(axes, len(rows))
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


def _one_series(values: Any) -> Floats:
    series = np.atleast_2d(np.asarray(values, dtype=float))
    if series.ndim != 2:
        raise ValueError(
            f"The series has shape {series.shape}, expected (n_timepoints,) or (n_channels, "
            "n_timepoints). Draw one query at a time: X[0]."
        )
    return series


def _check_series(name: str, values: Any, series: NDArray[np.int64]) -> None:
    if len(values) <= series.max():
        raise ValueError(
            f"{name} has {len(values)} series, but number {series.max()} was found. Pass all that "
            "were indexed, in order of arrival."
        )


def _axes(axes: Sequence[Any] | None, n: int) -> NDArray[Any]:
    if axes is None:
        size = (7, 0.4 + 1.05 * n)
        plt = load_pyplot()
        return plt.subplots(n, figsize=size, layout="constrained", squeeze=False)[1][:, 0]
    given = np.ravel(np.asarray(axes, dtype=object))
    if len(given) != n:
        raise ValueError(
            f"axes has {len(given)} axes, but must have {n}: one for the query and one for each "
            "neighbour."
        )
    return given


def _simplify(ax: Any, n_timepoints: int) -> None:
    ax.set_xlim(0, max(1, n_timepoints - 1))
    ax.spines[["top", "right"]].set_visible(False)
    ax.locator_params(axis="y", nbins=3)
    ax.tick_params(labelsize="small")


def _label_time(axes: NDArray[Any], lengths: list[int]) -> None:
    """Put numbers below the last axes, and below all if lengths differ."""
    axes[-1].set_xlabel("time", fontsize="small")
    for ax in axes[:-1]:
        ax.tick_params(labelbottom=len(set(lengths)) > 1)
