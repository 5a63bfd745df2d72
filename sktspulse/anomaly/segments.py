"""Stretches of points that stand out, and what raised them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ..series import Floats, Indices, runs

__all__ = ["find_segments", "loudest_channels"]

_ROWS = [("start", "i8"), ("end", "i8"), ("peak", "i8")]
_SEGMENT = np.dtype([*_ROWS, ("score", "f8"), ("head", "U9"), ("channel", "i8")])


def loudest_channels(
    channel_scores: Iterable[Floats], told: list[Indices], n_joint: int = 0
) -> Iterator[Floats]:
    """Note which channel has the highest score, while scores pass through.

    Parameters
    ----------
    channel_scores : iterable of ndarray of shape (n_heads, n_timepoints)
        Scores, channel after channel.
    told : list
        Gets an array ``(n_heads, n_timepoints)`` with the channels at its end.
    n_joint : int, default=0
        How many come first that are of no channel.

    Yields
    ------
    ndarray of shape (n_heads, n_timepoints)
        The scores.
    """
    scores = iter(channel_scores)
    yield from islice(scores, n_joint)
    best = next(scores).copy()
    told.append(np.zeros(best.shape, np.intp))
    yield best.copy()
    for channel, one in enumerate(scores, start=1):
        louder = one > best
        best[louder], told[-1][louder] = one[louder], channel
        yield one


def find_segments(
    scores: Floats, offset: float, heads: Indices, channels: Indices, names: Sequence[str]
) -> NDArray[np.void]:
    """List the stretches whose scores lie below the offset.

    Parameters
    ----------
    scores : ndarray of shape (n_timepoints,)
        Scores, low where unusual.
    offset : float
        Threshold.
    heads : ndarray of shape (n_timepoints,)
        Which head is loudest at a point.
    channels : ndarray of shape (n_heads, n_timepoints)
        Which channel is loudest at a point, for each head.
    names : sequence of str
        Names of the heads.

    Returns
    -------
    structured ndarray of shape (n_segments,)
        Segments in order of time.
    """
    found = []
    for start, end in runs(scores < offset):
        peak = start + scores[start:end].argmin()
        head = heads[peak]
        found.append((start, end, peak, scores[peak], names[head], channels[head, peak]))
    return np.array(found, dtype=_SEGMENT)
