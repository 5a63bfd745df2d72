"""What is usual in a recording, learned once, and how far points are from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network import TSPulseConfig
from ..series import Floats
from .calibration import ChannelScale, HeadScale, Tail, bent
from .head_errors import heads_of
from .multichannel import Coupling, States

__all__ = ["SIGNS", "Read", "UsualRecording", "choose_heads", "judged_channels", "refuse_unknown"]

Read = Callable[[Floats], dict[str, Floats]]  # one channel -> squared errors of heads

_JOINT = ("channels", "states")  # heads that look at all channels together
SIGNS = ("level", "variation", *_JOINT)  # heads that need no network


def choose_heads(
    heads: str | Sequence[str],
    config: TSPulseConfig,
    shape: tuple[int, int],
    checkpoint: object,
    trailing: bool,
) -> tuple[str, ...]:
    """Check heads that were asked for.

    Parameters
    ----------
    heads : "auto", str or sequence of str
        What was asked for.
    config : TSPulseConfig
        Sizes of the network.
    shape : tuple of int
        Time points and channels of the recording fitted.
    checkpoint : object
        Name of the network.
    trailing : bool
        Whether a score may depend on nothing that comes later.

    Returns
    -------
    tuple of str
        The heads.

    Raises
    ------
    ValueError
        If any is not there, is there twice, or there is none.
    """
    n_timepoints, n_channels = shape
    signs = [name for name in SIGNS if n_channels > 1 or name not in _JOINT]
    there = [*heads_of(config, trailing=trailing), *signs]
    if isinstance(heads, str) and heads == "auto":
        unused = {"forecast"}
        if n_timepoints < config.context_length:
            unused |= {"coarse"}  # too little is known of what it sees
        if n_channels > 1:
            unused |= {"coarse", "level"}  # "states" sees levels
        return tuple(name for name in there if name not in unused)
    chosen = (heads,) if isinstance(heads, str) else tuple(heads)
    missing = [name for name in chosen if name not in there]
    if missing or not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(
            f"heads is {heads!r}, expected 'auto' or some of {there}, each once: these are there "
            f"with the checkpoint {checkpoint!r} and {n_channels} channels, the coarse head unless "
            "causal. Choose among them."
        )
    return chosen


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
    combine : {"auto", "max", "mean"}
        How the scores of the heads become one.
    """

    heads: Sequence[str]
    lengths: Sequence[int]
    trailing: bool
    combine: str = "auto"

    @property
    def n_joint(self) -> int:
        """How many of the signals are of all channels together, ahead of those of each."""
        return int("states" in self.heads)

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
        self.judged = judged_channels(values)
        if "channels" in self.heads:
            still = np.array([not 0 < one.scale < np.inf for one in self.channels])
            self.coupling = Coupling.learn(self._moves(values), still)
        if "states" in self.heads:
            self._learn_states(self._moves(values))
        self.scales: list[list[HeadScale]] = []
        highest = self._highest(self._learned(self.signals(values, read)))
        pairs = zip(self.heads, highest, strict=True)
        self.tails = [
            self.states_tail if head == "states" else Tail.learn(row) for head, row in pairs
        ]
        rarities = self._rarities(highest)
        alone = self._apart(rarities)[0]
        # Of a single head the scores are rarities already.
        self.agreed_tail = Tail.learn(_agreed(alone)) if len(alone) > 1 else _as_it_is
        return rarities

    def signals(self, values: NDArray[Any], read: Read, first: int = 0) -> Iterator[Floats]:
        """Yield what the heads say of every point: of all channels together, then of each.

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
            Signals; NaN where unknown, or where a head has nothing to say: of all channels
            together, only ``"states"`` says something, and of a channel that is on or off
            nothing else, if there are others.
        """
        n_points = len(values) - first
        joint = {*_JOINT} & {*self.heads}
        together = self._moves(values) if joint else np.empty((0, 0))
        distances = np.broadcast_to(np.nan, (values.shape[1], n_points))
        if self.n_joint:
            distances = self.states.distances(together)[:, first:]
            yield self._rows(n_points, {"states": _length(distances)})
        for place, distance in enumerate(distances):
            signals = {"states": distance}
            if self.judged[place]:
                signals |= self._alone(self.channels[place](values[:, place]), read, first)
                if "channels" in self.heads:
                    signals["channels"] = self.coupling.errors(place, together)[first:]
            yield self._rows(n_points, signals)

    def channel_scores(self, signals: Iterable[Floats]) -> Iterator[Floats]:
        """Score all channels together, and each, by each head.

        Parameters
        ----------
        signals : iterable of ndarray of shape (n_heads, n_timepoints)
            What the heads say, as in ``signals``; the scores take its place.

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
        return self._rarities(self._highest(channel_scores))

    def fuse(self, head_scores: Floats) -> Floats:
        """Make one score of those of the heads.

        Parameters
        ----------
        head_scores : ndarray of shape (n_heads, n_timepoints)
            Scores of the heads.

        Returns
        -------
        ndarray of shape (n_timepoints,)
            The highest, the mean, or what heads that look at the same channel agree on.
        """
        if self.combine != "auto":
            return head_scores.mean(0) if self.combine == "mean" else head_scores.max(0)
        alone, joint = self._apart(head_scores)
        if not len(alone):
            return joint.max(0)
        agreed = self.agreed_tail(_agreed(alone))
        return np.maximum(agreed, bent(joint.max(0)), out=agreed) if len(joint) else agreed

    def _apart(self, head_scores: Floats) -> tuple[Floats, Floats]:
        """Tell heads that look at channels one by one from joint ones; copy as little as can be."""
        joint = np.isin(self.heads, _JOINT)
        if not joint.any():
            return head_scores, head_scores[:0]
        return head_scores[~joint], head_scores[joint]

    def _moves(self, values: NDArray[Any]) -> Floats:
        columns = zip(self.channels, values.T, strict=True)
        return np.stack([scale(column) for scale, column in columns])

    def _alone(self, moves: Floats, read: Read, first: int) -> dict[str, Floats]:
        """Return what heads say of a channel by itself."""
        steps = np.square(np.diff(moves, prepend=np.nan))
        return read(moves) | {"level": moves[first:], "variation": steps[first:]}

    def _rows(self, n_points: int, signals: dict[str, Floats]) -> Floats:
        rows = np.full((len(self.heads), n_points), np.nan)
        for row, head in zip(rows, self.heads, strict=True):
            if head in signals:
                row[:] = signals[head]
        return rows

    def _learn_states(self, moves: Floats) -> None:
        """Learn states and one scale for all: what is far for one channel is so for any."""
        self.states = States.learn(moves, self.trailing)
        usual = _length(self.states.usual_distances(moves))
        self.states_scale = HeadScale.learn(self.lengths, self.trailing, "states", usual)
        self.states_tail = Tail.learn(self.states_scale(usual))

    def _learned(self, signals: Iterable[Floats]) -> Iterator[Floats]:
        """Learn the scales of every channel, and score it on the way."""
        learn = partial(HeadScale.learn, self.lengths, self.trailing)
        for rows in signals:
            pairs = zip(self.heads, rows, strict=True)
            scales = [
                self.states_scale if head == "states" else learn(head, row) for head, row in pairs
            ]
            self.scales.append(scales)
            yield _scored(scales, rows)

    def _highest(self, channel_scores: Iterable[Floats]) -> Floats:
        scores = iter(channel_scores)
        highest = next(scores)
        for one in scores:
            np.maximum(highest, one, out=highest)
        return highest

    def _rarities(self, highest: Floats) -> Floats:
        return _scored(self.tails, highest)


def judged_channels(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell the channels that are looked at by themselves from those that are on or off.

    A command says by itself only that it is given; a guess of when it will be is of no use.
    A channel that stands still says nothing.

    Parameters
    ----------
    values : ndarray of shape (n_timepoints, n_channels)
        The recording; NaN where missing.

    Returns
    -------
    ndarray of bool, shape (n_channels,)
        Whether a channel takes more than two values; if none does, all are looked at.
    """
    judged = np.array([not _is_switch(column) for column in values.T])
    return judged if judged.any() else ~judged


def refuse_unknown(values: NDArray[Any]) -> None:
    """Raise an error if a recording has nothing to learn from.

    Parameters
    ----------
    values : ndarray of shape (n_timepoints, n_channels)
        The recording; NaN where missing.

    Raises
    ------
    ValueError
        If all is missing.
    """
    if np.isnan(values).all():
        raise ValueError(
            "X has no known value: all are NaN, expected some to learn from. Look for what left "
            "it empty."
        )


def _is_switch(column: NDArray[Any]) -> bool:
    known = column[np.isfinite(column)]
    return not len(known) or bool(((known == known.min()) | (known == known.max())).all())


def _length(distances: Floats) -> Floats:
    """Return the length of vectors along the first axis; NaN where nothing is known."""
    length = np.sqrt(np.square(np.nan_to_num(distances)).sum(0))
    return np.where(np.isnan(distances).all(0), np.nan, length)


def _agreed(head_scores: Floats) -> Floats:
    """Return half of the highest and half of the mean."""
    return (head_scores.max(0) + head_scores.mean(0)) / 2


def _as_it_is(scores: Floats) -> Floats:
    return scores


def _scored(scales: Sequence[Any], rows: Floats) -> Floats:
    """Score every row in its place, as there may be many points."""
    for scale, row in zip(scales, rows, strict=True):
        row[:] = scale(row)
    return rows
