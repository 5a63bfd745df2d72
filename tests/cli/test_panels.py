"""Panels in long tables, in several tables, in archives and in .ts files."""

from __future__ import annotations

from argparse import Namespace

import numpy as np
import pytest

from sktspulse.cli.panels import read_panel

pd = pytest.importorskip("pandas")
NAMES = ("time", "time_format", "tz", "id", "columns", "channel", "value", "label")


def read(*paths, **names):
    return read_panel(paths, Namespace(**dict.fromkeys(NAMES) | {"decimal": "."} | names))


def test_a_long_table(gestures):
    series = read(gestures, id="case", time="t", label="kind")
    whole = pd.read_csv(gestures, dtype={"case": str})
    assert series.ids == whole["case"].unique().tolist()
    first = whole[whole["case"] == series.ids[0]].sort_values("t")
    # pandas before 3 reads the last digit of some numbers wrong.
    np.testing.assert_allclose(series.X[0], first[["x", "y"]].to_numpy().T, rtol=1e-14)
    assert series.times[0].tolist() == first["t"].astype(str).tolist()
    assert series.labels[0] == first["kind"].iloc[0]
    assert series.describe_size() == "20 series of 2 channels and 30 to 32 time points"


def test_without_time_rows_are_in_order(gestures):
    series = read(gestures, id="case", columns="x")
    whole = pd.read_csv(gestures, dtype={"case": str})
    expected = whole["x"][whole["case"] == series.ids[0]]
    np.testing.assert_allclose(series.X[0][0], expected, rtol=1e-14)
    assert series.times is None


def test_files_without_ids_are_series(tmp_path):
    for name in "ab":
        pd.DataFrame({"x": range(9), "y": 1}).to_csv(tmp_path / f"{name}.csv", index=False)
    series = read(tmp_path / "a.csv", tmp_path / "b.csv")
    assert series.ids == ["a", "b"]
    assert series.X[1].shape == (2, 9)
    np.savez(tmp_path / "c.npz", X=np.zeros((3, 9)))
    with pytest.raises(ValueError, match=r"series of \[1, 2\] channels"):
        read(tmp_path / "a.csv", tmp_path / "c.npz")


def test_archives(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.zeros((3, 2, 9)), y=["u", "v", "u"])
    series = read(tmp_path / "a.npz", tmp_path / "a.npz")
    assert series.ids == ["a:0", "a:1", "a:2"] * 2
    assert series.labels == ["u", "v", "u"] * 2
    np.savez(tmp_path / "a.npz", X=np.zeros((3, 9)), y=["u"])
    with pytest.raises(ValueError, match="3 series in X, but 1 labels in y"):
        read(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", U=np.zeros((3, 9)), V=np.zeros(3))
    with pytest.raises(ValueError, match="holds the arrays U, V, expected X"):
        read(tmp_path / "a.npz")


def test_ts_files(tmp_path):
    (tmp_path / "a.ts").write_text("@classLabel true a b\n@data\n1,2:a\n3,4:b\n")
    series = read(tmp_path / "a.ts")
    assert series.labels == ["a", "b"]
    assert series.describe_size() == "2 series of 1 channel and 2 time points"


def test_a_series_has_one_label(gestures):
    table = pd.read_csv(gestures, dtype=str)
    table.loc[table.index[table["case"] == "03"][0], "kind"] = "odd"
    table.to_csv(gestures, index=False)
    with pytest.raises(ValueError, match="Series '03' has several labels in column 'kind': 'odd'"):
        read(gestures, id="case", time="t", label="kind")
