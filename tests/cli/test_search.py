"""``sktspulse search``."""

from __future__ import annotations

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
NAMES = ("--id", "case", "--time", "t", "--columns", "x,y")


def test_neighbours_of_series_in_the_table(tiny, gestures):
    answer = tiny("search", gestures, *NAMES, "--like", "03", "04", "-n", "3", "-o", "a.csv")
    assert answer.code == 0, answer.err
    found = pd.read_csv("a.csv", dtype={"case": str, "query": str})
    assert [*found.columns] == ["query", "case", "distance"]
    assert found["query"].tolist() == ["03"] * 3 + ["04"] * 3
    assert (found["query"] != found["case"]).all()
    assert (found.groupby("query")["distance"].diff().dropna() >= 0).all()


def test_answers_are_printed_without_a_file(tiny, gestures):
    answer = tiny("search", gestures, *NAMES, "--like", "03", "-n", "2")
    assert answer.out.startswith("20 series of 2 channels and 30 to 32 time points, 20 entries.\n")
    assert len(answer.out.splitlines()) == 4
    every = [f"0{i}" for i in range(20)]
    answer = tiny("search", gestures, *NAMES, "--like", *every)
    assert answer.out.endswith("... and 80 more; write all with -o.\n")
    facts = tiny("search", gestures, *NAMES, "--like", "03", "--json", "--levels").facts
    assert len(facts["neighbors"]) == 5


def test_windows_of_a_recording_have_the_time_at_which_they_start(tiny, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    stamps = pd.date_range("2025-01-01", periods=400, freq="h").strftime("%d.%m.%Y %H:%M")
    pd.DataFrame({"when": stamps, "x": x}).to_csv("a.csv", index=False)
    pd.DataFrame({"when": stamps[:40], "x": x[200:240]}).to_csv("b.csv", index=False)
    options = ("--queries", "b.csv", "--window", "40", "-n", "1", "-o", "c.csv")
    assert tiny("search", "a.csv", "--time", "when", *options).err == ""
    found = pd.read_csv("c.csv")
    assert [*found.columns] == ["query", "series", "start", "distance"]
    assert found.loc[0, "start"] == stamps[200]
    tiny("search", "a.csv", "--columns", "x", *options, "--force")
    assert pd.read_csv("c.csv").loc[0, "start"] == 200


def test_an_unknown_id(tiny, gestures):
    answer = tiny("search", gestures, *NAMES, "--like", "nobody")
    assert answer.code == 1
    assert "There is no series 'nobody'. The first are 0" in answer.err
