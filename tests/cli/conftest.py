"""The command in this process, and tables for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from estimator_cases import checkpoint

from sktspulse.cli import main

pd = pytest.importorskip("pandas")


class Answer(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict:
        return json.loads(self.out)


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Answer:
        code = main([str(one) for one in arguments])
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture
def tiny(run):
    """Run a command with a tiny network."""
    return lambda *arguments: run(*arguments, "--checkpoint", checkpoint())


@pytest.fixture
def sensors(tmp_path) -> Path:
    """Two channels, a column of whole numbers, and gaps, each hour in local time, as text."""
    hours = pd.date_range("2024-10-25", periods=120, freq="h", tz="Europe/Berlin")
    phase = np.arange(120) / 4
    table = pd.DataFrame({"flow": np.sin(phase), "level": np.cos(phase)}).round(3)
    table.insert(0, "when", hours.strftime("%d.%m.%Y %H:%M"))
    table["count"] = np.arange(120) % 24
    table.loc[40:44, "flow"] = np.nan
    table.loc[70, "level"] = np.nan
    table.to_csv(tmp_path / "sensors.csv", index=False)
    return tmp_path / "sensors.csv"


@pytest.fixture
def gestures(tmp_path) -> Path:
    """Twenty series of two kinds and unequal length in a long table, its rows not in order."""
    rng = np.random.default_rng(0)
    parts = []
    for i in range(20):
        t = np.arange(30 + i % 3)
        x = np.sin(t * (0.3 + i % 2)) + 0.1 * rng.normal(size=len(t))
        part = pd.DataFrame({"case": f"0{i}", "t": t, "kind": ["slow", "fast"][i % 2], "x": x})
        parts.append(part.assign(y=x[::-1]))
    table = pd.concat(parts).sample(frac=1, random_state=0)
    table.to_csv(tmp_path / "gestures.csv", index=False)
    return tmp_path / "gestures.csv"
