"""The main period of a series, which sets the window of the VUS metrics."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.fft import next_fast_len

from ..series import Floats
from .labels import check_values

__all__ = ["find_period"]

_MAX_POINTS = 20_000  # from the start of the series
_LAGS = slice(3, 401)  # searched for peaks of the autocorrelation
_VALID_PERIODS = range(6, 304)
_DEFAULT_PERIOD = 125


def find_period(x: ArrayLike) -> int:
    """Find the period of a series from the highest peak of its autocorrelation.

    The benchmark TSB-AD applies this rule to the first channel of a series and uses the
    period as window of its metrics.

    Parameters
    ----------
    x : array-like of shape (n_timepoints,)
        One channel, finite.

    Returns
    -------
    int
        Period [time steps], 6 to 303, or 125 if none is found.

    Raises
    ------
    ValueError
        If ``x`` has several channels or values that are not finite.

    See Also
    --------
    vus_pr_score : Volume under the precision-recall surface.
    vus_roc_score : Volume under the ROC surface.

    Notes
    -----
    The autocorrelation of the first 20,000 points is computed for lags 3 to 400, and the
    highest local maximum is chosen. If there is none, or if it is at a lag below 6 or
    above 303, the result is 125. This is ``find_length_rank`` of TSB-AD [1]_ at rank 1.

    References
    ----------
    .. [1] Liu and Paparrizos, "The elephant in the room", NeurIPS Datasets and Benchmarks, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse.metrics import find_period
    >>> find_period(np.sin(2 * np.pi * np.arange(1000) / 24))
    24
    >>> find_period(np.arange(1000))
    125
    """
    values = check_values(x, "x")[:_MAX_POINTS]
    # Divided by a power of two, values of any size have finite sums and squares.
    values = np.ldexp(values, -np.frexp(np.abs(values).max())[1])
    correlation = _autocorrelation(values)[_LAGS]
    middle = correlation[1:-1]
    peaks = 1 + np.flatnonzero((middle > correlation[:-2]) & (middle > correlation[2:]))
    if not peaks.size:
        return _DEFAULT_PERIOD
    period = int(peaks[correlation[peaks].argmax()]) + _LAGS.start
    return period if period in _VALID_PERIODS else _DEFAULT_PERIOD


def _autocorrelation(x: Floats) -> Floats:
    """Return the unscaled autocorrelation at each lag below the length."""
    length = next_fast_len(2 * len(x), real=True)  # zero-padded, so that no lag wraps around
    spectrum = np.fft.rfft(x - x.mean(), length)
    return np.fft.irfft(spectrum * spectrum.conj(), length)[: len(x)]
