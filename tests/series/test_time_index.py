"""Time stamps are checked on input, across updates too, and completed to a regular grid."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest

from sktspulse.series.time_index import Pace, asfreq, row_index

ZONE = "Europe/Berlin"
HOURS = pd.date_range("2024-03-30", periods=60, freq="h", tz=ZONE, name="when")
MINUTES = pd.date_range("2024-03-01", periods=600, freq="min").delete(slice(100, 110))
EPOCH = pd.DatetimeIndex(["1970-01-01"])


def frame(index) -> pd.DataFrame:
    values = np.arange(2.0 * len(index)).reshape(-1, 2)
    return pd.DataFrame(values, columns=["a", "b"], index=index)


def plain(index):
    """Forget the frequency, as a file does."""
    return index[np.arange(len(index))]


def warned(index, most: int, primed_with=None) -> bool:
    """Return whether an index warns if it comes in updates of at most so many rows."""
    rng = np.random.default_rng(0)
    cuts = np.cumsum(rng.integers(1, most + 1, len(index)))
    pace = Pace() if primed_with is None else Pace().after(frame(primed_with))
    pace = pace._replace(last=None)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for part in np.split(np.arange(len(index)), cuts[cuts < len(index)]):
            pace.check(frame(index[part]))
            pace = pace.after(frame(index[part]))
    return bool(caught)


# --------------------------------------------------------------------------- regular or not

REGULAR = {
    **{
        freq: pd.date_range("1975-01-01", periods=120, freq=freq)
        for freq in ("MS", "ME", "QS", "QE", "YS", "YE", "BMS", "W", "B", "D", "3h", "ms")
    },
    "business days in a zone": pd.bdate_range("2020-01-01 09:30", periods=120, tz=ZONE),
    "two business days": pd.bdate_range("2024-01-05", periods=2),
    "three business days": pd.bdate_range("2024-01-04", periods=3),
    "local midnights": pd.date_range("2023-01-01", periods=400, freq="D", tz=ZONE),
    "local hours": pd.date_range("2023-10-25", periods=200, freq="h", tz=ZONE),
    "10 Hz in float seconds": pd.to_datetime(1.7e9 + np.arange(120) * 0.1, unit="s"),
    "1 kHz in float seconds": pd.to_datetime(1.7e9 + np.arange(120) * 0.001, unit="s"),
    "60 Hz in milliseconds": pd.to_datetime(np.arange(120) * 1000 // 60, unit="ms"),
    "time since the start": pd.to_timedelta(np.arange(120) * 0.1, unit="s"),
    "months": pd.period_range("1975-01", periods=120, freq="M"),
    "one row": HOURS[:1],
}
IRREGULAR = {
    "row lost": HOURS.delete(30),
    "month lost": REGULAR["MS"].delete(50),
    "business day lost": REGULAR["B"].delete(51),
    "one weekend lost": REGULAR["D"].delete([66, 67]),
    "time since the start": REGULAR["time since the start"].delete(50),
    "period lost": REGULAR["months"].delete(50),
    "shifted by half a step": HOURS[:30].append(HOURS[30:] + pd.Timedelta("30min")),
    "at random": pd.to_datetime(np.sort(np.random.default_rng(0).uniform(0, 1e6, 99)), unit="s"),
    "a row of the epoch": EPOCH.append(MINUTES[:90]),
    "hours of trade": pd.date_range("2024-01-01", periods=120, freq="h")[9:].append(
        pd.date_range("2024-01-08", periods=40, freq="h")
    ),
}
each_cut = pytest.mark.parametrize("most", [1, 3, 40, 1000])


@each_cut
@pytest.mark.parametrize("kind", REGULAR)
def test_regular_stamps_never_warn(kind, most):
    index = plain(REGULAR[kind])
    assert not warned(index, most)
    assert not warned(index, most, primed_with=index)


@pytest.mark.parametrize("start", pd.date_range("2024-01-01", periods=5), ids=str)
def test_business_days_are_regular_however_they_are_cut(start):
    index = plain(pd.bdate_range(start, periods=8))
    for is_cut in itertools.product([False, True], repeat=7):
        pace = Pace()
        for part in np.split(np.arange(8), np.flatnonzero(is_cut) + 1):
            pace.check(frame(index[part]))
            pace = pace.after(frame(index[part]))


@each_cut
@pytest.mark.parametrize("kind", IRREGULAR)
def test_irregular_stamps_warn_in_one_frame_and_across_updates(kind, most):
    assert warned(plain(IRREGULAR[kind]), most)


@pytest.mark.parametrize("pause", ["3h", "10D"])
@pytest.mark.parametrize("cut", [1, 2, 30])
def test_a_pause_between_two_updates_warns(pause, cut):
    later = HOURS[cut:] + pd.Timedelta(pause)
    pace = Pace().after(frame(HOURS[:cut]))
    message = f"irregular: from 0 days 01:00:00 to {pd.Timedelta(pause) + pd.Timedelta('1h')} apart"
    with pytest.warns(UserWarning, match=message):
        pace.check(frame(later))
    if cut > 1:
        with pytest.warns(UserWarning, match=message):
            pace.check(frame(later[:1]))


def test_the_step_may_be_known_from_a_recording_before():
    pace = Pace().after(frame(HOURS))._replace(last=None)
    pace.check(frame(HOURS[:1]))  # starts when it likes
    with pytest.warns(UserWarning, match="from 0 days 01:00:00 to 0 days 05:00:00"):
        pace.after(frame(HOURS[:1])).check(frame(HOURS[5:6]))


def test_memory_of_steps_is_bounded():
    pace = Pace()
    for start in range(0, 590, 10):
        pace = pace.after(frame(MINUTES[start : start + 10]))
    assert len(pace.steps) <= 32
    assert pace.last == MINUTES[589]


def test_the_warning_is_at_the_line_of_the_caller():
    index = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-05"])
    message = "from 1 days 00:00:00 to 3 days 00:00:00 apart.*Sleep longer, with NaN"
    with pytest.warns(UserWarning, match=message) as record:
        Pace().check(frame(index), "Sleep longer")
    assert record[0].filename == __file__


@pytest.mark.parametrize("X", [np.zeros((4, 1)), [[0.0]], frame(range(4)), frame(list("adca"))])
def test_rows_without_stamps_say_nothing(X):
    Pace().check(X)
    assert Pace().after(X) == Pace()
    assert Pace(HOURS[0]).after(X) == Pace(HOURS[0])


# --------------------------------------------------------------------------- refused

KINDS = [
    pd.to_datetime,
    lambda days: pd.to_datetime(days).tz_localize(ZONE),
    lambda days: pd.to_datetime(days) - pd.Timestamp("2023-01-01"),
    lambda days: pd.PeriodIndex(days, freq="D"),
]


@pytest.mark.parametrize("function", [lambda X: Pace().check(X), lambda X: asfreq(X, "D")])
@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("days", [[1, 2, 2], [1, 3, 2], [4, 5, 1]])
def test_unsorted_and_repeated_stamps_are_refused(function, make, days):
    X = frame(make([f"2024-01-0{day}" for day in days]))
    if isinstance(X.index, pd.PeriodIndex):
        function = Pace().check
    message = (
        r"not strictly increasing: row 2 has .*, after .*Sort the rows and drop duplicates, or"
    )
    with pytest.raises(ValueError, match=message):
        function(X)


@pytest.mark.parametrize("function", [lambda X: Pace().check(X), lambda X: asfreq(X, "D")])
@pytest.mark.parametrize("make", KINDS[:3])
@pytest.mark.parametrize("days", [["2024-01-01", None], [None, "2024-01-02"], [None]])
def test_rows_without_a_stamp_are_refused(function, make, days):
    with pytest.raises(ValueError, match=f"Row {days.index(None)} of X has no time stamp"):
        function(frame(make(days)))


@pytest.mark.parametrize("previous", ["2024-03-30 00:00", "2024-03-30 01:00"])
def test_rows_must_be_later_than_the_one_before_them(previous):
    pace = Pace(pd.Timestamp(previous, tz=ZONE))
    pace._replace(last=HOURS[1]).check(frame(HOURS[2:]))
    with pytest.raises(ValueError, match=r"row 0 has 2024-03-30 00:00.*, after 2024-03-30 0"):
        pace.check(frame(HOURS))


@pytest.mark.parametrize("last", [pd.Timestamp("2024-01-01"), pd.Timedelta("1h")])
def test_stamps_of_another_kind_than_before_are_refused(last):
    with pytest.raises(ValueError, match=r"Row 0 of X .* cannot be compared with .* of one kind"):
        Pace(last).check(frame(HOURS))


@pytest.mark.parametrize("function", [lambda X: Pace().check(X), lambda X: asfreq(X, "min")])
@pytest.mark.parametrize("zone", [ZONE, "America/New_York"])
@pytest.mark.parametrize("freq", ["h", "30min", "15min", "10min", "min"])
@pytest.mark.parametrize("localized", [False, True])
def test_the_advice_for_the_end_of_daylight_saving_time_works(function, zone, freq, localized):
    right = pd.date_range("2024-11-02", "2024-11-04", freq=freq, tz=zone)
    if zone == ZONE:
        right = right - pd.Timedelta("7D")
    X = frame(right.tz_localize(None))
    if localized:  # all repeated hours are taken for winter time
        X = X.tz_localize(zone, ambiguous=np.zeros(len(X), bool))
    with pytest.raises(ValueError, match="daylight saving time") as error:
        function(X)
    advice = ".tz_localize(None)" * localized
    advice += f".tz_localize('{zone if localized else ZONE}', ambiguous='infer')"
    assert f"use X{advice}, or UTC" in str(error.value)
    assert X.tz_localize(None).tz_localize(zone, ambiguous="infer").index.equals(right)


@pytest.mark.parametrize("freq", ["30min", "15min", "min"])
def test_the_end_of_daylight_saving_time_is_seen_among_missing_rows(freq):
    index = pd.date_range("2024-10-20", "2024-10-30", freq=freq, tz=ZONE).tz_localize(None)
    kept = np.random.default_rng(0).random(len(index)) < 0.8
    with pytest.raises(ValueError, match="daylight saving time"):
        Pace().check(frame(index[kept]))


@pytest.mark.parametrize("freq", ["D", "2h", "s"])
def test_other_repeated_stamps_are_not_blamed_on_daylight_saving_time(freq):
    index = pd.date_range("2024-06-01", periods=60, freq=freq)
    with pytest.raises(ValueError, match="strictly increasing") as error:
        Pace().check(frame(index.insert(7, index[7])))
    assert "daylight" not in str(error.value)


# --------------------------------------------------------------------------- several levels


def stacked(names=("device", "time"), devices=("a", "b")) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([devices, MINUTES[:20]], names=names)
    return frame(index)


@pytest.mark.parametrize(
    ("X", "level"),
    [
        (stacked(), "device"),
        (stacked((None, None)), 0),
        (stacked().swaplevel(), "device"),
        (stacked().swaplevel().sort_index(), "device"),
        (frame(pd.MultiIndex.from_product([[1, 2], range(9)], names=["device", "k"])), "device"),
        (frame(pd.MultiIndex.from_product([HOURS, range(2)], names=["day", "k"])), "k"),
    ],
)
def test_stacked_recordings_are_refused(X, level):
    for function in (row_index, Pace().check, lambda X: asfreq(X, "min")):
        with pytest.raises(ValueError, match="must be one recording") as error:
            function(X)
        assert f"groupby(level={level!r}, group_keys=False)" in str(error.value)


@pytest.mark.parametrize("X", [stacked(devices=("a",)), stacked(devices=("a",)).swaplevel()])
@pytest.mark.parametrize("n_rows", [1, 20])
def test_one_of_several_recordings_is_like_one_alone(X, n_rows):
    X = X[:n_rows]
    assert row_index(X).equals(MINUTES[:n_rows])
    with pytest.raises(ValueError, match="row 1 has"):
        Pace().check(pd.concat([X[:1], X]))
    full = asfreq(X.iloc[[0, -1]] if n_rows > 1 else X, "min")
    assert full.index.names == X.index.names
    assert full.index.equals(X.index)


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


@pytest.mark.parametrize("freq", ["MS", "ME", "QS", "YS", "W", "B", "BMS", "D", "7D", "90s"])
@pytest.mark.parametrize("zone", [None, ZONE])
def test_any_frequency_is_completed(freq, zone):
    index = pd.date_range("2021-01-01", periods=90, freq=freq, tz=zone)
    X = frame(index).drop(index[[3, 4, 50]])
    assert asfreq(X, freq).index.equals(index)


def test_time_since_the_start_is_completed():
    index = pd.timedelta_range("5s", periods=90, freq="100ms")
    assert asfreq(frame(index.delete(4)), "100ms").index.equals(index)


@pytest.mark.parametrize("step", [0.1, 0.02, 0.001])
def test_rounded_stamps_are_kept(step):
    index = pd.to_datetime(1.7e9 + np.arange(600) * step, unit="s")
    X = frame(index.delete([3, 4, 50]))
    full = asfreq(X, f"{round(1000 * step)}ms")
    assert len(full) == 600
    assert np.flatnonzero(full["a"].isna()).tolist() == [3, 4, 50]
    pd.testing.assert_frame_equal(full.dropna(), X, check_freq=False)


@pytest.mark.parametrize(
    ("X", "freq", "message"),
    [
        (np.zeros((9, 2)), "h", "freq='h' needs .* X is of type ndarray without"),
        (frame(range(60)), "h", "X is of type DataFrame without"),
        (frame(pd.period_range("2024", periods=9, freq="h")), "h", "X.to_timestamp"),
        (frame(HOURS[[0, 2, 1]]), "h", "not strictly increasing: row 2"),
        (frame(HOURS[[0, 1, 1]]), "h", "not strictly increasing: row 2"),
        (frame(HOURS), "2h", "30 of the 60 time stamps .* freq='2h'; the first is 2024-03-30 01:0"),
        (frame(HOURS), "-1h", "time stamps of X do not fit freq='-1h'"),
        (frame(HOURS), "fortnight", "fortnight"),
    ],
)
def test_what_does_not_fit_a_frequency_is_refused(X, freq, message):
    with pytest.raises(ValueError, match=message):
        asfreq(X, freq)


@pytest.mark.parametrize("freq", ["ms", "s", "min", "h", "D", "B"])
@pytest.mark.parametrize("wrong", ["1900-01-01", "1970-01-01", "2099-01-01"])
@pytest.mark.parametrize("n_wrong", [1, 2])
def test_a_grid_that_a_wrong_stamp_makes_enormous_is_refused(freq, wrong, n_wrong):
    if n_wrong == 2 and freq in "DB":
        return  # a pause of a hundred years, with rows on both sides
    index = pd.date_range("2024-03-01", periods=600, freq=freq)
    index = index.append(pd.date_range(wrong, periods=n_wrong, freq=freq)).sort_values()
    with pytest.raises(ValueError, match=rf"freq='{freq}' makes .* rows of the .*{wrong}"):
        asfreq(frame(index), freq)


@pytest.mark.parametrize(
    ("n_rows", "pause"), [(40, "7D"), (100, "31D"), (600, "31D"), (9000, "1Y")]
)
def test_a_long_pause_is_completed(n_rows, pause):
    pause = pd.Timedelta("365D") if pause == "1Y" else pd.Timedelta(pause)
    index = pd.date_range("2024-03-01", periods=n_rows, freq="min")
    half = n_rows // 2
    X = frame(index[:half].append(index[half:] + pause))
    assert len(asfreq(X, "min")) == n_rows + pause // pd.Timedelta("1min")


@pytest.mark.parametrize(
    ("n_rows", "wrong"), [(600, "2024-05-03"), (600, "2023-03-01"), (20_000, "2023-01-01")]
)
def test_a_row_of_another_month_or_year_is_refused(n_rows, wrong):
    index = pd.date_range("2025-03-01", periods=n_rows, freq="min")
    with pytest.raises(ValueError, match=f"makes .* rows of the .*{wrong}"):
        asfreq(frame(index.insert(0, pd.Timestamp(wrong))), "min")


def test_a_row_a_week_before_the_others_is_taken():
    index = pd.date_range("2024-03-01", periods=600, freq="min")
    assert len(asfreq(frame(index.insert(0, index[0] - pd.Timedelta("7D"))), "min")) == 10_680
