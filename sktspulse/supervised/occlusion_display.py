"""Which part of a series a prediction rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base import load_pyplot
from ..series import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["OcclusionDisplay"]

_ROWS = 256  # copies of the series given to the estimator at once


class OcclusionDisplay:
    """Show how far the probability of the predicted class falls if a span is hidden.

    Make it with :meth:`from_estimator`.

    Parameters
    ----------
    x : ndarray of shape (n_channels, n_timepoints)
        The series.
    falls : ndarray of shape (n_channels, n_spans)
        Probability for the whole series less that with the span of the channel hidden,
        -1 to 1. Below 0, the span speaks against the class.
    edges : ndarray of shape (n_spans + 1,)
        Where spans begin and the last one ends [time points].
    label : object
        The predicted class.
    probability : float
        Its probability for the whole series.
    names : sequence of str, default=None
        Names of the channels; None numbers them.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (n_channels,)
        Axes of each channel.
    figure_ : matplotlib Figure
        Figure that holds them.
    lines_ : list of matplotlib Line2D
        The channels.
    meshes_ : list of matplotlib QuadMesh
        The falls behind them, on one colour scale.

    See Also
    --------
    TSPulseClassifier : Classifies series, and takes hidden spans for missing.
    EmbeddingDisplay : Shows how all series lie among each other.

    Notes
    -----
    Spans are hidden one at a time, as missing values (NaN), so the estimator must take
    these: :class:`TSPulseClassifier` does, and shows them to the network as missing.
    What two spans both tell is missed in neither and shows in none. It takes one
    prediction a channel and span. Nothing is random.

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
    >>> display.falls.shape
    (2, 4)
    """

    def __init__(
        self,
        x: Floats,
        falls: Floats,
        edges: NDArray[np.int64],
        label: Any,
        probability: float,
        names: Sequence[str] | None = None,
    ) -> None:
        self.x = x
        self.falls = falls
        self.edges = edges
        self.label = label
        self.probability = probability
        self.names = names

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
        """Hide each span of each channel in turn, and draw what that changes.

        Parameters
        ----------
        estimator : object
            A fitted classifier of panels that has ``predict_proba`` and takes NaN.
        x : array-like of shape (n_timepoints,) or (n_channels, n_timepoints)
            One series.
        n_spans : int, default=16
            Into how many spans to cut the time, as equal as can be; at most one a time
            point.
        names : sequence of str, default=None
            Names of the channels; None numbers them.
        axes : sequence of n_channels matplotlib Axes, default=None
            Where to draw; None opens a figure.
        **line_kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        OcclusionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If x is not one series, ``n_spans`` is no whole number from 1 to the number
            of time points, or there is not one name and one axes a channel.
        """
        series = _one_series(x)
        edges = _edges(n_spans, series.shape[1])
        probabilities = estimator.predict_proba(series[None])[0]
        chosen = int(probabilities.argmax())
        hidden = np.concatenate(
            [
                estimator.predict_proba(_hidden(series, edges, places))[:, chosen]
                for places in _places(len(series), n_spans)
            ]
        )
        probability = float(probabilities[chosen])
        falls = probability - hidden.reshape(len(series), n_spans)
        label = estimator.classes_[chosen]
        return cls(series, falls, edges, label, probability, names).plot(axes, **line_kwargs)

    def plot(self, axes: Sequence[Axes] | None = None, **line_kwargs: Any) -> Self:
        """Draw the channels below each other, each on the falls of its spans.

        Parameters
        ----------
        axes : sequence of n_channels matplotlib Axes, default=None
            Where to draw; None opens a figure.
        **line_kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        OcclusionDisplay
            This object.

        Raises
        ------
        ValueError
            If there is not one name and one axes a channel.
        ImportError
            If matplotlib is not installed.
        """
        names = self._names()
        self.axes_ = _axes(axes, len(self.x))
        self.figure_ = self.axes_[0].figure
        self.lines_, self.meshes_ = [], []
        limit = max(float(np.abs(self.falls).max()), np.finfo(float).tiny)
        style = {"color": "black", "lw": 1} | line_kwargs
        for ax, values, falls, name in zip(self.axes_, self.x, self.falls, names, strict=True):
            self.lines_ += ax.plot(values, **style)
            colours = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit, "alpha": 0.7, "zorder": 0}
            self.meshes_.append(
                ax.pcolormesh(self._corners(), ax.get_ylim(), falls[None], **colours)
            )
            ax.set_xlim(*self._corners()[[0, -1]])
            ax.set_ylabel(name, fontsize="small")
            ax.tick_params(labelsize="small", labelbottom=ax is self.axes_[-1])
        self.axes_[0].set_title(
            f"class {self.label}, probability {self.probability:.2f}", loc="left", fontsize="small"
        )
        self.axes_[-1].set_xlabel("time", fontsize="small")
        bar = self.figure_.colorbar(self.meshes_[0], ax=list(self.axes_))
        bar.set_label("fall of the probability if hidden", fontsize="small")
        return self

    def _corners(self) -> Floats:
        return np.asarray(self.edges - 0.5)

    def _names(self) -> Sequence[str]:
        names = self.names
        if names is None:
            return [f"channel {i}" for i in range(len(self.x))]
        if len(names) != len(self.x):
            raise ValueError(
                f"names has {len(names)} names, but x has {len(self.x)} channels. Pass one each."
            )
        return names


def _one_series(x: ArrayLike) -> Floats:
    series = np.atleast_2d(np.asarray(x, dtype=float))
    if series.ndim != 2:
        raise ValueError(
            f"x has shape {series.shape}, expected (n_timepoints,) or (n_channels, n_timepoints). "
            "Explain one series at a time: X[0]."
        )
    return series


def _edges(n_spans: Any, n_timepoints: int) -> NDArray[np.int64]:
    if not (isinstance(n_spans, int | np.integer) and 1 <= n_spans <= n_timepoints):
        raise ValueError(
            f"n_spans is {n_spans!r}, expected a whole number from 1 to the {n_timepoints} time "
            "points of x. Pass one of these."
        )
    return np.arange(n_spans + 1) * n_timepoints // n_spans


def _places(n_channels: int, n_spans: int) -> list[NDArray[np.int64]]:
    """Return channel and span of all copies, in blocks of bounded size."""
    pairs = np.indices((n_channels, n_spans)).reshape(2, -1).T
    return np.split(pairs, np.arange(_ROWS, len(pairs), _ROWS))


def _hidden(series: Floats, edges: NDArray[np.int64], places: NDArray[np.int64]) -> Floats:
    """Return one copy of the series a place, without the span of the channel named there."""
    copies = np.repeat(series[None], len(places), axis=0)
    for copy, (channel, span) in zip(copies, places, strict=True):
        copy[channel, edges[span] : edges[span + 1]] = np.nan
    return copies


def _axes(axes: Sequence[Any] | None, n: int) -> NDArray[Any]:
    if axes is None:
        plt = load_pyplot()
        size = (8, 0.8 + 1.3 * n)
        return plt.subplots(n, figsize=size, layout="constrained", squeeze=False)[1][:, 0]
    given = np.ravel(np.asarray(axes, dtype=object))
    if len(given) != n:
        raise ValueError(f"axes has {len(given)} axes, but x has {n} channels. Pass one each.")
    return given
