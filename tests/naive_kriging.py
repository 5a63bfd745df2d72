"""Slow and obvious: fill gaps from all channels of a span by conditioning a normal vector."""

from __future__ import annotations

import numpy as np


def covariance(panels, span):
    """Mean products of all spans about their levels, over the pairs that are both known."""
    spans = []
    for panel in panels:
        for one in panel:
            for start in range(one.shape[1] - span + 1):
                piece = one[:, start : start + span]
                level = [np.nanmean(row) if (~np.isnan(row)).any() else 0.0 for row in piece]
                spans.append((piece - np.array(level)[:, None]).ravel())
    size = len(spans[0])
    products = np.zeros((size, size))
    for i in range(size):
        for j in range(size):
            known = [one[i] * one[j] for one in spans if not np.isnan(one[i] * one[j])]
            products[i, j] = np.mean(known) if known else 0.0
    return products


def correlation(windows, n_steps):
    """Mean products of errors by channels and lag, over all pairs, as a correlation."""
    n_channels = windows.shape[1]
    square = np.zeros((n_channels, n_steps, n_channels, n_steps))
    for one in range(n_channels):
        for other in range(n_channels):
            for lag in range(1 - n_steps, n_steps):
                products = []
                for window in windows:
                    for start in range(windows.shape[2] - n_steps + 1):
                        piece = window[:, start : start + n_steps]
                        for step in range(max(0, -lag), min(n_steps, n_steps - lag)):
                            products.append(piece[one, step] * piece[other, step + lag])
                known = [product for product in products if not np.isnan(product)]
                for step in range(max(0, -lag), min(n_steps, n_steps - lag)):
                    square[one, step, other, step + lag] = np.mean(known) if known else 0.0
    square = square.reshape(n_channels * n_steps, -1)
    values, vectors = np.linalg.eigh(square)
    square = (vectors * values.clip(0)) @ vectors.T
    return square / np.sqrt(np.outer(np.diag(square), np.diag(square)))


def condition(covariance, values, noise):
    """Conditional mean and variance of a normal vector, observed with errors."""
    weights = covariance @ np.linalg.inv(covariance + noise)
    return weights @ values, np.diag(covariance - weights @ covariance)


def krige(covariance, errors, noise_variance, values, noise, span, stride):
    """Condition overlapping spans, and average the results, with most weight on the middle."""
    n_channels, n_timepoints = values.shape
    found = [[[] for _ in range(n_timepoints)] for _ in range(n_channels)]
    starts = [*range(0, n_timepoints - span, stride), n_timepoints - span]
    for start in starts:
        places = [(c, start + s) for c in range(n_channels) for s in range(span)]
        observations = np.array([values[place] for place in places])
        deviation = np.sqrt([noise[place] for place in places])
        spread = errors * np.outer(deviation, deviation)
        answers = condition(covariance + noise_variance * np.eye(len(places)), observations, spread)
        for (c, t), *answer in zip(places, *answers, strict=True):
            found[c][t].append((min(t - start + 1, start + span - t), np.array(answer)))
    means, variances = values.copy(), np.zeros_like(values)
    for c, t in np.argwhere(noise > 0):
        total = sum(weight for weight, _ in found[c][t])
        means[c, t], variances[c, t] = sum(w * answer for w, answer in found[c][t]) / total
    return means, variances
