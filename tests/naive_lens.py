"""The slow twin of TSLens: one window at a time, one token after the other."""

from __future__ import annotations

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
