"""A figure of a recording and its filled gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base import single_axes
from ..series import Container, Flags, Floats, asfreq, channel_table, read_floats
from .uncertainty import Z_90

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .imputer import TSPulseImputer

__all__ = ["ImputationDisplay"]


class ImputationDisplay:
    """Plot one channel of a recording with its filled gaps.

    Create it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    recording : ndarray of shape (n_timepoints,)
        One channel, NaN where missing.
    filled : ndarray of shape (n_timepoints,)
        The same channel without gaps.
    index : ndarray of shape (n_timepoints,)
        Position of each time point on the horizontal axis.
    name : str
        Label of the vertical axis.
    std : ndarray of shape (n_timepoints,), default=None
        Standard deviation of the error of each filled value.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of the axes.
    lines_ : list of matplotlib Line2D
        Lines of the known and of the filled values.
    band_ : matplotlib PolyCollection or None
        Band of 90 % of the true values; None without ``std``.

    See Also
    --------
    TSPulseImputer : Fills the gaps.
    EmbeddingDisplay : Plots the embeddings of many series.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse import ImputationDisplay
    >>> X = np.array([[0.0], [1.0], [np.nan], [3.0]])
    >>> display = ImputationDisplay.from_predictions(X, np.arange(4.0)[:, None])
    >>> [line.get_label() for line in display.lines_]
    ['known', 'filled']
    """

    def __init__(
        self,
        recording: Floats,
        filled: Floats,
        index: NDArray[Any],
        name: str = "value",
        std: Floats | None = None,
    ) -> None:
        self.recording = recording
        self.filled = filled
        self.index = index
        self.name = name
        self.std = std

    def plot(self, ax: Axes | None = None) -> Self:
        """Plot the known values, the filled values and, with ``std``, a band.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.

        Returns
        -------
        ImputationDisplay
            This object.
        """
        axes = single_axes(ax, figsize=(9, 3))
        missing = np.isnan(self.recording)
        # The line of a gap starts and ends at the known values next to it.
        padded = np.pad(missing, 1)
        shown = missing | padded[:-2] | padded[2:]
        known = axes.plot(self.index, self.recording, color="0.35", lw=1, label="known")
        inside = np.where(shown, self.filled, np.nan)
        style: dict[str, Any] = {"color": "tab:orange", "lw": 1.5, "marker": ".", "markersize": 4}
        filled = axes.plot(self.index, inside, markevery=missing, label="filled", **style)
        self.band_ = self._plot_band(axes, shown)
        axes.set(xlabel="time", ylabel=self.name)
        axes.legend(loc="best", fontsize="small")
        self.ax_, self.figure_, self.lines_ = axes, axes.figure, known + filled
        return self

    def _plot_band(self, axes: Any, where: Flags) -> Any:
        if self.std is None:
            return None
        edges = self.filled - Z_90 * self.std, self.filled + Z_90 * self.std
        style: dict[str, Any] = {"color": "tab:orange", "alpha": 0.25, "linewidth": 0}
        return axes.fill_between(self.index, *edges, where=where, label="90 %", **style)

    @classmethod
    def from_estimator(
        cls,
        estimator: TSPulseImputer,
        X: ArrayLike,
        *,
        channel: int = 0,
        index: ArrayLike | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Fill a recording and plot one channel, with a band unless ``blend=False``.

        Parameters
        ----------
        estimator : TSPulseImputer
            A fitted imputer.
        X : array-like of shape (n_timepoints, n_channels)
            The recording; NaN where missing.
        channel : int, default=0
            Channel to plot.
        index : array-like of shape (n_timepoints,), default=None
            Times; None takes the index of a data frame, else row numbers.
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.

        Returns
        -------
        ImputationDisplay
            The display, plotted.
        """
        if estimator.freq is not None:
            X = asfreq(X, estimator.freq)
        std = None
        if estimator.blend:
            filled, std = estimator.transform(X, return_std=True)
        else:
            filled = estimator.transform(X)
        return cls.from_predictions(X, filled, std, channel=channel, index=index, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        X: ArrayLike,
        filled: ArrayLike,
        std: ArrayLike | None = None,
        *,
        channel: int = 0,
        index: ArrayLike | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Plot one channel of a recording that was filled before.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            The recording; NaN where missing.
        filled : array-like of shape (n_timepoints, n_channels)
            The recording without gaps.
        std : array-like of shape (n_timepoints, n_channels), default=None
            Standard deviations, as returned by ``TSPulseImputer.transform``.
        channel : int, default=0
            Channel to plot.
        index : array-like of shape (n_timepoints,), default=None
            Times; None takes the index of a data frame, else row numbers.
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.

        Returns
        -------
        ImputationDisplay
            The display, plotted.

        Raises
        ------
        ValueError
            If X and ``filled`` have different shapes or are not two-dimensional.
        """
        before, after = (np.asarray(read_floats(channel_table(one)), float) for one in (X, filled))
        if before.ndim != 2 or before.shape != after.shape:
            raise ValueError(
                f"X and filled have shapes {before.shape} and {after.shape}, expected the same "
                "(n_timepoints, n_channels). Pass one recording and the result of transform."
            )
        times = Container(X).positions(len(before)) if index is None else np.asarray(index)
        columns = getattr(channel_table(X), "columns", None)
        name = f"channel {channel}" if columns is None else str(columns[channel])
        deviation = None if std is None else _channel_values(std)[:, channel]
        return cls(before[:, channel], after[:, channel], times, name, deviation).plot(ax)


def _channel_values(X: ArrayLike) -> Floats:
    return np.asarray(read_floats(channel_table(X)), float)
