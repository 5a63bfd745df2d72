"""Correct what was filled in one channel by what the others show at the same time.

Around a gap, all channels together are taken for one draw from a normal distribution. Observed
values are exact; filled ones are readings with an error, whose variance is known from points
hidden for the purpose; the gap takes what is most likely given both. This is co-kriging. The
level of every channel is left free, so that shapes are borrowed and levels are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from torch import Tensor

from ._windows import window_starts

__all__ = ["Kriging"]

Floats = NDArray[np.floating[Any]]
Places = NDArray[np.intp]
Solve = Callable[[Tensor, Floats, Floats], Floats]

_SPAN = 32  # steps that are solved at once
_HOP = 16  # steps from one span to the next
_TAPER = np.minimum(np.arange(1, _SPAN + 1), np.arange(_SPAN, 0, -1))  # the middle counts most
_GROUP = 8  # channels that are solved at once, at most
_LEVEL = 30.0  # variance of the level of a span: far more than any channel has
_EXACT = 1e-4  # variance left to what was observed, so that no system is singular
_UNKNOWN = 1e4  # variance of what is not there at all
_SPANS_LEARNED = 4096  # spans the covariance is taken from, at most
_VALUES_LEARNED = 1 << 23  # values in them, at most
_CHUNK = 64  # systems solved at once: bounds memory


class Kriging:
    """Estimate the gaps of all channels from each other.

    Parameters
    ----------
    groups : list of ndarray of int
        Channels that are solved together.
    covariances : list of ndarray of shape (n_channels_i * n_steps, n_channels_i * n_steps)
        How a span of each group varies about its levels, one channel after the other.
    """

    def __init__(self, groups: list[Places], covariances: list[NDArray[np.float32]]) -> None:
        self.groups = groups
        self.covariances = covariances

    @classmethod
    def of(cls, panels: Sequence[Floats]) -> Self:
        """Learn how channels move together.

        Parameters
        ----------
        panels : sequence of ndarray of shape (n_series, n_channels, n_timepoints)
            Series in about standardised units, NaN where missing.

        Returns
        -------
        Kriging
            What was learned; all zero if no series is as long as a span (32 steps).
        """
        spans = _take_spans(panels)
        known = ~np.isnan(spans)
        level = spans.sum(-1, where=known, keepdims=True) / known.sum(-1, keepdims=True).clip(1)
        shapes = np.where(known, spans - level, 0)
        groups = _alike(np.tensordot(shapes, shapes, axes=((0, 2), (0, 2))))
        pairs = ((shapes[:, group], known[:, group]) for group in groups)
        return cls(groups, [_covariance(*pair).astype(np.float32) for pair in pairs])

    def __call__(self, values: Floats, noise: Floats) -> NDArray[np.float64]:
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

    def variances(self, values: Floats, noise: Floats) -> NDArray[np.float64]:
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

    def _average(self, solve: Solve, values: Floats, noise: Floats) -> NDArray[np.float64]:
        """Average what overlapping spans say of uncertain values."""
        short = max(0, _SPAN - values.shape[-1])
        padding = ((0, 0), (0, 0), (0, short))
        answers = np.pad(values.astype(np.float64), padding, constant_values=np.nan)
        errors = np.pad(noise.astype(np.float64), padding)
        for group, covariance in zip(self.groups, self.covariances, strict=True):
            answers[:, group] = _average(solve, covariance, answers[:, group], errors[:, group])
        return answers[..., : values.shape[-1]]


def _average(
    solve: Solve, shapes: NDArray[np.float32], values: Floats, noise: Floats
) -> NDArray[np.float64]:
    """Average the answers for one group of channels."""
    n_channels = values.shape[1]
    levels = _LEVEL * np.kron(np.eye(n_channels), np.ones((_SPAN, _SPAN)))
    covariance = torch.from_numpy(shapes + levels)
    absent = np.isnan(values)
    uncertain = (noise > 0) & ~absent
    spread = np.where(absent, _UNKNOWN, np.where(noise > 0, noise, _EXACT))
    known = np.where(absent, 0, values)
    sums, weights = np.zeros((2, *values.shape))
    for row, start in _uncertain_spans(uncertain):
        time = start[:, None, None] + np.arange(_SPAN)
        spans = (row[:, None, None], np.arange(n_channels)[:, None], time)
        found = solve(covariance, known[spans], spread[spans])
        np.add.at(sums, spans, _TAPER * found)
        np.add.at(weights, spans, _TAPER)
    return np.divide(sums, weights, out=values.copy(), where=uncertain)


def _take_spans(panels: Sequence[Floats]) -> NDArray[np.float64]:
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


def _alike(covariance: Floats) -> list[Places]:
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


def _covariance(shapes: Floats, known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean products over the pairs of points that are both known."""
    size = shapes.shape[1] * _SPAN
    flat, counts = shapes.reshape(-1, size), known.reshape(-1, size).astype(np.float32)
    square = flat.T @ flat / (counts.T @ counts).clip(1)
    values, vectors = np.linalg.eigh(square)
    # Taken pair by pair, it need not be a covariance.
    return (vectors * values.clip(_EXACT / 100)) @ vectors.T


def _uncertain_spans(uncertain: NDArray[np.bool_]) -> Iterator[tuple[Places, Places]]:
    """Yield row and start of the spans that hold an uncertain value, a chunk at a time."""
    starts = window_starts(uncertain.shape[-1], _SPAN, _HOP)
    before = np.pad(uncertain.any(1), ((0, 0), (1, 0))).cumsum(1)
    row, span = np.nonzero(before[:, starts + _SPAN] > before[:, starts])
    for first in range(0, len(row), _CHUNK):
        chunk = slice(first, first + _CHUNK)
        yield row[chunk], starts[span[chunk]]


def _means(covariance: Tensor, values: Floats, spread: Floats) -> Floats:
    """Return the conditional means of spans ``(n, n_channels, SPAN)`` given noisy values."""
    flat, noise = (torch.from_numpy(part.reshape(len(part), -1, 1)) for part in (values, spread))
    solved = torch.cholesky_solve(flat, _factors(covariance, noise))
    # In this form no sum runs over spans, whose answers thus do not depend on each other.
    return (flat - noise * solved).numpy().reshape(values.shape)


def _variances(covariance: Tensor, values: Floats, spread: Floats) -> Floats:
    """Return the conditional variances, which do not depend on the values."""
    noise = torch.from_numpy(spread.reshape(len(spread), -1, 1))
    inverse = torch.cholesky_inverse(_factors(covariance, noise))
    diagonal = inverse.diagonal(dim1=-2, dim2=-1)[..., None]
    return (noise - noise.square() * diagonal).clamp(min=0).numpy().reshape(values.shape)


def _factors(covariance: Tensor, noise: Tensor) -> Tensor:
    systems = covariance.repeat(len(noise), 1, 1)
    systems.diagonal(dim1=-2, dim2=-1).add_(noise[..., 0])
    return torch.linalg.cholesky(systems)
