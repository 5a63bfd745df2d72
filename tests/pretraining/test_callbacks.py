"""The rate follows its schedule, the average is an average, files are whole."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from sktspulse.network.config import TSPulseConfig
from sktspulse.network.tspulse import TSPulse
from sktspulse.pretraining.callbacks import Averaging, table
from sktspulse.pretraining.run_state import find_state
from sktspulse.pretraining.schedule import Schedule


def test_the_rate_rises_holds_and_falls():
    schedule = Schedule(lr=2.0, n_warmup=4, n_decay=5, n_steps=20)
    rates = [schedule.rate(step) for step in range(21)]
    assert rates[:4] == [0.5, 1.0, 1.5, 2.0]
    assert rates[4:16] == [2.0] * 12
    assert rates[15:] == pytest.approx([2.0, 1.6, 1.2, 0.8, 0.4, 0.0])


@pytest.mark.parametrize(("n_warmup", "n_decay"), [(0, 0), (30, 30)])
def test_the_rate_is_never_out_of_bounds(n_warmup, n_decay):
    schedule = Schedule(1.0, n_warmup, n_decay, 20)
    assert all(0 < schedule.rate(step) <= 1 for step in range(20))


def test_every_step_gets_its_rate():
    schedule = Schedule(1.0, 2, 0, 9, step=1)
    net = SimpleNamespace(optimizer_=SimpleNamespace(param_groups=[{"lr": 9.0}, {"lr": 9.0}]))
    schedule.on_batch_begin(net)
    assert net.optimizer_.param_groups == [{"lr": 1.0}, {"lr": 1.0}]
    schedule.on_batch_end(net)
    assert schedule.step == 2


def small_network():
    config = TSPulseConfig(context_length=16, d_model=2, n_layers=1, n_signature_bins=4)
    return TSPulse(config)


def test_the_average_equals_its_recurrence():
    averaging, net = Averaging(0.5), SimpleNamespace(network=small_network())
    averaging.on_train_begin(net)
    weight = net.network.revin.weight
    values = torch.linspace(1, 3, 30).tolist()
    expected = values[0]
    for n_steps, value in enumerate(values, start=1):
        weight.data.fill_(value)
        averaging.on_batch_end(net)
        decay = min(0.5, (1 + n_steps) / (10 + n_steps))
        expected = expected * decay + value * (1 - decay) if n_steps > 1 else value
    assert averaging.network().revin.weight.item() == pytest.approx(expected)


def test_an_average_goes_on_where_it_stood():
    net = SimpleNamespace(network=small_network())
    whole, halved = Averaging(0.9), Averaging(0.9)
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
    averaging, net = Averaging(0.9), SimpleNamespace(network=small_network())
    averaging.on_train_begin(net)
    average = averaging.network()
    assert not average.training
    assert not any(p.requires_grad for p in average.parameters())
    assert average.revin.weight.data_ptr() != net.network.revin.weight.data_ptr()


def test_a_table_leaves_out_what_was_interrupted():
    rows = [{"epoch": 1, "loss": 3.0, "batches": []}, {"epoch": 2, "batches": []}]
    assert table(rows) == {"epoch": [1], "loss": [3.0]}
    assert table([]) == {}


def test_a_folder_without_a_run_has_no_state(tmp_path):
    assert find_state(tmp_path, TSPulseConfig(), {}, resume=True) is None
    assert find_state(tmp_path / "nowhere", TSPulseConfig(), {}, resume=False) is None
