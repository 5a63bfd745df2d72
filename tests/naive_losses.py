"""Slow twins of the losses: loops over lists, easy to believe."""

from __future__ import annotations

import math


def masked_mse(prediction, target, where, weights=None):
    errors = [
        w * (p - t) ** 2
        for p, t, counts, w in zip(
            prediction, target, where, weights or [1.0] * len(target), strict=True
        )
        if counts and not math.isnan(t)
    ]
    return sum(errors) / len(errors) if errors else 0.0


def cross_entropy(log_probabilities, probabilities):
    return -sum(p * log_p for p, log_p in zip(probabilities, log_probabilities, strict=True))


def series_weights(target, known, length):
    """Weigh each series, and so each of its points, by one over its mean square, at most 1."""
    weights = []
    known = known.flatten().tolist()
    for start in range(0, len(target), length):
        squares = [target[i] ** 2 for i in range(start, start + length) if known[i]]
        size = sum(squares) / len(squares) if squares else 0.0
        weights += [1 / max(size, 1.0)] * length
    return weights


def agreement(vectors, temperature):
    """Ask every vector which of all the others is its partner, half the list away."""
    centre = [sum(column) / len(vectors) for column in zip(*vectors, strict=True)]
    vectors = [[v - c for v, c in zip(one, centre, strict=True)] for one in vectors]
    total = 0.0
    for i, one in enumerate(vectors):
        partner = (i + len(vectors) // 2) % len(vectors)
        odds = {
            j: math.exp(cosine(one, other) / temperature)
            for j, other in enumerate(vectors)
            if j != i
        }
        total -= math.log(odds[partner] / sum(odds.values()))
    return total / len(vectors)


def alignment(vectors):
    """Divide the mean square of half the distance between partners by the variance of all."""
    half = len(vectors) // 2
    centre = [sum(column) / len(vectors) for column in zip(*vectors, strict=True)]
    spread = sum(square_distance(one, centre) for one in vectors) / len(vectors)
    pairs = zip(vectors[:half], vectors[half:], strict=True)
    return sum(square_distance(one, other) / 2 for one, other in pairs) / half / spread


def square_distance(one, other):
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def cosine(one, other):
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / math.sqrt(sum(a * a for a in one) * sum(b * b for b in other))
