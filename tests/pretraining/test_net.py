"""Batches belong to their step, precision and compilation change nothing but the digits."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from sktspulse.network.config import TSPulseConfig
from sktspulse.network.tspulse import TSPulse
from sktspulse.pretraining.batches import MaskedBatches, Steps, loading
from sktspulse.pretraining.corpus import Corpus, WindowStream
from sktspulse.pretraining.losses import PretrainingLoss
from sktspulse.pretraining.net import PretrainingNet
from sktspulse.pretraining.optimizer import MuonAdamW

CONFIG = TSPulseConfig(
    context_length=64,
    d_model=4,
    n_layers=1,
    n_decoder_layers=1,
    n_registers=2,
    n_register_layers=1,
    n_signature_bins=16,
    forecast_length=4,
)


def batches(
    rank=0, mask_ratio=(0.1, 0.5), n_timepoints=300, *, length=68, n_windows=32, augment=True
):
    series = np.random.default_rng(0).standard_normal((5, n_timepoints)).cumsum(1)
    series[0, 50:90] = np.nan
    stream = WindowStream(
        Corpus.from_series(series), length, n_windows, 0.25, (1, 2, 4, 8), augment, 3, n_processes=2
    )
    return MaskedBatches(stream, CONFIG, mask_ratio, (0.0, 1.0), rank)


def net(**settings):
    weights = dict.fromkeys(("time", "frequency", "spectrum", "signature", "forecast"), 1.0)
    arguments = {
        "criterion": partial(PretrainingLoss, CONFIG, weights),
        "optimizer": MuonAdamW,
        "lr": 1e-3,
        "max_epochs": 1,
        "bfloat16": False,
        "verbose": 0,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        built = PretrainingNet(
            TSPulse, module__config=CONFIG, **{**arguments, **loading(0, 3, 0), **settings}
        )
        return built.initialize()


def test_a_batch_has_what_network_and_losses_need():
    inputs, truth = batches()[5]
    assert {name: tuple(part.shape) for name, part in truth.items()} == {
        "x": (32, 1, 64),
        "observed": (32, 1, 64),
        "known": (32, 1, 64),
        "future": (32, 1, 4),
    }
    assert inputs["observed"] is truth["observed"]
    assert truth["x"].isfinite().all()


def test_some_windows_are_shown_with_noise_and_none_if_not_augmented():
    inputs, truth = batches()[0]
    changed = (inputs["x"] != truth["x"]).any(-1)[:, 0]
    assert 1 <= changed.sum() < 24
    size = (inputs["x"] - truth["x"]).std(-1) / truth["x"].std(-1).clamp(min=1e-6)
    assert size.max() < 0.9
    inputs, truth = batches(augment=False)[0]
    assert inputs["x"].equal(truth["x"])


def test_longer_windows_give_two_views_each():
    _, truth = batches(length=84, n_windows=16)[0]
    assert tuple(truth["x"].shape) == (32, 1, 64)
    assert not truth["observed"][:16].equal(truth["observed"][16:])


def test_what_is_unknown_is_neither_shown_nor_known():
    _, truth = batches(n_timepoints=40)[0]
    assert not truth["known"].all()
    assert not (truth["observed"] & ~truth["known"]).any()
    assert (truth["x"][~truth["known"]] == 0).all()


def test_the_mask_ratio_stays_in_its_range_and_varies():
    _, truth = batches(mask_ratio=(0.2, 0.6), n_timepoints=4000)[0]
    truth = {name: part[truth["known"].all(-1)[:, 0]] for name, part in truth.items()}
    hidden = (~truth["observed"]).float().mean(-1)
    assert 0.2 - 1 / 64 <= hidden.min() < 0.3
    assert 0.5 < hidden.max() <= 0.6


def test_a_batch_depends_on_step_and_rank_alone():
    before = torch.random.get_rng_state()
    first, again, later, beside = batches()[1], batches()[1], batches()[2], batches(rank=1)[1]
    for name, part in first[1].items():
        torch.testing.assert_close(part, again[1][name], rtol=0, atol=0, equal_nan=True)
        assert not part.equal(later[1][name]) or name == "known"
        assert not part.equal(beside[1][name]) or name == "known"
    assert torch.random.get_rng_state().equal(before)


def test_steps_go_on_from_epoch_to_epoch():
    steps = Steps(7, 3)
    assert len(steps) == 3
    assert list(steps) == [7, 8, 9]
    iter(steps)  # asked for, but not drawn from
    assert list(steps) == [10, 11, 12]


def test_the_loss_is_the_weighted_sum_of_its_parts():
    weights = {"time": 2.0, "forecast": 0.5}
    criterion = PretrainingLoss(CONFIG, weights)
    inputs, truth = batches()[0]
    total = criterion(net().network(**inputs), truth).item()
    parts = {name: part.item() for name, part in criterion.parts.items()}
    assert set(parts) == {"time", "frequency", "spectrum", "signature", "forecast", "loss"}
    assert total == parts["loss"] == pytest.approx(2 * parts["time"] + 0.5 * parts["forecast"])


def test_bfloat16_is_near_and_answers_in_single_precision():
    inputs, _ = batches()[0]
    exact, rough = (net(bfloat16=flag).infer(inputs).heads for flag in (False, True))
    for name in exact:
        assert rough[name].dtype == torch.float32
        assert not rough[name].equal(exact[name])
        torch.testing.assert_close(rough[name], exact[name], rtol=0.1, atol=0.1)


def test_weights_stay_in_single_precision_under_bfloat16():
    trained = net(bfloat16=True).partial_fit(batches())
    assert {p.dtype for p in trained.network.parameters()} == {torch.float32}


def test_background_loading_changes_nothing():
    trained = [net(**loading(0, 3, n)).partial_fit(batches()).network for n in (0, 1)]
    pairs = zip(*(network.parameters() for network in trained), strict=True)
    assert all(p.equal(q) for p, q in pairs)


def test_compiling_changes_only_the_digits():
    # This backend traces as the default one does, but needs no C++ compiler.
    compiled = net(compile=True, compile__backend="aot_eager").partial_fit(batches())
    assert type(compiled.network) is TSPulse
    assert compiled.network is not compiled.module_
    plain = net().partial_fit(batches()).network
    for p, q in zip(compiled.network.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-2, atol=2e-3)
