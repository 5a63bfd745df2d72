"""The average of the weights is one, and the history has a row for each finished epoch."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from sktspulse.network.config import TSPulseConfig
from sktspulse.network.tspulse import TSPulse
from sktspulse.pretraining.callbacks import WeightEMA, epoch_rows, history_columns


def small_network():
    config = TSPulseConfig(context_length=16, d_model=2, n_layers=1, n_signature_bins=4)
    return TSPulse(config)


def test_the_average_equals_its_recurrence():
    ema, net = WeightEMA(0.5), SimpleNamespace(network=small_network())
    ema.on_train_begin(net)
    weight = net.network.revin.weight
    values = torch.linspace(1, 3, 30).tolist()
    expected = values[0]
    for n_steps, value in enumerate(values, start=1):
        weight.data.fill_(value)
        ema.on_batch_end(net)
        decay = min(0.5, (1 + n_steps) / (10 + n_steps))
        expected = expected * decay + value * (1 - decay) if n_steps > 1 else value
    assert ema.network().revin.weight.item() == pytest.approx(expected)


def test_an_average_goes_on_where_it_stood():
    net = SimpleNamespace(network=small_network())
    whole, halved = WeightEMA(0.9), WeightEMA(0.9)
    whole.on_train_begin(net)
    for step in range(6):
        net.network.revin.weight.data.fill_(step)
        whole.on_batch_end(net)
        if step == 2:
            halved.on_train_begin(net)
            halved.restore(whole.network().state_dict(), 3)
        elif step > 2:
            halved.on_batch_end(net)
    assert halved.network().revin.weight.equal(whole.network().revin.weight)


def test_the_average_is_a_copy_ready_to_answer():
    ema, net = WeightEMA(0.9), SimpleNamespace(network=small_network())
    ema.on_train_begin(net)
    average = ema.network()
    assert not average.training
    assert not any(p.requires_grad for p in average.parameters())
    assert average.revin.weight.data_ptr() != net.network.revin.weight.data_ptr()


def test_history_leaves_out_an_interrupted_epoch():
    history = [{"epoch": 1, "loss": 3.0, "batches": []}, {"epoch": 2, "batches": []}]
    assert epoch_rows(history) == [{"epoch": 1, "loss": 3.0}]
    assert history_columns(history) == {"epoch": [1], "loss": [3.0]}
    assert history_columns([]) == {}
