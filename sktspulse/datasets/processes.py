"""Families of series simulated from a law: noises, Gaussian processes, chaotic systems."""

from __future__ import annotations

import numpy as np
from scipy import fft

from .primitives import (
    RNG,
    Batch,
    Family,
    between,
    coloured_noise,
    filtered,
    log_between,
    sometimes,
    swell,
    white,
)

__all__ = ["PROCESSES"]

# ---------------------------------------------------------------- noises and walks


def _random_walk(rng: RNG, n: int, t: int) -> Batch:
    tails = log_between(rng, 2.0, 50.0, n)
    return np.cumsum(rng.standard_t(tails, (n, t)), axis=1)


def _arma(rng: RNG, n: int, t: int) -> Batch:
    """ARMA(3, 1) from its poles: one complex pair (an AR(2) cycle) and one real; both optional."""
    back = np.exp(-2j * np.pi * fft.rfftfreq(2 * t))
    radius = sometimes(rng, 0.7, 1 - log_between(rng, 0.005, 0.7, n))
    angle = 2 * np.pi / log_between(rng, 3, 200, n)
    real = sometimes(rng, 0.7, between(rng, -0.7, 0.98, n))
    poles = (1 - 2 * radius * np.cos(angle) * back + (radius * back) ** 2) * (1 - real * back)
    moving_average = 1 + sometimes(rng, 0.4, between(rng, -0.9, 0.9, n)) * back
    return filtered(white(rng, n, t), moving_average / poles)


def _coloured(rng: RNG, n: int, t: int) -> Batch:
    return coloured_noise(rng, t, between(rng, -0.5, 2.0, n))


def _smooth(rng: RNG, n: int, t: int) -> Batch:
    """Coloured noise past exponent two: continuous curves with fine detail, no jitter."""
    return coloured_noise(rng, t, between(rng, 2.0, 4.0, n))


def _heavy_tailed(rng: RNG, n: int, t: int) -> Batch:
    """Student noise, mildly filtered, whose volatility may swell and fall."""
    innovations = rng.standard_t(log_between(rng, 1.5, 10.0, n), (n, 2 * t)).clip(-50, 50)
    memory = sometimes(rng, 0.5, between(rng, -0.5, 0.95, n))
    response = 1 / (1 - memory * np.exp(-2j * np.pi * fft.rfftfreq(2 * t)))
    return filtered(innovations, response) * swell(rng, n, t) ** 2


# ---------------------------------------------------------------- Gaussian processes


def _kernel(rng: RNG, n: int, t: int) -> Batch:
    """Covariance at lags 0 .. t of a random kernel per series, unit variance."""
    lag = np.arange(t + 1) / log_between(rng, 3, t / 3, n)
    alpha = log_between(rng, 0.3, 10.0, n)
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


def _gaussian(rng: RNG, covariance: Batch) -> Batch:
    """Sample by circulant embedding: the kernel's cosine transform is the spectrum of the circle.

    Kernels that do not die out within the window leave small negative eigenvalues, cut to zero.
    """
    n, n_lags = covariance.shape
    spectrum = fft.dct(covariance, type=1).clip(0, None)
    return filtered(white(rng, n, n_lags - 1), np.sqrt(spectrum))


def _gaussian_process(rng: RNG, n: int, t: int) -> Batch:
    return _gaussian(rng, _kernel(rng, n, t))


def _kernel_sum(rng: RNG, n: int, t: int) -> Batch:
    share = between(rng, 0.1, 0.9, n)
    return _gaussian(rng, share * _kernel(rng, n, t) + (1 - share) * _kernel(rng, n, t))


def _kernel_product(rng: RNG, n: int, t: int) -> Batch:
    return _gaussian(rng, _kernel(rng, n, t) * _kernel(rng, n, t))


# ---------------------------------------------------------------- chaotic systems


def _logistic_map(rng: RNG, n: int, t: int) -> Batch:
    growth, state = rng.uniform(3.5, 4.0, n), rng.uniform(0.1, 0.9, n)
    path = np.empty((t, n))
    for step in range(t):
        state = path[step] = growth * state * (1 - state)
    return path.T


def _laws(rng: RNG, n: int) -> Batch:
    """Coefficients (3, 6, n) of 1, x, y, z, xy, xz in dx, dy, dz: Lorenz or Rossler at random."""
    laws = np.zeros((2, 3, 6, n))
    lorenz, rossler = laws
    lorenz[0, 1], lorenz[0, 2] = -10.0, 10.0
    lorenz[1, 1], lorenz[1, 2], lorenz[1, 5] = rng.uniform(24.0, 40.0, n), -1.0, -1.0
    lorenz[2, 3], lorenz[2, 4] = -8 / 3, 1.0
    rossler[0, 2], rossler[0, 3] = -1.0, -1.0
    rossler[1, 1], rossler[1, 2] = 1.0, 0.2
    rossler[2, 0], rossler[2, 3], rossler[2, 5] = 0.2, -rng.uniform(4.0, 7.0, n), 1.0
    rossler *= 6.0  # about the pace of Lorenz
    return np.where(rng.random(n) < 0.5, lorenz, rossler)


def _attractor(rng: RNG, n: int, t: int) -> Batch:
    """One variable of the Lorenz or Rossler system, by the midpoint rule."""
    laws, dt = _laws(rng, n), log_between(rng, 0.003, 0.02, n).T
    terms, path = np.ones((6, n)), np.empty((t + 50, 3, n))

    def change(state: Batch) -> Batch:
        terms[1:4], terms[4:] = state, state[0] * state[1:]
        rate: Batch = np.einsum("ijn,jn->in", laws, terms)
        return dt * rate

    state = rng.uniform(1.0, 5.0, (3, n))
    for step in range(t + 50):
        state = path[step] = state + change(state + 0.5 * change(state))
    return path[50:, rng.integers(3, size=n), np.arange(n)].T


def _mackey_glass(rng: RNG, n: int, t: int) -> Batch:
    """Delay equation by Euler steps of random size; delays 12 to 40 cover cycles and chaos."""
    dt = log_between(rng, 0.3, 1.5, n)[:, 0]
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
