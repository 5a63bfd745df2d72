"""A figure of a recording and its filled gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base import (
    ESTIMATE,
    MANY_POINTS,
    RECORDING,
    TRUTH,
    TimeAxis,
    draw_legend,
    draw_series,
    interactive_figure,
    plain_text,
    single_axes,
    thinned,
)
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
    index : array-like of shape (n_timepoints,)
        Labels of the rows: time stamps, periods, durations or numbers. Others, and labels
        that are not in order, are drawn as row numbers.
    name : str
        Label of the vertical axis.
    std : ndarray of shape (n_timepoints,), default=None
        Standard deviation of the error of each filled value.
    truth : ndarray of shape (n_timepoints,), default=None
        True values, if known.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the plot.
    figure_ : matplotlib Figure
        Figure of the axes.
    lines_ : list of matplotlib Line2D
        Lines of the known and of the filled values, then of the true values if given.
    band_ : matplotlib PolyCollection or None
        The 90 % interval of the filled values; None without ``std``.

    See Also
    --------
    TSPulseImputer : Fills the gaps.
    AnomalyScoreDisplay : Draws a recording and its anomaly scores.

    Notes
    -----
    Of more than 4,000 rows, the lowest and the highest value of each of 2,000 parts are
    drawn. To see a gap of a long recording in detail, pass its rows to
    :meth:`from_predictions`, or use :meth:`plotly`.

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
        index: ArrayLike,
        name: str = "value",
        std: Floats | None = None,
        truth: Floats | None = None,
    ) -> None:
        self.recording = recording
        self.filled = filled
        self.index = index
        self.name = name
        self.std = std
        self.truth = truth

    def plot(self, ax: Axes | None = None) -> Self:
        """Plot the known values, the filled values and, if given, the interval and the truth.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.

        Returns
        -------
        ImputationDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        axes, time = single_axes(ax, figsize=(9, 3.2)), TimeAxis.read(self.index)
        axes.margins(x=0.01)
        missing, shown = self._gaps()
        inside = np.where(shown, self.filled, np.nan)
        style: dict[str, Any] = {"color": RECORDING, "lw": 1, "label": "known"}
        self.lines_ = [draw_series(axes, time.places, self.recording, **style)]
        style = {"color": ESTIMATE, "lw": 1.8, "solid_capstyle": "round", "label": "filled"}
        if len(inside) <= MANY_POINTS:
            style |= {"marker": ".", "markersize": 5, "markevery": missing}
        self.lines_.append(draw_series(axes, time.places, inside, **style))
        if self.truth is not None:
            self.lines_.append(_plot_truth(axes, time.places, np.where(shown, self.truth, np.nan)))
        self.band_ = self._plot_band(axes, time.places, shown)
        axes.set_xlabel(time.label)
        axes.set_ylabel(plain_text(self.name), parse_math=False)
        time.set_ticks(axes.xaxis)
        draw_legend(axes)
        self.ax_, self.figure_ = axes, axes.figure
        return self

    def plotly(self) -> Any:
        """Return an interactive figure.

        Returns
        -------
        plotly.graph_objects.Figure
            The figure. Its ``show`` opens it, ``write_html`` saves it.

        Raises
        ------
        ImportError
            If plotly is not installed.
        """
        _, shown = self._gaps()
        traces: list[dict[str, Any]] = [{"name": "known", "y": self.recording, "color": RECORDING}]
        y = np.where(shown, self.filled, np.nan)
        filled: dict[str, Any] = {"name": "filled", "y": y, "color": ESTIMATE}
        filled |= {"mode": "lines+markers", "marker": {"size": 4}}
        if self.std is not None:  # bars, as plotly fills areas across gaps
            bars = {"type": "data", "array": Z_90 * self.std, "width": 0, "thickness": 1}
            filled |= {"error_y": bars, "name": "filled, 90 % interval"}
        traces.append(filled)
        if self.truth is not None:
            y = np.where(shown, self.truth, np.nan)
            traces.append({"name": "truth", "y": y, "color": TRUTH, "line": {"dash": "dot"}})
        return interactive_figure(TimeAxis.read(self.index), [traces], titles=[self.name])

    def _gaps(self) -> tuple[Flags, Flags]:
        """Return which values are missing, and with the known values next to them."""
        missing = np.isnan(self.recording)
        padded = np.pad(missing, 1)
        return missing, missing | padded[:-2] | padded[2:]

    def _plot_band(self, axes: Any, places: NDArray[Any], where: Flags) -> Any:
        if self.std is None:
            return None
        low, high = (
            thinned(places, np.where(where, self.filled + sign * Z_90 * self.std, np.nan))[1]
            for sign in (-1, 1)
        )
        places = thinned(places, self.filled)[0]
        if len(places) < len(where):  # lowest and highest value of each part
            places, low, high = places[::2], low[::2], high[1::2]
        style: dict[str, Any] = {"color": ESTIMATE, "alpha": 0.25, "linewidth": 0}
        known = np.isfinite(low)
        return axes.fill_between(places, low, high, where=known, label="90 % interval", **style)

    @classmethod
    def from_estimator(
        cls,
        estimator: TSPulseImputer,
        X: ArrayLike,
        X_true: ArrayLike | None = None,
        *,
        channel: int | str = 0,
        freq: str | None = None,
        index: ArrayLike | None = None,
        ax: Axes | None = None,
    ) -> Self:
        """Fill a recording and plot one channel.

        The 90 % interval is plotted unless the estimator has ``blend=False``.

        Parameters
        ----------
        estimator : TSPulseImputer
            A fitted imputer.
        X : array-like of shape (n_timepoints, n_channels)
            The recording; NaN where missing.
        X_true : array-like of shape (n_timepoints, n_channels), default=None
            True values, if known. They are plotted in the gaps.
        channel : int or str, default=0
            Number or name of the channel to plot.
        freq : str, default=None
            Time between rows, such as ``"h"``, if rows are missing in X. None takes that of
            the estimator.
        index : array-like of shape (n_timepoints,), default=None
            Labels of the rows; None takes the index or the time stamps of a data frame,
            else row numbers.
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.

        Returns
        -------
        ImputationDisplay
            The display, plotted.

        Raises
        ------
        ValueError
            If there is no such channel, or ``X_true`` or ``index`` do not fit.
        """
        freq = estimator.freq if freq is None else freq
        X = X if freq is None else asfreq(X, freq)
        std = None
        if estimator.blend:
            filled, std = estimator.transform(X, return_std=True)
        else:
            filled = estimator.transform(X)
        settings: dict[str, Any] = {"freq": freq, "channel": channel, "index": index, "ax": ax}
        return cls.from_predictions(X, filled, std, X_true, **settings)

    @classmethod
    def from_predictions(
        cls,
        X: ArrayLike,
        filled: ArrayLike,
        std: ArrayLike | None = None,
        X_true: ArrayLike | None = None,
        *,
        channel: int | str = 0,
        freq: str | None = None,
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
        X_true : array-like of shape (n_timepoints, n_channels), default=None
            True values, if known. They are plotted in the gaps.
        channel : int or str, default=0
            Number or name of the channel to plot.
        freq : str, default=None
            Time between rows, such as ``"h"``, if rows are missing in X but not in
            ``filled``.
        index : array-like of shape (n_timepoints,), default=None
            Labels of the rows; None takes the index or the time stamps of a data frame,
            else row numbers.
        ax : matplotlib Axes, default=None
            Axes to plot on; None creates a figure.

        Returns
        -------
        ImputationDisplay
            The display, plotted.

        Raises
        ------
        ValueError
            If X is not two-dimensional, if ``filled``, ``std``, ``X_true`` or ``index`` do not
            fit, or if there is no such channel.
        """
        X = X if freq is None else asfreq(X, freq)
        tables = {"X": X, "filled": filled, "std": std, "X_true": X_true}
        if freq is not None and X_true is not None:
            tables["X_true"] = asfreq(X_true, freq)
        values = {name: _values(one) for name, one in tables.items() if one is not None}
        _check_shapes(values)
        columns = getattr(channel_table(X), "columns", None)
        place = _find_channel(channel, values["X"].shape[1], columns)
        name = f"channel {place}" if columns is None else str(columns[place])
        n_rows = len(values["X"])
        labels: Any = Container(X).row_labels(n_rows) if index is None else index
        if len(labels) != n_rows:
            raise ValueError(
                f"index has {len(labels)} values, but X has {n_rows} rows. Pass one for each row."
            )
        one = {key: table[:, place] for key, table in values.items()}
        more = one.get("std"), one.get("X_true")
        return cls(one["X"], one["filled"], labels, name, *more).plot(ax)


def _plot_truth(axes: Any, places: NDArray[Any], hidden: Floats) -> Any:
    style: dict[str, Any] = {"color": TRUTH, "lw": 1.2, "ls": ":", "label": "truth"}
    if len(hidden) <= MANY_POINTS:
        style |= {"marker": "x", "markersize": 4, "markeredgewidth": 0.8}
    return draw_series(axes, places, hidden, **style)


def _values(X: Any) -> Floats:
    return np.asarray(read_floats(channel_table(X)), float)


def _check_shapes(values: dict[str, Floats]) -> None:
    shape = values["X"].shape
    for name, one in values.items():
        if len(shape) != 2 or one.shape != shape:
            raise ValueError(
                f"X and {name} have shapes {shape} and {one.shape}, expected the same "
                "(n_timepoints, n_channels). Pass one recording and the result of transform. If "
                "rows are missing in X only, pass freq, too."
            )


def _find_channel(channel: int | str, n_channels: int, columns: Any) -> int:
    """Return the number of a channel."""
    names = [f"channel {i}" for i in range(n_channels)] if columns is None else list(columns)
    if isinstance(channel, int | np.integer) and -n_channels <= channel < n_channels:
        return int(channel) % n_channels
    if isinstance(channel, int | np.integer) or channel not in names:
        raise ValueError(
            f"channel is {channel!r}, expected a number below {n_channels} or one of the names "
            f"{names[:3]}."
        )
    return names.index(channel)
