"""How well anomaly scores, or points told to be anomalies, fit labels.

The average precision of single points, which the benchmark TSB-AD calls AUC-PR, is
:func:`sklearn.metrics.average_precision_score`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.fft import next_fast_len

from ..series import Floats
from .labels import series

__all__ = ["find_period"]

_LONGEST_READ = 20_000  # points that the period is sought in
_LAGS = slice(3, 401)  # lags whose autocorrelation is looked at
_PERIODS = range(6, 304)  # what a peak may say
_USUAL_PERIOD = 125  # where no peak says


def find_period(x: ArrayLike) -> int:
    """Find the period of a series where its autocorrelation peaks.

    The rule is that of the benchmark TSB-AD, which takes the answer for the first channel
    of a series as window of its measures.

    Parameters
    ----------
    x : array-like of shape (n_timepoints,)
        One channel, finite.

    Returns
    -------
    int
        Period [time steps], 6 to 303, or 125 where none is found.

    Raises
    ------
    ValueError
        If ``x`` has several channels or holds values that are not finite.

    See Also
    --------
    vus_pr_score : Measure with slopes of up to a period around anomalies.
    vus_roc_score : The same under the curve of true against false positives.

    Notes
    -----
    The autocorrelation of the first 20,000 points is looked at up to lag 400, and the
    highest of its local maxima is taken. If that lies below lag 6 or above lag 303, or
    there is none, the answer is 125. This is ``find_length_rank`` of TSB-AD [1]_ at rank 1.

    References
    ----------
    .. [1] Liu and Paparrizos, "The elephant in the room: towards a reliable time-series
       anomaly detection benchmark", NeurIPS Datasets and Benchmarks, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse.metrics import find_period
    >>> find_period(np.sin(2 * np.pi * np.arange(1000) / 24))
    24
    >>> find_period(np.arange(1000))
    125
    """
    correlation = _autocorrelation(series("x", x)[:_LONGEST_READ])[_LAGS]
    middle = correlation[1:-1]
    peaks = 1 + np.flatnonzero((middle > correlation[:-2]) & (middle > correlation[2:]))
    if not peaks.size:
        return _USUAL_PERIOD
    period = int(peaks[correlation[peaks].argmax()]) + _LAGS.start
    return period if period in _PERIODS else _USUAL_PERIOD


def _autocorrelation(x: Floats) -> Floats:
    """Correlate a series with itself, unscaled, at each lag that is shorter than it."""
    length = next_fast_len(2 * len(x), real=True)  # room for no lag to wrap around
    spectrum = np.fft.rfft(x - x.mean(), length)
    products: Floats = np.fft.irfft(spectrum * spectrum.conj(), length)[: len(x)]
    return products
