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


def krige(covariance, values, noise, span, core, exact):
    """Condition, for every core, the span around it; ``covariance[c][s][d][t]``."""
    n_channels, n_timepoints = values.shape
    estimates = values.copy()
    for begin in range(0, n_timepoints, core):
        start = min(max(begin - core // 2, 0), n_timepoints - span)
        places = [(c, start + s) for c in range(n_channels) for s in range(span)]
        readings = np.array([values[place] for place in places])
        errors = np.array([noise[place] or exact for place in places])
        means = condition(covariance, readings, errors)
        for (c, t), mean in zip(places, means, strict=True):
            if begin <= t < begin + core and noise[c, t] > 0:
                estimates[c, t] = mean
    return estimates
