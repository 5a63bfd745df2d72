"""A budget of time runs down with the clock."""

from __future__ import annotations

from sktspulse.base.clock import TimeBudget


def test_a_budget_runs_down(monkeypatch):
    now = 100.0
    monkeypatch.setattr("sktspulse.base.clock.time.monotonic", lambda: now)
    budget = TimeBudget(8)
    assert (budget.spent, budget.left) == (0, 8)
    now = 110.0
    assert (budget.spent, budget.left) == (10, -2)
