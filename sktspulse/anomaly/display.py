"""A figure of a recording, its anomaly scores, and the segments of outliers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base import shorten_dates, stacked_axes
from ..series import Container, channel_table, read_floats, runs
from .detector import TSPulseAnomalyDetector, score_recording
from .segments import find_segments, segments_by_row

__all__ = ["AnomalyScoreDisplay", "score_ticks"]

_MAX_CHANNELS = 8  # more curves above each other are hard to read
_BOUNDS = [("start", np.int64), ("end", np.int64)]
_MANY_DECADES = 50  # highest score over the threshold, from which ticks are powers of ten
_MAX_DECADES = 6  # of ticks
_SPACING = 1.2  # of channels drawn above each other [ranges of a channel]


class AnomalyScoreDisplay:
    """Draw a recording, the score of every point, and the segments of outliers.

    Create it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    recording : ndarray of shape (n_timepoints, n_channels)
        The recording, NaN where missing.
    scores : ndarray of shape (n_timepoints,)
        Scores of ``score_samples``; higher is more normal.
    index : ndarray of shape (n_timepoints,)
        Position of each time point on the horizontal axis.
    names : list of str
        Names of the channels.
    offset : float, default=None
        Threshold: outliers have lower scores. None draws none.
    heads : dict of str to ndarray of shape (n_timepoints,), default=None
        Scores of each head.
    segments : ndarray of shape (n_segments,), default=None
        Structured array with ``"start"`` and ``"end"``; rows from ``start`` to
        ``end - 1`` are shaded.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (2,)
        Axes of the recording and of the scores.
    figure_ : matplotlib Figure
        The figure they belong to.
    lines_ : list of matplotlib Line2D
        Lines of the channels drawn, the heads, and the score.

    See Also
    --------
    TSPulseAnomalyDetector : Scores recordings.
    ImputationDisplay : Draws the values that gaps were filled with.

    Notes
    -----
    Scores are drawn with the opposite sign, so that anomalies peak. Their axis is linear
    up to the threshold and logarithmic above. Several channels are drawn above each
    other, each scaled to its range. At most eight are drawn: channels named by the
    segments, then the first ones.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse import AnomalyScoreDisplay
    >>> X = np.sin(np.arange(100) / 5)[:, None]
    >>> scores = -np.exp(-0.01 * (np.arange(100) - 60.0) ** 2)
    >>> display = AnomalyScoreDisplay.from_predictions(X, scores, offset=-0.5)
    >>> [line.get_label() for line in display.lines_]
    ['channel 0', 'score']
    >>> display.segments.tolist()
    [(52, 69)]
    """

    def __init__(
        self,
        recording: NDArray[Any],
        scores: NDArray[Any],
        index: NDArray[Any],
        names: list[str],
        *,
        offset: float | None = None,
        heads: dict[str, NDArray[Any]] | None = None,
        segments: NDArray[np.void] | None = None,
    ) -> None:
        self.recording = recording
        self.scores = scores
        self.index = index
        self.names = names
        self.offset = offset
        self.heads = heads
        self.segments = segments

    @classmethod
    def from_estimator(
        cls,
        estimator: TSPulseAnomalyDetector,
        X: ArrayLike,
        *,
        index: ArrayLike | None = None,
        axes: Sequence[Any] | None = None,
    ) -> Self:
        """Score a recording and draw it.

        Parameters
        ----------
        estimator : TSPulseAnomalyDetector
            A fitted detector.
        X : array-like of shape (n_timepoints, n_channels)
            The recording, NaN where missing.
        index : array-like of shape (n_timepoints,), default=None
            Times; None uses the index of a data frame, or row numbers.
        axes : sequence of two matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

        Returns
        -------
        AnomalyScoreDisplay
            The display, drawn.
        """
        scores = score_recording(estimator, X)
        return cls.from_predictions(
            X,
            -scores.combined,
            offset=estimator.offset_,
            heads=dict(zip(estimator.heads_, -scores.heads, strict=True)),
            segments=find_segments(scores, estimator.offset_, estimator.heads_),
            index=index,
            axes=axes,
        )

    @classmethod
    def from_predictions(
        cls,
        X: ArrayLike,
        scores: ArrayLike,
        *,
        offset: float | None = None,
        heads: dict[str, NDArray[Any]] | None = None,
        segments: Any = None,
        index: ArrayLike | None = None,
        axes: Sequence[Any] | None = None,
    ) -> Self:
        """Draw a recording with the scores of any detector.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_channels)
            The recording, NaN where missing.
        scores : array-like of shape (n_timepoints,)
            Scores; higher is more normal.
        offset : float, default=None
            Threshold; None draws none.
        heads : dict of str to ndarray of shape (n_timepoints,), default=None
            Scores of each head.
        segments : ndarray of shape (n_segments,) or data frame, default=None
            Segments of ``predict_segments``, or another structured array with
            ``"start"`` and ``"end"``; None finds the segments with scores below the
            offset, if there is one.
        index : array-like of shape (n_timepoints,), default=None
            Times; None uses the index of a data frame, or row numbers.
        axes : sequence of two matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

        Returns
        -------
        AnomalyScoreDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If X is not two-dimensional, or the number of scores is not that of its rows.
        """
        channels = channel_table(X)
        recording, values = read_floats(channels), np.asarray(scores, float)
        if recording.ndim != 2 or values.shape != recording.shape[:1]:
            raise ValueError(
                f"X and scores have shapes {recording.shape} and {values.shape}, expected "
                "(n_timepoints, n_channels) and (n_timepoints,). Pass a recording and its "
                "score_samples."
            )
        container = Container(X)
        places = container.positions(len(recording)) if index is None else np.asarray(index)
        columns = getattr(channels, "columns", [f"channel {i}" for i in range(recording.shape[1])])
        if segments is not None:
            segments = segments_by_row(container, segments)
        elif offset is not None:
            segments = np.array([*map(tuple, runs(values < offset))], dtype=_BOUNDS)
        names = [str(name) for name in columns]
        display = cls(
            recording, values, places, names, offset=offset, heads=heads, segments=segments
        )
        return display.plot(axes)

    def plot(self, axes: Sequence[Any] | None = None) -> Self:
        """Draw the recording above its scores.

        Parameters
        ----------
        axes : sequence of two matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

        Returns
        -------
        AnomalyScoreDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If another number of axes is given.
        """
        self.axes_ = stacked_axes(axes, 2, sharex=True, figsize=(9, 5))
        self.figure_ = self.axes_[0].figure
        self.lines_ = self._draw_recording(self.axes_[0]) + self._draw_scores(self.axes_[1])
        for axis in self.axes_:
            self._shade(axis)
        if np.issubdtype(self.index.dtype, np.datetime64):
            shorten_dates(self.axes_[-1].xaxis)
        return self

    def _draw_recording(self, axis: Any) -> list[Any]:
        """Draw a single channel in its units, or several above each other."""
        shown = self._shown_channels()
        style: dict[str, Any] = {"color": "0.3", "lw": 1}
        names = [self.names[channel] for channel in shown]
        columns = self.recording[:, shown].T
        if len(shown) == 1:
            axis.set(ylabel=names[0])
            return list(axis.plot(self.index, columns[0], label=names[0], **style))
        lines: list[Any] = []
        for place, (column, name) in enumerate(zip(columns, names, strict=True)):
            height = _to_unit_range(column) - _SPACING * place
            lines += axis.plot(self.index, height, label=name, **style)
        axis.set_yticks(0.5 - _SPACING * np.arange(len(shown)), names)
        return lines

    def _shown_channels(self) -> list[int]:
        """Choose the channels of the worst segments, then the first ones; keep their order."""
        anomalous: list[int] = []
        if self.segments is not None and "channel" in (self.segments.dtype.names or ()):
            order = np.argsort(self.segments["score"])
            anomalous = self.segments["channel"][order].tolist()
        chosen = dict.fromkeys([*anomalous, *range(len(self.names))])
        return sorted(list(chosen)[:_MAX_CHANNELS])

    def _draw_scores(self, axis: Any) -> list[Any]:
        """Draw the negated scores of the heads, the combined score, and the threshold."""
        lines: list[Any] = []
        for name, scores in (self.heads or {}).items():
            lines += axis.plot(self.index, -scores, lw=0.8, alpha=0.8, label=name)
        lines += axis.plot(self.index, -self.scores, color="k", lw=1.2, label="score")
        if self.offset is not None:
            axis.axhline(-self.offset, color="tab:red", lw=1, ls="--", label="threshold")
            axis.set_yscale("symlog", linthresh=max(abs(self.offset), 1e-6))
            axis.set_ylim(bottom=1.1 * min(-self.scores.max(), self.offset / 10))
            if self.offset < 0:
                axis.set_yticks(score_ticks(-self.offset, axis.get_ylim()[1]))
                axis.yaxis.set_major_formatter("{x:g}")
                axis.minorticks_off()
        axis.set(xlabel="time", ylabel="anomaly score")
        axis.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small")
        return lines

    def _shade(self, axis: Any) -> None:
        if self.segments is None:
            return
        for start, end in zip(self.segments["start"], self.segments["end"], strict=True):
            axis.axvspan(self.index[start], self.index[end - 1], color="tab:red", alpha=0.2, lw=1)


def score_ticks(threshold: float, highest: float) -> list[float]:
    """Place ticks at 0, at the threshold, and at rounded scores above, with space between."""
    ratio = highest / threshold
    if not 1 < ratio < np.inf:
        return [0.0, threshold]
    factors = (1, 2, 5) if ratio < _MANY_DECADES else (1,)
    first, last = (int(np.floor(np.log10(end))) for end in (threshold, highest))
    step = max(1, (last - first) // _MAX_DECADES)
    rounded = [f * 10.0**power for power in range(first, last + 1, step) for f in factors]
    return [0.0, threshold, *(x for x in rounded if 1.5 * threshold < x <= highest)]


def _to_unit_range(values: NDArray[Any]) -> NDArray[Any]:
    """Scale known values to [0, 1], a constant to 0."""
    known = values[np.isfinite(values)]
    if not len(known):
        return values
    return (values - known.min()) / (np.ptp(known) or 1)
