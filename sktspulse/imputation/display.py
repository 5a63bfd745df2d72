"""A recording whose gaps were filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base import single_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .imputer import TSPulseImputer

__all__ = ["ImputationDisplay"]

_NINE_IN_TEN = 1.645  # standard deviations to each side


class ImputationDisplay:
    """Show a recording and what its gaps were filled with.

    Make it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    recording : ndarray of shape (n_timepoints,)
        One channel, NaN where missing.
    filled : ndarray of shape (n_timepoints,)
        The same without gaps.
    index : ndarray of shape (n_timepoints,)
        Place of each time point on the horizontal axis.
    name : str
        Label of the vertical axis.
    std : ndarray of shape (n_timepoints,), default=None
        Standard deviation of the error of each filled value.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes drawn on.
    figure_ : matplotlib Figure
        Figure that holds them.
    lines_ : list of matplotlib Line2D
        Known values and filled ones.
    band_ : matplotlib PolyCollection or None
        Where nine in ten true values lie; None without ``std``.

    See Also
    --------
    TSPulseImputer : Fills the gaps.
    EmbeddingDisplay : Shows where series lie among each other.

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
        recording: NDArray[Any],
        filled: NDArray[Any],
        index: NDArray[Any],
        name: str = "value",
        std: NDArray[Any] | None = None,
    ) -> None:
        self.recording = recording
        self.filled = filled
        self.index = index
        self.name = name
        self.std = std

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw known values as a line and filled ones on top, with a band if there is one.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None opens a figure.

        Returns
        -------
        ImputationDisplay
            This object.
        """
        axes = single_axes(ax, figsize=(9, 3))
        missing = np.isnan(self.recording)
        # The neighbours of a gap belong to its line too, so that no hole shows at its ends.
        touched = missing | np.roll(missing, 1) | np.roll(missing, -1)
        touched[[0, -1]] &= missing[[0, -1]] | missing[[1, -2]]
        known = axes.plot(self.index, self.recording, color="0.35", lw=1, label="known")
        bridge = np.where(touched, self.filled, np.nan)
        style: dict[str, Any] = {"color": "tab:orange", "lw": 1.5, "marker": ".", "markersize": 4}
        filled = axes.plot(self.index, bridge, markevery=missing, label="filled", **style)
        self.band_ = self._draw_band(axes, touched)
        axes.set(xlabel="time", ylabel=self.name)
        axes.legend(loc="best", fontsize="small")
        self.ax_, self.figure_, self.lines_ = axes, axes.figure, known + filled
        return self

    def _draw_band(self, axes: Any, where: NDArray[np.bool_]) -> Any:
        if self.std is None:
            return None
        reach = _NINE_IN_TEN * self.std
        edges = self.filled - reach, self.filled + reach
        style: dict[str, Any] = {"color": "tab:orange", "alpha": 0.25, "linewidth": 0}
        return axes.fill_between(self.index, *edges, where=where, label="9 in 10", **style)

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
        """Fill a recording and draw one channel, with deviations if they were learned.

        Parameters
        ----------
        estimator : TSPulseImputer
            A fitted imputer.
        X : array-like of shape (n_timepoints, n_channels)
            The recording, NaN where missing.
        channel : int, default=0
            Which channel.
        index : array-like of shape (n_timepoints,), default=None
            Times; None takes the index of a data frame, else numbers the rows.
        ax : matplotlib Axes, default=None
            Where to draw.

        Returns
        -------
        ImputationDisplay
            The display, drawn.
        """
        learned = estimator.blend_ is not None
        filled, std = (
            estimator.transform(X, return_std=True) if learned else (estimator.transform(X), None)
        )
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
        """Draw one channel of a recording that was filled already.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            The recording, NaN where missing.
        filled : array-like of shape (n_timepoints, n_channels)
            The same without gaps.
        std : array-like of shape (n_timepoints, n_channels), default=None
            Standard deviations, as ``transform`` returns.
        channel : int, default=0
            Which channel.
        index : array-like of shape (n_timepoints,), default=None
            Times; None takes the index of a data frame, else numbers the rows.
        ax : matplotlib Axes, default=None
            Where to draw.

        Returns
        -------
        ImputationDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the two differ in shape or are not recordings.
        """
        before, after = np.asarray(X, float), np.asarray(filled, float)
        if before.ndim != 2 or before.shape != after.shape:
            raise ValueError(
                f"X and filled have shapes {before.shape} and {after.shape}, expected the same "
                "(n_timepoints, n_channels). Pass one recording and what transform made of it."
            )
        index = getattr(X, "index", None) if index is None else index
        places = np.arange(len(before)) if index is None else np.asarray(index)
        name = str(X.columns[channel]) if hasattr(X, "columns") else f"channel {channel}"
        spread = None if std is None else np.asarray(std, float)[:, channel]
        return cls(before[:, channel], after[:, channel], places, name, spread).plot(ax)
