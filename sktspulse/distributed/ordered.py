"""Scores of recordings that are cut into partitions, each with the rows around it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..anomaly import piece_rows, score_piece
from ..series import Integers
from .function import PartitionFunction
from .recordings import Recordings, Roles, naming
from .tasks import estimator_of, series_for

if TYPE_CHECKING:
    import dask.dataframe as dd
    import pandas as pd

__all__ = ["score_ordered"]


class _Place(NamedTuple):
    """Where the rows of a device that are read for a partition are in its recording."""

    first: int
    total: int  # rows of the recording


Ranges = dict[Hashable, slice]  # rows of each device in one partition, in order of time


def score_ordered(table: dd.DataFrame, function: PartitionFunction) -> dd.DataFrame:
    """Score a table whose later partitions have later rows."""
    import dask
    import dask.dataframe as dd

    counts = _count_rows(table, function.roles)
    parts, shared = table.to_delayed(), dask.delayed(function, pure=True)
    take, score = dask.delayed(_take, pure=True), dask.delayed(_score, pure=True)
    scores = []
    for number, part in enumerate(parts):
        around, places = _plan(number, counts, function)
        pieces = {n: take(parts[n], function.roles, ranges) for n, ranges in around.items()}
        scores.append(score(part, pieces, places, shared, number))
    meta = function.empty(table._meta)
    return dd.from_delayed(scores, meta=meta, divisions=table.divisions, verify_meta=False)


def _count_rows(table: dd.DataFrame, roles: Roles) -> dict[Hashable, Integers]:
    """Return how many rows of each device lie before each partition, and in all."""
    import dask

    count = dask.delayed(_count)
    parts = dask.compute(*[count(part, roles.by) for part in table[[roles.by]].to_delayed()])
    counts: dict[Hashable, Integers] = {}
    for number, part in enumerate(parts):
        for one, n_rows in part.items():
            counts.setdefault(one, np.zeros(len(parts) + 1, np.int64))[number + 1] = n_rows
    return {one: np.cumsum(n_rows) for one, n_rows in counts.items()}


def _count(part: pd.DataFrame, by: Hashable) -> dict[Hashable, int]:
    counts = part[by].value_counts(sort=False)
    return {one: int(n_rows) for one, n_rows in counts.items() if n_rows}


def _plan(
    number: int, counts: dict[Hashable, Integers], function: PartitionFunction
) -> tuple[dict[int, Ranges], dict[Hashable, _Place]]:
    """Return which rows of other partitions one needs, and where its own ones are."""
    around: dict[int, Ranges] = {}
    places: dict[Hashable, _Place] = {}
    for one, before in counts.items():
        start, stop, total = int(before[number]), int(before[number + 1]), int(before[-1])
        if start == stop:
            continue
        first, last = piece_rows(estimator_of(function.estimator, one), start, stop, total)
        places[one] = _Place(first, total)
        others = range(
            int(np.searchsorted(before, first, side="right")) - 1,
            int(np.searchsorted(before, last)),
        )
        for other in others:
            low, high = max(first - before[other], 0), min(last, before[other + 1]) - before[other]
            if other != number and high > low:
                around.setdefault(other, {})[one] = slice(int(low), int(high))
    return around, places


def _take(part: pd.DataFrame, roles: Roles, ranges: Ranges) -> pd.DataFrame:
    """Return some rows of some devices."""
    part = part[part[roles.by].isin(list(ranges))]
    chosen = [rows[ranges[one]] for one, rows in Recordings.find(part, roles) if one in ranges]
    return part.iloc[np.concatenate(chosen)]


def _score(
    part: pd.DataFrame,
    pieces: dict[int, pd.DataFrame],
    places: dict[Hashable, _Place],
    function: PartitionFunction,
    number: int,
) -> pd.DataFrame:
    """Score the rows of a partition, with pieces of others by the number of the partition."""
    import pandas as pd

    function.prepare()
    scores = np.empty(len(part))
    with naming(f"Partition {number}"):
        first = sum(len(piece) for n, piece in pieces.items() if n < number)
        tables = [piece for _, piece in sorted({**pieces, number: part}.items())]
        recordings = Recordings.find(pd.concat(tables), function.roles)
        for one, rows in recordings:
            side = (rows >= first) + 1 * (rows >= first + len(part))  # 0 before, 1 inside, 2 after
            own = rows[side == 1]
            if len(own):
                with naming(recordings.name(one)):
                    _check_order(side)
                    detector = estimator_of(function.estimator, one)
                    X, place = series_for(detector, recordings, rows), places[one]
                    found = score_piece(detector, X, place.first, place.total)
                    scores[own - first] = found[side == 1]
    names = list(function.empty(part).columns[:-1])
    return part[names].assign(score=scores)


def _check_order(side: Integers) -> None:
    if (np.diff(side) < 0).any():
        raise ValueError(
            "A later partition has earlier rows than this one. Pass partitions='any', or sort the "
            "table by time."
        )
