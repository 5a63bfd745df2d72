"""What the generators of series are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

__all__ = [
    "RNG",
    "Batch",
    "Family",
    "between",
    "coloured_noise",
    "curve",
    "draw_segments",
    "filtered",
    "held",
    "log_between",
    "sometimes",
    "standardize",
    "swell",
    "white",
]

Batch = NDArray[np.float64]
Family = Callable[[np.random.Generator, int, int], Batch]
RNG = np.random.Generator

# ---------------------------------------------------------------- per-series parameters


def standardize(series: Batch) -> Batch:
    """Give each row mean zero and variance one; constant rows become zero."""
    centred = series - series.mean(axis=1, keepdims=True)
    scale = np.sqrt(np.einsum("ij,ij->i", centred, centred) / series.shape[1])[:, None]
    size = np.abs(series).max(axis=1, keepdims=True)
    standard: Batch = np.zeros_like(centred)
    np.divide(centred, scale, out=standard, where=scale > 1e-9 * size)
    return standard


def between(rng: RNG, low: float, high: float, n_series: int) -> Batch:
    """Draw one number per series, uniformly."""
    return rng.uniform(low, high, (n_series, 1))


def log_between(rng: RNG, low: float, high: float, n_series: int) -> Batch:
    """Draw one number per series, uniformly on a logarithmic scale."""
    return low * (high / low) ** between(rng, 0.0, 1.0, n_series)


def sometimes(rng: RNG, probability: float, values: Batch) -> Batch:
    """Keep each series' value with this probability, else zero."""
    return values * (rng.random((len(values), 1)) < probability)


def _turn(cycles: Batch) -> Batch:
    """Return the position inside the cycle, in [0, 1)."""
    whole: Batch = np.floor(cycles)
    return cycles - whole


def curve(rng: RNG, n_series: int, n_timepoints: int, n_waves: int = 5) -> Batch:
    """Slow smooth curves of about unit size: few waves, longest two windows, weights 1 / order."""
    order = np.arange(1, n_waves + 1)[:, None]
    angle = np.pi * order * np.linspace(0, 1, n_timepoints)
    basis: Batch = np.concatenate([np.cos(angle) / order, np.sin(angle) / order])
    return rng.standard_normal((n_series, 2 * n_waves)) @ basis / 1.2


def swell(rng: RNG, n_series: int, n_timepoints: int) -> Batch:
    """Positive amplitude over time; half of the series keep it at one."""
    strength = sometimes(rng, 0.5, between(rng, 0.0, 0.8, n_series))
    amplitude: Batch = np.exp(strength * curve(rng, n_series, n_timepoints))
    return amplitude


def draw_segments(rng: RNG, n_series: int, n_timepoints: int) -> NDArray[np.int64]:
    """Count the change points passed so far: 1 to about 12 of them at random places."""
    rate = log_between(rng, 1.0, 12.0, n_series) / n_timepoints
    changes = rng.random((n_series, n_timepoints)) < rate
    changes[np.arange(n_series), rng.integers(n_timepoints, size=n_series)] = True
    return np.cumsum(changes, axis=1)


def held(rng: RNG, segments: NDArray[np.int64]) -> Batch:
    """One standard normal value per segment, held until the next change point."""
    values = rng.standard_normal((len(segments), int(segments.max(initial=0)) + 1))
    return np.take_along_axis(values, segments, axis=1)


def filtered(innovations: NDArray[Any], response: NDArray[np.generic]) -> Batch:
    """Filter on a circle twice as long as the answer, so that its ends do not meet."""
    n_circle = innovations.shape[1]
    spectrum = fft.rfft(innovations)
    spectrum *= response
    circle: Batch = fft.irfft(spectrum, n_circle)
    return circle[:, : n_circle // 2]


def white(rng: RNG, n_series: int, n_timepoints: int) -> NDArray[np.float32]:
    """Draw white noise of twice the length."""
    return rng.standard_normal((n_series, 2 * n_timepoints), dtype=np.float32)


def coloured_noise(rng: RNG, n_timepoints: int, exponent: Batch) -> Batch:
    """Gaussian noise with power spectrum 1 / f ** exponent, one exponent per series."""
    frequency = fft.rfftfreq(2 * n_timepoints)
    frequency[0] = 1.0
    response = np.exp(-exponent / 2 * np.log(frequency))
    response[:, 0] = 0.0
    return filtered(white(rng, len(exponent), n_timepoints), response)
