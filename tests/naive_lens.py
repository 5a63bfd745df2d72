"""The slow twin of TSLens: one window at a time, one token after the other."""

from __future__ import annotations

from itertools import pairwise

import naive


def lens(weights, config, x, observed, moments):
    """Answer from ``x[channel][time]`` and moments, by the decoder and the head in ``weights``."""
    tokens = naive.network(_below("network", weights), config, x, observed)["decoder"]
    head = _below("head", weights)
    values = [
        value
        for channel in range(len(x))
        for token in tokens[channel]
        for value in naive.linear(head, "reduce", list(token))
    ]
    values += list(naive.linear(head, "moments", moments))
    values = [naive.gelu(value) for value in naive.layer_norm(head, "norm", values)]
    return list(naive.linear(head, "linear", values))


def _below(name, weights):
    start = f"{name}."
    return {key[len(start) :]: w for key, w in weights.items() if key.startswith(start)}


def longest_fall(losses):
    """Return the length of the longest falling subsequence, trying every one of them."""
    best = 0
    for chosen in range(1, 2 ** len(losses)):
        picked = [loss for i, loss in enumerate(losses) if chosen >> i & 1]
        if all(a > b for a, b in pairwise(picked)):
            best = max(best, len(picked))
    return best
