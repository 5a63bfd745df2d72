"""Figures of what the estimators answer; matplotlib is imported when one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ._imputer import TSPulseImputer

__all__ = ["ImputationDisplay"]


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

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes drawn on.
    figure_ : matplotlib Figure
        Figure that holds them.
    lines_ : list of matplotlib Line2D
        Known values and filled ones.

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
        self, recording: NDArray, filled: NDArray, index: NDArray, name: str = "value"
    ) -> None:
        self.recording = recording
        self.filled = filled
        self.index = index
        self.name = name

    def plot(self, ax: Axes | None = None) -> Self:
        """Draw known values as a line and filled ones on top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None opens a figure.

        Returns
        -------
        ImputationDisplay
            This object.
        """
        import matplotlib.pyplot as plt

        if ax is None:
            _, ax = plt.subplots(figsize=(9, 3), layout="constrained")
        missing = np.isnan(self.recording)
        # The neighbours of a gap belong to its line too, so that no hole shows at its ends.
        touched = missing | np.roll(missing, 1) | np.roll(missing, -1)
        touched[[0, -1]] &= missing[[0, -1]] | missing[[1, -2]]
        known = ax.plot(self.index, self.recording, color="0.35", lw=1, label="known")
        bridge = np.where(touched, self.filled, np.nan)
        style = {"color": "tab:orange", "lw": 1.5, "marker": ".", "markersize": 4}
        filled = ax.plot(self.index, bridge, markevery=missing, label="filled", **style)
        ax.set(xlabel="time", ylabel=self.name)
        ax.legend(loc="best", fontsize="small")
        self.ax_, self.figure_, self.lines_ = ax, ax.figure, known + filled
        return self

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
        """Fill a recording and draw one channel.

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
        filled = estimator.transform(X)
        return cls.from_predictions(X, filled, channel=channel, index=index, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        X: ArrayLike,
        filled: ArrayLike,
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
        return cls(before[:, channel], after[:, channel], places, name).plot(ax)
