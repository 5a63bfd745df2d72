"""Real recordings included in the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..series import Flags, Floats, Integers

__all__ = [
    "load_airport_weather",
    "load_electrocardiogram",
    "load_sea_temperature",
    "load_vowels",
]

_FOLDER = Path(__file__).with_name("data")


def load_airport_weather() -> tuple[Floats, NDArray[np.datetime64], list[str]]:
    """Load a year of hourly weather at Newark airport, five channels with real gaps.

    The recording is as the station reported it: 28 hours have no report, pressure is missing
    at one hour in nine, and one wind speed is impossible.

    Returns
    -------
    recording : ndarray of shape (8730, 5)
        Values of each hour, NaN where missing.
    hours : ndarray of shape (8730,), datetime64[h]
        Hours of 2013, in universal time.
    names : list of str
        Names of the channels: temperature [°C], dew_point [°C], humidity [%], wind_speed [m/s]
        and pressure [hPa].

    See Also
    --------
    make_gappy_series : Makes a recording of several sensors whose gaps have a known truth.

    Notes
    -----
    The wind speed of 468.7 m/s on 12 February at 08:00 is an error of the source.

    References
    ----------
    .. [1] Wickham, "nycflights13: flights that departed NYC in 2013", 2014; weather by the
       Iowa Environmental Mesonet from reports of the station EWR. CC0.

    Examples
    --------
    >>> import numpy as np
    >>> from sktspulse.datasets import load_airport_weather
    >>> recording, hours, names = load_airport_weather()
    >>> recording.shape, str(hours[0]), names[-1]
    ((8730, 5), '2013-01-01T06', 'pressure')
    >>> np.isnan(recording).sum(axis=0)
    array([ 28,  28,  28,  28, 962])
    """
    path = _FOLDER / "airport_weather.csv.gz"
    recording = np.genfromtxt(path, delimiter=",", skip_header=1)
    hours = np.datetime64("2013-01-01T06", "h") + np.arange(len(recording))
    names = ["temperature", "dew_point", "humidity", "wind_speed", "pressure"]
    return recording, hours, names


def load_electrocardiogram() -> tuple[Floats, Integers, Flags]:
    """Load five minutes of an electrocardiogram with normal and extra heartbeats.

    Most beats are narrow and regular. The broad ones are premature: they begin in a ventricle,
    come early, and are followed by a deep wave. The electrode was disturbed around seconds 43,
    97 and 210.

    Returns
    -------
    recording : ndarray of shape (27000, 1)
        Voltage of lead MLII [mV], 90 values a second.
    peaks : ndarray of shape (n_beats,)
        Time point of the peak of each beat.
    is_broad : ndarray of shape (n_beats,), bool
        Whether the beat is broad.

    See Also
    --------
    TSPulseRetriever : Finds the places where something like a beat happens.

    Notes
    -----
    Beats were found and sorted by a rule for this package: a beat is broad if its peak is wider
    than 0.05 s at half its height and the next 0.1 to 0.25 s are more than 0.25 mV below what
    came before. These are not the annotations of physicians that belong to the database.
    Each value is the mean of four of the source, which has 360 a second.

    References
    ----------
    .. [1] Moody and Mark, "The impact of the MIT-BIH Arrhythmia Database", 2001; record 208,
       minutes 19:35 to 24:35, as distributed with SciPy. Open Data Commons Attribution License
       v1.0.
    .. [2] Goldberger et al., "PhysioBank, PhysioToolkit, and PhysioNet", 2000.

    Examples
    --------
    >>> from sktspulse.datasets import load_electrocardiogram
    >>> recording, peaks, is_broad = load_electrocardiogram()
    >>> recording.shape, len(peaks), is_broad.sum().item()
    ((27000, 1), 499, 111)
    """
    path = _FOLDER / "electrocardiogram.csv.gz"
    millivolt, beat = np.loadtxt(path, delimiter=",", skiprows=1, unpack=True)
    peaks = np.flatnonzero(beat)
    return millivolt[:, None], peaks, beat[peaks] == 2


def load_vowels() -> tuple[list[Floats], Integers]:
    """Load 342 spoken vowels of nine speakers, a labelled panel with series of unequal length.

    Each series is one utterance of the vowels "ae". The task is to tell who speaks.

    Returns
    -------
    X : list of ndarray of shape (12, n_timepoints)
        Twelve coefficients of linear prediction (cepstrum) of 7 to 29 moments. The first 270
        are the training utterances of the source, 30 of each speaker; the other 72 are the
        first eight test utterances of each.
    y : ndarray of shape (342,)
        Speaker, 1 to 9.

    See Also
    --------
    make_labelled_panel : Makes a panel of any size.

    References
    ----------
    .. [1] Kudo, Toyama and Shimbo, "Multidimensional curve classification using
       passing-through regions", 1999; Japanese Vowels, UCI Machine Learning Repository. CC BY
       4.0. Rounded to two decimals.

    Examples
    --------
    >>> from sktspulse.datasets import load_vowels
    >>> X, y = load_vowels()
    >>> len(X), X[0].shape, y[0].item()
    (342, (12, 20), 1)
    """
    path = _FOLDER / "vowels.csv.gz"
    rows = np.loadtxt(path, np.int64, delimiter=",", skiprows=1)
    _, starts = np.unique(rows[:, 0], return_index=True)
    parts = np.split(rows[:, 2:] / 100, starts[1:])
    return [part.T.copy() for part in parts], rows[starts, 1]


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
    path = _FOLDER / "sea_temperature.csv"
    month, temperature = np.loadtxt(path, str, delimiter=",", skiprows=1, unpack=True)
    return temperature.astype(np.float64)[:, None], month.astype("datetime64[M]")
