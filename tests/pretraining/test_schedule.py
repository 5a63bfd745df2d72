"""The learning rate rises, is held and falls, and every step gets its own."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from sktspulse.pretraining.schedule import Schedule, trapezoid


def test_the_factor_is_the_smallest_of_its_three_bounds():
    bounds = [(0.25, 9), (2, 0.5), (3, 4), (0.75, 0.5), (5, -1)]
    assert [trapezoid(rising, falling) for rising, falling in bounds] == [0.25, 0.5, 1, 0.5, 0]


def test_the_rate_rises_holds_and_falls():
    schedule = Schedule(lr=2.0, warmup_steps=4, decay_steps=5, n_steps=20)
    rates = [schedule.rate(step) for step in range(21)]
    assert rates[:4] == [0.5, 1.0, 1.5, 2.0]
    assert rates[4:16] == [2.0] * 12
    assert rates[15:] == pytest.approx([2.0, 1.6, 1.2, 0.8, 0.4, 0.0])


@pytest.mark.parametrize(("warmup_steps", "decay_steps"), [(0, 0), (30, 30)])
def test_the_rate_is_never_out_of_bounds(warmup_steps, decay_steps):
    schedule = Schedule(1.0, warmup_steps, decay_steps, 20)
    assert all(0 < schedule.rate(step) <= 1 for step in range(20))


def test_every_step_gets_its_rate():
    schedule = Schedule(1.0, 2, 0, 9, step=1)
    net = SimpleNamespace(optimizer_=SimpleNamespace(param_groups=[{"lr": 9.0}, {"lr": 9.0}]))
    schedule.on_batch_begin(net)
    assert net.optimizer_.param_groups == [{"lr": 1.0}, {"lr": 1.0}]
    schedule.on_batch_end(net)
    assert schedule.step == 2
