"""Indexes that were made in parts become one file, without being in memory at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from functools import reduce
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
from sklearn.utils import gen_batches

from ..series import Values
from .entries import Entries
from .series_index import SeriesIndex
from .vector_index import VectorIndex

__all__ = ["merge_indexes"]

_BLOCK = 16384  # vectors read at once


def merge_indexes(retrievers: Sequence[Any], path: Path) -> None:
    """Save an index of everything that fitted retrievers hold, in their order.

    Raises
    ------
    ValueError
        If they do not compare the same vectors in the same way.
    """
    first, *others = retrievers
    for number, other in enumerate(others, start=1):
        _check_alike(first, other, number)
    indexes = [one._series_index for one in retrievers]
    entries = reduce(_appended, [one.entries for one in indexes])
    model, *_ = vectors = [one.vectors for one in indexes]
    with TemporaryFile(dir=path.parent) as file:
        shape = len(entries), model.codes.shape[1]
        codes = np.memmap(file, model.codes.dtype, "w+", shape=shape)
        scales = None if model.scales is None else np.empty(len(codes), np.float32)
        end = 0
        for block in _decoded(vectors):
            start, end = end, end + len(block)
            codes[start:end], found = model.encoded(block)
            if scales is not None:
                scales[start:end] = found
        index = type(model)(model.metric, codes, model.centre, scales)
        merged = copy(first)
        merged._series_index = SeriesIndex(entries, index)
        merged.save(path)


def _appended(entries: Entries, others: Entries) -> Entries:
    """Return entries, and others with the ids and series after theirs."""
    following = replace(
        others,
        n_ids=entries.n_ids + others.n_ids,
        n_series=entries.n_series + others.n_series,
        ids=entries.n_ids + others.ids,
        series=entries.n_series + others.series,
    )
    return entries.extended(following)


def _decoded(vectors: Sequence[VectorIndex]) -> Iterator[Values]:
    for one in vectors:
        for block in gen_batches(len(one), _BLOCK) if len(one) else ():
            yield one.decoded(block)


def _kind(retriever: Any) -> dict[str, Any]:
    """Return all that decides what the vectors of a retriever are, and how they are compared."""
    transformer, entries = retriever.transformer_, retriever._series_index.entries
    scaler = retriever._vectorizer.level_scaler
    return {
        "network": retriever.fingerprint_,
        "embedding": transformer.embedding,
        "channels": transformer.channels,
        "n_channels_in_": retriever.n_channels_in_,
        "n_features_in_": retriever.n_features_in_,
        "normalize": None if scaler is None else [part.tolist() for part in scaler],
        "window": entries.window,
        "stride": entries.stride,
        **retriever._series_index.spec._asdict(),
    }


def _check_alike(first: Any, other: Any, number: int) -> None:
    kinds = _kind(first), _kind(other)
    unlike = [name for name in kinds[0] if kinds[0][name] != kinds[1][name]]
    if unlike:
        advice = "Fit all parts with the same parameters"
        if unlike == ["normalize"]:
            advice = "With normalize=False, levels are scaled by each part: add with partial_fit"
        raise ValueError(
            f"Index {number} differs from index 0 in {', '.join(unlike)}, so their vectors cannot "
            f"be compared. {advice}."
        )
