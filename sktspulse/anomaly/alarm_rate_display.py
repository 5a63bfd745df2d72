"""A figure of how many alarms each threshold raises."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from ..base import ALARM, ESTIMATE, ink, single_axes
from ..series import Floats, Integers, read_floats, runs
from .detector import TSPulseAnomalyDetector

__all__ = ["AlarmRateDisplay"]

_N_THRESHOLDS = 100
_MANY_DECADES = 1000  # highest threshold over the lowest, from which ticks are powers of ten
_MARGIN = 1.1  # of the highest default threshold over the highest score


class AlarmRateDisplay:
    """Draw the number of alarms against the threshold.

    Create it with :meth:`from_estimator` or :meth:`from_predictions`.

    Parameters
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        Thresholds of the anomaly score, which is minus ``score_samples``.
    alarmed_per_1000 : ndarray of shape (n_thresholds,)
        Rows with a score above each threshold, per 1,000 rows.
    n_segments : ndarray of shape (n_thresholds,)
        Number of segments of consecutive rows above each threshold.
    offset : float, default=None
        Threshold of the detector, below which ``score_samples`` is an alarm. None draws
        none.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the rows. Those of the segments share its horizontal axis.
    figure_ : matplotlib Figure
        The figure they belong to.
    line_ : matplotlib Line2D
        Line of the alarmed rows.

    See Also
    --------
    AnomalyScoreDisplay : Draws a recording, its scores and the segments of alarms.
    TSPulseAnomalyDetector : Scores recordings.

    Notes
    -----
    To use another threshold, set ``detector.offset_ = -threshold``. The detector need
    not be fitted again.

    Missing rows do not count, and they end a segment.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse import AlarmRateDisplay
    >>> scores = np.full(500, -0.2)
    >>> scores[[100, 101, 300]] = [-4.0, -2.0, -1.5]
    >>> display = AlarmRateDisplay.from_predictions(scores, offset=-1, thresholds=[1, 3])
    >>> display.alarmed_per_1000
    array([6., 2.])
    >>> display.n_segments
    array([2, 1])
    """

    def __init__(
        self,
        thresholds: Floats,
        alarmed_per_1000: Floats,
        n_segments: Integers,
        *,
        offset: float | None = None,
    ) -> None:
        self.thresholds = thresholds
        self.alarmed_per_1000 = alarmed_per_1000
        self.n_segments = n_segments
        self.offset = offset

    @classmethod
    def from_estimator(
        cls,
        detector: TSPulseAnomalyDetector,
        X: ArrayLike,
        *,
        thresholds: ArrayLike | None = None,
        ax: Any | None = None,
    ) -> Self:
        """Score a recording and draw the number of alarms.

        Parameters
        ----------
        detector : TSPulseAnomalyDetector
            A fitted detector.
        X : array-like of shape (n_timepoints, n_channels)
            The recording, NaN where missing.
        thresholds : array-like of shape (n_thresholds,), default=None
            Positive thresholds; None chooses them.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

        Returns
        -------
        AlarmRateDisplay
            The display, drawn.
        """
        scores = np.array(detector.score_samples(X), float)
        scores[np.isnan(read_floats(X)).all(axis=1)] = np.nan
        return cls.from_predictions(scores, offset=detector.offset_, thresholds=thresholds, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        scores: ArrayLike,
        *,
        offset: float | None = None,
        thresholds: ArrayLike | None = None,
        ax: Any | None = None,
    ) -> Self:
        """Draw the number of alarms for the scores of any detector.

        Parameters
        ----------
        scores : array-like of shape (n_timepoints,)
            Scores of ``score_samples``; higher is more normal. NaN for missing rows.
        offset : float, default=None
            Threshold of the detector; None draws none.
        thresholds : array-like of shape (n_thresholds,), default=None
            Positive thresholds; None chooses 100 from the median to the highest
            positive anomaly score, and the one of the detector.
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

        Returns
        -------
        AlarmRateDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the scores are not one-dimensional, none is known, or a threshold is not
            positive.
        """
        values = -np.asarray(scores, float)
        if values.ndim != 1 or np.isnan(values).all():
            raise ValueError(
                f"scores has shape {values.shape} and {np.isfinite(values).sum()} known values, "
                "expected (n_timepoints,) and at least one. Pass the score_samples of a recording."
            )
        chosen = _choose(values, offset) if thresholds is None else np.ravel(thresholds)
        if not len(chosen) or not (chosen > 0).all():
            raise ValueError(
                f"thresholds is {thresholds!r}, expected positive numbers. A threshold is minus an "
                "offset: pass -detector.offset_ for that of a detector."
            )
        chosen = np.sort(chosen.astype(float))
        known = np.sort(values[~np.isnan(values)])
        n_alarmed = len(known) - np.searchsorted(known, chosen, side="right")
        n_segments = np.array([len(runs(values > one)) for one in chosen])
        display = cls(chosen, 1000 * n_alarmed / len(known), n_segments, offset=offset)
        return display.plot(ax)

    def plot(self, ax: Any | None = None) -> Self:
        """Draw the alarmed rows and the segments against the threshold.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None creates a figure.

        Returns
        -------
        AlarmRateDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.ax_ = single_axes(ax, figsize=(7, 4))
        self.figure_ = self.ax_.figure
        segments = self.ax_.twinx()
        style: dict[str, Any] = {"color": ESTIMATE, "drawstyle": "steps-mid", "lw": 1.2, "ls": "-."}
        (line,) = segments.plot(self.thresholds, self.n_segments, label="segments", **style)
        highest = max(1, self.n_segments.max())
        segments.set(ylabel="number of segments", ylim=(-0.02 * highest, 1.1 * highest))
        (self.line_,) = self.ax_.plot(
            self.thresholds, self.alarmed_per_1000, color=ink(), label="alarmed rows"
        )
        handles = [self.line_, line]
        if self.offset is not None and self.offset < 0:
            mark: dict[str, Any] = {"color": ALARM, "ls": "--", "lw": 1}
            handles.append(self.ax_.axvline(-self.offset, label="present threshold", **mark))
        self.ax_.set_xscale("log")
        self.ax_.set_yscale("symlog", linthresh=1)
        self.ax_.set(
            xlabel="threshold of the anomaly score",
            ylabel="alarmed rows per 1,000",
            ylim=(-0.1, 1500),
        )
        if self.thresholds[-1] < _MANY_DECADES * self.thresholds[0]:
            self.ax_.xaxis.get_major_locator().set_params(subs=(1, 2, 5))
        self.ax_.xaxis.set_minor_formatter("")
        for axis in (self.ax_.xaxis, self.ax_.yaxis):
            axis.set_major_formatter("{x:g}")
        self.ax_.legend(handles=handles, loc="upper right", fontsize="small")
        return self


def _choose(values: Floats, offset: float | None) -> Floats:
    """Choose thresholds from the median to the highest positive anomaly score."""
    own = np.array([-offset] if offset is not None and -np.inf < offset < 0 else [])
    positive = values[(values > 0) & np.isfinite(values)]
    if not len(positive):
        return own if len(own) else np.ones(1)
    ends = np.append(own, [np.median(positive), _MARGIN * positive.max()])
    return np.union1d(own, np.geomspace(ends.min(), ends.max(), _N_THRESHOLDS))
