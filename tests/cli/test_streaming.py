"""Pieces of a recording: clocks, order and columns go on across them."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

pd = pytest.importorskip("pandas")


@pytest.fixture
def local(tmp_path, monkeypatch):
    """A recording over the end of summer time, read in pieces that end within the hour."""
    monkeypatch.setattr("sktspulse.cli.tables.read_chunks.__defaults__", (97,))
    stamps = pd.date_range("2024-10-27 00:00", periods=400, freq="min", tz="Europe/Berlin")
    table = pd.DataFrame({"x": np.sin(np.arange(400) / 5)})
    table.insert(0, "when", stamps.strftime("%Y-%m-%d %H:%M"))
    table.to_csv(tmp_path / "a.csv", index=False)
    return table


def stream(tiny, *options):
    return tiny("detect", "a.csv", "--train", "a.csv", "--causal", "-o", "out.tsv", *options)


def test_local_time_goes_on_across_pieces(tiny, local):
    answer = stream(tiny, "--time", "when", "--tz", "Europe/Berlin")
    assert answer.code == 0, answer.err
    assert answer.err == ""
    assert pd.read_csv("out.tsv", sep="\t")["when"].tolist() == local["when"].tolist()


def test_stamps_with_offsets(tiny, local):
    stamps = pd.date_range("2024-10-27", periods=400, freq="min", tz="Europe/Berlin")
    local.assign(when=[s.isoformat() for s in stamps]).to_csv("a.csv", index=False)
    assert stream(tiny, "--time", "when", "--tz", "Europe/Berlin").err == ""
    assert stream(tiny, "--time", "when", "--force").err == ""


def test_a_failed_stream_leaves_no_file(tiny, local, tmp_path):
    whole = pd.concat([local, local[:1]])
    local[:200].to_csv("train.csv", index=False)
    whole.to_csv("a.csv", index=False)
    options = ("--time", "when", "--tz", "Europe/Berlin", "--train", "train.csv", "--causal")
    answer = tiny("detect", "a.csv", "-o", "out.csv", *options)
    assert answer.code == 1
    assert "not ascending" in answer.err or "not strictly increasing" in answer.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "train.csv"]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("sktspulse.cli.tables.read_chunks.__defaults__", (500,))

    def peak(n):
        name, note = f"a{n}.csv", "a long note" * 20  # pandas reads 256 kB at once
        table = pd.DataFrame({"t": range(n), "x": np.sin(np.arange(n) / 5), "note": note})
        table.to_csv(name, index=False)
        options = ("--time", "t", "--columns", "x", "--train", "a500.csv", "--causal", "--force")
        tracemalloc.start()
        assert tiny("detect", name, "-o", "out.csv", *options).code == 0
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(500)  # what the first call imports
    assert peak(15_000) - peak(4_000) < 200_000  # labels alone would take 600,000
