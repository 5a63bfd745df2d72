"""Loss curves of a training, during the run or afterwards."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from ..base import ESTIMATE, RECORDING, ink, load_pyplot, stacked_axes
from ..series import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .pretrainer import TSPulsePretrainer

__all__ = ["TrainingDisplay"]

_BESIDE_LOSSES = ("epoch", "n_steps", "lr", "seconds", "windows_per_second")
_STYLE = {"color": ESTIMATE, "marker": "o", "markersize": 4, "markevery": [-1]}  # of the curves
_MAX_COLUMNS = 4
_UNSETTLED = 10  # the first one of so many parts of a run does not set the vertical range


class TrainingDisplay:
    """Losses of a training against the number of windows, each in a panel of its own.

    Make it with :meth:`from_estimator`, or with :meth:`from_history` during a run.

    Parameters
    ----------
    losses : dict of str to ndarray of shape (n_epochs,)
        Mean of each loss in every epoch.
    n_windows : ndarray of shape (n_epochs,)
        Number of windows until the end of every epoch.
    lr : ndarray of shape (n_epochs,)
        Learning rate at the end of every epoch.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (n_losses,)
        The panels, in the order of ``losses``.
    figure_ : matplotlib Figure
        Figure that holds them.
    lines_ : list of matplotlib Line2D
        The curves, in the same order.

    See Also
    --------
    TSPulsePretrainer : Trains a network.
    EmbeddingDisplay : Draws the embeddings of a network.

    Notes
    -----
    The linear scale of a panel fits all but the first tenth of the epochs, so that small
    changes later on are visible. The title gives the last value. The grey area is the
    learning rate, as a fraction of its largest value so far.

    Examples
    --------
    >>> from sktspulse import TrainingDisplay, TSPulseConfig, TSPulsePretrainer
    >>> from sktspulse.datasets import make_series
    >>> X = make_series(20, 200, random_state=0)
    >>> small = TSPulseConfig(context_length=64, n_layers=1, n_signature_bins=32)
    >>> pretrainer = TSPulsePretrainer(
    ...     small, max_epochs=3, steps_per_epoch=2, batch_size=8, random_state=0
    ... )
    >>> display = TrainingDisplay.from_estimator(pretrainer.fit(X), losses=["loss", "time"])
    >>> display.n_windows
    array([16., 32., 48.])
    >>> [ax.get_title(loc="left") for ax in display.axes_]
    ['loss', 'time']
    """

    def __init__(self, losses: dict[str, Floats], n_windows: Floats, lr: Floats) -> None:
        self.losses = losses
        self.n_windows = n_windows
        self.lr = lr

    @classmethod
    def from_estimator(
        cls,
        estimator: TSPulsePretrainer,
        *,
        losses: str | Sequence[str] | None = None,
        ax: Axes | Sequence[Axes] | None = None,
        **line_kwargs: Any,
    ) -> Self:
        """Draw the training of an estimator.

        Parameters
        ----------
        estimator : TSPulsePretrainer
            A fitted pre-trainer.
        losses : str or sequence of str, default=None
            Which losses to draw; None draws all, the weighted sum ``"loss"`` first.
        ax : matplotlib Axes or array-like of Axes, default=None
            One axes for each loss; None makes a new figure.
        **line_kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        TrainingDisplay
            The display.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If no epoch was finished, or a loss is unknown.
        """
        check_is_fitted(estimator, "history_")
        return cls.from_history(estimator.history_, losses=losses, ax=ax, **line_kwargs)

    @classmethod
    def from_history(
        cls,
        history: str | os.PathLike[str] | Mapping[str, ArrayLike],
        *,
        losses: str | Sequence[str] | None = None,
        ax: Axes | Sequence[Axes] | None = None,
        **line_kwargs: Any,
    ) -> Self:
        """Draw a history, or the file that a run writes while it is going on.

        Parameters
        ----------
        history : path-like or mapping of str to array-like of shape (n_epochs,)
            Path of the ``history.csv`` of a run, or the ``history_`` of an estimator.
        losses : str or sequence of str, default=None
            Which losses to draw; None draws all, the weighted sum ``"loss"`` first.
        ax : matplotlib Axes or array-like of Axes, default=None
            One axes for each loss; None makes a new figure.
        **line_kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        TrainingDisplay
            The display.

        Raises
        ------
        FileNotFoundError
            If the path is wrong, or the run has not finished its first epoch.
        ValueError
            If no epoch was finished, a column is missing, or a loss is unknown.
        """
        columns = _columns(history)
        names = _chosen(losses, [name for name in columns if name not in _BESIDE_LOSSES])
        # A resumed run may have another number of processes, so windows are summed up; the
        # product is rounded since the speed is a quotient.
        n_windows = np.cumsum(np.rint(columns["seconds"] * columns["windows_per_second"]))
        display = cls({name: columns[name] for name in names}, n_windows, columns["lr"])
        return display.plot(ax, **line_kwargs)

    def plot(self, ax: Axes | Sequence[Axes] | None = None, **line_kwargs: Any) -> Self:
        """Draw one panel for each loss.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of Axes, default=None
            One axes for each loss; None makes a new figure.
        **line_kwargs : dict
            Passed on to :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        TrainingDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If there are not as many axes as losses.
        """
        panels, n_columns = _panels(ax, len(self.losses))
        from matplotlib.cbook import normalize_kwargs
        from matplotlib.lines import Line2D

        style = _STYLE | normalize_kwargs(line_kwargs, Line2D)
        self.lines_ = []
        for panel, (name, values) in zip(panels, self.losses.items(), strict=True):
            self._shade(panel)
            self.lines_ += panel.plot(self.n_windows, values, **style)
            panel.set_title(name, loc="left", fontsize="medium")
            color = self.lines_[-1].get_color()
            panel.set_title(f"{values[-1]:.4g}", loc="right", fontsize="medium", color=color)
            _set_ranges(panel, values)
        for panel in panels[-n_columns:]:
            panel.set_xlabel("windows seen")
        note = f"learning rate, up to {self.lr.max():.2g}"
        panels[0].text(
            0.08, 0.05, note, transform=panels[0].transAxes, color=RECORDING, size="small"
        )
        self.axes_, self.figure_ = panels, panels[0].figure
        return self

    def _shade(self, panel: Any) -> None:
        """Draw the learning rate behind a curve, its largest value as high as the panel."""
        fraction = self.lr / (self.lr.max() or 1)
        style = {"color": ink(), "alpha": 0.08, "lw": 0, "zorder": 0}
        style["transform"] = panel.get_xaxis_transform()
        panel.fill_between(self.n_windows, fraction, **style)


def _columns(history: str | os.PathLike[str] | Mapping[str, ArrayLike]) -> dict[str, Floats]:
    """Return the columns of a history, copied and checked."""
    if isinstance(history, str | os.PathLike):
        history = _read(Path(history))
    columns = {name: np.array(column, dtype=float) for name, column in history.items()}
    if not any(map(len, columns.values())):
        raise ValueError(
            "The history has no epoch. Wait until the training has finished one, or fit again: "
            "a fit that was interrupted during its first epoch has none."
        )
    missing = [name for name in ("lr", "seconds", "windows_per_second") if name not in columns]
    if missing:
        raise ValueError(
            f"The history lacks {missing}; it has {list(columns)}. Pass history_ of a fitted "
            "TSPulsePretrainer, or the path of the history.csv that it writes."
        )
    return columns


def _read(path: Path) -> dict[str, list[float]]:
    if not path.exists():
        raise FileNotFoundError(
            f"{path} does not exist. A run writes history.csv into its folder after each epoch: "
            "check the path, or wait for the first."
        )
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ())}


def _chosen(losses: str | Sequence[str] | None, known: list[str]) -> list[str]:
    """Return the names of the losses to draw: those asked for, or all, the sum first."""
    if losses is None:
        names = sorted(known, key=lambda name: name != "loss")
    else:
        names = [losses] if isinstance(losses, str) else list(losses)
    if not names or not set(names) <= set(known):
        raise ValueError(f"losses is {losses!r}, but must name some of the losses {known}.")
    return names


def _panels(ax: Any, n: int) -> tuple[NDArray[Any], int]:
    """Return one axes for each loss, and how many of them are at the bottom."""
    if ax is not None:
        return stacked_axes(ax, n), n
    n_rows = math.ceil(n / _MAX_COLUMNS)
    n_columns = math.ceil(n / n_rows)
    size = (2.8 * n_columns + 0.4, 2.2 * n_rows + 0.3)
    settings = {"figsize": size, "layout": "constrained", "squeeze": False}
    axes = load_pyplot().subplots(n_rows, n_columns, **settings)[1].ravel()
    for unused in axes[n:]:
        unused.remove()
    return axes[:n], n_columns


def _set_ranges(panel: Any, values: Floats) -> None:
    """Show the run from its start, and the range of all but its first values."""
    from matplotlib.ticker import EngFormatter

    panel.xaxis.set_major_formatter(EngFormatter(sep=""))
    panel.locator_params(axis="x", nbins=4)
    panel.set_xlim(left=0)
    panel.spines[["top", "right"]].set_visible(False)
    settled = values[len(values) // _UNSETTLED :]
    low, high = settled.min(), settled.max()
    if low < high:
        # There is room for a line of text below the curve.
        panel.set_ylim(low - 0.2 * (high - low), high + 0.06 * (high - low))
