"""A figure of a recording, its anomaly scores, and the segments of outliers."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base import (
    ALARM,
    RECORDING,
    TRUTH,
    TimeAxis,
    draw_channels,
    draw_legend,
    draw_series,
    ink,
    interactive_figure,
    plain_text,
    shade,
    stacked_axes,
)
from ..series import Container, channel_table, read_floats, runs
from .detector import TSPulseAnomalyDetector, score_recording
from .segments import find_segments, segments_by_row

__all__ = ["AnomalyScoreDisplay", "score_ticks"]

_MAX_CHANNELS = 8  # more curves above each other are hard to read
_BOUNDS = [("start", np.int64), ("end", np.int64)]
_MANY_DECADES = 50  # highest score over the threshold, from which ticks are powers of ten
_MAX_DECADES = 6  # of ticks
_STYLES = ("-", "--", "-.", ":")  # of heads
_CHARACTER_WIDTH = 0.0085  # of a label, relative to the axes


class AnomalyScoreDisplay:
    """Draw a recording, the score of every point, and the segments of outliers.

    Create it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    recording : ndarray of shape (n_timepoints, n_channels)
        The recording, NaN where missing.
    scores : ndarray of shape (n_timepoints,)
        Scores of ``score_samples``; higher is more normal.
    index : array-like of shape (n_timepoints,)
        Labels of the rows: time stamps, periods, durations or numbers. Others, and labels
        that are not in order, are drawn as row numbers.
    names : list of str
        Names of the channels.
    offset : float, default=None
        Threshold: outliers have lower scores. None draws none.
    heads : dict of str to ndarray of shape (n_timepoints,), default=None
        Scores of the heads to draw.
    segments : ndarray of shape (n_segments,), default=None
        Structured array with ``"start"`` and ``"end"``; rows from ``start`` to
        ``end - 1`` are shaded.
    y_true : ndarray of shape (n_timepoints,), default=None
        Labels of the rows: 1 for anomalies, else 0.

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
    up to the threshold and logarithmic above.

    Several channels are drawn above each other, each scaled to its range, which is written
    below its name. At most eight are drawn: channels named by the segments, then the first
    ones. The strongest segments are labelled with their channel as far as there is room.

    Of more than 4,000 rows, the lowest and the highest value of each of 2,000 parts are
    drawn, and their mean. To see a part of a long recording in detail, pass that part with
    its scores to :meth:`from_predictions`, or use :meth:`plotly`.

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
        index: ArrayLike,
        names: list[str],
        *,
        offset: float | None = None,
        heads: dict[str, NDArray[Any]] | None = None,
        segments: NDArray[np.void] | None = None,
        y_true: NDArray[Any] | None = None,
    ) -> None:
        self.recording = recording
        self.scores = scores
        self.index = index
        self.names = names
        self.offset = offset
        self.heads = heads
        self.segments = segments
        self.y_true = y_true

    @classmethod
    def from_estimator(
        cls,
        estimator: TSPulseAnomalyDetector,
        X: ArrayLike,
        y_true: ArrayLike | None = None,
        *,
        heads: bool | str | Sequence[str] = False,
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
        y_true : array-like of shape (n_timepoints,), default=None
            Labels of the rows, if known: 1 for anomalies, else 0.
        heads : bool, str or sequence of str, default=False
            Heads whose scores are drawn, too; True draws all.
        index : array-like of shape (n_timepoints,), default=None
            Labels of the rows; None uses the index or the time stamps of a data frame, or
            row numbers.
        axes : sequence of two matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

        Returns
        -------
        AnomalyScoreDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If a head is not one of the detector.
        """
        chosen = _choose_heads(heads, estimator.heads_)
        scores = score_recording(estimator, X)
        return cls.from_predictions(
            X,
            -scores.combined,
            offset=estimator.offset_,
            heads={name: -scores.heads[list(estimator.heads_).index(name)] for name in chosen},
            segments=find_segments(scores, estimator.offset_, estimator.heads_),
            y_true=y_true,
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
        y_true: ArrayLike | None = None,
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
            Scores of the heads to draw.
        segments : ndarray of shape (n_segments,) or data frame, default=None
            Segments of ``predict_segments``, or another structured array with
            ``"start"`` and ``"end"``; None finds the segments with scores below the
            offset, if there is one.
        y_true : array-like of shape (n_timepoints,), default=None
            Labels of the rows, if known: 1 for anomalies, else 0.
        index : array-like of shape (n_timepoints,), default=None
            Labels of the rows; None uses the index or the time stamps of a data frame, or
            row numbers.
        axes : sequence of two matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

        Returns
        -------
        AnomalyScoreDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If X is not two-dimensional, or scores, labels or index do not have a value for
            each row.
        """
        channels = channel_table(X)
        recording, values = read_floats(channels), np.asarray(scores, float)
        if recording.ndim != 2 or values.shape != recording.shape[:1]:
            raise ValueError(
                f"X and scores have shapes {recording.shape} and {values.shape}, expected "
                "(n_timepoints, n_channels) and (n_timepoints,). Pass a recording and its "
                "score_samples."
            )
        container, n_rows = Container(X), len(recording)
        truth = None if y_true is None else np.asarray(y_true)
        index = container.row_labels(n_rows) if index is None else index
        for name, labels in (("y_true", truth), ("index", index)):
            _check_length(name, labels, n_rows)
        columns = getattr(channels, "columns", [f"channel {i}" for i in range(recording.shape[1])])
        if segments is not None:
            segments = segments_by_row(container, segments)
        elif offset is not None:
            segments = np.array([*map(tuple, runs(values < offset))], dtype=_BOUNDS)
        display = cls(
            recording,
            values,
            index,
            [str(name) for name in columns],
            offset=offset,
            heads=heads,
            segments=segments,
            y_true=truth,
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
        shown, time = self._shown_channels(), TimeAxis.read(self.index)
        height = 2.4 if len(shown) == 1 else 0.8 + 0.42 * len(shown)
        settings = {"figsize": (9, height + 2.4), "height_ratios": (height, 2.1), "sharex": True}
        self.axes_ = stacked_axes(axes, 2, **settings)
        self.figure_ = self.axes_[0].figure
        upper, lower = self.axes_
        for axis in self.axes_:
            axis.margins(x=0.01)
        names = [self.names[channel] for channel in shown]
        self.lines_ = draw_channels(
            upper, time.places, self.recording[:, shown].T, names, color=RECORDING, lw=1
        )
        if len(shown) < len(self.names):
            upper.set_ylabel(f"{len(shown)} of {len(self.names)} channels")
        self.lines_ += self._draw_scores(lower, time.places)
        self._draw_truth(lower, time.places)
        self._shade_segments(time.places, shown)
        lower.set_xlabel(time.label)
        time.set_ticks(lower.xaxis)
        draw_legend(lower, is_above=True)
        return self

    def plotly(self) -> Any:
        """Return an interactive figure of the channels drawn and of the score.

        Returns
        -------
        plotly.graph_objects.Figure
            The figure. Its ``show`` opens it, ``write_html`` saves it.

        Raises
        ------
        ImportError
            If plotly is not installed.
        """
        to_hex: Any = import_module("matplotlib.colors").to_hex
        time, shown = TimeAxis.read(self.index), self._shown_channels()
        scores = {"name": "score", "y": -self.scores, "color": to_hex(ink())}
        panels = [
            *(
                [{"name": self.names[i], "y": self.recording[:, i], "color": RECORDING}]
                for i in shown
            ),
            [*({"name": name, "y": -one} for name, one in (self.heads or {}).items()), scores],
        ]
        spans = [] if self.segments is None else self.segments[["start", "end"]].tolist()
        threshold = None if self.offset is None else -self.offset
        titles = [*(self.names[i] for i in shown), "anomaly score"]
        return interactive_figure(time, panels, titles=titles, spans=spans, threshold=threshold)

    def _shown_channels(self) -> list[int]:
        """Choose the channels of the worst segments, then the first ones; keep their order."""
        segments = self._segments_with_channels()
        anomalous = segments["channel"].tolist() if len(segments) else []
        chosen = dict.fromkeys([*anomalous, *range(len(self.names))])
        return sorted(list(chosen)[:_MAX_CHANNELS])

    def _segments_with_channels(self) -> Any:
        """Return the segments, the strongest first, if they name their channels."""
        if self.segments is None or "channel" not in (self.segments.dtype.names or ()):
            return np.array([])
        return self.segments[np.argsort(self.segments["score"], kind="stable")]

    def _draw_scores(self, axis: Any, places: NDArray[Any]) -> list[Any]:
        """Draw the negated scores of the heads, the combined score, and the threshold."""
        lines: list[Any] = []
        for i, (name, scores) in enumerate((self.heads or {}).items()):
            style = {"color": f"C{i % 10}", "ls": _STYLES[i % len(_STYLES)], "lw": 0.9}
            lines.append(draw_series(axis, places, -scores, label=name, **style))
        lines.append(draw_series(axis, places, -self.scores, label="score", color=ink(), lw=1.2))
        axis.set_ylabel("anomaly score")
        if self.offset is not None and np.isfinite(self.offset):
            axis.axhline(-self.offset, color=ALARM, lw=1, ls="--", label="threshold")
            if self.offset < 0:
                _set_score_scale(axis, -self.offset, -self.scores)
        return lines

    def _draw_truth(self, axis: Any, places: NDArray[Any]) -> None:
        """Mark labelled anomalies by a bar at the bottom."""
        if self.y_true is not None:
            style = {"color": TRUTH, "label": "labelled anomaly", "zorder": 3}
            shade(axis, places, runs(self.y_true == 1), (0, 0.04), **style)

    def _shade_segments(self, places: NDArray[Any], shown: list[int]) -> None:
        """Shade segments in both axes, and more in the channel that stands out most."""
        if self.segments is None:
            return
        spans = self.segments[["start", "end"]].tolist()
        for axis, label in zip(self.axes_, ("", "segment"), strict=True):
            shade(axis, places, spans, color=ALARM, alpha=0.25, label=label)
        if len(shown) > 1:
            self._shade_channels(places, shown)
            self._label_segments(places)

    def _shade_channels(self, places: NDArray[Any], shown: list[int]) -> None:
        segments, step = self._segments_with_channels(), 1 / len(shown)
        for i, channel in enumerate(shown if len(segments) else []):
            spans = segments[segments["channel"] == channel][["start", "end"]].tolist()
            heights = 1 - step * (i + 1), 1 - step * i
            shade(self.axes_[0], places, spans, heights, color=ALARM, alpha=0.35)

    def _label_segments(self, places: NDArray[Any]) -> None:
        """Write the channel above the strongest segments, as far as there is room."""
        axis = self.axes_[0]
        x = np.asarray(axis.convert_xunits(places), dtype=float)
        left, right = axis.get_xlim()
        taken: list[tuple[float, float, str]] = []
        for one in self._segments_with_channels():
            text = plain_text(self.names[one["channel"]], 16)
            middle = (x[one["start"]] + x[one["end"] - 1]) / 2
            half = len(text) * _CHARACTER_WIDTH * (right - left) / 2
            if all(abs(middle - other) > half + width for other, width, _ in taken):
                taken.append((middle, half, text))
        top = axis.secondary_xaxis("top")  # so that a title goes above the labels
        texts = [text for _, _, text in taken]
        top.set_xticks(
            [middle for middle, _, _ in taken], texts, fontsize="small", parse_math=False
        )
        top.tick_params(length=0, pad=2)


def _choose_heads(heads: bool | str | Sequence[str], known: Sequence[str]) -> list[str]:
    """Return the names of the heads to draw."""
    if isinstance(heads, bool):
        return list(known) if heads else []
    names = [heads] if isinstance(heads, str) else list(heads)
    if not set(names) <= set(known):
        raise ValueError(
            f"heads is {heads!r}, expected a boolean or some of the heads of the detector, "
            f"{list(known)}."
        )
    return names


def _check_length(name: str, values: Any, n_rows: int) -> None:
    if values is not None and len(values) != n_rows:
        raise ValueError(
            f"{name} has {len(values)} values, but X has {n_rows} rows. Pass one for each row."
        )


def _set_score_scale(axis: Any, threshold: float, scores: NDArray[Any]) -> None:
    """Make the axis linear up to the threshold and logarithmic above, and say so."""
    axis.set_yscale("symlog", linthresh=max(threshold, 1e-6))
    lowest, highest = np.nanmin(scores, initial=0), np.nanmax(scores, initial=threshold)
    axis.set_ylim(1.1 * min(lowest, -threshold / 10), 1.3 * highest)
    axis.set_yticks(score_ticks(threshold, axis.get_ylim()[1]))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.minorticks_off()
    axis.set_ylabel("anomaly score\n(log above threshold)")


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
