"""Which part of a series a prediction depends on."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base import ESTIMATE, TRUTH, TimeAxis, ink, one_series, plain_text, stacked_axes
from ..series import Container, Floats, channel_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["OcclusionDisplay"]

_BATCH_ROWS = 256  # copies of the series given to the estimator at once
_MIN_DROP = 0.02  # smaller drops are not coloured
_MIN_FRACTION = 0.2  # of the largest drop; smaller drops are not coloured


class OcclusionDisplay:
    """Show how much the probability of the predicted class drops if a span is hidden.

    Use :meth:`from_estimator` to create it.

    Parameters
    ----------
    x : ndarray of shape (n_channels, n_timepoints)
        The series.
    probability_drops : ndarray of shape (n_channels, n_spans)
        Probability for the whole series minus that with the span of the channel hidden,
        -1 to 1. A negative value means that the span speaks against the class.
    edges : ndarray of shape (n_spans + 1,)
        Start of each span, and end of the last one [time points].
    label : object
        The predicted class.
    probability : float
        Its probability for the whole series.
    names : sequence of str, default=None
        Names of the channels; None numbers them.
    index : array-like of shape (n_timepoints,), default=None
        Labels of the time points, such as time stamps; None numbers them.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (n_channels,)
        Axes of each channel.
    figure_ : matplotlib Figure
        Figure that holds them.
    lines_ : list of matplotlib Line2D
        The channels.
    meshes_ : list of matplotlib QuadMesh
        The drops behind them, on one colour scale. Those below the floor are masked.
    floor_ : float
        Drops smaller than this, positive or negative, are not coloured.

    See Also
    --------
    TSPulseClassifier : Classifies series, and treats hidden spans as missing.
    EmbeddingDisplay : Shows the embeddings of many series as points.

    Notes
    -----
    Spans are hidden one at a time, as missing values (NaN), so the estimator must accept
    these, as :class:`TSPulseClassifier` does. If two spans carry the same information,
    hiding one of them has little effect. Hiding any span changes the probability a little:
    drops below 0.02, and below a fifth of the largest one, are not coloured. It takes one
    prediction for each channel and span, and is deterministic.

    References
    ----------
    .. [1] Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks",
       ECCV 2014, section 4.2.

    Examples
    --------
    >>> from sktspulse import OcclusionDisplay, TSPulseClassifier
    >>> from sktspulse.datasets import make_labelled_panel
    >>> X, y = make_labelled_panel(30, n_channels=2, random_state=0)
    >>> model = TSPulseClassifier().fit(X[1:], y[1:])
    >>> display = OcclusionDisplay.from_estimator(model, X[0], n_spans=4)
    >>> display.probability_drops.shape
    (2, 4)
    """

    def __init__(
        self,
        x: Floats,
        probability_drops: Floats,
        edges: NDArray[np.int64],
        label: Any,
        probability: float,
        names: Sequence[str] | None = None,
        index: ArrayLike | None = None,
    ) -> None:
        self.x = x
        self.probability_drops = probability_drops
        self.edges = edges
        self.label = label
        self.probability = probability
        self.names = names
        self.index = index

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        x: ArrayLike,
        *,
        n_spans: int = 16,
        names: Sequence[str] | None = None,
        axes: Sequence[Axes] | None = None,
        **line_kwargs: Any,
    ) -> Self:
        """Hide each span of each channel in turn, and plot the effect.

        Parameters
        ----------
        estimator : object
            A fitted classifier of panels with ``predict_proba`` that accepts NaN.
        x : array-like of shape (n_timepoints,) or (n_channels, n_timepoints), or data frame
            One series. In a data frame, columns are channels; their names and the index
            or the time stamps label the axes.
        n_spans : int, default=16
            Number of spans of nearly equal length; at most one for each time point.
        names : sequence of str, default=None
            Names of the channels; None takes those of a data frame, or numbers them.
        axes : sequence of n_channels matplotlib Axes, default=None
            Axes to draw on; None creates a figure.
        **line_kwargs : dict
            Keyword arguments of :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        OcclusionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If x is not one series, if ``n_spans`` is not an integer from 1 to the number
            of time points, or if there is not one name and one axes for each channel.
        """
        series = one_series(x)
        edges = _edges(n_spans, series.shape[1])
        probabilities = estimator.predict_proba(series[None])[0]
        chosen = int(probabilities.argmax())
        hidden = np.concatenate(
            [
                estimator.predict_proba(_hide(series, edges, pairs))[:, chosen]
                for pairs in _pairs(len(series), n_spans)
            ]
        )
        probability = float(probabilities[chosen])
        drops = probability - hidden.reshape(len(series), n_spans)
        label = estimator.classes_[chosen]
        container = Container(x)
        columns = getattr(channel_table(x), "columns", None) if container.is_frame else None
        names = columns if names is None and columns is not None else names
        index = container.row_labels(series.shape[1]) if container.has_labels else None
        display = cls(series, drops, edges, label, probability, names, index)
        return display.plot(axes, **line_kwargs)

    def plot(self, axes: Sequence[Axes] | None = None, **line_kwargs: Any) -> Self:
        """Plot the channels below each other, coloured by the drops of their spans.

        Parameters
        ----------
        axes : sequence of n_channels matplotlib Axes, default=None
            Axes to draw on; None creates a figure.
        **line_kwargs : dict
            Keyword arguments of :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        OcclusionDisplay
            This display.

        Raises
        ------
        ValueError
            If there is not one name and one axes for each channel.
        ImportError
            If matplotlib is not installed.
        """
        names, n = self._names(), len(self.x)
        time, places = self._time()
        self.axes_ = stacked_axes(
            axes, n, sharex=axes is None, figsize=(8, 1.2 + min(1.1 * n, 4 + 0.5 * n))
        )
        self.figure_ = self.axes_[0].figure
        self.lines_, self.meshes_ = [], []
        largest = float(np.abs(self.probability_drops).max(initial=0))
        self.floor_ = max(_MIN_DROP, _MIN_FRACTION * largest)
        colours = _colours(self.floor_, max(largest, 2 * self.floor_))
        style = {"color": ink(), "lw": 1} | line_kwargs
        rows = zip(self.axes_, self.x, self.probability_drops, names, strict=True)
        for ax, values, drops, name in rows:
            self.lines_ += ax.plot(time.places, values, **style)
            visible = np.ma.masked_where(np.abs(drops) < self.floor_, drops)
            self.meshes_.append(ax.pcolormesh(places, ax.get_ylim(), visible[None], **colours))
            ax.set_xlim(*places[[0, -1]])
            ax.set_ylabel(plain_text(name), fontsize="small", parse_math=False)
            ax.locator_params(axis="y", nbins=4)
            ax.tick_params(labelsize="small", labelbottom=ax is self.axes_[-1])
        title = f"class {plain_text(self.label)}, probability {self.probability:.2f}"
        title += "" if largest >= self.floor_ else f", no drop above {self.floor_:g}"
        self.axes_[0].set_title(title, loc="left", fontsize="small", parse_math=False)
        self.axes_[-1].set_xlabel("time point" if self.index is None else time.label)
        time.set_ticks(self.axes_[-1].xaxis)
        shape = {"shrink": min(1.0, 3 / n), "aspect": 15 if n > 1 else 10}
        bar = self.figure_.colorbar(self.meshes_[0], ax=list(self.axes_), **shape)
        bar.set_label("drop of the\nprobability if hidden", fontsize="small")
        bar.ax.tick_params(labelsize="small")
        bar.ax.locator_params(nbins=5)
        return self

    def _time(self) -> tuple[TimeAxis, NDArray[Any]]:
        """Return where time points and the ends of spans lie."""
        n = self.x.shape[1]
        time = TimeAxis.read(np.arange(n) if self.index is None else self.index)
        if n == 1:
            return time, np.array([-0.5, 0.5])
        middles = time.places[:-1] + np.diff(time.places) / 2
        first = time.places[:1] - (middles[:1] - time.places[:1])
        last = time.places[-1:] + (time.places[-1:] - middles[-1:])
        return time, np.concatenate([first, middles, last])[self.edges]

    def _names(self) -> Sequence[str]:
        if self.names is None:
            return [f"channel {i}" for i in range(len(self.x))]
        if len(self.names) != len(self.x):
            raise ValueError(
                f"names has {len(self.names)} names, but x has {len(self.x)} channels. Pass one "
                "name for each channel."
            )
        return self.names


def _colours(floor: float, limit: float) -> dict[str, Any]:
    """Return settings of a mesh that is transparent up to the floor, on any background."""
    colors: Any = import_module("matplotlib.colors")
    fade, share = floor / limit, 0.25
    stops = [
        (0.0, (*colors.to_rgb(TRUTH), 0.85)),
        (0.5 - fade / 2, (*colors.to_rgb(TRUTH), share)),
        (0.5 - fade / 2, (0, 0, 0, 0)),
        (0.5 + fade / 2, (0, 0, 0, 0)),
        (0.5 + fade / 2, (*colors.to_rgb(ESTIMATE), share)),
        (1.0, (*colors.to_rgb(ESTIMATE), 0.85)),
    ]
    colour_map = colors.LinearSegmentedColormap.from_list("drops", stops)
    return {"cmap": colour_map, "vmin": -limit, "vmax": limit, "zorder": 0}


def _edges(n_spans: Any, n_timepoints: int) -> NDArray[np.int64]:
    if not (isinstance(n_spans, int | np.integer) and 1 <= n_spans <= n_timepoints):
        raise ValueError(
            f"n_spans is {n_spans!r}, expected an integer from 1 to {n_timepoints}, the number of "
            "time points of x."
        )
    return np.arange(n_spans + 1) * n_timepoints // n_spans


def _pairs(n_channels: int, n_spans: int) -> list[NDArray[np.int64]]:
    """Return channel and span of all copies, in blocks of bounded size."""
    pairs = np.indices((n_channels, n_spans)).reshape(2, -1).T
    return np.split(pairs, np.arange(_BATCH_ROWS, len(pairs), _BATCH_ROWS))


def _hide(series: Floats, edges: NDArray[np.int64], pairs: NDArray[np.int64]) -> Floats:
    """Return a copy of the series for each pair, with that span of that channel missing."""
    copies = np.repeat(series[None], len(pairs), axis=0)
    for copy, (channel, span) in zip(copies, pairs, strict=True):
        copy[channel, edges[span] : edges[span + 1]] = np.nan
    return copies
