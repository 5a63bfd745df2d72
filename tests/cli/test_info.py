"""``sktspulse info``."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from estimator_cases import checkpoint

import sktspulse

pd = pytest.importorskip("pandas")
LOCAL = ("--time", "when", "--tz", "Europe/Berlin")


def test_the_installation(run):
    facts = run("info", "--json").facts
    assert facts["version"] == sktspulse.__version__
    assert 4e5 < facts["checkpoints"]["tspulse-p16"]["n_weights"] < 5e5
    assert "cpu" in facts["devices"]
    assert facts["libraries"]["pandas"] == pd.__version__
    text = run("info").out
    assert text.startswith(f"sktspulse {sktspulse.__version__}, Python 3.")
    assert "tspulse-p8: 1,084,330 weights, 4.3 MB" in text


def test_a_recording(run, sensors):
    table = pd.read_csv(sensors, dtype=str).drop(index=[3, 9])
    table.to_csv(sensors, index=False)
    facts = run("info", sensors, *LOCAL, "--freq", "1h", "--json").facts
    assert facts["n_rows"] == 120
    assert facts["channels"]["flow"] | {"min": 0, "max": 0} == {
        "missing": 7,
        "longest_gap": 5,
        "min": 0,
        "max": 0,
    }
    assert facts["time"] == {
        "column": "when",
        "first": "25.10.2024 00:00",
        "last": "29.10.2024 22:00",
        "step": "01:00:00",
        "n_inserted_rows": 2,
        "n_irregular_steps": 0,
    }
    answer = run("info", sensors, *LOCAL)
    assert "2 steps differ" in answer.out
    assert "longest gap" in answer.out
    assert "Pass --freq h" in answer.err


def test_networks_and_models(run, monkeypatch):
    path = checkpoint()
    assert "network for 64 time points, " in run("info", path).out
    assert run("info", path, "--json").facts["config"]["context_length"] == 64
    Path("m.safetensors").touch()
    model = SimpleNamespace(n_channels_in_=2, classes_=["a", "b"])
    monkeypatch.setattr(sktspulse, "load", lambda path: model, raising=False)
    assert run("info", "m.safetensors").out == (
        "m.safetensors: SimpleNamespace, 2 channels, classes a, b.\n"
    )


def test_time_is_asked_for(run, sensors):
    answer = run("info", sensors)
    assert answer.code == 1
    assert "holds '25.10.2024 00:00' in row 0, a time stamp. Pass --time when." in answer.err
    answer = run("info", sensors, "--columns", "flow")
    assert "Time: none; rows are taken as evenly spaced." in answer.out


def test_panels(run, tmp_path):
    (tmp_path / "a.ts").write_text("@classLabel true a b\n@data\n1,2:a\n3,4:b\n")
    assert run("info", "a.ts").out == (
        "a.ts: 2 series of 1 channel and 2 time points. Labels: a, b.\n"
    )


def test_times_that_are_numbers(run, tmp_path):
    times = [0.02 * i for i in range(30)]
    pd.DataFrame({"t": [*times, 0.7], "x": 1}).to_csv(tmp_path / "a.csv", index=False)
    facts = run("info", "a.csv", "--time", "t", "--json").facts
    assert facts["time"]["step"] == 0.02
    assert facts["time"]["n_irregular_steps"] == 1


@pytest.mark.parametrize("time", [1.5, "2025-01-01 00:00"])
def test_a_single_row_has_no_step(run, tmp_path, time):
    pd.DataFrame({"t": [time], "x": [1.0]}).to_csv(tmp_path / "a.csv", index=False)
    facts = run("info", "a.csv", "--time", "t", "--json").facts
    assert facts["time"]["n_irregular_steps"] == 0
    assert facts["time"]["first"] == facts["time"]["last"] == str(time)
