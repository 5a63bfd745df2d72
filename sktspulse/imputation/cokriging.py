"""Correct what was filled in one channel by what the others show at the same time.

Around a gap, all channels together are taken for one draw from a normal distribution. Filled
values are readings with an error; how large it is, and how alike it is at neighbouring points and
in other channels, is known from points hidden for the purpose. The gap takes what is most likely
given these and what was observed. This is co-kriging. The level of every channel is left free, so
that shapes are borrowed and levels are not. As channels do not move together in the same way for
ever, every value has a part of its own, the nugget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from torch import Tensor

from ..series import Indices, Values, window_starts

__all__ = ["Kriging"]

_SPAN = 32  # steps that are solved at once
_HOP = 16  # steps from one span to the next
_TAPER = np.minimum(np.arange(1, _SPAN + 1), np.arange(_SPAN, 0, -1))  # the middle counts most
_GROUP = 8  # channels that are solved at once, at most
_LEVEL = 30.0  # variance of the level of a span: far more than any channel has
_LEAST = 1e-6  # variance in every direction of what varies together
_UNKNOWN = 1e4  # variance of what is not there at all
_SPANS_LEARNED = 4096  # spans the covariance is taken from, at most
_VALUES_LEARNED = 1 << 23  # values in them, at most
_CHUNK = 16  # systems solved at once: more would not stay in the cache of a processor


class Group(NamedTuple):
    """Channels that are solved together, and how spans of them, end to end, vary."""

    channels: Indices
    shapes: Values  # covariance about the levels, (n_channels * n_steps, n_channels * n_steps)
    errors: Values  # correlation of the errors of readings, of the same shape


class Kriging:
    """Estimate the gaps of all channels from each other.

    Parameters
    ----------
    groups : list of Group
        What was learned of each group of channels.
    nugget : float, default=1e-4
        Variance of the part of every value that no other tells; not 0, so that no system
        is singular.
    """

    def __init__(self, groups: list[Group], nugget: float = 1e-4) -> None:
        self.groups = groups
        self.nugget = nugget

    @classmethod
    def of(cls, panels: Sequence[Values], errors: Values) -> Self:
        """Learn how channels move together, and so do the errors of readings.

        Parameters
        ----------
        panels : sequence of ndarray of shape (n_series, n_channels, n_timepoints)
            Series in about standardised units, NaN where missing.
        errors : ndarray of shape (n_windows, n_channels, n_timepoints)
            Errors of readings [their usual size]; NaN where there is none.

        Returns
        -------
        Kriging
            What was learned; shapes are all zero if no series is as long as a span (32 steps).
        """
        spans = _take_spans(panels)
        known = ~np.isnan(spans)
        level = spans.sum(-1, where=known, keepdims=True) / known.sum(-1, keepdims=True).clip(1)
        shapes, wrong = np.where(known, spans - level, np.nan), _take_spans([errors])
        products = np.nan_to_num(shapes)
        groups = _alike(np.tensordot(products, products, axes=((0, 2), (0, 2))))
        return cls([_group(channels, shapes, wrong) for channels in groups])

    def __call__(self, values: Values, noise: Values) -> NDArray[np.float64]:
        """Estimate the uncertain values.

        Parameters
        ----------
        values : ndarray of shape (n_series, n_channels, n_timepoints)
            Observed and filled values, in about standardised units; NaN where there is
            neither.
        noise : ndarray of the same shape
            Variance of the error of each filled value; 0 where observed.

        Returns
        -------
        ndarray of the same shape
            Estimates where ``noise`` is positive, elsewhere the values.
        """
        return np.where(noise > 0, self._average(_means, values, noise), values)

    def variances(self, values: Values, noise: Values) -> NDArray[np.float64]:
        """Return the variance that is left where ``noise`` is positive, elsewhere 0.

        Parameters
        ----------
        values, noise : ndarray of shape (n_series, n_channels, n_timepoints)
            As for a call; of the values, only whether they are there matters.

        Returns
        -------
        ndarray of the same shape
            Variances of the errors of the estimates.
        """
        return np.where(noise > 0, self._average(_variances, values, noise), 0.0)

    def _average(self, solve: Solve, values: Values, noise: Values) -> NDArray[np.float64]:
        """Average what overlapping spans say of uncertain values."""
        short = max(0, _SPAN - values.shape[-1])
        padding = ((0, 0), (0, 0), (0, short))
        answers = np.pad(values.astype(np.float64), padding, constant_values=np.nan)
        errors = np.pad(noise.astype(np.float64), padding)
        for group in self.groups:
            own = group.channels
            parts = answers[:, own], errors[:, own]
            answers[:, own] = _average(solve, group, self.nugget, *parts)
        return answers[..., : values.shape[-1]]


class System(NamedTuple):
    """Readings of ``n`` spans."""

    values: Tensor  # (n, size)
    deviation: Tensor  # (n, size), of their errors
    errors: Tensor  # (size, size), correlation of these
    factors: Tensor  # (n, size, size), of the covariance of the readings, by Cholesky


Solve = Callable[[System], Tensor]  # -> (n, size)


def _average(
    solve: Solve, group: Group, nugget: float, values: Values, noise: Values
) -> NDArray[np.float64]:
    """Average the answers for one group of channels."""
    n_channels = values.shape[1]
    covariance = torch.from_numpy(_with_levels(group.shapes))
    errors = torch.from_numpy(group.errors.astype(np.float64))
    absent = np.isnan(values)
    uncertain = (noise > 0) & ~absent
    own = np.where(absent, _UNKNOWN, nugget)
    deviation = np.where(uncertain, np.sqrt(noise), 0)
    known = np.where(absent, 0, values)
    sums, weights = np.zeros((2, *values.shape))
    for row, start in _uncertain_spans(uncertain):
        time = start[:, None, None] + np.arange(_SPAN)
        spans = (row[:, None, None], np.arange(n_channels)[:, None], time)
        parts = (part[spans].reshape(len(row), -1) for part in (known, deviation, own))
        found = solve(_system(covariance, errors, *map(torch.from_numpy, parts)))
        np.add.at(sums, spans, _TAPER * found.numpy().reshape(len(row), n_channels, _SPAN))
        np.add.at(weights, spans, _TAPER)
    return np.divide(sums, weights, out=values.copy(), where=uncertain)


def _take_spans(panels: Sequence[Values]) -> NDArray[np.float64]:
    """Take spans evenly from all series, ``(n_spans, n_channels, SPAN)``."""
    long = [panel for panel in panels if panel.shape[-1] >= _SPAN]
    counts = [len(panel) * (panel.shape[-1] - _SPAN + 1) for panel in long]
    n_channels = panels[0].shape[1]
    most = min(_SPANS_LEARNED, _VALUES_LEARNED // (n_channels * _SPAN) + 1)
    every = -(-sum(counts) // most) or 1
    taken = [np.empty((0, n_channels, _SPAN))]
    for panel, count in zip(long, counts, strict=True):
        row, start = np.divmod(np.arange(0, count, every), panel.shape[-1] - _SPAN + 1)
        windows = sliding_window_view(panel, _SPAN, axis=-1)
        taken.append(windows[row, :, start].astype(np.float64))
    return np.concatenate(taken)


def _alike(covariance: Values) -> list[Indices]:
    """Divide the channels into groups that move together: the most connected one leads."""
    deviation = np.sqrt(np.diag(covariance)).clip(np.finfo(np.float64).tiny)
    likeness = np.abs(covariance / deviation / deviation[:, None])
    left, groups = np.arange(len(covariance)), []
    while len(left):
        among = likeness[np.ix_(left, left)]
        leader = among.sum(1).argmax()
        order = np.argsort(-among[leader], kind="stable")[:_GROUP]
        groups.append(np.sort(left[order]))
        left = np.delete(left, order)
    return groups


def _group(channels: Indices, shapes: Values, errors: Values) -> Group:
    """Learn of some channels from spans ``(n, n_channels, n_steps)``, NaN where missing."""
    shapes, errors = shapes[:, channels], errors[:, channels]
    covariance = _covariance(shapes).astype(np.float32)
    return Group(channels, covariance, _correlation(errors).astype(np.float32))


def _covariance(spans: Values) -> NDArray[np.float64]:
    """Return the mean products over the pairs of points that are both known."""
    flat = _flat(spans)
    counts, flat = (~np.isnan(flat)).astype(np.float32), np.nan_to_num(flat)
    return _definite(flat.T @ flat / (counts.T @ counts).clip(1))


def _correlation(errors: Values) -> NDArray[np.float64]:
    """Return how alike errors are, which depends on the steps between them alone."""
    flat = _flat(errors)
    counts, flat = (~np.isnan(flat)).astype(np.float32), np.nan_to_num(flat)
    sums, pairs = (_by_lag(part.T @ part, errors.shape[1]) for part in (flat, counts))
    square = _definite(sums / pairs.clip(1))
    deviation = np.sqrt(np.diag(square))
    return square / deviation / deviation[:, None]


def _flat(spans: Values) -> Values:
    n_spans, n_channels, n_steps = spans.shape
    return spans.reshape(n_spans, n_channels * n_steps)


def _by_lag(square: Values, n_channels: int) -> NDArray[np.float64]:
    """Sum over all pairs of points that lie equally far apart."""
    blocks = square.reshape(n_channels, _SPAN, n_channels, _SPAN)
    sums = np.empty_like(blocks, np.float64)
    step = np.arange(_SPAN)
    for lag in range(1 - _SPAN, _SPAN):
        first = step[(step + lag >= 0) & (step + lag < _SPAN)]
        sums[:, first, :, first + lag] = blocks[:, first, :, first + lag].sum(0)
    return sums.reshape(square.shape)


def _definite(square: Values) -> NDArray[np.float64]:
    """Make a covariance of what was taken pair by pair and need not be one."""
    values, vectors = np.linalg.eigh(square)
    return (vectors * values.clip(_LEAST)) @ vectors.T


def _with_levels(shapes: Values) -> Values:
    """Return the covariance with the level of every channel left free."""
    n_channels = len(shapes) // _SPAN
    return shapes + np.kron(np.eye(n_channels), np.full((_SPAN, _SPAN), _LEVEL))


def _uncertain_spans(uncertain: NDArray[np.bool_]) -> Iterator[tuple[Indices, Indices]]:
    """Yield row and start of the spans that hold an uncertain value, a chunk at a time."""
    starts = window_starts(uncertain.shape[-1], _SPAN, _HOP)
    before = np.pad(uncertain.any(1), ((0, 0), (1, 0))).cumsum(1)
    row, span = np.nonzero(before[:, starts + _SPAN] > before[:, starts])
    for first in range(0, len(row), _CHUNK):
        chunk = slice(first, first + _CHUNK)
        yield row[chunk], starts[span[chunk]]


def _system(
    covariance: Tensor, errors: Tensor, values: Tensor, deviation: Tensor, own: Tensor
) -> System:
    """Describe readings ``(n, size)``, with errors, of values that have a part of their own."""
    readings = torch.addcmul(covariance, errors * deviation[:, :, None], deviation[:, None])
    readings.diagonal(dim1=-2, dim2=-1).add_(own)
    return System(values, deviation, errors, torch.linalg.cholesky(readings))


def _means(system: System) -> Tensor:
    """Return the conditional means given noisy values."""
    solved = torch.cholesky_solve(system.values[..., None], system.factors)[..., 0]
    # One by one, so that spans do not depend on each other even in the last bit.
    shared = torch.stack([system.errors @ one for one in system.deviation * solved])
    return system.values - system.deviation * shared


def _variances(system: System) -> Tensor:
    """Return the conditional variances, which do not depend on the values."""
    noise = system.errors * system.deviation[:, :, None] * system.deviation[:, None]
    told = torch.linalg.solve_triangular(system.factors, noise, upper=False)
    return (noise.diagonal(dim1=-2, dim2=-1) - told.square().sum(-2)).clamp(min=0)
