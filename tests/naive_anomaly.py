"""The scores of the anomaly detector, written as loops over points."""

from __future__ import annotations

import numpy as np
import torch

N_PASSES, STRIDE, LENGTH, PATCH, STEP = 8, 64, 512, 8, 16


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


def smooth(errors: np.ndarray, length: int) -> np.ndarray:
    """Average the known errors from ``length // 2`` points before to the rest after."""
    averages = []
    for t in range(len(errors)):
        inside = range(t - length // 2, t - length // 2 + length)
        known = [errors[i] for i in inside if 0 <= i < len(errors) and not np.isnan(errors[i])]
        averages.append(np.mean(known) if known else np.nan)
    return np.array(averages)


def segments(scores: np.ndarray, offset: float) -> list[tuple[int, int, int]]:
    """List start, end and peak of every stretch of scores below the offset."""
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
