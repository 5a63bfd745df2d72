"""Real recordings that come with the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["load_sea_temperature"]


def load_sea_temperature() -> tuple[NDArray[np.float64], NDArray[np.datetime64]]:
    """Load 61 years of monthly sea-surface temperature off Peru, home of El Niño.

    The record is real, regular and complete, and was not used in pre-training, so hiding
    parts of it measures how well they are filled.

    Returns
    -------
    recording : ndarray of shape (732, 1)
        Temperature [°C], 1950 to 2010, without a gap.
    months : ndarray of shape (732,), datetime64[M]
        Month of each value.

    See Also
    --------
    make_gappy_series : Table of several sensors whose gaps hide known values.

    References
    ----------
    .. [1] National Oceanic and Atmospheric Administration, "ERSST.V3B, Niño 1+2", 2010.
       Public domain.

    Examples
    --------
    >>> from sktspulse.datasets import load_sea_temperature
    >>> recording, months = load_sea_temperature()
    >>> recording.shape, recording[0, 0].item(), str(months[0])
    ((732, 1), 23.11, '1950-01')
    """
    path = Path(__file__).with_name("data") / "sea_temperature.csv"
    month, temperature = np.loadtxt(path, str, delimiter=",", skiprows=1, unpack=True)
    return temperature.astype(np.float64)[:, None], month.astype("datetime64[M]")
