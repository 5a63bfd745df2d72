"""The demonstration: where its output goes."""

from __future__ import annotations

import sys

import pytest

from sktspulse.cli import demonstration

pytest.importorskip("matplotlib")


@pytest.fixture
def quick(monkeypatch):
    def task(folder):
        sys.stdout.write("a result\n")
        return folder / "a.png"

    monkeypatch.setattr(demonstration, "TASKS", (task,))


def test_results_and_figures_are_printed(run, quick):
    assert run("demo", "-o", "here").out == "a result\nFigures: here/a.png\n"


def test_json_is_alone_on_the_output(run, quick):
    answer = run("demo", "--json")
    assert answer.err == "a result\n"
    assert answer.facts["figures"] == ["sktspulse-figures/a.png"]
