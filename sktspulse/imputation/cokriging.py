"""Estimate filled values from all channels by co-kriging.

A short span of all channels is modelled as one draw from a multivariate normal distribution. A
filled value is an observation with an error, whose variance, and correlation with the errors of
neighbouring points and other channels, come from hidden points. The estimate is the conditional
mean given all observations. The level of every channel is left free, as in ordinary kriging, so
that shapes are taken from other channels and levels are not. As channels never depend on each
other exactly, every value has an independent component (the nugget effect).

See Wackernagel, "Multivariate Geostatistics", 3rd edition, 2003, chapter 24.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..series import Flags, Floats, Indices, Values, window_starts

__all__ = ["CoKriging"]

_SPAN = 32  # steps that are solved together
_STRIDE = 16  # steps from one span to the next
_TAPER = np.minimum(np.arange(1, _SPAN + 1), np.arange(_SPAN, 0, -1))  # weights within a span
_MAX_GROUP = 8  # channels that are solved together
_LEVEL_VARIANCE = 30.0  # of the level of a span: far more than that of any channel
_MIN_EIGENVALUE = 1e-6  # of a covariance matrix
_MISSING_VARIANCE = 1e4  # of the error of a value that is neither observed nor filled
_MAX_SPANS = 4096  # that the covariance is estimated from
_MAX_VALUES = 1 << 23  # in these spans
_BATCH = 16  # systems solved at once: more do not fit in the cache of a processor


class ChannelGroup(NamedTuple):
    """Channels that are solved together, with matrices of size ``n_channels * _SPAN``."""

    channels: Indices
    covariance: Values  # of the values of a span about the level of each channel
    error_correlation: Values  # of the errors of filled values


@dataclass(frozen=True)
class CoKriging:
    """Estimate the filled values of all channels from each other."""

    groups: list[ChannelGroup]
    noise_variance: float = 1e-4  # of the independent component; above 0 to avoid singular systems

    @classmethod
    def fit(cls, panels: Sequence[Values], errors: Values) -> Self:
        """Estimate the covariances of series and of errors of filled values.

        Both are NaN where unknown. Series are in roughly standardised units, errors in standard
        deviations. The covariance is 0 if no series is as long as a span.
        """
        spans, error_spans = _take_spans(panels), _take_spans([errors])
        known = ~np.isnan(spans)
        level = spans.sum(-1, where=known, keepdims=True) / known.sum(-1, keepdims=True).clip(1)
        deviations = np.where(known, spans - level, np.nan)
        products = np.nan_to_num(deviations)
        groups = _group_channels(np.tensordot(products, products, axes=((0, 2), (0, 2))))
        return cls([_fit_group(channels, deviations, error_spans) for channels in groups])

    def __call__(self, values: Values, error_variances: Values) -> Floats:
        """Return the estimates where ``error_variances`` is positive, elsewhere the values.

        Both have the shape ``(n_series, n_channels, n_timepoints)``. Values that are neither
        observed nor filled are NaN.
        """
        estimates = self._solve_groups(_conditional_means, values, error_variances)
        return np.where(error_variances > 0, estimates, values)

    def variances(self, values: Values, error_variances: Values) -> Floats:
        """Return the prediction variances where ``error_variances`` is positive, elsewhere 0."""
        variances = self._solve_groups(_conditional_variances, values, error_variances)
        return np.where(error_variances > 0, variances, 0.0)

    def _solve_groups(self, solve: Solve, values: Values, error_variances: Values) -> Floats:
        """Solve all spans of each group of channels, and average where they overlap."""
        n_padded = max(0, _SPAN - values.shape[-1])
        padding = ((0, 0), (0, 0), (0, n_padded))
        padded = np.pad(values.astype(np.float64), padding, constant_values=np.nan)
        variances = np.pad(error_variances.astype(np.float64), padding)
        averages = np.empty_like(padded)
        for group in self.groups:
            own = padded[:, group.channels], variances[:, group.channels]
            averages[:, group.channels] = _average_spans(solve, group, self.noise_variance, *own)
        return averages[..., : values.shape[-1]]


class System(NamedTuple):
    """Kriging systems of ``n`` spans, each for ``m`` points without an exact value."""

    points: Indices  # (n, m), indices in the span; exact points if it has fewer
    values: Floats  # (n, m)
    errors: Floats  # (n, m, m), covariance of the errors of the values
    gain: Floats  # (n, m, m), identity plus precision of the values times ``errors``
    residuals: Floats  # (n, m), precision times all values of the span


Solve = Callable[[System], Floats]  # -> (n, m)


class Exact(NamedTuple):
    """What does not depend on which points of a span have an exact value."""

    precision: Floats  # (size, size), of values without errors, apart from the noise
    error_correlation: Floats  # (size, size)

    @classmethod
    def from_group(cls, group: ChannelGroup, noise_variance: float) -> Self:
        """Invert the covariance of a span, with free levels and noise."""
        covariance = _with_free_levels(group.covariance)
        _diagonal(covariance)[:] += noise_variance
        inverse = np.linalg.inv(np.linalg.cholesky(covariance))
        return cls(inverse.T @ inverse, group.error_correlation.astype(np.float64))

    def system(self, values: Floats, deviation: Floats, missing: Flags) -> System:
        """Set up the systems of spans ``(n, size)``.

        By the matrix inversion lemma they are only as large as there are points with errors.
        """
        inexact = (deviation > 0) | missing
        order = np.argsort(~inexact, axis=1, kind="stable")
        points = order[:, : int(inexact.sum(1).max())]
        pairs = points[:, :, None] * values.shape[1] + points[:, None]
        deviation = np.take_along_axis(deviation, points, 1)
        errors = self.error_correlation.take(pairs)
        errors *= deviation[:, :, None] * deviation[:, None]
        _diagonal(errors)[:] += _MISSING_VARIANCE * np.take_along_axis(missing, points, 1)
        gain = self.precision.take(pairs) @ errors
        _diagonal(gain)[:] += 1
        residuals = np.take_along_axis(values @ self.precision, points, 1)
        return System(points, np.take_along_axis(values, points, 1), errors, gain, residuals)


def _diagonal(squares: Values) -> Values:
    """Return a view of the diagonals of ``(..., size, size)``."""
    return np.einsum("...ii->...i", squares)


def _average_spans(
    solve: Solve, group: ChannelGroup, noise_variance: float, values: Floats, variances: Floats
) -> Floats:
    """Average the solutions of overlapping spans for one group of channels."""
    n_channels = values.shape[1]
    exact = Exact.from_group(group, noise_variance)
    missing = np.isnan(values)
    uncertain = (variances > 0) & ~missing
    inputs = np.where(missing, 0, values), np.where(uncertain, np.sqrt(variances), 0), missing
    sums, weights = np.zeros((2, *values.shape))
    for row, start in _uncertain_spans(uncertain, missing):
        time = start[:, None, None] + np.arange(_SPAN)
        spans = (row[:, None, None], np.arange(n_channels)[:, None], time)
        system = exact.system(*(part[spans].reshape(len(row), -1) for part in inputs))
        solution = np.zeros((len(row), n_channels * _SPAN))
        np.put_along_axis(solution, system.points, solve(system), 1)
        np.add.at(sums, spans, _TAPER * solution.reshape(len(row), n_channels, _SPAN))
        np.add.at(weights, spans, _TAPER)
    return np.divide(sums, weights, out=values.copy(), where=uncertain)


def _take_spans(panels: Sequence[Values]) -> Floats:
    """Take evenly spaced spans from all series, ``(n_spans, n_channels, _SPAN)``."""
    long = [panel for panel in panels if panel.shape[-1] >= _SPAN]
    counts = [len(panel) * (panel.shape[-1] - _SPAN + 1) for panel in long]
    n_channels = panels[0].shape[1]
    max_spans = min(_MAX_SPANS, _MAX_VALUES // (n_channels * _SPAN) + 1)
    step = -(-sum(counts) // max_spans) or 1
    taken = [np.empty((0, n_channels, _SPAN))]
    for panel, count in zip(long, counts, strict=True):
        row, start = np.divmod(np.arange(0, count, step), panel.shape[-1] - _SPAN + 1)
        windows = sliding_window_view(panel, _SPAN, axis=-1)
        taken.append(windows[row, :, start].astype(np.float64))
    return np.concatenate(taken)


def _group_channels(covariance: Values) -> list[Indices]:
    """Group channels by absolute correlation with the channel that correlates most in total."""
    deviation = np.sqrt(np.diag(covariance)).clip(np.finfo(np.float64).tiny)
    correlation = np.abs(covariance / deviation / deviation[:, None])
    left, groups = np.arange(len(covariance)), []
    while len(left):
        among = correlation[np.ix_(left, left)]
        centre = among.sum(1).argmax()
        order = np.argsort(-among[centre], kind="stable")[:_MAX_GROUP]
        groups.append(np.sort(left[order]))
        left = np.delete(left, order)
    return groups


def _fit_group(channels: Indices, deviations: Floats, errors: Floats) -> ChannelGroup:
    """Fit one group from spans ``(n, n_channels, _SPAN)``; NaN where missing."""
    covariance = _covariance(deviations[:, channels]).astype(np.float32)
    return ChannelGroup(channels, covariance, _correlation(errors[:, channels]).astype(np.float32))


def _covariance(spans: Floats) -> Floats:
    """Return the mean products over the pairs of points that are both known."""
    products, counts = _pairwise(spans)
    return _positive_definite(products / counts.clip(1))


def _correlation(errors: Floats) -> Floats:
    """Return the correlation of errors, which depends on channels and time lag alone."""
    sums, counts = (_sum_by_lag(part, errors.shape[1]) for part in _pairwise(errors))
    covariance = _positive_definite(sums / counts.clip(1))
    deviation = np.sqrt(np.diag(covariance))
    return covariance / deviation / deviation[:, None]


def _pairwise(spans: Floats) -> tuple[Values, Values]:
    """Return sums of products and number of spans for all pairs of points, ``(size, size)``."""
    flat = spans.reshape(len(spans), spans.shape[1] * _SPAN)
    known, flat = (~np.isnan(flat)).astype(np.float32), np.nan_to_num(flat)
    return flat.T @ flat, known.T @ known


def _sum_by_lag(square: Values, n_channels: int) -> Floats:
    """Replace each entry by the sum over all pairs of points with the same lag."""
    blocks = square.reshape(n_channels, _SPAN, n_channels, _SPAN)
    sums = np.empty_like(blocks, np.float64)
    step = np.arange(_SPAN)
    for lag in range(1 - _SPAN, _SPAN):
        first = step[(step + lag >= 0) & (step + lag < _SPAN)]
        sums[:, first, :, first + lag] = blocks[:, first, :, first + lag].sum(0)
    return sums.reshape(square.shape)


def _positive_definite(square: Values) -> Floats:
    """Clip the eigenvalues: pairwise estimates need not be positive definite."""
    values, vectors = np.linalg.eigh(square)
    return (vectors * values.clip(_MIN_EIGENVALUE)) @ vectors.T


def _with_free_levels(covariance: Values) -> Values:
    """Add a large variance to the level of every channel."""
    n_channels = len(covariance) // _SPAN
    return covariance + np.kron(np.eye(n_channels), np.full((_SPAN, _SPAN), _LEVEL_VARIANCE))


def _uncertain_spans(uncertain: Flags, missing: Flags) -> Iterator[tuple[Indices, Indices]]:
    """Yield row and start of the spans with an uncertain value, in batches of similar size."""
    starts = window_starts(uncertain.shape[-1], _SPAN, _STRIDE)
    row, span = np.nonzero(_count_in_spans(uncertain, starts))
    n_inexact = _count_in_spans(uncertain | missing, starts)[row, span]
    order = n_inexact.argsort(kind="stable")
    for first in range(0, len(row), _BATCH):
        batch = order[first : first + _BATCH]
        yield row[batch], starts[span[batch]]


def _count_in_spans(flags: Flags, starts: Indices) -> Indices:
    """Count the flags in the spans of each series, over all channels."""
    before = np.pad(flags.sum(1), ((0, 0), (1, 0))).cumsum(1)
    return np.asarray(before[:, starts + _SPAN] - before[:, starts])


def _conditional_means(system: System) -> Floats:
    solved = np.linalg.solve(system.gain, system.residuals[..., None])
    return np.asarray(system.values - (system.errors @ solved)[..., 0])


def _conditional_variances(system: System) -> Floats:
    # Both sides are transposed, since the gain is on the right.
    covariance = np.linalg.solve(system.gain.swapaxes(1, 2), system.errors.swapaxes(1, 2))
    return np.asarray(_diagonal(covariance).clip(0), np.float64)
