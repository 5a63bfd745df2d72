"""Slow and obvious: gaps filled from all channels of a stretch by conditioning a normal."""

from __future__ import annotations

import numpy as np


def covariance(panels, span):
    """Mean products of the shapes of all spans, over the pairs that are both known."""
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


def condition(covariance, values, noise):
    """Conditional mean of a normal vector, known through readings with errors."""
    weights = covariance @ np.linalg.inv(covariance + np.diag(noise))
    return weights @ values


def krige(covariance, values, noise, span, hop, exact):
    """Condition overlapping spans, and average what they say, their middle most."""
    n_channels, n_timepoints = values.shape
    found = [[[] for _ in range(n_timepoints)] for _ in range(n_channels)]
    starts = [*range(0, n_timepoints - span, hop), n_timepoints - span]
    for start in starts:
        places = [(c, start + s) for c in range(n_channels) for s in range(span)]
        readings = np.array([values[place] for place in places])
        errors = np.array([noise[place] or exact for place in places])
        for (c, t), mean in zip(places, condition(covariance, readings, errors), strict=True):
            found[c][t].append((min(t - start + 1, start + span - t), mean))
    estimates = values.copy()
    for c, t in np.argwhere(noise > 0):
        total = sum(weight for weight, _ in found[c][t])
        estimates[c, t] = sum(weight * mean for weight, mean in found[c][t]) / total
    return estimates
