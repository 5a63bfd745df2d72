"""Recordings for the benchmark of everyday situations: made signals, and excerpts of the corpus.

A signal is drawn from a seed: its amplitude, noise, phase, unit and offset differ from seed to
seed, so a method that was chosen on some seeds meets other numbers on the others. Time is in rows;
most signals are hourly, with a cycle of 24 rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Floats = NDArray[np.float64]
Make = Callable[[np.random.Generator, int], Floats]

DAY, WEEK, MINUTES = 24, 168, 1440
SPARE = 3000  # rows after the longest test, which faults borrow values from
UNITS = (1e-3, 1.0, 1.0, 1e3)


@dataclass(frozen=True)
class Signal:
    """A recording, and what is known of the process behind it."""

    name: str
    values: Floats  # (n_timepoints, n_channels)
    n_fit: int = 3000
    period: int = 0  # rows after which it repeats; 0 if it does not
    cycle: int = 0  # rows of the cycle that faults change; the period, but for a week of days
    channel: int = 0  # the one that faults are put into
    step: float = 0.0  # of the quantised values
    is_sum: bool = False  # a counter
    real: bool = False
    no_faults: Mapping[str, str] = field(default_factory=dict)  # kind: why it is none here

    @property
    def fit(self) -> Floats:
        return self.values[: self.n_fit]

    @property
    def test(self) -> Floats:
        """The rows after those of ``fit``, with the spare ones."""
        return self.values[self.n_fit :]

    @property
    def scale(self) -> int:
        """Rows to an hour, roughly: faults of a signal with a long cycle last longer."""
        return max(self.period // 288, 1)


def daily(t: Floats, period: int, rng: np.random.Generator) -> Floats:
    """A cycle of two harmonics with random phases, of amplitude about one."""
    first, second = rng.uniform(0, 2 * np.pi, 2)
    angle = 2 * np.pi * t / period
    return np.sin(angle + first) + rng.uniform(0, 0.4) * np.sin(2 * angle + second)


def autoregressive(rng: np.random.Generator, n: int, memory: float) -> Floats:
    """A first-order process of variance one."""
    steps = rng.normal(size=n + 1000) * np.sqrt(1 - memory**2)
    return lfilter([1.0], [1.0, -memory], steps)[1000:]


def seasonal(rng: np.random.Generator, n: int) -> Floats:
    noise = rng.uniform(0.08, 0.15)
    return 4 + daily(np.arange(n), DAY, rng) + noise * rng.normal(size=n)


def two_seasons(rng: np.random.Generator, n: int) -> Floats:
    """Load of a building: busy on five days of seven."""
    t = np.arange(n) + rng.integers(WEEK)
    height = np.where(t // DAY % 7 < 5, rng.uniform(2, 4), rng.uniform(0.2, 0.6))
    open_hours = np.clip(np.sin(2 * np.pi * (t % DAY - 6) / DAY), 0, None)
    return 1 + height * open_hours + 0.1 * rng.normal(size=n)


def minutely(rng: np.random.Generator, n: int) -> Floats:
    return 4 + daily(np.arange(n), MINUTES, rng) + rng.uniform(0.03, 0.08) * rng.normal(size=n)


def half_degrees(period: int) -> Make:
    def make(rng: np.random.Generator, n: int) -> Floats:
        wave = rng.uniform(3, 6) * daily(np.arange(n), period, rng)
        return np.round(2 * (20 + wave + 0.1 * rng.normal(size=n))) / 2

    return make


def counter(rng: np.random.Generator, n: int) -> Floats:
    """A meter that counts up by what is used in each hour."""
    use = 0.5 + 0.4 * daily(np.arange(n), DAY, rng) + 0.15 * rng.normal(size=n)
    return rng.uniform(1e2, 1e4) + use.clip(0).cumsum()


def switched(rng: np.random.Generator, n: int) -> Floats:
    """A command, and a temperature that answers to it."""
    lengths = rng.integers(6, 48, size=n // 6 + 2)
    command = np.repeat(np.arange(len(lengths)) % 2, lengths)[:n].astype(float)
    memory = rng.uniform(0.6, 0.8)
    answer = lfilter([1 - memory], [1, -memory], command)
    return np.stack([command, 20 + 8 * answer + 0.3 * rng.normal(size=n)], axis=1)


def random_walk(rng: np.random.Generator, n: int) -> Floats:
    return 100 + rng.normal(size=n).cumsum()


def white(rng: np.random.Generator, n: int) -> Floats:
    return 10 + rng.normal(size=n)


def rain(rng: np.random.Generator, n: int) -> Floats:
    """Mostly zero; wet hours come in spells."""
    wet = autoregressive(rng, n, 0.85) > rng.uniform(1.2, 1.5)
    return np.round(wet * rng.gamma(1.2, 1.5, size=n), 1)


def trend(rng: np.random.Generator, n: int) -> Floats:
    t = np.arange(n)
    slope = rng.choice([-1, 1]) * rng.uniform(0.7, 1.3) / 3000
    return 40 + slope * t + daily(t, DAY, rng) + 0.12 * rng.normal(size=n)


def coupled(rng: np.random.Generator, n: int) -> Floats:
    """Three sensors of one state."""
    state = daily(np.arange(n), DAY, rng) + 0.3 * autoregressive(rng, n, 0.7)
    gains = np.array([5, 10, -8]) * rng.uniform(0.7, 1.3, 3)
    return np.array([20, 50, 100]) + state[:, None] * gains + 0.3 * rng.normal(size=(n, 3))


def heavy_tails(rng: np.random.Generator, n: int) -> Floats:
    return 4 + daily(np.arange(n), DAY, rng) + 0.1 * rng.standard_t(3, size=n)


def slow(rng: np.random.Generator, n: int) -> Floats:
    return 50 + 3 * autoregressive(rng, n, rng.uniform(0.95, 0.98))


def uneven_noise(rng: np.random.Generator, n: int) -> Floats:
    """Noise that is three times as large by day as by night."""
    t = np.arange(n)
    height = 0.05 + 0.1 * (1 + np.sin(2 * np.pi * t / DAY + rng.uniform(0, 6)))
    return 4 + daily(t, DAY, rng) + height * rng.normal(size=n)


def solar(rng: np.random.Generator, n: int) -> Floats:
    """Nothing by night, and never below zero."""
    t = np.arange(n)
    height = np.clip(np.sin(2 * np.pi * (t % DAY - 6) / DAY), 0, None)
    clouds = 1 - 0.5 / (1 + np.exp(-2 * autoregressive(rng, n, 0.9)))
    return 800 * height * clouds


class Law(NamedTuple):
    """How a made signal comes about."""

    make: Make
    period: int = 0
    n_fit: int = 3000
    cycle: int = 0
    channel: int = 0
    step: float = 0.0
    is_sum: bool = False
    no_faults: Mapping[str, str] = MappingProxyType({})


WANDERS = "the level wanders by as much by itself"
APERIODIC = dict.fromkeys(("flat", "phase", "amplitude", "speed"), "there is no cycle")
ALONE = {"decoupled": "there is one channel"}
MADE = {
    "seasonal": Law(seasonal, DAY, no_faults=ALONE),
    "two seasons": Law(two_seasons, WEEK, cycle=DAY, no_faults=ALONE),
    "minutes": Law(minutely, MINUTES, 7 * MINUTES, no_faults=ALONE),
    "half degrees, hours": Law(half_degrees(DAY), DAY, step=0.5, no_faults=ALONE),
    "half degrees, minutes": Law(
        half_degrees(MINUTES), MINUTES, 7 * MINUTES, step=0.5, no_faults=ALONE
    ),
    "counter": Law(counter, DAY, is_sum=True, no_faults=ALONE),
    "switch and sensor": Law(switched, channel=1, no_faults=APERIODIC),
    "random walk": Law(
        random_walk, no_faults=APERIODIC | ALONE | dict.fromkeys(("shift", "drift"), WANDERS)
    ),
    "white noise": Law(white, no_faults=APERIODIC | ALONE),
    "rain": Law(
        rain, step=0.1, no_faults=APERIODIC | ALONE | {"noise": "wet hours look like that"}
    ),
    "trend": Law(trend, DAY, no_faults=ALONE),
    "coupled": Law(coupled, DAY),
    "heavy tails": Law(heavy_tails, DAY, no_faults=ALONE),
    "slow": Law(slow, no_faults=APERIODIC | ALONE),
    "uneven noise": Law(uneven_noise, DAY, no_faults=ALONE),
    "solar": Law(solar, DAY, no_faults=ALONE | {"amplitude": "clouds halve a day as well"}),
}


class Excerpt:
    """Where to find a real recording in ``corpus-3.npz``."""

    def __init__(self, period: int, choose: tuple[int, int], report: tuple[int, int]) -> None:
        self.period = period
        self.places = {"choose": choose, "report": report}  # series, first row


REAL = {
    "electricity meter": Excerpt(DAY, (1598, 0), (1606, 0)),
    "air temperature": Excerpt(DAY, (1597, 0), (1595, 0)),
    "solar power": Excerpt(48, (2361, 0), (2351, 0)),
    "water network": Excerpt(288, (2580, 0), (2595, 0)),
    "wind": Excerpt(0, (2635, 0), (2661, 0)),
    "road traffic": Excerpt(288, (2524, 0), (2552, 0)),
    "glucose": Excerpt(288, (1244, 0), (1244, 16000)),
    "grid load": Excerpt(96, (1251, 0), (1281, 0)),
}
N_REAL = 13_000  # rows of an excerpt, at most


def made(name: str, seed: int, n_test: int) -> Signal:
    """Draw a signal; ``n_test`` rows and spare ones follow those of ``fit``."""
    law = MADE[name]
    rng = np.random.default_rng([seed, list(MADE).index(name)])
    values = law.make(rng, law.n_fit + n_test + SPARE)
    unit = rng.choice(UNITS)
    return Signal(
        name,
        unit * (values[:, None] if values.ndim == 1 else values),
        law.n_fit,
        law.period,
        law.cycle or law.period,
        law.channel,
        unit * law.step,
        law.is_sum,
        no_faults=law.no_faults,
    )


def excerpts(data: Path, seeds: str) -> Iterator[Signal]:
    """Yield the real recordings, if the corpus is there."""
    path = data / "pretrain" / "corpus-3.npz"
    if not path.exists():
        return
    with np.load(path) as corpus:
        values, offsets = corpus["values"], corpus["offsets"]
    for name, one in REAL.items():
        series, first = one.places[seeds]
        start, end = offsets[series : series + 2]
        recording = values[start:end][first : first + N_REAL].astype(float)
        n_fit = min(3000, len(recording) // 2)
        none = ALONE if one.period else ALONE | APERIODIC
        yield Signal(
            name, recording[:, None], n_fit, one.period, one.period, real=True, no_faults=none
        )
