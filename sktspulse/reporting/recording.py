"""What there is to tell about a recording: gaps, and segments that stand out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from ..anomaly import TSPulseAnomalyDetector, find_segments, score_recording
from ..imputation import TSPulseImputer
from ..series import Container, Flags, Floats, asfreq, read_floats, runs

__all__ = ["Gap", "RecordingFindings", "examine"]


class Gap(NamedTuple):
    """Missing values of a channel, from ``start`` to ``end - 1``."""

    channel: int
    start: int
    end: int

    @property
    def n_rows(self) -> int:
        """Number of missing values."""
        return self.end - self.start


class RecordingFindings(NamedTuple):
    """A recording with what was filled and found."""

    values: Floats  # (n_timepoints, n_channels), NaN where missing
    filled: Floats
    scores: Floats
    offset: float
    segments: NDArray[np.void]
    names: list[str]
    container: Container
    is_own_normal: bool  # whether the detector was fitted on the recording itself

    @property
    def missing(self) -> Flags:
        """Which values are missing."""
        return np.isnan(self.values)

    @property
    def gaps(self) -> list[Gap]:
        """Gaps of all channels, in the order of channels and time."""
        return [Gap(i, *ends) for i, column in enumerate(self.missing.T) for ends in runs(column)]

    @property
    def n_anomalies(self) -> int:
        """Number of rows in segments."""
        return int((self.segments["end"] - self.segments["start"]).sum())

    def segments_of(self, channel: int | None = None) -> Iterator[tuple[int, int]]:
        """Yield the first row and the one after the last, of one channel or of all."""
        for one in self.segments:
            if channel is None or one["channel"] == channel:
                yield int(one["start"]), int(one["end"])

    def label(self, row: int) -> str:
        """Return the time of a row as text, or its number."""
        return str(
            row if self.container.index is None else self.container.labels(np.array([row]))[0]
        )


def examine(
    X: ArrayLike,
    detector: TSPulseAnomalyDetector | None = None,
    imputer: TSPulseImputer | None = None,
) -> RecordingFindings:
    """Find the segments that stand out, and fill the gaps.

    Estimators that are not fitted are copied, and the copies fitted on the recording.
    """
    imputer = TSPulseImputer(random_state=0) if imputer is None else imputer
    if imputer.layout != "series":
        raise ValueError("imputer takes panels, but X is a recording. Pass layout='series' to it.")
    if imputer.freq is not None:
        X = asfreq(X, imputer.freq)
    detector = TSPulseAnomalyDetector() if detector is None else detector
    fitted = _fitted(detector, X)
    answer = score_recording(fitted, X)
    values = read_floats(X).astype(np.float64)
    filled = _fitted(imputer, X).transform(X)
    names = getattr(X, "columns", [f"channel {i}" for i in range(values.shape[1])])
    return RecordingFindings(
        values,
        np.asarray(read_floats(filled), dtype=np.float64),
        -answer.combined,
        float(fitted.offset_),
        find_segments(answer, fitted.offset_, fitted.heads_),
        [str(name) for name in names],
        Container(X),
        fitted is not detector,
    )


def _fitted(estimator: Any, X: ArrayLike) -> Any:
    """Return the estimator if it is fitted, else a copy fitted on the recording."""
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return clone(estimator).fit(X)
    return estimator
