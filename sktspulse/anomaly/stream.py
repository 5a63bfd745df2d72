"""Scores of a recording while it is read, with the delay of a block."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..base import BaseTSPulse
from ..network import TSPulse
from ..series import Floats, TimeIndex, check_series
from .head_errors import TRAILING_BLOCK, TrailingErrors
from .normal_model import UsualRecording

__all__ = ["AnomalyStream"]


class AnomalyStream:
    """Score rows as they come in.

    Made by :meth:`TSPulseAnomalyDetector.stream`. Rows are scored in blocks of 64, each
    as soon as it is full.

    Parameters
    ----------
    detector : BaseTSPulse
        The detector, fitted with ``causal=True``.
    usual : UsualRecording
        What it learned.
    network : TSPulse
        Its network.

    Attributes
    ----------
    delay : int
        Rows that may come in after one before it has its score, at most.
    n_seen : int
        Rows read.
    n_scored : int
        Rows whose score was given.

    See Also
    --------
    TSPulseAnomalyDetector.score_samples : Scores a recording that is complete.

    Notes
    -----
    The scores of a recording are those of ``score_samples`` for all of it, however it is
    cut. Memory is that of 575 rows and of what the heads said of the last 256.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse import TSPulseAnomalyDetector
    >>> X = np.sin(np.arange(700.0) / 9)[:, None]
    >>> detector = TSPulseAnomalyDetector(causal=True).fit(X)
    >>> stream = detector.stream()
    >>> stream.update(X[:50]).shape, stream.update(X[50:150]).shape, stream.finish().shape
    ((0,), (128,), (22,))
    """

    delay = TRAILING_BLOCK - 1

    def __init__(self, detector: BaseTSPulse, usual: UsualRecording, network: TSPulse) -> None:
        self._detector, self._usual, self._network = detector, usual, network
        self._n_kept = network.config.context_length
        self._rows = np.empty((0, detector.n_features_in_))
        self._said: list[Floats] = []  # signals (H, T) of each channel that averages still need
        self._latest: Any = None
        self.n_seen = self.n_scored = 0

    def update(self, X: ArrayLike) -> Floats:
        """Read rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_channels)
            What came in; NaN where missing. At least one row.

        Returns
        -------
        ndarray of shape (n_scored,)
            Scores of the rows that are complete now and were not before, maybe none;
            those of the first of them come first.

        Raises
        ------
        ValueError
            If X has other channels than fitted, infinity, or time stamps that are not
            later than all before. Then the stream is as it was.
        """
        values, _ = check_series(self._detector, X, reset=False, min_timepoints=1)
        stamps = TimeIndex.from_input(X, after=self._latest).stamps
        self._latest = self._latest if stamps is None else stamps[-1]
        self.n_seen += len(values)
        self._rows = np.concatenate([self._rows, values])
        return self._score(self.n_seen - self.n_seen % TRAILING_BLOCK - self.n_scored)

    def finish(self) -> Floats:
        """Score the rows that are left, as if the recording ended here.

        Returns
        -------
        ndarray of shape (n_scored,)
            Their scores. Start another stream for what comes next.
        """
        return self._score(self.n_seen - self.n_scored)

    def _score(self, n_rows: int) -> Floats:
        """Score the next rows, and forget what no later row needs."""
        if not n_rows:
            return np.empty(0)
        n_waiting = self.n_seen - self.n_scored
        first = len(self._rows) - n_waiting
        rows = self._rows[: first + n_rows]
        settings = (self._network, self._usual.heads, self._detector.batch_size)
        read = TrailingErrors(*settings, first=first)
        fresh = self._usual.signals(rows, read, first)
        before = self._said or [np.empty((len(self._usual.heads), 0))] * len(self._usual.scales)
        said = [np.concatenate(pair, axis=1) for pair in zip(before, fresh, strict=True)]
        copies = (one.copy() for one in said)
        scores = self._usual.head_scores(self._usual.channel_scores(copies))[:, -n_rows:]
        self._said = [one[:, -max(self._usual.lengths) :] for one in said]
        self.n_scored += n_rows
        self._rows = self._rows[max(0, first + n_rows - self._n_kept) :]
        return -self._usual.fuse(scores)
