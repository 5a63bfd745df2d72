"""Figure of a query above its nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ..base import ESTIMATE, TimeAxis, draw_channels, ink, one_series, plain_text, stacked_axes
from ..series import Container, Floats, Integers, channel_table, parse_panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .retriever import TSPulseRetriever

__all__ = ["RetrievalDisplay"]


class RetrievalDisplay:
    """Show a query and its nearest neighbours below it, the nearest first.

    Create it with :meth:`from_estimator`.

    Parameters
    ----------
    query : ndarray of shape (n_channels, n_timepoints) or (n_timepoints,)
        The query.
    neighbors : list of ndarray of shape (n_channels, n_timepoints_i) or (n_timepoints_i,)
        The same channels of the neighbours.
    distances : ndarray of shape (n_neighbors,)
        Distance of each from the query.
    names : list of str
        Title of each neighbour.
    channels : list of str, default=None
        Names of the channels; None numbers them.
    times : list of array-like, default=None
        Labels of the time points of the query and of each neighbour, such as time stamps.
        None numbers them.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (n_neighbors + 1,)
        Axes of the query and of each neighbour.
    figure_ : matplotlib Figure
        Figure that holds them.
    lines_ : list of matplotlib Line2D
        The channels of the query, then those of each neighbour.

    See Also
    --------
    TSPulseRetriever : Finds neighbours.
    EmbeddingDisplay : Shows the embeddings of all series in a plane.

    Notes
    -----
    Every series fills the width and has its own vertical axis, as embeddings by default
    ignore level, scale and length. Several channels are drawn above each other, each scaled
    to its range, which is written below its name.

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
        self,
        query: Floats,
        neighbors: list[Floats],
        distances: Floats,
        names: list[str],
        channels: list[str] | None = None,
        times: list[Any] | None = None,
    ) -> None:
        self.query = query
        self.neighbors = neighbors
        self.distances = distances
        self.names = names
        self.channels = channels
        self.times = times

    @classmethod
    def from_estimator(
        cls,
        estimator: TSPulseRetriever,
        query: ArrayLike,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        n_neighbors: int | None = None,
        channel: int | str | None = None,
        axes: Sequence[Axes] | None = None,
        **line_kwargs: Any,
    ) -> Self:
        """Find the neighbours of a query and draw them.

        Parameters
        ----------
        estimator : TSPulseRetriever
            A fitted retriever.
        query : array-like of shape (n_timepoints,) or (n_channels, n_timepoints), or data frame
            One series. In a data frame, rows are time points and columns are channels.
        X : array-like
            All series that were indexed, in order of arrival; a retriever does not keep
            them. Time stamps of data frames in a list label the axes.
        y : array-like of shape (n_series,), default=None
            A label for each series of X.
        n_neighbors : int, default=None
            Number of neighbours; None takes the parameter of the retriever.
        channel : int or str, default=None
            Number or name of the only channel to draw; None draws all.
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
            If the query is not one series, if X or y have fewer series than were indexed, or
            if there is no such channel.
        """
        values = one_series(query)
        estimator = copy(estimator)  # a snapshot, as other threads may remove entries
        distances, ids = estimator.kneighbors(values[None], n_neighbors)
        series, starts = estimator.locate(ids[0])
        panel: Any = parse_panel(X).values if hasattr(X, "columns") else X
        _check_length("X", panel, series)
        channels = _channel_names(query, len(values))
        shown = _choose(channel, channels)
        parts = [slice(start, _end(start, estimator.window_)) for start in starts]
        neighbors = [
            one_series(panel[i])[shown, part] for i, part in zip(series, parts, strict=True)
        ]
        times = [_time_labels(query, values.shape[1])]
        for i, part, one in zip(series, parts, neighbors, strict=True):
            times.append(_time_labels(panel[i], one.shape[1], part))
        names = [f"id {i}" for i in ids[0]]
        if estimator.window_ is not None:
            positions = zip(names, series, starts, strict=True)
            names = [f"{name}: series {i} from {start}" for name, i, start in positions]
        if y is not None:
            _check_length("y", y, series)
            labels = np.asarray(y)[series]
            names = [f"{name}, labelled {label}" for name, label in zip(names, labels, strict=True)]
        names_shown = [channels[i] for i in shown]
        display = cls(values[shown], neighbors, distances[0], names, names_shown, times)
        return display.plot(axes, **line_kwargs)

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
        rows = [np.atleast_2d(row) for row in (self.query, *self.neighbors)]
        channels = self.channels or [f"channel {i}" for i in range(len(rows[0]))]
        titles = ["query", *self.names]
        notes = ["", *(f"distance {distance:.3g}" for distance in self.distances)]
        height = 1.2 if len(channels) == 1 else 0.75 + 0.36 * len(channels)
        self.axes_ = stacked_axes(axes, len(rows), figsize=(8, 0.4 + height * len(rows)))
        self.lines_ = []
        for i, ax in enumerate(self.axes_):
            time = TimeAxis.read(self._times(i, rows[i].shape[1]))
            style = {"color": ESTIMATE if i else ink(), "lw": 1} | line_kwargs
            self.lines_ += draw_channels(ax, time.places, rows[i], channels, **style)
            ax.set_title(plain_text(titles[i], 60), loc="left", fontsize="small", parse_math=False)
            ax.set_title(notes[i], loc="right", fontsize="small")
            _simplify(ax, time, is_single=len(channels) == 1)
        self._label_time([row.shape[1] for row in rows])
        self.figure_ = self.axes_[0].figure
        return self

    def _times(self, i: int, n_timepoints: int) -> Any:
        return np.arange(n_timepoints) if self.times is None else self.times[i]

    def _label_time(self, lengths: list[int]) -> None:
        """Label the time axis below the last axes, and ticks below all if they differ."""
        times = [TimeAxis.read(self._times(i, n)) for i, n in enumerate(lengths)]
        last = times[-1]
        self.axes_[-1].set_xlabel("time point" if last.label == "row" else last.label)
        is_same = len({(time.places[0], time.places[-1]) for time in times}) == 1
        for ax in self.axes_[:-1]:
            ax.tick_params(labelbottom=not is_same)


def _check_length(name: str, values: Any, series: Integers) -> None:
    if len(values) <= series.max():
        raise ValueError(
            f"{name} has {len(values)} series, but series {series.max()} was found. Pass all "
            "series that were indexed, in order of arrival."
        )


def _channel_names(query: Any, n_channels: int) -> list[str]:
    """Return the names of the columns of a data frame, or numbers."""
    columns = channel_table(query).columns if Container(query).is_frame else None
    return [f"channel {i}" for i in range(n_channels)] if columns is None else [*map(str, columns)]


def _choose(channel: int | str | None, names: list[str]) -> list[int]:
    """Return the numbers of the channels to draw."""
    if channel is None:
        return list(range(len(names)))
    if isinstance(channel, str) and channel in names:
        return [names.index(channel)]
    if isinstance(channel, str) or not -len(names) <= channel < len(names):
        raise ValueError(
            f"channel is {channel!r}, expected a number below {len(names)} or one of the names "
            f"{names[:3]}."
        )
    return [channel % len(names)]


def _end(start: int, window: int | None) -> int | None:
    return None if window is None else start + window


def _time_labels(series: Any, n_timepoints: int, part: slice = slice(None)) -> Any:
    """Return labels of the rows of a data frame, or numbers from 0 within the part."""
    container = Container(series)
    if not container.has_labels:
        return np.arange(n_timepoints)
    return container.row_labels(0)[part]


def _simplify(ax: Any, time: TimeAxis, *, is_single: bool) -> None:
    first, last = time.places[[0, -1]]
    if first != last:
        ax.set_xlim(first, last)
    ax.spines[["top", "right"]].set_visible(False)
    if is_single:
        ax.locator_params(axis="y", nbins=3)
    ax.tick_params(labelsize="small")
    time.set_ticks(ax.xaxis)
