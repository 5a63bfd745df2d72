"""Building blocks of the generators: random parameters, curves, filters and noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import fft

from ..series import Integers, Values

__all__ = [
    "Family",
    "backshift",
    "coloured_noise",
    "draw_levels",
    "draw_segments",
    "envelope",
    "filtered",
    "log_uniform",
    "smooth_curve",
    "sometimes",
    "uniform",
    "white_noise",
    "zscore_rows",
]

Family = Callable[[Generator, int, int], Values]


def zscore_rows(series: Values) -> Values:
    """Give each row zero mean and unit variance; constant rows become zero."""
    centred = series - series.mean(axis=1, keepdims=True)
    scale = np.sqrt(np.einsum("ij,ij->i", centred, centred) / series.shape[1])[:, None]
    size = np.abs(series).max(axis=1, keepdims=True)
    return np.divide(centred, scale, out=np.zeros_like(centred), where=scale > 1e-9 * size)


def uniform(rng: Generator, low: float, high: float, n_series: int) -> Values:
    """Draw one number per series from the uniform distribution."""
    return rng.uniform(low, high, (n_series, 1))


def log_uniform(rng: Generator, low: float, high: float, n_series: int) -> Values:
    """Draw one number per series from the log-uniform distribution."""
    return low * (high / low) ** uniform(rng, 0.0, 1.0, n_series)


def sometimes(rng: Generator, probability: float, values: Values) -> Values:
    """Keep the value of each series with this probability; set the others to zero."""
    return values * (rng.random((len(values), 1)) < probability)


def smooth_curve(rng: Generator, n_series: int, n_timepoints: int) -> Values:
    """Draw slow curves of about unit size: five harmonics of half a cycle per series."""
    order = np.arange(1, 6)[:, None]
    angle = np.pi * order * np.linspace(0, 1, n_timepoints)
    basis = np.concatenate([np.cos(angle) / order, np.sin(angle) / order])
    return rng.standard_normal((n_series, len(basis))) @ basis / 1.2


def envelope(rng: Generator, n_series: int, n_timepoints: int) -> Values:
    """Draw positive amplitudes over time; half of the series have a constant one of 1."""
    strength = sometimes(rng, 0.5, uniform(rng, 0.0, 0.8, n_series))
    return np.exp(strength * smooth_curve(rng, n_series, n_timepoints))


def draw_segments(rng: Generator, n_series: int, n_timepoints: int) -> Integers:
    """Index the segments of each series, which has 1 to about 12 random change points."""
    rate = log_uniform(rng, 1.0, 12.0, n_series) / n_timepoints
    changes = rng.random((n_series, n_timepoints)) < rate
    changes[np.arange(n_series), rng.integers(n_timepoints, size=n_series)] = True
    return np.cumsum(changes, axis=1)


def draw_levels(rng: Generator, segments: Integers) -> Values:
    """Draw one standard normal value per segment."""
    values = rng.standard_normal((len(segments), int(segments.max(initial=0)) + 1))
    return np.take_along_axis(values, segments, axis=1)


def backshift(n_timepoints: int) -> NDArray[np.complex128]:
    """Return the frequency response of a delay by one step, as `filtered` takes it."""
    return np.exp(-2j * np.pi * fft.rfftfreq(2 * n_timepoints))


def filtered(innovations: Values, response: NDArray[np.generic]) -> Values:
    """Apply a frequency response by FFT and return the first half, whose ends do not meet."""
    n_circle = innovations.shape[1]
    spectrum = fft.rfft(innovations)
    spectrum *= response  # in place, which keeps single precision
    return fft.irfft(spectrum, n_circle)[:, : n_circle // 2]


def white_noise(rng: Generator, n_series: int, n_timepoints: int) -> NDArray[np.float32]:
    """Draw white noise of twice the length, as `filtered` takes it."""
    return rng.standard_normal((n_series, 2 * n_timepoints), dtype=np.float32)


def coloured_noise(rng: Generator, n_timepoints: int, exponent: Values) -> Values:
    """Draw Gaussian noise of power spectrum 1 / f ** exponent, one exponent per series."""
    frequency = fft.rfftfreq(2 * n_timepoints)
    frequency[0] = 1.0
    response = np.exp(-exponent / 2 * np.log(frequency))
    response[:, 0] = 0.0
    return filtered(white_noise(rng, len(exponent), n_timepoints), response)
