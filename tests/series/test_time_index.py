"""Time stamps are checked on input, put back on output, and completed to a regular grid."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from sktspulse.series.time_index import TimeIndex, asfreq

HOURS = pd.date_range("2024-03-30", periods=60, freq="h", tz="Europe/Berlin", name="when")


def frame(index) -> pd.DataFrame:
    values = np.arange(2.0 * len(index)).reshape(-1, 2)
    return pd.DataFrame(values, columns=["a", "b"], index=index)


# --------------------------------------------------------------------------- TimeIndex


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range("2024-01-01", periods=5, freq="h", tz="Europe/Berlin"),
        pd.timedelta_range("1h", periods=5, freq="min"),
        pd.date_range("2024-01-01", periods=1),
    ],
)
def test_stamps_are_put_back(index):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stamps = TimeIndex.from_input(frame(index))
    series = stamps.restore(np.arange(len(index)))
    assert series.index.equals(index)
    table = stamps.restore(np.zeros((len(index), 3)), list("abc"))
    assert table.index.equals(index)
    assert table.columns.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("X", [np.zeros((4, 1)), [[0.0]], frame(range(4)), frame(list("abcd"))])
def test_without_stamps_an_array_stays_an_array(X):
    values = np.arange(4)
    assert TimeIndex.from_input(X).restore(values) is values


def test_irregular_stamps_raise_a_warning_at_the_line_of_the_caller():
    def method(X):
        return TimeIndex.from_input(X)

    index = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-05"])
    message = "from 1 days 00:00:00 to 3 days 00:00:00 apart"
    with pytest.warns(UserWarning, match=message) as record:
        method(frame(index))
    assert record[0].filename == __file__


@pytest.mark.parametrize("days", [[1, 2, 2], [1, 3, 2]])
def test_unsorted_stamps_are_refused(days):
    index = pd.to_datetime([f"2024-01-0{day}" for day in days])
    with pytest.raises(ValueError, match=r"row 2 has 2024-01-02.* after 2024-01-0[23]"):
        TimeIndex.from_input(frame(index))


@pytest.mark.parametrize("previous", ["2024-03-30 00:00", "2024-03-30 01:00"])
def test_rows_must_be_later_than_the_one_before_them(previous):
    after = pd.Timestamp(previous, tz="Europe/Berlin")
    assert TimeIndex.from_input(frame(HOURS[2:]), after).stamps.equals(HOURS[2:])
    with pytest.raises(ValueError, match=r"row 0 has 2024-03-30 00:00.*, after 2024-03-30 0"):
        TimeIndex.from_input(frame(HOURS), after)


@pytest.mark.parametrize("days", [["2024-01-01", None], [None, "2024-01-02"], [None]])
def test_rows_without_a_stamp_are_refused(days):
    index = pd.to_datetime(days)
    with pytest.raises(ValueError, match=f"Row {days.index(None)} of X has no time stamp"):
        TimeIndex.from_input(frame(index))


# --------------------------------------------------------------------------- asfreq


def test_missing_rows_are_inserted_as_nan():
    kept = [0, 1, 2, 10, 11, 40, 59]
    X = frame(HOURS).iloc[kept]
    before = X.copy()
    full = asfreq(X, "h")
    pd.testing.assert_index_equal(full.index, HOURS, exact="equiv")
    pd.testing.assert_frame_equal(full.iloc[kept], before, check_freq=False)
    assert full.drop(full.index[kept]).isna().all(axis=None)
    pd.testing.assert_frame_equal(X, before)


def test_a_complete_frame_is_unchanged():
    pd.testing.assert_frame_equal(asfreq(frame(HOURS), "h"), frame(HOURS), check_freq=False)


@pytest.mark.parametrize(
    ("X", "freq", "message"),
    [
        (np.zeros((9, 2)), "h", "freq='h' needs .* X is of type ndarray without one"),
        (frame(range(60)), "h", "X is of type DataFrame without one"),
        (frame(HOURS[[0, 2, 1]]), "h", "not strictly increasing: row 2"),
        (frame(HOURS[[0, 1, 1]]), "h", "not strictly increasing: row 2"),
        (frame(HOURS), "2h", "30 of the 60 time stamps .* freq='2h'; the first is 2024-03-30 01:0"),
        (frame(HOURS), "fortnight", "fortnight"),
    ],
)
def test_what_does_not_fit_a_frequency_is_refused(X, freq, message):
    with pytest.raises(ValueError, match=message):
        asfreq(X, freq)
