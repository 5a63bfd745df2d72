"""False alarms on clean rows, and faults found, at the threshold a detector comes with.

Every method is fitted on the first rows of a signal and flags rows of the others. The methods
beside the package's raise an alarm above the 0.999 quantile of their own scores in ``fit``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.ensemble import IsolationForest

from sktspulse import TSPulseAnomalyDetector

from .faults import CONDITIONS, KINDS, Fault, break_once, complete, lose, scales, wild
from .recordings import Floats, Signal

Flags = NDArray[np.bool_]
Row = dict[str, object]
Flag = Callable[[Floats, int], Flags]  # rows, and the number of the first since those of fit
Score = Callable[[Floats, int], Floats]  # high where anomalous
Fit = Callable[[Floats, Signal], Flag]

OURS = "TSPulseAnomalyDetector"
PIECES = {24: 6, 48: 5, 168: 4, 1000: 2, 3000: 1, 20_000: 1}  # length: recordings
QUICK_PIECES = {24: 8, 168: 4, 3000: 1}
LONGEST_WILD = 3000  # rows of a recording with a wild value
WILD_IN_FIT = "wild value in fit"
SHORT, SHORT_OF_MINUTES = 168, 1000  # rows of recordings with one fault
APART = 1000  # rows between two faults
COVERS = 0.4  # of a recording: a fault that lasts longer is left out
QUANTILE = 0.999
N_CLUSTERS = 20
COLUMNS = (
    "signal",
    "length",
    "condition",
    "fault",
    "method",
    "rows",
    "alarmed",
    "changed",
    "faults",
    "found",
    "fault_rows",
    "fault_rows_alarmed",
    "delay",
    "code",
)


@dataclass
class Case:
    """Rows to score, and what is in them."""

    length: int
    condition: str
    values: Floats
    first: int  # row of the signal's test
    truth: Floats  # the same rows without losses
    faults: tuple[Fault, ...] = ()


def cases(signal: Signal, seed: int, quick: bool) -> Iterator[Case]:
    """Yield what is scored after an ordinary fit."""
    rng = np.random.default_rng([seed, 1])
    for length, n_pieces in (QUICK_PIECES if quick else PIECES).items():
        for first in places(len(signal.test) - spare(signal), length, n_pieces):
            rows = signal.test[first : first + length]
            for condition in CONDITIONS if length <= LONGEST_WILD else CONDITIONS[:-1]:
                yield Case(length, condition, lose(signal, rows, condition, rng), first, rows)
    if not quick:
        yield from short_cases(signal, SHORT_OF_MINUTES if signal.scale > 1 else SHORT, rng)
    for condition in ("clean",) if quick else ("clean", "half missing", "wild value"):
        yield from long_case(signal, condition, rng)


def places(n_rows: int, length: int, n_pieces: int) -> list[int]:
    """Return first rows of as many pieces as fit, evenly spread."""
    n_pieces = min(n_pieces, n_rows // length)
    return [int(first) for first in np.linspace(0, n_rows - length, n_pieces)]


def spare(signal: Signal) -> int:
    return min(2 * signal.cycle + 300, len(signal.test) // 3)


def short_cases(signal: Signal, length: int, rng: np.random.Generator) -> Iterator[Case]:
    """Yield recordings with one fault each."""
    sizes, last = scales(signal), len(signal.test) - length - spare(signal)
    for kind in KINDS:
        if last <= 0:
            return
        first = int(rng.integers(last))
        span = first + length // 8, first + length // 2
        if made := break_once(signal, kind, span, sizes, rng):
            values, fault = made
            if fault.stop - fault.start <= COVERS * length:
                rows = slice(first, first + length)
                inside = Fault(kind, fault.start - first, fault.stop - first)
                yield Case(length, "clean", values[rows], first, values[rows], (inside,))


def long_case(signal: Signal, condition: str, rng: np.random.Generator) -> Iterator[Case]:
    """Yield one recording with all kinds of faults, in any order, 1,000 rows apart."""
    sizes, values, faults, end = scales(signal), signal.test.copy(), [], 0
    for kind in rng.permutation(KINDS):
        start = end + APART
        if made := break_once(signal, str(kind), (start, start + APART // 5), sizes, rng):
            broken, fault = made
            values, end = joined(signal, values, broken, fault), fault.stop
            faults.append(fault)
    if faults:
        n_rows = min(end + APART, len(values))
        truth = values[:n_rows]
        lost = lose(signal, truth, condition, rng)
        yield Case(n_rows, condition, lost, 0, truth, tuple(faults))


def joined(signal: Signal, values: Floats, broken: Floats, fault: Fault) -> Floats:
    """Put one more fault into a recording; a counter goes on from where the fault left it."""
    values, rows = values.copy(), slice(fault.start, fault.stop)
    offset = values[fault.start - 1] - signal.test[fault.start - 1] if signal.is_sum else 0.0
    values[rows] = broken[rows] + offset
    if signal.is_sum:
        values[fault.stop :] = broken[fault.stop :] + offset
    return values


def measure(signal: Signal, method: str, seed: int, quick: bool) -> list[Row]:
    """Fit a method and count its alarms, one row for length, condition and kind of fault."""
    flag, table, clean = METHODS[method](signal.fit, signal), Counts(), {}
    everything = list(cases(signal, seed, quick))
    for case in everything:
        flags = flag(case.values, signal.n_fit + case.first)
        if not case.faults and case.condition == "clean":
            clean[case.length, case.first] = flags
        table.add(case, flags, clean.get((case.length, case.first)))
    longest = max((key for key in clean if key[0] <= 3000), default=None)
    again = fitted_on_wild(signal, method, seed)
    for case in everything:
        same = not case.faults and (case.length, case.first) == longest
        if case.condition == "clean" and (same or (is_long(case) and not quick)):
            case.condition = WILD_IN_FIT
            reference = clean[longest] if same and longest else None
            table.add(case, again(case.values, signal.n_fit + case.first), reference)
    return [{"signal": signal.name, **row, "method": method} for row in table.rows()]


def is_long(case: Case) -> bool:
    return bool(case.faults) and case.length > APART


def fitted_on_wild(signal: Signal, method: str, seed: int) -> Flag:
    """Fit with one wild reading."""
    rng = np.random.default_rng([seed, 2])
    values, row = signal.fit.copy(), int(rng.integers(signal.n_fit))
    values[row, signal.channel] = wild(signal.fit[:, signal.channel], rng)
    return METHODS[method](values, signal)


class Counts:
    """What was flagged, added up over recordings of a length, a condition and a kind of fault."""

    def __init__(self) -> None:
        self.sums: dict[tuple[str, str, str], dict[str, float]] = {}

    def add(self, case: Case, flags: Flags, reference: Flags | None) -> None:
        known = ~np.isnan(case.values).all(axis=1)
        if case.condition == "wild value":  # the wild reading itself is an anomaly
            known &= ((case.values == case.truth) | np.isnan(case.truth)).all(axis=1)
        if not case.faults:
            different = 0 if reference is None else (flags != reference)[known].sum()
            self._add(case, "none", rows=known.sum(), alarmed=flags[known].sum(), changed=different)
        for fault, territory in zip(case.faults, territories(case), strict=True):
            rows, around = slice(fault.start, fault.stop), np.zeros(len(flags), bool)
            around[territory] = True
            hits = flags[rows] & known[rows]
            around &= known
            around[rows] = False
            if known[rows].any():
                self._add(
                    case,
                    fault.kind,
                    rows=around.sum(),
                    alarmed=flags[around].sum(),
                    faults=1,
                    found=hits.any(),
                    fault_rows=known[rows].sum(),
                    fault_rows_alarmed=hits.sum(),
                    delay=hits.argmax(),
                )

    def _add(self, case: Case, fault: str, **numbers: float) -> None:
        length = "long" if is_long(case) else str(case.length)
        sums = self.sums.setdefault((length, case.condition, fault), {})
        for name, number in numbers.items():
            sums[name] = sums.get(name, 0) + number

    def rows(self) -> Iterator[Row]:
        for (length, condition, fault), sums in self.sums.items():
            numbers = {name: int(number) for name, number in sums.items() if number}
            yield {"length": length, "condition": condition, "fault": fault} | numbers


def territories(case: Case) -> list[slice]:
    """Cut a recording half way between neighbouring faults."""
    if not case.faults:
        return []
    ends = ((one.stop + other.start) // 2 for one, other in pairwise(case.faults))
    return [slice(a, b) for a, b in pairwise([0, *ends, len(case.values)])]


def ours(fit: Floats, signal: Signal) -> Flag:
    detector = TSPulseAnomalyDetector(device="cpu").fit(fit)
    return lambda values, first: detector.predict(values) == -1


def above(quantile: float) -> Callable[[Callable[[Floats, Signal], Score]], Fit]:
    """Turn scores into alarms above a quantile of those of ``fit``."""

    def decorate(make: Callable[[Floats, Signal], Score]) -> Fit:
        def fitted(fit: Floats, signal: Signal) -> Flag:
            score = make(fit, signal)
            threshold = np.quantile(score(complete(fit), 0), quantile)
            usual = np.nan_to_num(np.nanmedian(fit, axis=0))

            def flag(values: Floats, first: int) -> Flags:
                filled = complete(values)
                return score(np.where(np.isnan(filled), usual, filled), first) > threshold

            return flag

        return fitted

    return decorate


@above(QUANTILE)
def forest(fit: Floats, signal: Signal) -> Score:
    model = IsolationForest(random_state=0).fit(complete(fit))
    return lambda values, first: -model.score_samples(values)


@above(QUANTILE)
def robust_z(fit: Floats, signal: Signal) -> Score:
    """Return distances from the median, in median absolute deviations."""
    center = np.nanmedian(fit, axis=0)
    width = spread_of(np.abs(fit - center))
    return lambda values, first: (np.abs(values - center) / width).max(axis=1)


def spread_of(distances: Floats) -> Floats:
    """Return medians of every channel, or means where more than half of them are zero."""
    medians, means = np.nanmedian(distances, axis=0), np.nanmean(distances, axis=0)
    return np.where(medians > 0, medians, np.where(means > 0, means, 1.0))


@above(QUANTILE)
def seasonal_z(fit: Floats, signal: Signal) -> Score:
    """Return robust distances from the median of the phase; period and phase are given."""
    period = signal.period or 1
    center = np.array([np.nanmedian(fit[phase::period], axis=0) for phase in range(period)])
    width = spread_of(np.abs(fit - center[np.arange(len(fit)) % period]))

    def score(values: Floats, first: int) -> Floats:
        phase = (first + np.arange(len(values))) % period
        return (np.abs(values - center[phase]) / width).max(axis=1)

    return score


@above(QUANTILE)
def clusters(fit: Floats, signal: Signal) -> Score:
    """Return mean distances of the windows over a row from the nearest of 20 centers (KMeansAD)."""
    length = min(signal.period or 24, 96)
    center, width = np.nanmean(fit, axis=0), np.nanstd(fit, axis=0)

    def windows(values: Floats) -> Floats:
        values = (values - center) / np.where(width > 0, width, 1)
        lacking = max(length - len(values), 0)
        values = np.pad(values, ((0, lacking), (0, 0)), mode="edge")
        views = np.lib.stride_tricks.sliding_window_view(values, length, axis=0)
        return views.reshape(len(views), -1)

    model = KMeans(N_CLUSTERS, n_init=1, random_state=0).fit(windows(complete(fit)))

    def score(values: Floats, first: int) -> Floats:
        distances = model.transform(windows(values)).min(axis=1)
        sums = np.convolve(distances, np.ones(length))
        return (sums / np.convolve(np.ones(len(distances)), np.ones(length)))[: len(values)]

    return score


OWN = (OURS,)
METHODS: dict[str, Fit] = {
    OURS: ours,
    "isolation forest": forest,
    "robust z-score": robust_z,
    "z-score on the profile": seasonal_z,
    "KMeansAD": clusters,
}
