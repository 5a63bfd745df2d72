"""Real recordings included in the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..series import Floats

__all__ = ["load_sea_temperature"]


def load_sea_temperature() -> tuple[Floats, NDArray[np.datetime64]]:
    """Load 61 years of monthly sea-surface temperature off Peru, the region of El Niño.

    The recording is real, regular and complete. It was not used in pre-training, so it can
    serve to evaluate imputation: hide some values and compare them with the imputed ones.

    Returns
    -------
    recording : ndarray of shape (732, 1)
        Temperature [°C], 1950 to 2010, without gaps.
    months : ndarray of shape (732,), datetime64[M]
        Month of each value.

    See Also
    --------
    make_gappy_series : Make a recording of several sensors with gaps.

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
