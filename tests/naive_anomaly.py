"""The scores of the anomaly detector, written as loops over points."""

from __future__ import annotations

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


def smooth(signal: np.ndarray, length: int, trailing: bool) -> np.ndarray:
    """Average over a window around each point, moved inside, or over those before it."""
    averages = []
    for t in range(len(signal)):
        start = min(max(t - length // 2, 0), max(len(signal) - length, 0))
        window = signal[start : start + length]
        if trailing:
            window = signal[max(t + 1 - length, 0) : t + 1]
        known = [value for value in window if not np.isnan(value)]
        early = trailing and t < (length - 1) // 2
        averages.append(np.mean(known) if known and not early else np.nan)
    return np.array(averages)


def negative_log_tail(fitted: list[float], value: float) -> float:
    """Return the negative log of the fraction of fitted values that are as high."""
    knots = [float(np.quantile(fitted, k / 10)) for k in range(10)]
    scores = [-np.log(1 - k / 10) for k in range(10)]
    if value > knots[9]:
        scale = (knots[9] - knots[5]) / (scores[9] - scores[5])
        return scores[9] + (value - knots[9]) / max(scale, 1e-3)
    k = next(k for k in range(10) if value <= knots[k])
    if k == 0:
        return 0.0
    part = (value - knots[k - 1]) / (knots[k] - knots[k - 1])
    return scores[k - 1] + (scores[k] - scores[k - 1]) * part


def log_compress(score: float, limit: float) -> float:
    """Let a score grow with its logarithm above a limit."""
    return score if score <= limit else limit * (1 + np.log(score / limit))


def ridge_errors(scaled: np.ndarray, channel: int) -> np.ndarray:
    """Square the errors of a ridge regression of one channel on the others."""
    others = np.delete(scaled, channel, axis=0).T
    ridge = max(0.005, len(scaled) / len(others))
    extra = np.sqrt(ridge * len(others)) * np.eye(others.shape[1])
    target = np.concatenate([scaled[channel], np.zeros(len(extra))])
    weights = np.linalg.lstsq(np.concatenate([others, extra]), target)[0]
    return (scaled[channel] - others @ weights) ** 2


def state_distances(states, scaled: np.ndarray) -> np.ndarray:
    """Return the distance of each channel from the nearest state: ``(C, n_timepoints)``."""
    rows = []
    for channel, middle, width in zip(scaled, states.middles, states.ranges, strict=True):
        places = np.array([min(max((value - middle) / width, -4), 4) for value in channel])
        rows.append(smooth(places, 8, states.trailing))
    found = np.empty(scaled.shape)
    for t, place in enumerate(np.array(rows).T):
        known = np.where(np.isnan(place), 0, place)
        nearest = min(states.centers, key=lambda center: np.sum((known - center) ** 2))
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


def combine(scores: np.ndarray, fitted: np.ndarray, heads: tuple[str, ...]) -> list[float]:
    """Combine scores of heads, low where anomalous: ``(n_timepoints, n_heads)``."""
    names = [name for name in heads if name not in ("channels", "states")]
    normal = [max_and_mean(-row, heads, names) for row in fitted]
    combined = []
    for row in -scores:
        found = [row[heads.index(name)] for name in heads if name not in names]
        if names:
            found = [log_compress(one, 6) for one in found]
            one = max_and_mean(row, heads, names)
            found.append(negative_log_tail(normal, one) if len(names) > 1 else one)
        combined.append(-max(found))
    return combined


def max_and_mean(row: np.ndarray, heads: tuple[str, ...], names: list[str]) -> float:
    found = [row[heads.index(name)] for name in names]
    return (max(found) + sum(found) / len(found)) / 2 if found else 0.0
