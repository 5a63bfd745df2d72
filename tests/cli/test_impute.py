"""``sktspulse impute``."""

from __future__ import annotations

import numpy as np
import pytest

pd = pytest.importorskip("pandas")
LOCAL = ("--time", "when", "--tz", "Europe/Berlin")


def test_gaps_are_filled_and_all_else_comes_back(tiny, sensors):
    answer = tiny("impute", sensors, "-o", "out.csv", *LOCAL)
    assert answer.code == 0
    assert answer.err == ""
    assert "120 rows, 3 channels. Filled 6 of 360 values.\nWrote out.csv." in answer.out
    before, after = (pd.read_csv(path, dtype=str) for path in (sensors, "out.csv"))
    assert [*after.columns] == [*before.columns]
    assert (after["when"] == before["when"]).all()
    assert after["count"].tolist() == before["count"].tolist()
    old, new = (table["flow"].astype(float) for table in (before, after))
    assert (new[old.notna()] == old.dropna()).all()
    assert not after.isna().any(axis=None)


def test_missing_rows_are_inserted(tiny, sensors):
    whole = pd.read_csv(sensors, dtype=str)
    whole.drop(index=[20, 21, 52]).to_csv(sensors, index=False)
    answer = tiny("impute", sensors, "-o", "out.csv", *LOCAL, "--freq", "1h", "--json")
    assert answer.facts == {
        "command": "impute",
        "input": str(sensors),
        "output": "out.csv",
        "n_rows": 120,
        "n_inserted_rows": 3,
        "n_values": 360,
        "n_filled": {"flow": 8, "level": 4, "count": 3},
        "warnings": [],
    }
    after = pd.read_csv("out.csv", dtype=str)
    assert after["when"].tolist() == whole["when"].tolist()
    assert not after.isna().any(axis=None)


def test_missing_rows_are_warned_of_once(tiny, sensors):
    pd.read_csv(sensors, dtype=str).drop(index=[20, 21]).to_csv(sensors, index=False)
    answer = tiny("impute", sensors, "-o", "out.csv", *LOCAL)
    assert answer.code == 0
    assert answer.err.count("warning") == 1
    assert "Pass --freq h to insert the missing rows" in answer.err


def test_standard_deviations(tiny, sensors):
    tiny("impute", sensors, "-o", "out.csv", *LOCAL, "--std")
    after, before = pd.read_csv("out.csv"), pd.read_csv(sensors)
    assert [*after.columns][4:] == ["flow_std", "level_std", "count_std"]
    assert ((after["flow_std"] > 0) == before["flow"].isna()).all()


def test_filled_values_within_bounds_and_rounded(tiny, sensors):
    table = pd.read_csv(sensors)
    table.loc[range(20, 119, 7), "count"] = None
    table.to_csv(sensors, index=False)
    tiny("impute", sensors, "-o", "out.csv", *LOCAL, "--bounded", "--round")
    after = pd.read_csv("out.csv")
    for name in ("flow", "level", "count"):
        assert after[name].between(table[name].min(), table[name].max()).all()
    assert (after["count"] % 1 == 0).all()


def test_recordings_with_ids_keep_the_order_of_rows(tiny, gestures):
    table = pd.read_csv(gestures, dtype=str).sort_values("t", key=pd.to_numeric, kind="stable")
    table.loc[table["t"].isin(["7", "8"]), "x"] = None
    table.to_csv(gestures, index=False)
    columns = ("--id", "case", "--time", "t", "--columns", "x,y")
    answer = tiny("impute", gestures, "-o", "out.csv", *columns)
    assert "20 recordings, " in answer.out
    after = pd.read_csv("out.csv", dtype=str)
    assert [*after.columns] == [*table.columns]
    for name in ("case", "kind"):
        assert after[name].tolist() == table[name].tolist()
    assert not after.isna().any(axis=None)


def test_missing_rows_of_several_recordings(tiny, sensors):
    table = pd.read_csv(sensors, dtype=str)
    parts = [table.drop(index=[7]).assign(site="a"), table.drop(index=[30, 31]).assign(site="b")]
    pd.concat(parts).to_csv(sensors, index=False)
    names = (*LOCAL, "--freq", "1h", "--id", "site")
    assert tiny("impute", sensors, "-o", "out.csv", *names).code == 0
    after = pd.read_csv("out.csv", dtype=str)
    assert after["site"].tolist() == ["a"] * 120 + ["b"] * 120
    assert after["when"].tolist() == table["when"].tolist() * 2


def test_one_row_a_value(tiny, sensors):
    wide = pd.read_csv(sensors)
    long = wide.melt("when", var_name="tag", value_name="reading").dropna()
    long = long.sort_values("when", kind="stable", key=lambda w: pd.to_datetime(w, dayfirst=True))
    long.to_csv(sensors, index=False)
    names = ("--channel", "tag", "--value", "reading")
    answer = tiny("impute", sensors, "-o", "out.csv", *LOCAL, *names)
    assert answer.err == ""
    after = pd.read_csv("out.csv")
    assert after["when"].tolist() == wide["when"].tolist()
    np.testing.assert_array_equal(after["count"], wide["count"])
    assert not after.isna().any(axis=None)


def test_nothing_is_overwritten_without_force(tiny, sensors):
    before = sensors.read_bytes()
    answer = tiny("impute", sensors, "-o", sensors, *LOCAL)
    assert answer.code == 1
    assert "exists. Pass --force to overwrite it" in answer.err
    assert sensors.read_bytes() == before
    assert tiny("impute", sensors, "-o", sensors, *LOCAL, "--force").code == 0
    assert sensors.read_bytes() != before


def test_local_time_needs_a_zone(tiny, sensors):
    answer = tiny("impute", sensors, "-o", "out.csv", "--time", "when")
    assert answer.code == 1
    assert "27.10.2024" not in answer.out
    assert "If it is where the clock is set back, pass --tz." in answer.err


@pytest.mark.parametrize("ending", ["parquet", "npz", "tsv"])
def test_other_formats(tiny, sensors, ending):
    if ending == "parquet":
        pytest.importorskip("polars")
    assert tiny("impute", sensors, "-o", f"a.{ending}", *LOCAL).code == 0
    assert tiny("impute", f"a.{ending}", "-o", "b.csv", *LOCAL).code == 0
    tiny("impute", sensors, "-o", "c.csv", *LOCAL)
    pd.testing.assert_frame_equal(*(pd.read_csv(name) for name in ("b.csv", "c.csv")))
