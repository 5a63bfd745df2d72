"""Recordings in tables, with an index of time."""

from __future__ import annotations

from argparse import Namespace

import numpy as np
import pytest

from sktspulse.cli.recordings import describe_size, read_recordings, row_labels

pd = pytest.importorskip("pandas")
NAMES = ("time", "time_format", "tz", "id", "columns", "channel", "value", "freq")


@pytest.fixture
def read(tmp_path):
    def read(table, **names):
        table.to_csv(tmp_path / "a.csv", index=False)
        options = Namespace(**dict.fromkeys(NAMES) | {"decimal": "."} | names)
        return read_recordings(tmp_path / "a.csv", options)

    return read


@pytest.fixture
def hourly():
    hours = pd.date_range("2024-10-26 20:00", periods=12, freq="h", tz="Europe/Berlin")
    return pd.DataFrame({"t": hours.strftime("%d.%m.%Y %H:%M"), "x": np.arange(12.0)})


def test_missing_rows_are_inserted_in_the_format_of_the_others(read, hourly):
    layout, [one] = read(hourly.drop([3, 7]), time="t", tz="Europe/Berlin", freq="1h")
    assert row_labels(layout, one).tolist() == hourly["t"].tolist()
    assert np.flatnonzero(one.rows < 0).tolist() == [3, 7]
    assert np.flatnonzero(one.values["x"].isna()).tolist() == [3, 7]


def test_missing_rows_are_warned_of(read, hourly):
    with pytest.warns(UserWarning, match="Pass --freq h to insert the missing rows"):
        read(hourly.drop([3, 7]), time="t", tz="Europe/Berlin")


def test_without_time_rows_are_numbered(read, hourly):
    layout, [one] = read(hourly[["x"]])
    assert row_labels(layout, one).tolist() == [*range(12)]
    assert describe_size([one]) == "12 rows, 1 channel"


def test_ids_make_several_recordings(read):
    table = pd.DataFrame({"id": ["b", "a", "b", "a"], "t": [1, 1, 2, 2], "x": range(4), "y": 0})
    _, recordings = read(table, time="t", id="id")
    assert [one.name for one in recordings] == ["b", "a"]
    assert [one.values["x"].tolist() for one in recordings] == [[0, 2], [1, 3]]
    assert describe_size(recordings) == "2 recordings, 4 rows, 2 channels"
    with pytest.raises(ValueError, match=r"series 'b' in .* not ascending: row 1 has 1, after 2"):
        read(table.assign(t=[2, 1, 1, 2]), time="t", id="id")


def test_freq_needs_time(read, hourly):
    with pytest.raises(ValueError, match="--freq needs time stamps"):
        read(hourly, freq="1h")
    with pytest.raises(ValueError, match="--freq often is not a step of time"):
        read(hourly, time="t", freq="often")
