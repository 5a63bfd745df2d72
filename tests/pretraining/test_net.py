"""Precision, loading and compilation change nothing but the last digits."""

from __future__ import annotations

from functools import partial

import torch

from sktspulse.network.tspulse import TSPulse
from sktspulse.pretraining.batches import loader_settings
from sktspulse.pretraining.losses import PretrainingLoss
from sktspulse.pretraining.net import PretrainingNet, mixed_precision
from sktspulse.pretraining.optimizer import MuonAdamW


def net(config, **settings):
    weights = dict.fromkeys(("time", "frequency", "spectrum", "signature", "forecast"), 1.0)
    arguments = {
        "criterion": partial(PretrainingLoss, config, weights),
        "optimizer": MuonAdamW,
        "lr": 1e-3,
        "max_epochs": 1,
        "bfloat16": False,
        "verbose": 0,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        loading = loader_settings(0, 3, 0)
        built = PretrainingNet(
            TSPulse, module__config=config, **{**arguments, **loading, **settings}
        )
        return built.initialize()


def test_bfloat16_is_near_and_answers_in_single_precision(config, batches):
    inputs, _ = batches()[0]
    exact, rough = (net(config, bfloat16=flag).infer(inputs).heads for flag in (False, True))
    for name in exact:
        assert rough[name].dtype == torch.float32
        assert not rough[name].equal(exact[name])
        torch.testing.assert_close(rough[name], exact[name], rtol=0.1, atol=0.1)


def test_weights_stay_in_single_precision_under_bfloat16(config, batches):
    trained = net(config, bfloat16=True).partial_fit(batches())
    assert {p.dtype for p in trained.network.parameters()} == {torch.float32}


def test_background_loading_changes_nothing(config, batches):
    trained = [
        net(config, **loader_settings(0, 3, n)).partial_fit(batches()).network for n in (0, 1)
    ]
    pairs = zip(*(network.parameters() for network in trained), strict=True)
    assert all(p.equal(q) for p, q in pairs)


def test_compiling_changes_only_the_digits(config, batches):
    # This backend traces as the default one does, but needs no C++ compiler.
    compiled = net(config, compile=True, compile__backend="aot_eager").partial_fit(batches())
    assert type(compiled.network) is TSPulse
    assert compiled.network is not compiled.module_
    plain = net(config).partial_fit(batches()).network
    for p, q in zip(compiled.network.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-2, atol=2e-3)


def test_predictions_are_in_single_precision_and_gradients_flow(config, batches):
    inputs, _ = batches()[0]
    network = net(config).network
    prediction = mixed_precision(network, inputs, bfloat16=True)
    tensors = [*prediction.heads.values(), prediction.encoding.tokens, prediction.encoding.loc]
    assert {tensor.dtype for tensor in tensors} == {torch.float32}
    sum(head.sum() for head in prediction.heads.values()).backward()
    assert all(p.grad is not None for p in network.parameters())
