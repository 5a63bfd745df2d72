"""``sktspulse detect``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from estimator_cases import checkpoint

from sktspulse import TSPulseAnomalyDetector

pd = pytest.importorskip("pandas")


@pytest.fixture
def machine(tmp_path):
    """Two hours of two channels, a value each ten seconds, with a fault at the end."""
    rng = np.random.default_rng(0)
    t = np.arange(720)
    table = pd.DataFrame({"speed": np.sin(t / 6), "load": np.cos(t / 6)})
    table += 0.05 * rng.normal(size=table.shape)
    table.loc[650:660, "load"] += 4
    times = pd.date_range("2025-03-03 06:00", periods=720, freq="10s")
    table.insert(0, "time", times.strftime("%Y-%m-%d %H:%M:%S"))
    table[:400].to_csv(tmp_path / "normal.csv", index=False)
    table[400:].to_csv(tmp_path / "today.csv", index=False)
    return table


def expected_scores(machine, **parameters):
    table = machine.set_index(pd.to_datetime(machine["time"]))[["speed", "load"]]
    detector = TSPulseAnomalyDetector(random_state=0, checkpoint=checkpoint(), **parameters)
    return detector.fit(table[:400]).score_samples(table[400:]).to_numpy()


def test_scores_and_segments(tiny, machine):
    files = ("today.csv", "--train", "normal.csv", "-o", "scores.csv", "--segments", "alarms.csv")
    answer = tiny("detect", *files, "--time", "time", "--json")
    assert answer.code == 0
    scores, segments = pd.read_csv("scores.csv"), pd.read_csv("alarms.csv")
    assert [*scores.columns] == ["time", "score", "is_anomaly"]
    assert scores["time"].tolist() == machine["time"][400:].tolist()
    np.testing.assert_allclose(scores["score"], expected_scores(machine), rtol=2e-5)
    assert [*segments.columns] == ["start", "end", "peak", "score", "channel", "head"]
    worst = segments.loc[segments["score"].idxmin()]
    assert worst["channel"] == "load"
    assert worst["start"] <= machine["time"][652] <= worst["end"]
    inside = (scores["time"] >= worst["start"]) & (scores["time"] <= worst["end"])
    assert scores["is_anomaly"][inside].all()
    assert answer.facts["n_anomalies"] == scores["is_anomaly"].sum()
    assert answer.facts["n_segments"] == len(answer.facts["segments"]) == len(segments)


def test_the_strongest_alarms_are_printed(tiny, machine):
    files = ("today.csv", "--train", "normal.csv", "-o", "scores.csv")
    answer = tiny("detect", *files, "--columns", "speed,load")
    assert "320 rows, 2 channels." in answer.out
    assert "The strongest:" in answer.out
    assert pd.read_csv("scores.csv").columns[0] == "row"


def test_a_table_is_compared_with_itself_or_its_first_rows(tiny, machine):
    tiny("detect", "today.csv", "-o", "a.csv", "--time", "time", "--contamination", "0.1")
    assert pd.read_csv("a.csv")["is_anomaly"].sum() in range(20, 45)
    tiny("detect", "today.csv", "-o", "b.csv", "--time", "time", "--train-rows", "200")
    assert pd.read_csv("b.csv")["is_anomaly"][:200].sum() < 5


@pytest.mark.parametrize("names", [["--time", "time"], ["--columns", "speed,load"]])
def test_pieces_have_the_scores_of_the_whole(tiny, machine, monkeypatch, names):
    monkeypatch.setattr("sktspulse.cli.tables.read_chunks.__defaults__", (100,))
    files = ("today.csv", "--train", "normal.csv", "--causal", *names)
    streamed = tiny("detect", *files, "-o", "a.csv")
    assert streamed.err == ""
    assert "320 rows, 2 channels." in streamed.out
    whole = tiny("detect", *files, "-o", "b.csv", "--segments", "c.csv")
    assert whole.code == 0
    a, b = pd.read_csv("a.csv"), pd.read_csv("b.csv")
    pd.testing.assert_frame_equal(a, b, rtol=2e-5)
    np.testing.assert_allclose(a["score"], expected_scores(machine, causal=True), rtol=2e-5)


def test_a_recording_for_each_id(tiny, machine):
    tables = [machine[400:].assign(pump=name) for name in ("p", "q")]
    pd.concat(tables).to_csv("both.csv", index=False)
    pd.concat([t.assign(pump=n) for n, t in (("q", machine[:400]), ("p", machine[:300]))]).to_csv(
        "train.csv", index=False
    )
    names = ("--id", "pump", "--time", "time", "--train", "train.csv")
    assert tiny("detect", "both.csv", "-o", "a.csv", "--segments", "b.csv", *names).code == 0
    scores = pd.read_csv("a.csv")
    assert [*scores.columns] == ["pump", "time", "score", "is_anomaly"]
    assert scores["pump"].tolist() == ["p"] * 320 + ["q"] * 320
    expected = expected_scores(machine)
    np.testing.assert_allclose(scores["score"][320:], expected, rtol=2e-5)
    assert {*pd.read_csv("b.csv")["pump"]} == {"p", "q"}


def test_inserted_rows_get_no_score(tiny, machine):
    machine[400:].drop(index=[500, 501]).to_csv("today.csv", index=False)
    names = ("--time", "time", "--freq", "10s", "--train", "normal.csv")
    assert tiny("detect", "today.csv", "-o", "a.csv", *names).code == 0
    assert pd.read_csv("a.csv")["time"].tolist() == pd.read_csv("today.csv")["time"].tolist()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--causal"], "--causal goes on from a normal recording. Pass it as --train."),
        (["--contamination", "0.7"], "'contamination' parameter"),
        (["--train", "odd.csv"], "odd.csv has no column 'time'"),
        (["--train", "other.csv", "--causal"], "today.csv has no column 'torque'"),
        (["--id", "pump", "--train", "pumps.csv"], "has no column 'pump'"),
    ],
)
def test_errors_leave_no_files(tiny, machine, options, said):
    pd.DataFrame({"x": range(20)}).to_csv("odd.csv", index=False)
    machine[:400].rename(columns={"load": "torque"}).to_csv("other.csv", index=False)
    machine[:400].assign(pump="p").to_csv("pumps.csv", index=False)
    answer = tiny("detect", "today.csv", "-o", "a.csv", "--time", "time", *options)
    assert answer.code == 1
    assert said in answer.err
    assert not Path("a.csv").exists()


def test_each_id_needs_its_normal_recording(tiny, machine):
    machine[400:].assign(pump="q").to_csv("today.csv", index=False)
    machine[:400].assign(pump="p").to_csv("pumps.csv", index=False)
    names = ("--id", "pump", "--time", "time", "--train", "pumps.csv")
    assert "no series 'q'" in tiny("detect", "today.csv", "-o", "a.csv", *names).err
