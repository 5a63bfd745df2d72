"""Anomaly scores of a recording while it arrives."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..base import BaseTSPulse
from ..network import TSPulse, limit_threads
from ..series import Floats, Pace, check_series
from .head_errors import CAUSAL_BLOCK, CausalHeadErrors
from .normal_model import NormalModel

__all__ = ["AnomalyStream"]


class AnomalyStream:
    """Score the rows of a recording as they arrive.

    Created by :meth:`TSPulseAnomalyDetector.stream`. Rows are scored in blocks of 64, each as
    soon as it is full.

    Parameters
    ----------
    detector : BaseTSPulse
        The detector, fitted with ``causal=True``.
    model : NormalModel
        The model it has fitted.
    network : TSPulse
        The network it uses.
    pace : Pace
        The time between rows in ``fit``.

    Attributes
    ----------
    delay : int
        Largest number of rows that arrive after a row before its score is returned.
    n_seen : int
        Number of rows that have arrived.
    n_scored : int
        Number of rows whose score was returned.

    See Also
    --------
    TSPulseAnomalyDetector.score_samples : Scores a complete recording.

    Notes
    -----
    However a recording is cut into updates, its scores are those of ``score_samples`` for the
    complete recording. Rows are treated as evenly spaced; time stamps that are not, within an
    update or between two, raise a warning. Memory holds at most 575 rows, and the signals of the
    heads for as many rows as the longest moving average.

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

    delay = CAUSAL_BLOCK - 1

    def __init__(
        self, detector: BaseTSPulse, model: NormalModel, network: TSPulse, pace: Pace
    ) -> None:
        self._detector, self._model, self._network = detector, model, network
        self._rows, self._pace = model.recent, pace
        self._signals = model.warm_signals(self._errors())
        self.n_seen = self.n_scored = 0

    def update(self, X: ArrayLike) -> Floats:
        """Add rows.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_channels)
            The new rows, at least one; NaN where missing.

        Returns
        -------
        ndarray of shape (n_scored,)
            Scores of the rows whose block is full now, in order of time; empty if there are none.

        Raises
        ------
        ValueError
            If X has other channels than the training recording, contains infinity, or has time
            stamps that are not later than all before. The stream is then unchanged.
        """
        values, _ = check_series(self._detector, X, reset=False, min_timepoints=1, pace=self._pace)
        self._pace = self._pace.after(X)
        self.n_seen += len(values)
        self._rows = np.concatenate([self._rows, values])
        return self._score(self.n_seen - self.n_seen % CAUSAL_BLOCK - self.n_scored)

    def finish(self) -> Floats:
        """Score the remaining rows, as if the recording ended here.

        Returns
        -------
        ndarray of shape (n_scored,)
            Scores of the remaining rows. Start another stream for later rows.
        """
        return self._score(self.n_seen - self.n_scored)

    def _score(self, n_rows: int) -> Floats:
        """Score the next rows, and drop what no later row needs."""
        if not n_rows:
            return np.empty(0)
        first = len(self._rows) - (self.n_seen - self.n_scored)
        rows = self._rows[: first + n_rows]
        new = self._model.signals(rows, self._errors(first), first)
        pairs = zip(self._signals, new, strict=True)
        with limit_threads(self._detector.n_jobs):
            signals = [np.concatenate(pair, axis=1) for pair in pairs]
        scores = self._model.score(signals).combined[-n_rows:]
        self._signals = [block[:, -self._model.n_lookback :] for block in signals]
        self.n_scored += n_rows
        self._rows = self._rows[max(0, first + n_rows - self._network.config.context_length) :]
        return -scores

    def _errors(self, first: int = 0) -> CausalHeadErrors:
        settings = (self._network, self._model.heads, self._detector.batch_size)
        return CausalHeadErrors(*settings, first=first)
