"""Faults of sensors, of a size that an operator would call clear in a plot, and lost readings.

Sizes are in two scales, taken from the rows of ``fit``: *noise*, the deviation of a reading from
its two neighbours where the signal is at its noisiest, and *spread*, the deviation from the usual
value at that phase of the period (from the median without one).

| kind | what happens |
|---|---|
| spike | one reading off by 7 to 8 times the noise, at least 1.5 times the largest of ``fit`` |
| shift | 12 to 72 rows off by 5 times the spread |
| stuck | 24 to 72 rows repeat one value, 2.5 times the longest run of ``fit`` at least |
| noise | 12 to 48 rows with added noise, 4 times the usual |
| drift | over 48 to 72 rows the error grows to 6 times the spread |
| dropout | 6 to 24 rows at zero, or at the bottom of the scale where zero is usual |
| flat | the cycle is missing: its mean, with noise, for two or three cycles |
| phase | the same rows come a third to a half of a cycle too early |
| amplitude | the cycle is halved or doubled |
| speed | the cycle runs at twice or half its speed |
| decoupled | a channel does not follow the others: it has its values of another day |

Rows of signals in minutes are five times as many, and their cycle faults last for one cycle. The
spread of a counter is a fifth of what it counts in a day.

What is drawn is drawn again where one would see nothing: where the signal rests, or where the
faulty rows (of a counter: what is used) are within 1.5 times the spread of the true ones. A channel
that is decoupled is 3 times the noise away from the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .recordings import Floats, Signal

KINDS = (
    "spike",
    "shift",
    "stuck",
    "noise",
    "drift",
    "dropout",
    "flat",
    "phase",
    "amplitude",
    "speed",
    "decoupled",
)
CYCLIC = ("flat", "phase", "amplitude", "speed")
CONDITIONS = ("clean", "outage", "half missing", "wild value")
N_TRIES = 60
FILL_VALUE = -999.0
RESTING = 0.2  # share of one value from which a signal is said to rest there


class Fault(NamedTuple):
    kind: str
    start: int
    stop: int


class Scales(NamedTuple):
    """What is usual in the channel that faults are put into."""

    noise: float
    spread: float
    cyclic: float  # the spread; of a counter, that of what is used
    spike: float
    bottom: float
    rest: float  # the value it rests at, NaN without one
    run: int  # the longest time at another value


def scales(signal: Signal) -> Scales:
    x = complete(signal.fit)[:, signal.channel]
    bend = x[1:-1] - (x[:-2] + x[2:]) / 2
    blocks = bend[: len(bend) // 48 * 48].reshape(-1, 48)
    noise = float(np.quantile(np.sqrt(np.square(blocks).mean(1) / 1.5), 0.9))
    cyclic = residual(np.diff(x) if signal.is_sum else x, signal.period).std()
    spread = np.diff(x).mean() * 24 / 5 if signal.is_sum else cyclic
    everything = np.r_[x, signal.test[:, signal.channel]]
    size = np.subtract(*np.quantile(x, [0.95, 0.05]))
    least = np.nanmin(everything)
    bottom = 0.0 if least > 0.3 * size else least - 0.3 * size
    values, counts = np.unique(x, return_counts=True)
    rest = float(values[counts.argmax()]) if counts.max() > RESTING * len(x) else np.nan
    spike = max(7 * noise, 1.5 * float(np.abs(bend).max()))
    return Scales(
        noise, float(spread), float(cyclic), spike, float(bottom), rest, longest_run(x, rest)
    )


def complete(values: Floats) -> Floats:
    """Interpolate what is missing, in time."""
    filled, t = values.copy(), np.arange(len(values))
    for channel in filled.T:
        known = ~np.isnan(channel)
        if known.any():
            channel[~known] = np.interp(t[~known], t[known], channel[known])
    return filled


def residual(x: Floats, period: int) -> Floats:
    """Subtract the line of least squares, and the median of every phase."""
    t = np.arange(len(x))
    rest = x - np.polyval(np.polyfit(t, x, 1), t) if period else x
    profile = [np.median(rest[phase :: period or 1]) for phase in range(period or 1)]
    return rest - np.array(profile)[t % (period or 1)]


def longest_run(x: Floats, rest: float) -> int:
    starts = np.flatnonzero(np.r_[True, np.diff(x) != 0])
    lengths = np.diff(np.r_[starts, len(x)])
    moving = lengths[x[starts] != rest]
    return int(moving.max()) if len(moving) else 1


def lose(signal: Signal, values: Floats, condition: str, rng: np.random.Generator) -> Floats:
    """Return rows under a condition: an outage of a third, half missing, or a wild reading.

    Of several channels one or all have the outage, and one the wild reading. It is -999 where
    that is 20 deviations away, and 100 deviations otherwise and at every second draw.
    """
    values, n = values.copy(), len(values)
    channel = int(rng.integers(values.shape[1]))
    if condition == "outage":
        start = int(rng.integers(n - n // 3 + 1))
        columns = slice(None) if rng.random() < 0.5 else [channel]
        values[start : start + n // 3, columns] = np.nan
    elif condition == "half missing":
        values[rng.random(values.shape) < 0.5] = np.nan
    elif condition == "wild value":
        values[rng.integers(n), channel] = wild(signal.fit[:, channel], rng)
    return values


def wild(fit: Floats, rng: np.random.Generator) -> float:
    mean, deviation = np.nanmean(fit), np.nanstd(fit)
    if rng.random() < 0.5 and abs(FILL_VALUE - mean) > 20 * deviation:
        return FILL_VALUE
    return float(mean + rng.choice([-1, 1]) * 100 * deviation)


def break_once(
    signal: Signal, kind: str, span: tuple[int, int], scales: Scales, rng: np.random.Generator
) -> tuple[Floats, Fault] | None:
    """Put a fault into rows of ``signal.test``; None where there is none or no place for it.

    Parameters
    ----------
    span : tuple of int
        First and last row where the fault may start.

    Returns
    -------
    ndarray of shape (n_timepoints, n_channels)
        A copy of ``signal.test``, all rows.
    Fault
        Kind, first row, and the row after the last.
    """
    clean = complete(signal.test)[:, signal.channel]
    length = draw_length(signal, kind, scales, rng)
    reach = 2 * length + signal.cycle + 300 if kind in (*CYCLIC, "decoupled") else length
    last = min(span[1], len(clean) - reach)
    if kind in signal.no_faults or last <= span[0]:
        return None
    for _ in range(N_TRIES):
        start = int(rng.integers(span[0], last))
        rows = slice(start, start + length)
        if np.isnan(signal.test[rows]).any():
            continue
        broken = faulty(signal, clean, kind, rows, scales, rng)
        if visible(signal, clean, broken, kind, rows, scales):
            values = signal.test.copy()
            values[:, signal.channel] = np.where(
                np.isnan(values[:, signal.channel]), np.nan, broken
            )
            return values, Fault(kind, rows.start, rows.stop)
    return None


def draw_length(signal: Signal, kind: str, scales: Scales, rng: np.random.Generator) -> int:
    if kind == "spike":
        return 1
    if kind in CYCLIC:
        n_cycles = int(rng.integers(2, 4)) if signal.cycle <= 48 else 1
        return min(n_cycles * signal.cycle, 72) if signal.cycle <= 48 else signal.cycle
    least, most = {
        "shift": (12, 72),
        "stuck": (24, 72),
        "noise": (12, 48),
        "drift": (48, 72),
        "dropout": (6, 24),
        "decoupled": (24, 72),
    }[kind]
    length = signal.scale * int(rng.integers(least, most + 1))
    return max(length, int(2.5 * scales.run)) if kind == "stuck" else length


def visible(
    signal: Signal, clean: Floats, broken: Floats, kind: str, rows: slice, scales: Scales
) -> bool:
    """Tell whether a plot would show it: see the table of this module."""
    if kind == "stuck":
        moves = complete(signal.fit)[:, signal.channel]
        usual = np.lib.stride_tricks.sliding_window_view(moves, min(rows.stop - rows.start, 200))
        is_busy = clean[rows].std() >= 0.5 * np.median(usual[::50].std(1))
        return bool(clean[rows.start] != scales.rest and is_busy)
    change = broken - clean
    if signal.is_sum:
        change = np.diff(change, append=change[-1])
    change = np.sqrt(np.mean(np.square(change[rows])))
    if kind == "decoupled":
        return bool(change > 3 * scales.noise)
    return bool(kind not in CYCLIC or change > 1.5 * scales.cyclic)


def faulty(
    signal: Signal, clean: Floats, kind: str, rows: slice, scales: Scales, rng: np.random.Generator
) -> Floats:
    """Return the channel with the fault, in the steps of the sensor."""
    if signal.is_sum and kind in CYCLIC:  # what is used changes, and the sum from there on
        use = np.diff(clean, prepend=clean[0])
        use[rows] = changed(use, kind, rows, signal.cycle, use[rows].std() / 5, scales, rng)
        return clean[0] + use.clip(0).cumsum()
    broken = clean.copy()
    broken[rows] = changed(clean, kind, rows, signal.cycle, scales.noise, scales, rng)
    if signal.step:
        broken[rows] = signal.step * np.round(broken[rows] / signal.step)
    return broken


def changed(
    x: Floats,
    kind: str,
    rows: slice,
    cycle: int,
    noise: float,
    scales: Scales,
    rng: np.random.Generator,
) -> Floats:
    """Return the faulty rows alone."""
    sign, length = rng.choice([-1, 1]), rows.stop - rows.start
    simple: dict[str, Callable[[], Floats]] = {
        "spike": lambda: x[rows] + sign * rng.uniform(1, 1.15) * scales.spike,
        "shift": lambda: x[rows] + sign * 5 * scales.spread,
        "stuck": lambda: np.full(length, x[rows.start]),
        "noise": lambda: x[rows] + 4 * noise * rng.normal(size=length),
        "drift": lambda: x[rows] + sign * 6 * scales.spread * np.linspace(0, 1, length),
        "dropout": lambda: np.full(length, scales.bottom),
        "decoupled": lambda: moved(x, rows, (cycle or 13) * int(rng.integers(3, 10))),
        "flat": lambda: level(x, rows, cycle) + noise * rng.normal(size=length),
        "phase": lambda: moved(x, rows, int(rng.uniform(0.33, 0.5) * cycle)),
        "amplitude": lambda: around(x, rows, cycle, rng.choice([0.5, 2.0])),
        "speed": lambda: paced(x, rows, rng.choice([0.5, 2.0])),
    }
    return simple[kind]()


def moved(x: Floats, rows: slice, by: int) -> Floats:
    return x[rows.start + by : rows.stop + by]


def level(x: Floats, rows: slice, cycle: int) -> Floats:
    """The mean over the cycles of a fault, whole ones."""
    return np.full(rows.stop - rows.start, x[rows.start : rows.start + cycle].mean())


def around(x: Floats, rows: slice, cycle: int, factor: float) -> Floats:
    mean = level(x, rows, cycle)
    return mean + factor * (x[rows] - mean)


def paced(x: Floats, rows: slice, factor: float) -> Floats:
    t = rows.start + factor * np.arange(rows.stop - rows.start)
    return np.interp(t, np.arange(len(x)), x)
