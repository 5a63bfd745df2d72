"""Families of series drawn as shapes: periodic waves, calendars, trends, events, sensors.

A family is called as ``family(rng, n_series, n_timepoints)`` and returns an array of shape
``(n_series, n_timepoints)`` on any scale. Every parameter is drawn once per series.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from ..series import Values
from .primitives import (
    Family,
    backshift,
    coloured_noise,
    draw_levels,
    draw_segments,
    envelope,
    filtered,
    log_uniform,
    smooth_curve,
    sometimes,
    uniform,
    zscore_rows,
)

__all__ = ["SHAPES"]

PERIODS = (4.0, 512.0)  # [time points]
# Position in the beat [cycles], height and sharpness of the P, Q, R, S and T waves.
HEART_WAVES = (
    (0.2, 0.15, 60.0),
    (0.37, -0.15, 800.0),
    (0.4, 1.0, 900.0),
    (0.43, -0.25, 800.0),
    (0.7, 0.3, 30.0),
)
STEPS_PER_DAY = (12, 24, 24, 48, 96, 96, 144, 288)  # two-hourly to five-minute sampling


def _cycles(
    rng: Generator, n_series: int, n_timepoints: int, periods: tuple[float, float] = PERIODS
) -> Values:
    """Count the cycles elapsed, from a random phase; in half of the series the period drifts."""
    frequency = 1 / log_uniform(rng, *periods, n_series)
    drift = sometimes(rng, 0.5, uniform(rng, 0.0, 0.3, n_series))
    elapsed = np.cumsum(np.exp(drift * smooth_curve(rng, n_series, n_timepoints)), axis=1)
    return frequency * elapsed + rng.random((n_series, 1))


def _harmonic_sum(rng: Generator, cycles: Values, n_harmonics: int, decay: Values) -> Values:
    """Sum random harmonics, order h weighted h ** -decay, by Horner's rule on exp(i angle)."""
    order = np.arange(1, n_harmonics + 1)
    weights = rng.standard_normal((2, len(cycles), n_harmonics)) * order**-decay
    coefficients = weights[0] + 1j * weights[1]
    wave = np.exp(2j * np.pi * cycles)
    total = coefficients[:, -1:] * wave
    for h in range(n_harmonics - 2, -1, -1):
        total += coefficients[:, h : h + 1]
        total *= wave
    return total.real


# ---------------------------------------------------------------- periodic shapes


def _sine(rng: Generator, n: int, t: int) -> Values:
    return envelope(rng, n, t) * np.sin(2 * np.pi * _cycles(rng, n, t))


def _harmonics(rng: Generator, n: int, t: int) -> Values:
    shape = _harmonic_sum(rng, _cycles(rng, n, t), 8, uniform(rng, 0.3, 2.0, n))
    return envelope(rng, n, t) * shape


def _triangle(rng: Generator, n: int, t: int) -> Values:
    """Draw triangles from symmetric to sawtooth; a third are clipped to trapezoids."""
    phase, rise = _cycles(rng, n, t) % 1, uniform(rng, 0.0, 1.0, n).clip(0.01, 0.99)
    triangle = np.minimum(phase / rise, (1 - phase) / (1 - rise)) - 0.5
    gain = 1 + sometimes(rng, 0.33, uniform(rng, 0.5, 10.0, n))
    clipped = (gain * triangle).clip(-0.5, 0.5)
    return envelope(rng, n, t) * clipped


def _square(rng: Generator, n: int, t: int) -> Values:
    duty = uniform(rng, 0.05, 0.95, n)
    return envelope(rng, n, t) * (_cycles(rng, n, t) % 1 < duty)


def _bump(cycles: Values, position: Values, sharpness: Values) -> Values:
    """Repeat a von Mises bump of height 1 and width about 1 / (2 pi sqrt(sharpness))."""
    return np.exp(sharpness * (np.cos(2 * np.pi * (cycles - position)) - 1))


def _pulses(rng: Generator, n: int, t: int) -> Values:
    """Draw periodic bumps; half of them are multiplied by a faster wave (wavelets)."""
    cycles = _cycles(rng, n, t)
    bump = _bump(cycles, np.zeros((n, 1)), log_uniform(rng, 0.5, 200.0, n))
    harmonic = sometimes(rng, 0.5, np.floor(uniform(rng, 1.0, 8.0, n)))
    return envelope(rng, n, t) * bump * np.cos(2 * np.pi * harmonic * cycles)


def _heartbeat(rng: Generator, n: int, t: int) -> Values:
    """Draw five bumps per beat, about where an electrocardiogram has P, Q, R, S and T waves."""
    cycles = _cycles(rng, n, t, (16.0, 512.0))
    beat = np.zeros((n, t))
    for position, height, sharpness in HEART_WAVES:
        centre = position + 0.02 * rng.standard_normal((n, 1))
        sharp = sharpness * log_uniform(rng, 0.3, 2.0, n)
        beat += height * log_uniform(rng, 0.4, 2.5, n) * _bump(cycles, centre, sharp)
    return envelope(rng, n, t) * beat


def _modulated(rng: Generator, n: int, t: int) -> Values:
    """Modulate the amplitude and the frequency of a sine by a slower sine."""
    carrier, slow = _cycles(rng, n, t, (4.0, 64.0)), 2 * np.pi * _cycles(rng, n, t)
    depth = sometimes(rng, 0.7, uniform(rng, 0.2, 1.0, n))
    swing = sometimes(rng, 0.7, uniform(rng, 0.1, 3.0, n))
    return (1 + depth * np.sin(slow)) * np.sin(2 * np.pi * carrier + swing * np.cos(slow))


def _chirp(rng: Generator, n: int, t: int) -> Values:
    """Sweep the frequency of a sine geometrically from one random value to another."""
    first, last = (np.log(1 / log_uniform(rng, *PERIODS, n)) for _ in range(2))
    frequency = np.exp(first + (last - first) * np.linspace(0, 1, t))
    cycles = np.cumsum(frequency, axis=1) + rng.random((n, 1))
    return envelope(rng, n, t) * np.sin(2 * np.pi * cycles)


# ---------------------------------------------------------------- calendars


def _day_values(rng: Generator, days: Values, weekly: Values) -> Values:
    """Interpolate random daily values, a mixture of a weekly pattern and independent days."""
    n, n_days = len(days), int(days.max()) + 2
    week = np.take(rng.standard_normal((n, 7)), np.arange(n_days) % 7, axis=1)
    values = weekly * week + (1 - weekly) * rng.standard_normal((n, n_days))
    day = days.astype(np.int64)
    left, right = (np.take_along_axis(values, day + k, axis=1) for k in (0, 1))
    return left + (right - left) * (days - day)


def _calendar(rng: Generator, n: int, t: int) -> Values:
    """Repeat a smooth daily profile whose level and amplitude change from day to day."""
    steps = rng.choice(STEPS_PER_DAY, (n, 1))
    days = uniform(rng, 0.0, 7.0, n) + np.arange(t) / steps
    weekly = uniform(rng, 0.0, 1.0, n)
    decay = uniform(rng, 0.5, 2.5, n)
    profile, deviation = (_harmonic_sum(rng, days, 8, decay) for _ in range(2))
    amplitude = 1 + uniform(rng, 0.0, 0.6, n) * _day_values(rng, days, weekly)
    level = uniform(rng, 0.0, 1.5, n) * _day_values(rng, days, weekly)
    strength = uniform(rng, 0.0, 0.5, n) * _day_values(rng, days, weekly)
    return level + amplitude * profile + strength * deviation


def _calendar_load(rng: Generator, n: int, t: int) -> Values:
    """Add coloured noise to a calendar series, as in the load of a power grid."""
    size = log_uniform(rng, 0.02, 1.0, n)
    noise = coloured_noise(rng, t, uniform(rng, 0.8, 2.5, n))
    return zscore_rows(_calendar(rng, n, t)) + size * zscore_rows(noise)


def _double_season(rng: Generator, n: int, t: int) -> Values:
    """Add two periodic shapes; the period of one is a multiple of the other's."""
    slow = _cycles(rng, n, t)
    fast = slow * np.floor(log_uniform(rng, 2.0, 32.0, n))
    amplitude = 1 + sometimes(rng, 0.5, uniform(rng, 0.2, 0.9, n)) * np.sin(2 * np.pi * slow)
    detail = amplitude * _harmonic_sum(rng, fast, 3, uniform(rng, 0.3, 2.0, n))
    return _harmonic_sum(rng, slow, 4, uniform(rng, 0.5, 2.0, n)) + detail


def _daylight(rng: Generator, n: int, t: int) -> Values:
    """Draw solar irradiance: an arch by day, zero at night, reduced by clouds."""
    days = uniform(rng, 0.0, 7.0, n) + np.arange(t) / rng.choice(STEPS_PER_DAY, (n, 1))
    arch = (np.sin(2 * np.pi * days) + uniform(rng, -0.3, 0.6, n)).clip(0, None)
    cloud = zscore_rows(coloured_noise(rng, t, uniform(rng, 0.5, 2.5, n)))
    transmission = np.exp(-uniform(rng, 0.0, 1.5, n) * cloud.clip(0, None))
    return arch * transmission


# ---------------------------------------------------------------- trends and levels


def _trend(rng: Generator, n: int, t: int) -> Values:
    """Draw a power of time, an exponential, a logistic or a smooth curve, most with a season."""
    time, kind = np.linspace(0, 1, t), rng.integers(4, size=(n, 1))
    power = time ** log_uniform(rng, 0.3, 3.0, n)
    growth = np.exp(uniform(rng, -6.0, 6.0, n) * time)
    steep = log_uniform(rng, 5.0, 60.0, n)
    logistic = 1 / (1 + np.exp(-steep * (time - uniform(rng, 0.1, 0.9, n))))
    kinds = [power + np.zeros((n, 1)), growth, logistic, smooth_curve(rng, n, t)]
    season = sometimes(rng, 0.6, log_uniform(rng, 0.05, 1.0, n))
    return zscore_rows(np.choose(kind, kinds)) + season * _sine(rng, n, t)


def _piecewise_linear(rng: Generator, n: int, t: int) -> Values:
    return np.cumsum(draw_levels(rng, draw_segments(rng, n, t)), axis=1)


def _level_shifts(rng: Generator, n: int, t: int) -> Values:
    noise = log_uniform(rng, 0.01, 0.5, n) * coloured_noise(rng, t, uniform(rng, 0.0, 2.0, n))
    levels = draw_levels(rng, draw_segments(rng, n, t))
    return levels + zscore_rows(noise) * uniform(rng, 0.0, 0.3, n)


def _regimes(rng: Generator, n: int, t: int) -> Values:
    """Draw noisy sines whose frequency, amplitude and level jump at the same change points."""
    segments = draw_segments(rng, n, t)
    frequency = 2.0 ** -log_uniform(rng, 2, 8, n) * 2.0 ** draw_levels(rng, segments)
    cycles = np.cumsum(frequency, axis=1)
    level = uniform(rng, 0.0, 1.5, n) * draw_levels(rng, segments)
    amplitude = np.exp(uniform(rng, 0.0, 1.0, n) * draw_levels(rng, segments))
    noise = uniform(rng, 0.0, 0.5, n) * rng.standard_normal((n, t))
    return level + amplitude * (np.sin(2 * np.pi * cycles.clip(0, 1e6)) + noise)


# ---------------------------------------------------------------- events and sensors


def _spikes(rng: Generator, n: int, t: int) -> Values:
    """Draw rare spikes with exponential decay over low coloured noise."""
    spikes = rng.random((n, 2 * t)) < log_uniform(rng, 0.003, 0.05, n)
    sizes = rng.standard_exponential((n, 2 * t)) + 0.3
    memory = sometimes(rng, 0.7, 1 - log_uniform(rng, 0.02, 0.8, n))
    response = 1 / (1 - memory * backshift(t))
    noise = zscore_rows(coloured_noise(rng, t, uniform(rng, 0.0, 3.0, n)))
    return filtered(spikes * sizes, response) + log_uniform(rng, 0.001, 0.3, n) * noise


def _intermittent(rng: Generator, n: int, t: int) -> Values:
    """Draw demand: mostly zero, gamma-distributed orders, more likely in season."""
    season = 1 + uniform(rng, 0.0, 1.0, n) * np.sin(2 * np.pi * _cycles(rng, n, t))
    orders = rng.random((n, t)) < log_uniform(rng, 0.03, 0.5, n) * season
    sizes = rng.standard_gamma(log_uniform(rng, 0.5, 10.0, n), (n, t))
    sizes = np.where(rng.random((n, 1)) < 0.5, np.ceil(sizes), sizes)
    return np.where(orders, sizes, 0.0)


def _telegraph(rng: Generator, n: int, t: int) -> Values:
    """Switch between two to five levels at random times, as a machine does."""
    rate = 1 / log_uniform(rng, 4, 100, n)
    segments = np.cumsum(rng.random((n, t)) < rate, axis=1, dtype=np.int64)
    levels = rng.standard_normal((n, 5))
    states = rng.integers(2 + rng.integers(4, size=(n, 1)), size=(n, int(segments.max()) + 1))
    return np.take_along_axis(levels, np.take_along_axis(states, segments, axis=1), axis=1)


def _quantised(rng: Generator, n: int, t: int) -> Values:
    """Round a smooth signal to few levels, or hold each value for several time points."""
    signal = zscore_rows(_smooth_signal(rng, n, t))
    n_held = np.floor(log_uniform(rng, 1.0, 32.0, n)).astype(np.int64)
    held = np.take_along_axis(signal, np.arange(t) // n_held * n_held, axis=1)
    step = log_uniform(rng, 0.05, 1.0, n)
    rounded = np.round(signal / step) * step
    return np.where(rng.random((n, 1)) < 0.5, rounded, held)


def _saturated(rng: Generator, n: int, t: int) -> Values:
    signal = zscore_rows(_smooth_signal(rng, n, t))
    ceiling, floor = uniform(rng, 0.2, 1.5, n), uniform(rng, -3.0, -0.2, n)
    return signal.clip(floor, ceiling)


def _motifs(rng: Generator, n: int, t: int) -> Values:
    """Add four bumps, steps or decaying oscillations at random times."""
    time, total = np.linspace(0, 1, t), np.zeros((n, t))
    for _ in range(4):
        offset = (time - uniform(rng, 0.05, 0.95, n)) / log_uniform(rng, 0.01, 0.3, n)
        bell = np.exp(-0.5 * offset**2)
        ring = np.exp(-offset.clip(0)) * (offset > 0) * np.sin(uniform(rng, 2.0, 12.0, n) * offset)
        motifs = [bell, np.tanh(offset), ring, bell * offset]
        total += rng.standard_normal((n, 1)) * np.choose(rng.integers(4, size=(n, 1)), motifs)
    return total


def _smooth_signal(rng: Generator, n: int, t: int) -> Values:
    noise = coloured_noise(rng, t, uniform(rng, 2.0, 4.0, n))
    return np.where(rng.random((n, 1)) < 0.5, noise, _harmonics(rng, n, t))


SHAPES: dict[str, Family] = {
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
