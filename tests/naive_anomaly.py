"""The scores of the anomaly detector, written as loops over points."""

from __future__ import annotations

from statistics import median, median_high, median_low

import numpy as np
import torch

N_PASSES, STRIDE, LENGTH, PATCH, STEP = 8, 63, 512, 8, 16


def hidden_errors(network, series: np.ndarray) -> np.ndarray:
    """Average the squared errors at hidden points over windows: ``(2, n_timepoints)``."""
    short = max(0, LENGTH - len(series))
    padded = [np.nan] * short + list(series)
    starts = [*range(0, len(padded) - LENGTH, STRIDE), len(padded) - LENGTH]
    found = [[[] for _ in padded] for _ in range(2)]
    for start in starts:
        window = np.array(padded[start : start + LENGTH])
        for turn in range(N_PASSES):
            shown = window.copy()
            for patch in range(turn, LENGTH // PATCH, N_PASSES):
                shown[patch * PATCH : (patch + 1) * PATCH] = np.nan
            guesses = predict(network, shown, ("time", "frequency"))
            for t in range(LENGTH):
                if (t // PATCH) % N_PASSES == turn and not np.isnan(window[t]):
                    for head in range(2):
                        found[head][start + t].append((guesses[head][t] - window[t]) ** 2)
    means = [[np.mean(one) if one else np.nan for one in head] for head in found]
    return np.array(means)[:, short:]


def averages(series: np.ndarray, n: int) -> np.ndarray:
    """Average the known among every ``n`` points."""
    groups = [series[start : start + n] for start in range(0, len(series), n)]
    known = [group[~np.isnan(group)] for group in groups]
    return np.array([one.mean() if len(one) else np.nan for one in known])


def forecast_errors(network, series: np.ndarray) -> np.ndarray:
    """Square the errors of forecasts, of the first points backwards: ``(n_timepoints,)``."""
    turn = min(LENGTH, len(series) // 2)
    errors = np.full(len(series), np.nan)
    for t in range(turn, len(series), STEP):
        past = [series[i] if i >= 0 else np.nan for i in range(t - LENGTH, t)]
        (guess,) = predict(network, np.array(past), ("forecast",))
        for k in range(t, min(t + STEP, len(series))):
            errors[k] = (guess[k - t] - series[k]) ** 2
    for t in range(turn - 1, -1, -STEP):
        later = [series[i] if i < len(series) else np.nan for i in range(t + LENGTH, t, -1)]
        (guess,) = predict(network, np.array(later), ("forecast",))
        for k in range(t, max(t - STEP, -1), -1):
            errors[k] = (guess[t - k] - series[k]) ** 2
    return errors


def predict(network, window: np.ndarray, heads: tuple[str, ...]) -> list[np.ndarray]:
    """Run one window, brought to mean 0 and variance 1 and back."""
    if np.isfinite(window).sum() < PATCH:
        return [np.full(LENGTH, np.nan)] * len(heads)
    loc, scale = np.nanmean(window), np.nanstd(window)
    x = torch.tensor((window - loc) / scale, dtype=torch.float32)[None, None]
    with torch.inference_mode():
        prediction = network(x.nan_to_num(), ~x.isnan())
    return [prediction.in_units(head)[0, 0].double().numpy() * scale + loc for head in heads]


def causal_errors(network, series: np.ndarray) -> np.ndarray:
    """Square the errors at points hidden from the window that ends with their block of 64."""
    errors = np.full((2, len(series)), np.nan)
    for first in range(0, len(series), 64):
        end = min(first + 64, len(series))
        window = np.array([series[t] if t >= 0 else np.nan for t in range(end - LENGTH, end)])
        for turn in range(N_PASSES):
            hidden = [(place // PATCH) % N_PASSES == turn for place in range(LENGTH)]
            guesses = predict(network, np.where(hidden, np.nan, window), ("time", "frequency"))
            for place in range(LENGTH - (end - first), LENGTH):
                if hidden[place]:
                    misses = [(guess[place] - window[place]) ** 2 for guess in guesses]
                    errors[:, end - LENGTH + place] = misses
    return errors


class NoNetwork:
    """Stands in for the errors of the network: none, or those given by a function."""

    is_causal, length = False, LENGTH

    def __init__(self, compute=lambda series, shown: {}):
        self.compute = compute

    def fit_context(self, series):
        return None, None

    def __call__(self, series, shown=None, context=(None, None)):
        return self.compute(series, shown)


def block_medians(signal: np.ndarray, length: int, trailing: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper medians of the means of blocks of known values."""
    size = max(1, length // 8)
    length = length // size * size
    known = [t for t, value in enumerate(signal) if not np.isnan(value)]
    low, high = np.full((2, len(signal)), np.nan)
    for number, t in enumerate(known):
        start = number - length + 1
        if not trailing:
            start = min(max(number - length // 2, 0), len(known) - length)
        window = known[start : start + length]
        if start < 0 or window[-1] - window[0] >= 4 * length:
            continue
        blocks = [window[first : first + size] for first in range(0, length, size)]
        means = [float(np.mean([signal[i] for i in block])) for block in blocks]
        low[t], high[t] = median_low(means), median_high(means)
    return low, high


def step_squares(values: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return the smaller squared step from the last two known values, as if over one point."""
    found = np.full(len(values), np.nan)
    known: list[int] = []
    for t, value in enumerate(values):
        if np.isnan(value):
            continue
        near = [before for before in known[-2:] if t - before <= len(squares)]
        steps = [(value - values[b]) ** 2 * squares[0] / squares[t - b - 1] for b in near]
        found[t] = min(steps, default=np.nan)
        known.append(t)
    return found


def peak_level(values: np.ndarray, rate: float) -> float:
    """Return the level that peaks exceed at a rate per point, from the peaks of 20 parts."""
    n_parts = min(max(len(values) // 8, 1), 20)
    size = len(values) // n_parts
    peaks = []
    for part in range(n_parts):
        known = [v for v in values[part * size : (part + 1) * size] if not np.isnan(v)]
        peaks += [max(known)] if known else []
    if not peaks:
        return 0.0
    middle, upper = np.quantile(peaks, 0.5), np.quantile(peaks, 0.75)
    spread = (upper - middle) / (np.log(np.log(2)) - np.log(np.log(4 / 3)))
    level = float(middle + spread * (np.log(np.log(2)) - np.log(rate * size)))
    return max(level, sorted(peaks)[17]) if len(peaks) == 20 else level


def without_what_persists(scores: np.ndarray) -> np.ndarray:
    """Lower scores to 1 that are no more than 2.5 times the geometric mean of the last 512."""
    found = []
    for t, score in enumerate(scores):
        recent = [max(0.3, scores[i]) if i >= 0 else 0.3 for i in range(t - 511, t + 1)]
        stands_out = score > 2.5 * np.exp(np.mean(np.log(recent)))
        found.append(score if stands_out else min(score, 1.0))
    return np.array(found)


def best_shift(found: np.ndarray, profile: np.ndarray) -> int:
    """Return the shift of a profile that fits one with gaps best."""
    period, costs = len(profile), []
    for shift in range(period):
        pairs = [(found[i], profile[(i + shift) % period]) for i in range(period)]
        costs.append(sum((one - other) ** 2 for one, other in pairs if not np.isnan(one)))
    return int(np.argmin(costs))


def error_from_known(
    covariance: np.ndarray, ridge: float, point: np.ndarray, channel: int
) -> float:
    """Square the error of one channel by a ridge regression on those known at one point.

    It is scaled to the mean squared error with all of them.
    """
    moments = covariance - ridge * np.eye(len(covariance))

    def regress(others: list[int]) -> tuple[np.ndarray, float]:
        weights = np.zeros(len(point))
        weights[channel] = 1
        joint = covariance[others, channel]
        weights[others] = -np.linalg.solve(covariance[np.ix_(others, others)], joint)
        return weights, weights @ moments @ weights

    if np.isnan(point[channel]):
        return np.nan
    rest = [other for other in range(len(point)) if other != channel]
    weights, mean = regress([other for other in rest if not np.isnan(point[other])])
    return (weights @ np.nan_to_num(point)) ** 2 * regress(rest)[1] / mean


def with_neighbours(scores: np.ndarray, unusual: np.ndarray, trailing: bool) -> np.ndarray:
    """Replace scores up to 1 by how unusual the points around or before are."""
    lifted = []
    for t, score in enumerate(scores):
        means = []
        for n in (8, 32, 96, 256):
            start = t - n + 1 if trailing else t - n // 2
            inside = [i for i in range(start, start + n) if 0 <= i < len(scores)]
            means.append(sum(min(unusual[i], 300) ** 2 for i in inside) / n)
        evidence = sum(means) / 4
        lifted.append(score if score > 1 else evidence / (1 + evidence))
    return np.array(lifted)


def ridge_errors(scaled: np.ndarray, channel: int) -> np.ndarray:
    """Square the errors of a ridge regression of one channel on the others."""
    others = np.delete(scaled, channel, axis=0).T
    ridge = max(0.005, len(scaled) / len(others))
    extra = np.sqrt(ridge * len(others)) * np.eye(others.shape[1])
    target = np.concatenate([scaled[channel], np.zeros(len(extra))])
    weights = np.linalg.lstsq(np.concatenate([others, extra]), target, rcond=None)[0]
    return (scaled[channel] - others @ weights) ** 2


def typical(places: np.ndarray, trailing: bool) -> np.ndarray:
    """Return the median of eight values around each known point, or up to it, if six are known."""
    medians = []
    for t in range(len(places)):
        start = t - 7 if trailing else t - 4
        window = [places[min(max(i, 0), len(places) - 1)] for i in range(start, start + 8)]
        known = [value for value in window if not np.isnan(value)]
        is_known = len(known) >= 6 and not np.isnan(places[t])
        medians.append(median(known) if is_known else np.nan)
    return np.array(medians)


def state_distances(states, scaled: np.ndarray) -> np.ndarray:
    """Return the distance of each channel from the nearest state: ``(C, n_timepoints)``."""
    rows = []
    for channel, middle, width in zip(scaled, states.middles, states.ranges, strict=True):
        places = np.array([min(max((value - middle) / width, -4), 4) for value in channel])
        rows.append(typical(places, states.trailing))
    found = np.empty(scaled.shape)
    for t, place in enumerate(np.array(rows).T):
        nearest = min(states.centers, key=lambda center: np.nansum((place - center) ** 2))
        found[:, t] = np.abs(place - nearest)
    return found


def segments(scores: np.ndarray, offset: float) -> list[tuple[int, int, int]]:
    """List start, end and peak of every segment of scores below the offset."""
    found = []
    start = None
    for t in range(len(scores) + 1):
        below = t < len(scores) and scores[t] < offset
        if below and start is None:
            start = t
        if not below and start is not None:
            peak = min(range(start, t), key=lambda i: scores[i])
            found.append((start, t, peak))
            start = None
    return found


def is_stuck(signal: np.ndarray, fitted: np.ndarray) -> list[bool]:
    """Tell where a signal has not changed for long, compared with the one fitted to."""
    most, n_repeats = 0, 0
    for value in fitted:
        n_repeats = 0 if value > 0 else n_repeats + (value == 0)
        most = max(most, n_repeats)
    n_rows = max(8, 2 * most)
    found = []
    for t in range(len(signal)):
        recent = signal[max(0, t - n_rows + 1) : t + 1]
        half = sum(value == 0 for value in recent) >= n_rows / 2
        found.append(bool(n_rows <= 512 and half and not any(value > 0 for value in recent)))
    return found
