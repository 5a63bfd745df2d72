"""Families of series simulated from a model: noise, Gaussian processes, chaotic systems."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator
from scipy import fft

from ..series import Values
from .primitives import (
    Family,
    backshift,
    coloured_noise,
    envelope,
    filtered,
    log_uniform,
    sometimes,
    uniform,
    white_noise,
)

__all__ = ["PROCESSES"]


def _random_walk(rng: Generator, n: int, t: int) -> Values:
    degrees_of_freedom = log_uniform(rng, 2.0, 50.0, n)
    return np.cumsum(rng.standard_t(degrees_of_freedom, (n, t)), axis=1)


def _arma(rng: Generator, n: int, t: int) -> Values:
    """Draw ARMA(3, 1) from an optional pair of complex poles and an optional real one."""
    back = backshift(t)
    radius = sometimes(rng, 0.7, 1 - log_uniform(rng, 0.005, 0.7, n))
    angle = 2 * np.pi / log_uniform(rng, 3, 200, n)
    real = sometimes(rng, 0.7, uniform(rng, -0.7, 0.98, n))
    poles = (1 - 2 * radius * np.cos(angle) * back + (radius * back) ** 2) * (1 - real * back)
    moving_average = 1 + sometimes(rng, 0.4, uniform(rng, -0.9, 0.9, n)) * back
    return filtered(white_noise(rng, n, t), moving_average / poles)


def _coloured(rng: Generator, n: int, t: int) -> Values:
    return coloured_noise(rng, t, uniform(rng, -0.5, 2.0, n))


def _smooth(rng: Generator, n: int, t: int) -> Values:
    """Draw noise whose spectrum falls faster than that of a random walk."""
    return coloured_noise(rng, t, uniform(rng, 2.0, 4.0, n))


def _heavy_tailed(rng: Generator, n: int, t: int) -> Values:
    """Draw autoregressive Student t noise of changing volatility."""
    innovations = rng.standard_t(log_uniform(rng, 1.5, 10.0, n), (n, 2 * t)).clip(-50, 50)
    memory = sometimes(rng, 0.5, uniform(rng, -0.5, 0.95, n))
    return filtered(innovations, 1 / (1 - memory * backshift(t))) * envelope(rng, n, t) ** 2


def _kernel(rng: Generator, n: int, t: int) -> Values:
    """Draw a kernel of unit variance per series and evaluate it at lags 0 to t."""
    lag = np.arange(t + 1) / log_uniform(rng, 3, t / 3, n)
    alpha = log_uniform(rng, 0.3, 10.0, n)
    decay = np.exp(-lag)
    root3, root5 = np.sqrt(3.0) * lag, np.sqrt(5.0) * lag
    kernels = [
        np.exp(-0.5 * lag**2),
        (1 + lag**2 / (2 * alpha)) ** -alpha,
        decay,
        (1 + root3) * np.exp(-root3),
        (1 + root5 + root5**2 / 3) * np.exp(-root5),
        np.exp(-2 * alpha * np.sin(np.pi * lag) ** 2),
    ]
    return np.choose(rng.integers(len(kernels), size=(n, 1)), kernels)


def _gaussian(rng: Generator, covariance: Values) -> Values:
    """Sample by circulant embedding, whose eigenvalues are the kernel's cosine transform.

    Kernels that do not decay within the window give small negative eigenvalues, set to zero.
    """
    n, n_lags = covariance.shape
    spectrum = fft.dct(covariance, type=1).clip(0, None)
    return filtered(white_noise(rng, n, n_lags - 1), np.sqrt(spectrum))


def _gaussian_process(rng: Generator, n: int, t: int) -> Values:
    return _gaussian(rng, _kernel(rng, n, t))


def _kernel_sum(rng: Generator, n: int, t: int) -> Values:
    weight = uniform(rng, 0.1, 0.9, n)
    return _gaussian(rng, weight * _kernel(rng, n, t) + (1 - weight) * _kernel(rng, n, t))


def _kernel_product(rng: Generator, n: int, t: int) -> Values:
    return _gaussian(rng, _kernel(rng, n, t) * _kernel(rng, n, t))


def _logistic_map(rng: Generator, n: int, t: int) -> Values:
    growth, state = rng.uniform(3.5, 4.0, n), rng.uniform(0.1, 0.9, n)
    path = np.empty((t, n))
    for step in range(t):
        state = path[step] = growth * state * (1 - state)
    return path.T


def _dynamics(rng: Generator, n: int) -> Values:
    """Draw the coefficients (3, 6, n) of 1, x, y, z, xy, xz in dx, dy, dz: Lorenz or Rossler."""
    lorenz, rossler = np.zeros((2, 3, 6, n))
    lorenz[0, 1], lorenz[0, 2] = -10.0, 10.0
    lorenz[1, 1], lorenz[1, 2], lorenz[1, 5] = rng.uniform(24.0, 40.0, n), -1.0, -1.0
    lorenz[2, 3], lorenz[2, 4] = -8 / 3, 1.0
    rossler[0, 2], rossler[0, 3] = -1.0, -1.0
    rossler[1, 1], rossler[1, 2] = 1.0, 0.2
    rossler[2, 0], rossler[2, 3], rossler[2, 5] = 0.2, -rng.uniform(4.0, 7.0, n), 1.0
    rossler *= 6.0  # about as fast as Lorenz
    return np.where(rng.random(n) < 0.5, lorenz, rossler)


def _attractor(rng: Generator, n: int, t: int) -> Values:
    """Integrate a Lorenz or Rossler system by the midpoint rule and return one variable."""
    dynamics, dt = _dynamics(rng, n), log_uniform(rng, 0.003, 0.02, n).T
    one, path = np.ones((1, n)), np.empty((t + 50, 3, n))

    def increment(state: Values) -> Values:
        terms = np.concatenate([one, state, state[0] * state[1:]])
        return dt * np.einsum("ijn,jn->in", dynamics, terms)

    state = rng.uniform(1.0, 5.0, (3, n))
    for step in range(t + 50):
        state = path[step] = state + increment(state + 0.5 * increment(state))
    return path[50:, rng.integers(3, size=n), np.arange(n)].T


def _mackey_glass(rng: Generator, n: int, t: int) -> Values:
    """Integrate the delay equation by Euler steps; delays of 12 to 40 give cycles and chaos."""
    dt = log_uniform(rng, 0.3, 1.5, n)[:, 0]
    delay, rows = np.round(rng.uniform(12.0, 40.0, n) / dt).astype(np.int64), np.arange(n)
    start = int(delay.max()) + 1
    path = np.empty((start + 100 + t, n))
    path[:start] = 1.0 + 0.3 * np.sin(rng.uniform(0, 6, n) * np.arange(start)[:, None] / delay)
    for step in range(start, len(path)):
        past, last = path[step - 1 - delay, rows], path[step - 1]
        path[step] = last + dt * (0.2 * past / (1 + past**10) - 0.1 * last)
    return path[-t:].T


PROCESSES: dict[str, Family] = {
    "random_walk": _random_walk,
    "arma": _arma,
    "coloured": _coloured,
    "smooth": _smooth,
    "heavy_tailed": _heavy_tailed,
    "gaussian_process": _gaussian_process,
    "kernel_sum": _kernel_sum,
    "kernel_product": _kernel_product,
    "logistic_map": _logistic_map,
    "attractor": _attractor,
    "mackey_glass": _mackey_glass,
}
