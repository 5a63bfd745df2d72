"""A budget of time runs down with the clock."""

from __future__ import annotations

import math

from sktspulse.base.clock import TimeBudget


def test_a_budget_runs_down(monkeypatch):
    now = 100.0
    monkeypatch.setattr("sktspulse.base.clock.time.monotonic", lambda: now)
    budget = TimeBudget(8)
    assert (budget.spent, budget.left, budget.spent_fraction) == (0, 8, 0)
    now = 110.0
    assert (budget.spent, budget.left, budget.spent_fraction) == (10, -2, 1.25)


def test_no_time_is_spent_at_once():
    assert TimeBudget(0).spent_fraction == math.inf
