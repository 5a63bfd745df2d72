"""Families of synthetic series, each one function of a generator, vectorised over the batch.

A family is called as ``family(rng, n_series, n_timepoints)`` and returns an array of shape
``(n_series, n_timepoints)`` on any scale. Every parameter is drawn once per series.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from .primitives import (
    RNG,
    Batch,
    Family,
    _turn,
    between,
    coloured_noise,
    curve,
    draw_segments,
    filtered,
    held,
    log_between,
    sometimes,
    standardize,
    swell,
)

__all__ = ["FORMS"]

PERIODS = (4.0, 512.0)  # [time points]
# Place in the beat [cycles], height and sharpness of the P, Q, R, S and T waves.
HEART_WAVES = (
    (0.2, 0.15, 60.0),
    (0.37, -0.15, 800.0),
    (0.4, 1.0, 900.0),
    (0.43, -0.25, 800.0),
    (0.7, 0.3, 30.0),
)
STEPS_PER_DAY = (12, 24, 24, 48, 96, 96, 144, 288)  # two-hourly to five-minute sampling


def _cycles(
    rng: RNG, n_series: int, n_timepoints: int, periods: tuple[float, float] = PERIODS
) -> Batch:
    """Cycles elapsed since a random start; half of the series let their period drift."""
    frequency = 1 / log_between(rng, *periods, n_series)
    drift = sometimes(rng, 0.5, between(rng, 0.0, 0.3, n_series))
    pace: Batch = np.cumsum(np.exp(drift * curve(rng, n_series, n_timepoints)), axis=1)
    return frequency * pace + rng.random((n_series, 1))


def _polynomial(rng: RNG, cycles: Batch, n_harmonics: int, decay: Batch) -> Batch:
    """Random sum of harmonics, order h weighted h ** -decay, by Horner's rule on exp(i angle)."""
    order = np.arange(1, n_harmonics + 1)
    weights = rng.standard_normal((2, len(cycles), n_harmonics)) * order**-decay
    coefficients = weights[0] + 1j * weights[1]
    wave: NDArray[np.complex128] = np.exp(2j * np.pi * cycles)
    total = coefficients[:, -1:] * wave
    for h in range(n_harmonics - 2, -1, -1):
        total += coefficients[:, h : h + 1]
        total *= wave
    shape: Batch = total.real
    return shape


# ---------------------------------------------------------------- periodic shapes


def _sine(rng: RNG, n: int, t: int) -> Batch:
    return swell(rng, n, t) * np.sin(2 * np.pi * _cycles(rng, n, t))


def _harmonics(rng: RNG, n: int, t: int) -> Batch:
    shape = _polynomial(rng, _cycles(rng, n, t), 8, between(rng, 0.3, 2.0, n))
    return swell(rng, n, t) * shape


def _triangle(rng: RNG, n: int, t: int) -> Batch:
    """Triangles of every asymmetry, saw teeth at both ends; a third clipped to trapezoids."""
    turn, rise = _turn(_cycles(rng, n, t)), between(rng, 0.0, 1.0, n).clip(0.01, 0.99)
    shape: Batch = np.minimum(turn / rise, (1 - turn) / (1 - rise)) - 0.5
    gain = 1 + sometimes(rng, 0.33, between(rng, 0.5, 10.0, n))
    clipped: Batch = (gain * shape).clip(-0.5, 0.5)
    return swell(rng, n, t) * clipped


def _square(rng: RNG, n: int, t: int) -> Batch:
    duty = between(rng, 0.05, 0.95, n)
    return swell(rng, n, t) * (_turn(_cycles(rng, n, t)) < duty)


def _peak(cycles: Batch, position: Batch, sharpness: Batch) -> Batch:
    """Periodic bump (von Mises form): height one, width about 1 / (2 pi sqrt(sharpness))."""
    height: Batch = np.exp(sharpness * (np.cos(2 * np.pi * (cycles - position)) - 1))
    return height


def _pulses(rng: RNG, n: int, t: int) -> Batch:
    """Periodic bumps; half of them carry a faster wave inside (wavelets)."""
    cycles = _cycles(rng, n, t)
    bump = _peak(cycles, np.zeros((n, 1)), log_between(rng, 0.5, 200.0, n))
    inside = sometimes(rng, 0.5, np.floor(between(rng, 1.0, 8.0, n)))
    return swell(rng, n, t) * bump * np.cos(2 * np.pi * inside * cycles)


def _heartbeat(rng: RNG, n: int, t: int) -> Batch:
    """Draw five peaks per beat at about the places of the P, Q, R, S and T waves."""
    cycles = _cycles(rng, n, t, (16.0, 512.0))
    beat = np.zeros((n, t))
    for position, height, sharpness in HEART_WAVES:
        where = position + 0.02 * rng.standard_normal((n, 1))
        width = sharpness * log_between(rng, 0.3, 2.0, n)
        beat += height * log_between(rng, 0.4, 2.5, n) * _peak(cycles, where, width)
    return swell(rng, n, t) * beat


def _modulated(rng: RNG, n: int, t: int) -> Batch:
    """Amplitude and frequency modulation of a sine by a slower sine."""
    carrier, slow = _cycles(rng, n, t, (4.0, 64.0)), 2 * np.pi * _cycles(rng, n, t)
    depth = sometimes(rng, 0.7, between(rng, 0.2, 1.0, n))
    swing = sometimes(rng, 0.7, between(rng, 0.1, 3.0, n))
    return (1 + depth * np.sin(slow)) * np.sin(2 * np.pi * carrier + swing * np.cos(slow))


def _chirp(rng: RNG, n: int, t: int) -> Batch:
    """Frequency sweeping geometrically from one random value to another."""
    first, last = (np.log(1 / log_between(rng, *PERIODS, n)) for _ in range(2))
    frequency = np.exp(first + (last - first) * np.linspace(0, 1, t))
    turns = np.cumsum(frequency, axis=1) + rng.random((n, 1))
    return swell(rng, n, t) * np.sin(2 * np.pi * turns)


# ---------------------------------------------------------------- calendars


def _day_values(rng: RNG, days: Batch, weekly: Batch) -> Batch:
    """Random value per day, mixed from a repeating week and fresh days, linear in between."""
    n, n_days = len(days), int(days.max()) + 2
    week = np.take(rng.standard_normal((n, 7)), np.arange(n_days) % 7, axis=1)
    values = weekly * week + (1 - weekly) * rng.standard_normal((n, n_days))
    day = days.astype(np.int64)
    left, right = (np.take_along_axis(values, day + k, axis=1) for k in (0, 1))
    return left + (right - left) * (days - day)


def _calendar(rng: RNG, n: int, t: int) -> Batch:
    """Day within week: a smooth daily profile whose level and size change from day to day."""
    steps = rng.choice(STEPS_PER_DAY, (n, 1))
    days = between(rng, 0.0, 7.0, n) + np.arange(t) / steps
    weekly = between(rng, 0.0, 1.0, n)
    decay = between(rng, 0.5, 2.5, n)
    usual, other = (_polynomial(rng, days, 8, decay) for _ in range(2))
    size = 1 + between(rng, 0.0, 0.6, n) * _day_values(rng, days, weekly)
    level = between(rng, 0.0, 1.5, n) * _day_values(rng, days, weekly)
    detail = between(rng, 0.0, 0.5, n) * _day_values(rng, days, weekly)
    return level + size * usual + detail * other


def _calendar_load(rng: RNG, n: int, t: int) -> Batch:
    """Calendar series under a slow trend, with correlated errors, as a meter would record."""
    wander = log_between(rng, 0.02, 1.0, n)
    rough = coloured_noise(rng, t, between(rng, 0.8, 2.5, n))
    return standardize(_calendar(rng, n, t)) + wander * standardize(rough)


def _double_season(rng: RNG, n: int, t: int) -> Batch:
    """Draw a fast shape inside a slow one of a whole multiple of its period."""
    slow = _cycles(rng, n, t)
    fast = slow * np.floor(log_between(rng, 2.0, 32.0, n))
    ride = 1 + sometimes(rng, 0.5, between(rng, 0.2, 0.9, n)) * np.sin(2 * np.pi * slow)
    detail = ride * _polynomial(rng, fast, 3, between(rng, 0.3, 2.0, n))
    return _polynomial(rng, slow, 4, between(rng, 0.5, 2.0, n)) + detail


def _daylight(rng: RNG, n: int, t: int) -> Batch:
    """Irradiance: an arch by day, zero by night, dimmed by passing clouds."""
    days = between(rng, 0.0, 7.0, n) + np.arange(t) / rng.choice(STEPS_PER_DAY, (n, 1))
    arch: Batch = (np.sin(2 * np.pi * days) + between(rng, -0.3, 0.6, n)).clip(0, None)
    cloud = standardize(coloured_noise(rng, t, between(rng, 0.5, 2.5, n)))
    clear: Batch = np.exp(-between(rng, 0.0, 1.5, n) * cloud.clip(0, None))
    return arch * clear


# ---------------------------------------------------------------- trends and levels


def _trend(rng: RNG, n: int, t: int) -> Batch:
    """One of: power of time, exponential, logistic, slow curve; plus a little seasonality."""
    time, kind = np.linspace(0, 1, t), rng.integers(4, size=(n, 1))
    power = time ** log_between(rng, 0.3, 3.0, n)
    growth = np.exp(between(rng, -6.0, 6.0, n) * time)
    steep = log_between(rng, 5.0, 60.0, n)
    logistic = 1 / (1 + np.exp(-steep * (time - between(rng, 0.1, 0.9, n))))
    kinds = [power + np.zeros((n, 1)), growth, logistic, curve(rng, n, t)]
    season = sometimes(rng, 0.6, log_between(rng, 0.05, 1.0, n))
    return standardize(np.choose(kind, kinds)) + season * _sine(rng, n, t)


def _piecewise_linear(rng: RNG, n: int, t: int) -> Batch:
    return np.cumsum(held(rng, draw_segments(rng, n, t)), axis=1)


def _level_shifts(rng: RNG, n: int, t: int) -> Batch:
    wiggle = log_between(rng, 0.01, 0.5, n) * coloured_noise(rng, t, between(rng, 0.0, 2.0, n))
    return held(rng, draw_segments(rng, n, t)) + standardize(wiggle) * between(rng, 0.0, 0.3, n)


def _regimes(rng: RNG, n: int, t: int) -> Batch:
    """Oscillation and noise whose frequency, size and level jump at shared change points."""
    segments = draw_segments(rng, n, t)
    pace = np.cumsum(2.0 ** -log_between(rng, 2, 8, n) * 2.0 ** held(rng, segments), axis=1)
    level = between(rng, 0.0, 1.5, n) * held(rng, segments)
    size = np.exp(between(rng, 0.0, 1.0, n) * held(rng, segments))
    noise = between(rng, 0.0, 0.5, n) * rng.standard_normal((n, t))
    return level + size * (np.sin(2 * np.pi * pace.clip(0, 1e6)) + noise)


# ---------------------------------------------------------------- events and sensors


def _spikes(rng: RNG, n: int, t: int) -> Batch:
    """Rare spikes, each decaying at its series' rate, on a quiet coloured floor."""
    rare = rng.random((n, 2 * t)) < log_between(rng, 0.003, 0.05, n)
    sizes = rng.standard_exponential((n, 2 * t)) + 0.3
    memory = sometimes(rng, 0.7, 1 - log_between(rng, 0.02, 0.8, n))
    response = 1 / (1 - memory * np.exp(-2j * np.pi * fft.rfftfreq(2 * t)))
    floor = standardize(coloured_noise(rng, t, between(rng, 0.0, 3.0, n)))
    return filtered(rare * sizes, response) + log_between(rng, 0.001, 0.3, n) * floor


def _intermittent(rng: RNG, n: int, t: int) -> Batch:
    """Demand: mostly zero, gamma sizes, the chance of an order following a season."""
    season = 1 + between(rng, 0.0, 1.0, n) * np.sin(2 * np.pi * _cycles(rng, n, t))
    orders = rng.random((n, t)) < log_between(rng, 0.03, 0.5, n) * season
    sizes = rng.standard_gamma(log_between(rng, 0.5, 10.0, n), (n, t))
    whole: Batch = np.ceil(sizes)
    return np.where(orders, np.where(rng.random((n, 1)) < 0.5, whole, sizes), 0.0)


def _telegraph(rng: RNG, n: int, t: int) -> Batch:
    """Machine switching between two to five states at random times."""
    rate = 1 / log_between(rng, 4, 100, n)
    visits = np.cumsum(rng.random((n, t)) < rate, axis=1, dtype=np.int64)
    states = rng.standard_normal((n, 5))
    path = rng.integers(2 + rng.integers(4, size=(n, 1)), size=(n, int(visits.max()) + 1))
    return np.take_along_axis(states, np.take_along_axis(path, visits, axis=1), axis=1)


def _quantised(rng: RNG, n: int, t: int) -> Batch:
    """Sensor that reports few levels, or holds each reading for several time points."""
    signal = standardize(_any_smooth(rng, n, t))
    hold = np.floor(log_between(rng, 1.0, 32.0, n)).astype(np.int64)
    held = np.take_along_axis(signal, np.arange(t) // hold * hold, axis=1)
    step = log_between(rng, 0.05, 1.0, n)
    rounded = np.round(signal / step) * step
    return np.where(rng.random((n, 1)) < 0.5, rounded, held)


def _saturated(rng: RNG, n: int, t: int) -> Batch:
    signal = standardize(_any_smooth(rng, n, t))
    ceiling, floor = between(rng, 0.2, 1.5, n), between(rng, -3.0, -0.2, n)
    return signal.clip(floor, ceiling)


def _motifs(rng: RNG, n: int, t: int) -> Batch:
    """Few single bumps, steps and ring-downs at random places: shapes that happen once."""
    time, total = np.linspace(0, 1, t), np.zeros((n, t))
    for _ in range(4):
        offset = (time - between(rng, 0.05, 0.95, n)) / log_between(rng, 0.01, 0.3, n)
        bell = np.exp(-0.5 * offset**2)
        ring = np.exp(-offset.clip(0)) * (offset > 0) * np.sin(between(rng, 2.0, 12.0, n) * offset)
        shapes = [bell, np.tanh(offset), ring, bell * offset]
        total += rng.standard_normal((n, 1)) * np.choose(rng.integers(4, size=(n, 1)), shapes)
    return total


def _any_smooth(rng: RNG, n: int, t: int) -> Batch:
    rough = coloured_noise(rng, t, between(rng, 2.0, 4.0, n))
    return np.where(rng.random((n, 1)) < 0.5, rough, _harmonics(rng, n, t))


FORMS: dict[str, Family] = {
    "sine": _sine,
    "harmonics": _harmonics,
    "triangle": _triangle,
    "square": _square,
    "pulses": _pulses,
    "heartbeat": _heartbeat,
    "modulated": _modulated,
    "chirp": _chirp,
    "calendar": _calendar,
    "calendar_load": _calendar_load,
    "double_season": _double_season,
    "daylight": _daylight,
    "trend": _trend,
    "piecewise_linear": _piecewise_linear,
    "level_shifts": _level_shifts,
    "regimes": _regimes,
    "spikes": _spikes,
    "intermittent": _intermittent,
    "telegraph": _telegraph,
    "quantised": _quantised,
    "saturated": _saturated,
    "motifs": _motifs,
}
