"""Time stamps go in, are checked, and come out again."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from sktspulse.series.time_index import TimeIndex


def frame(index) -> pd.DataFrame:
    return pd.DataFrame(np.zeros((len(index), 2)), index=index)


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range("2024-01-01", periods=5, freq="h", tz="Europe/Berlin"),
        pd.timedelta_range("1h", periods=5, freq="min"),
        pd.date_range("2024-01-01", periods=1),
    ],
)
def test_stamps_are_kept(index):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stamps = TimeIndex.of(frame(index))
    series = stamps.restore(np.arange(len(index)))
    assert series.index.equals(index)
    table = stamps.restore(np.zeros((len(index), 3)), list("abc"))
    assert table.index.equals(index)
    assert table.columns.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("X", [np.zeros((4, 1)), [[0.0]], frame(range(4)), frame(list("abcd"))])
def test_what_has_no_times_stays_an_array(X):
    values = np.arange(4)
    assert TimeIndex.of(X).restore(values) is values


def test_irregular_stamps_are_warned_about():
    index = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-05"])
    with pytest.warns(UserWarning, match="from 1 days 00:00:00 to 3 days 00:00:00 apart"):
        TimeIndex.of(frame(index))


@pytest.mark.parametrize("days", [[1, 2, 2], [1, 3, 2]])
def test_stamps_that_do_not_grow_are_refused(days):
    index = pd.to_datetime([f"2024-01-0{day}" for day in days])
    with pytest.raises(ValueError, match=r"row 2 has 2024-01-02.* after 2024-01-0[23]"):
        TimeIndex.of(frame(index))


@pytest.mark.parametrize("days", [["2024-01-01", None], [None, "2024-01-02"], [None]])
def test_rows_without_a_stamp_are_refused(days):
    index = pd.to_datetime(days)
    with pytest.raises(ValueError, match=f"Row {days.index(None)} of X has no time stamp"):
        TimeIndex.of(frame(index))
