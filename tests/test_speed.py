"""Embedding costs little more than the bare arithmetic of the network, whatever the machine."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sktspulse import TSPulseTransformer
from sktspulse.network import load_checkpoint

N_WINDOWS, N_TURNS = 32, 15
# It is about 1.22. A fifth more is a mistake.
MAX_RATIO = 1.46


def arithmetic(n_windows: int) -> Callable[[], Tensor]:
    """Return the products and functions of all mixers on fixed numbers, and nothing else."""
    config = load_checkpoint("tspulse-p8").config
    n_tokens, width = config.n_tokens, config.d_model
    draw = torch.Generator().manual_seed(0)
    tokens = torch.randn(n_tokens, n_windows, width, generator=draw)

    def weights(n: int) -> list[Tensor]:
        shapes = (2 * n, n), (n, 2 * n), (n, n)
        return [torch.randn(shape, generator=draw) / shape[1] for shape in shapes]

    along_tokens, along_features = weights(n_tokens), weights(width)

    def mix_tokens(h: Tensor) -> Tensor:
        first, second, gate = along_tokens
        u = second @ functional.gelu(first @ functional.layer_norm(h, (width,)).flatten(1))
        return h + (u * (gate @ u).softmax(0)).view(h.shape)

    def mix_features(h: Tensor) -> Tensor:
        first, second, gate = along_features
        u = functional.gelu(functional.layer_norm(h, (width,)) @ first.T) @ second.T
        return h + u * (u @ gate.T).softmax(-1)

    def run() -> Tensor:
        h = tokens
        for _ in range(config.n_layers + config.n_decoder_layers):
            h = mix_features(mix_tokens(h))
        return h

    return run


def seconds(run: Callable[[], object]) -> float:
    started = time.thread_time()
    run()
    return time.thread_time() - started


def test_embedding_takes_little_longer_than_its_arithmetic():
    X = np.random.default_rng(0).normal(size=(N_WINDOWS, 1, 512)).cumsum(-1)
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # so that all is done by this thread, whose time is measured
    transformer, bare = TSPulseTransformer(device="cpu").fit(X), arithmetic(N_WINDOWS)
    with torch.inference_mode():
        turns = [(seconds(lambda: transformer.transform(X)), seconds(bare)) for _ in range(N_TURNS)]
    torch.set_num_threads(before)
    ours, theirs = np.min(turns[2:], axis=0)
    assert ours / theirs < MAX_RATIO, f"{ours / theirs:.2f}"
