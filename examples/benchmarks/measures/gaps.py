"""Errors of filled gaps, and how often an interval of 90 % holds the value.

Every method is fitted on the recording with the gaps, and fills these. Errors are root mean
squares over all hidden values.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer

from sktspulse import TSPulseImputer

from .faults import complete
from .recordings import Floats, Signal

Flags = NDArray[np.bool_]
Row = dict[str, object]
Filled = tuple[Floats, Floats | None]  # values, and their standard deviation
Fill = Callable[[Floats, Signal], Filled]

OURS, ALONE, LINE, NAIVE = "TSPulseImputer", "network alone", "line", "seasonal naive"
BASES = (ALONE, LINE, NAIVE)
NINE_IN_TEN = 1.645  # standard deviations
COLUMNS = ("signal", "gap", "method", "hidden", "error", "step", "covered", "code")


def points(n: int, rng: np.random.Generator) -> Flags:
    """Every twentieth reading."""
    return rng.random(n) < 0.05


def blocks(n_blocks: int, least: int, most: int) -> Callable[[int, np.random.Generator], Flags]:
    """Blocks in places of their own, so that they never meet."""

    def draw(n: int, rng: np.random.Generator) -> Flags:
        hidden, room = np.zeros(n, bool), n // n_blocks
        for i in range(n_blocks):
            length = int(rng.integers(least, most + 1))
            start = i * room + int(rng.integers(10, room - length - 10))
            hidden[start : start + length] = True
        return hidden

    return draw


def at_edge(length: int, end: bool) -> Callable[[int, np.random.Generator], Flags]:
    def draw(n: int, rng: np.random.Generator) -> Flags:
        hidden = np.arange(n) < length
        return hidden[::-1] if end else hidden

    return draw


def every_second(n: int, rng: np.random.Generator) -> Flags:
    return np.arange(n) % 2 == 1


def half(n: int, rng: np.random.Generator) -> Flags:
    return rng.random(n) < 0.5


GAPS: dict[str, Callable[[int, np.random.Generator], Flags]] = {
    "single points": points,
    "6 to 24 rows": blocks(10, 6, 24),
    "100 rows": blocks(3, 100, 100),
    "600 rows": blocks(1, 600, 600),
    "first 200 rows": at_edge(200, end=False),
    "last 200 rows": at_edge(200, end=True),
    "every second row": every_second,
    "half of the rows": half,
}


def measure(signal: Signal, method: str, seed: int, quick: bool) -> Iterator[Row]:
    """Yield one row a kind of gap."""
    rng = np.random.default_rng([seed, 3])
    truth = signal.fit
    for gap in GAPS:
        hidden = hide(truth, signal, gap, rng)
        if (~hidden & ~np.isnan(truth)).sum(axis=0).min() < len(truth) // 4:
            continue
        filled = METHODS[method](np.where(hidden, np.nan, truth), signal)
        if filled is None:
            continue
        values, deviations = filled
        off = np.abs(values - truth)[hidden]
        row: Row = {"signal": signal.name, "gap": gap, "method": method, "hidden": len(off)}
        row["error"] = f"{np.sqrt(np.mean(np.square(off))):.5g}"
        row["step"] = f"{np.nanstd(np.diff(truth[:, signal.channel])):.5g}"
        if deviations is not None:
            row["covered"] = int((off <= NINE_IN_TEN * deviations[hidden]).sum())
        yield row


def hide(truth: Floats, signal: Signal, gap: str, rng: np.random.Generator) -> Flags:
    """Hide known values of the channel that faults are put into; each of coupled ones by itself."""
    hidden = np.zeros(truth.shape, bool)
    channels = range(truth.shape[1]) if signal.channel == 0 else [signal.channel]
    for channel in channels:
        hidden[:, channel] = GAPS[gap](len(truth), rng)
    return hidden & ~np.isnan(truth)


def ours(values: Floats, signal: Signal) -> Filled:
    imputer = TSPulseImputer(device="cpu", random_state=0).fit(values)
    filled, deviations = imputer.transform(values, return_std=True)
    return filled, deviations


def alone(values: Floats, signal: Signal) -> Filled:
    return TSPulseImputer(blend=False, device="cpu", random_state=0).fit_transform(values), None


def line(values: Floats, signal: Signal) -> Filled:
    """Interpolate in time; the first and the last known value go on beyond them."""
    return complete(values), None


def naive(values: Floats, signal: Signal) -> Filled | None:
    """Average the nearest known values of the same phase before and after; the period is given."""
    if not signal.period:
        return None
    filled = values.copy()
    for phase in range(signal.period):
        same = values[phase :: signal.period]
        filled[phase :: signal.period] = np.where(np.isnan(same), neighbours(same), same)
    return complete(filled), None


def neighbours(same: Floats) -> Floats:
    """Return the mean of the last and the next known value; the one that there is at the ends."""
    n = len(same)
    t, known = np.arange(n)[:, None], ~np.isnan(same)
    before = np.maximum.accumulate(np.where(known, t, -1), axis=0)
    after = np.minimum.accumulate(np.where(known, t, n)[::-1], axis=0)[::-1]
    last = np.where(before >= 0, np.take_along_axis(same, before.clip(0), axis=0), np.nan)
    following = np.where(after < n, np.take_along_axis(same, after.clip(max=n - 1), axis=0), np.nan)
    last, following = (
        np.where(np.isnan(last), following, last),
        np.where(np.isnan(following), last, following),
    )
    return (last + following) / 2


def folded(make: Callable[[], KNNImputer | IterativeImputer]) -> Fill:
    """Fill a table with a row for every period, as such imputers know columns and no time."""

    def fill(values: Floats, signal: Signal) -> Filled:
        width = signal.period if 0 < signal.period <= 168 else 24
        lacking = -len(values) % width
        padded = np.pad(values, ((0, lacking), (0, 0)), constant_values=np.nan)
        center, scale = np.nanmean(values, axis=0), np.nanstd(values, axis=0) + 1e-12
        table = ((padded - center) / scale).reshape(len(padded) // width, -1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            filled = make().fit_transform(table).reshape(padded.shape)
        return np.where(np.isnan(values), center + scale * filled[: len(values)], values), None

    return fill


METHODS: dict[str, Callable[[Floats, Signal], Filled | None]] = {
    OURS: ours,
    ALONE: alone,
    LINE: line,
    NAIVE: naive,
    "KNNImputer": folded(lambda: KNNImputer(keep_empty_features=True)),
    "IterativeImputer": folded(
        lambda: IterativeImputer(
            max_iter=3, n_nearest_features=8, keep_empty_features=True, random_state=0
        )
    ),
}
OWN = (OURS, ALONE)
