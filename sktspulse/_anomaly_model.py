"""What is usual in a recording, learned once, and how far points are from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._anomaly_scale import ChannelScale, HeadScale, Tail

__all__ = ["SIGNS", "Coupling", "Read", "UsualRecording", "choose_heads"]

Floats = NDArray[np.float64]
Read = Callable[[Floats], dict[str, Floats]]  # one channel -> squared errors of heads

SIGNS = ("level", "variation", "channels")  # heads that need no network

_RIDGE = 0.1  # added to the variance of every channel, which is 1
_FARTHEST = 50.0  # deviations of a channel that count where others are guessed from it


def choose_heads(
    heads: str | Sequence[str], network_heads: Sequence[str], n_channels: int, checkpoint: object
) -> tuple[str, ...]:
    """Check heads that were asked for.

    Parameters
    ----------
    heads : "auto", str or sequence of str
        What was asked for.
    network_heads : sequence of str
        Heads of the network.
    n_channels : int
        Channels of the recording.
    checkpoint : object
        Name of the network.

    Returns
    -------
    tuple of str
        The heads.

    Raises
    ------
    ValueError
        If any is not there, is there twice, or there is none.
    """
    there = [*network_heads, *(SIGNS if n_channels > 1 else SIGNS[:-1])]
    if isinstance(heads, str) and heads == "auto":
        return tuple(name for name in there if name != "forecast")
    chosen = (heads,) if isinstance(heads, str) else tuple(heads)
    missing = [name for name in chosen if name not in there]
    if missing or not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(
            f"heads is {heads!r}, expected 'auto' or some of {there}, each once: the checkpoint "
            f"{checkpoint!r} and the {n_channels} channels of X have these. Choose among them."
        )
    return chosen


class Coupling(NamedTuple):
    """How each channel follows from the others at the same time: ridge regression."""

    weights: Floats  # (C, C), what makes errors of values; 0 for channels that stood still

    @classmethod
    def learn(cls, moves: Floats, still: NDArray[np.bool_]) -> Coupling:
        """Learn from channels ``(C, T)`` in their deviations; some of them stood still.

        Parameters
        ----------
        moves : ndarray of shape (n_channels, n_timepoints)
            Channels; NaN where missing.
        still : ndarray of bool, shape (n_channels,)
            Channels that nothing can be learned from.

        Returns
        -------
        Coupling
            What was learned.
        """
        known = _known(moves)
        products = known @ known.T / known.shape[1]
        # The regressions of all channels at once: rows of the inverse, over its diagonal.
        inverse = np.linalg.inv(products + _RIDGE * np.eye(len(products)))
        weights = inverse / np.diag(inverse)[:, None]
        return cls(np.where(still | still[:, None], 0.0, weights))

    def errors(self, channel: int, moves: Floats) -> Floats:
        """Square what the other channels do not tell of one.

        Parameters
        ----------
        channel : int
            Which one.
        moves : ndarray of shape (n_channels, n_timepoints)
            Channels in their deviations; NaN where missing.

        Returns
        -------
        ndarray of shape (n_timepoints,)
            Squared errors; NaN where the channel is missing.
        """
        errors = np.square(self.weights[channel] @ _known(moves))
        return np.where(np.isnan(moves[channel]), np.nan, errors)


def _known(moves: Floats) -> Floats:
    """Limit what single points can do, and take what is missing as the mean."""
    return np.clip(np.nan_to_num(moves), -_FARTHEST, _FARTHEST)


@dataclass
class UsualRecording:
    """What is usual for the heads at every channel of a recording.

    Parameters
    ----------
    heads : sequence of str
        Heads, of the network or some of ``SIGNS``.
    lengths : sequence of int
        Lengths of smoothing [time points].
    trailing : bool
        Whether smoothing looks back only.
    combine : {"max", "mean"}
        How the scores of the heads become one.
    """

    heads: Sequence[str]
    lengths: Sequence[int]
    trailing: bool
    combine: str = "max"

    def learn(self, values: NDArray[Any], read: Read) -> Floats:
        """Learn from a recording that is mostly normal.

        Parameters
        ----------
        values : ndarray of shape (n_timepoints, n_channels)
            The recording; NaN where missing.
        read : callable
            Gives the errors of the heads of the network on one channel.

        Returns
        -------
        ndarray of shape (n_heads, n_timepoints)
            Scores of the recording, high where unusual.
        """
        self.channels = [ChannelScale.learn(column) for column in values.T]
        if "channels" in self.heads:
            still = np.array([not 0 < one.scale < np.inf for one in self.channels])
            self.coupling = Coupling.learn(self._moves(values), still)
        self.scales: list[list[HeadScale]] = []
        mean = self._mean(self._learned(self.signals(values, read)))
        self.tails = [Tail.learn(row) for row in mean]
        return self._rarities(mean)

    def signals(self, values: NDArray[Any], read: Read, first: int = 0) -> Iterator[Floats]:
        """Yield what the heads say of every point, channel after channel.

        Parameters
        ----------
        values : ndarray of shape (n_timepoints, n_channels)
            The recording; NaN where missing.
        read : callable
            Gives the errors of the heads of the network on one channel, from ``first`` on.
        first : int, default=0
            First point wanted.

        Yields
        ------
        ndarray of shape (n_heads, n_timepoints - first)
            Signals; NaN where unknown.
        """
        coupled = self._moves(values) if "channels" in self.heads else None
        for place, (scale, column) in enumerate(zip(self.channels, values.T, strict=True)):
            moves = scale(column)
            signals = read(moves)
            signals["level"] = moves[first:]
            signals["variation"] = np.square(np.diff(moves, prepend=np.nan))[first:]
            if coupled is not None:
                signals["channels"] = self.coupling.errors(place, coupled)[first:]
            yield np.stack([signals[head] for head in self.heads])

    def channel_scores(self, signals: Iterable[Floats]) -> Iterator[Floats]:
        """Score each channel by each head.

        Parameters
        ----------
        signals : iterable of ndarray of shape (n_heads, n_timepoints)
            What the heads say, channel after channel; the scores take its place.

        Yields
        ------
        ndarray of shape (n_heads, n_timepoints)
            Scores, high where unusual.
        """
        for rows, scales in zip(signals, self.scales, strict=True):
            yield _scored(scales, rows)

    def head_scores(self, channel_scores: Iterable[Floats]) -> Floats:
        """Score a recording by each head.

        Parameters
        ----------
        channel_scores : iterable of ndarray of shape (n_heads, n_timepoints)
            Scores, channel after channel.

        Returns
        -------
        ndarray of shape (n_heads, n_timepoints)
            Minus the logarithm of the share of points in ``fit`` that are as unusual.
        """
        return self._rarities(self._mean(channel_scores))

    def fuse(self, head_scores: Floats) -> Floats:
        """Make one score of those of the heads.

        Parameters
        ----------
        head_scores : ndarray of shape (n_heads, n_timepoints)
            Scores of the heads.

        Returns
        -------
        ndarray of shape (n_timepoints,)
            The highest, or the mean.
        """
        return head_scores.mean(0) if self.combine == "mean" else head_scores.max(0)

    def _moves(self, values: NDArray[Any]) -> Floats:
        columns = zip(self.channels, values.T, strict=True)
        return np.stack([scale(column) for scale, column in columns])

    def _learned(self, signals: Iterable[Floats]) -> Iterator[Floats]:
        """Learn the scales of every channel, and score it on the way."""
        learn = partial(HeadScale.learn, self.lengths, self.trailing)
        for rows in signals:
            scales = [learn(head, row) for head, row in zip(self.heads, rows, strict=True)]
            self.scales.append(scales)
            yield _scored(scales, rows)

    def _mean(self, channel_scores: Iterable[Floats]) -> Floats:
        scores = iter(channel_scores)
        total = next(scores)
        for one in scores:
            total += one
        total /= len(self.channels)
        return total

    def _rarities(self, mean: Floats) -> Floats:
        return _scored(self.tails, mean)


def _scored(scales: Sequence[Any], rows: Floats) -> Floats:
    """Score every row in its place, as there may be many points."""
    for scale, row in zip(scales, rows, strict=True):
        row[:] = scale(row)
    return rows
