"""Slow, obvious twin of the search: loops over all pairs."""

from __future__ import annotations

import math


def distance(one, other, metric):
    if metric == "euclidean":
        return math.sqrt(sum((a - b) ** 2 for a, b in zip(one, other, strict=True)))
    lengths = math.hypot(*one) * math.hypot(*other)
    return 1 - sum(a * b for a, b in zip(one, other, strict=True)) / lengths


def ranked(query, vectors, metric):
    """Return (distance, row) of every vector, the nearest first, the lower row first in ties."""
    distances = [distance(query, vector, metric) for vector in vectors]
    return sorted(zip(distances, range(len(vectors)), strict=True))


def nearest(queries, vectors, n_neighbors, metric="euclidean"):
    found = [ranked(query.tolist(), vectors.tolist(), metric)[:n_neighbors] for query in queries]
    distances = [[pair[0] for pair in one] for one in found]
    return distances, [[pair[1] for pair in one] for one in found]


def within(queries, vectors, radius, metric="euclidean"):
    found = [ranked(query.tolist(), vectors.tolist(), metric) for query in queries]
    return [[row for distance_, row in one if distance_ <= radius] for one in found]
