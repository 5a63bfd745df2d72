"""Time stamps: formats, zones, and the hours in which clocks change."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.cli.stamps import LocalClock, check_ascending, is_stamps, read_stamps, write_stamps

pd = pytest.importorskip("pandas")
ZONE = "Europe/Berlin"


def read(values, form=None, zone=None):
    return read_stamps(pd.Series(values, name="when"), form, zone)


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M", "%Y%m%d%H%M"]
)
def test_common_formats_are_read_and_written(form):
    hours = pd.date_range("2024-02-10", periods=150, freq="h")
    text = pd.Series(hours.strftime(form))
    given = form if form == "%Y%m%d%H%M" else None
    assert (pd.DatetimeIndex(read_stamps(text, given, None)) == hours).all()
    assert [*write_stamps(hours[-3:], text, given)] == text[-3:].tolist()


@pytest.mark.parametrize("values", [[1, 2, 4], [0.5, 0.75], ["1", "2.5"]])
def test_numbers_stay_numbers(values):
    found = read(values)
    assert not is_stamps(found)
    assert found.tolist() == [float(x) for x in values]


@pytest.mark.parametrize(("unit", "factor"), [("s", 1), ("ms", 1000)])
def test_seconds_since_1970(unit, factor):
    found = read([str(1730000000 * factor)], unit, ZONE)
    assert found[0] == pd.Timestamp("2024-10-27 04:33:20", tz=ZONE)
    assert write_stamps(pd.Index(found), found, unit).tolist() == [1730000000 * factor]


def test_offsets_are_kept_apart_from_the_clock():
    found = read(["2024-10-27T02:00+02:00", "2024-10-27T02:00+01:00"], zone=ZONE)
    assert found.dt.hour.tolist() == [2, 2]
    assert found.diff()[1] == pd.Timedelta("1h")
    with pytest.raises(ValueError, match="There is no time zone 'Mars'"):
        read(["2024-10-27T02:00+02:00"], zone="Mars")


@pytest.mark.parametrize("step", ["15min", "30min", "1h"])
def test_the_repeated_hour_is_told_from_the_first(step):
    stamps = pd.date_range("2024-10-26 20:00", "2024-10-27 09:00", freq=step, tz=ZONE)
    text = stamps.strftime("%Y-%m-%d %H:%M")
    assert (pd.DatetimeIndex(read(text, zone=ZONE)) == stamps).all()


@pytest.mark.parametrize("cut", range(1, 12))
def test_pieces_go_on_with_the_clock(cut):
    stamps = pd.date_range("2024-10-27 01:00", "2024-10-27 03:30", freq="20min", tz=ZONE)
    local, clock = stamps.tz_localize(None), LocalClock(ZONE)
    parts = [clock.in_zone(part) for part in (local[:cut], local[cut:]) if len(part)]
    assert (parts[0].append(parts[1:]) == stamps).all()


def test_gaps_in_the_repeated_hour_are_allowed():
    stamps = pd.date_range("2024-10-27 01:00", "2024-10-27 04:00", freq="10min", tz=ZONE)
    kept = stamps.delete([8, 9, 10, 14, 15])
    assert (pd.DatetimeIndex(read(kept.tz_localize(None), zone=ZONE)) == kept).all()


def test_each_series_has_its_own_clock():
    stamps = pd.date_range("2024-10-27 01:30", "2024-10-27 03:00", freq="30min", tz=ZONE)
    column = pd.Series(np.repeat(stamps.tz_localize(None), 2))
    groups = [np.arange(0, len(column), 2), np.arange(1, len(column), 2)]
    assert (pd.DatetimeIndex(read_stamps(column, None, ZONE, groups)) == stamps.repeat(2)).all()


@pytest.mark.parametrize(
    ("values", "form", "zone", "said"),
    [
        (["2024-03-31 02:30"], None, ZONE, "2024-03-31 02:30:00 does not exist in Europe/Berlin"),
        (["2024-03-31 02:30"], None, "Mars", "There is no time zone 'Mars'"),
        ([1, 2], None, ZONE, "holds numbers, which have no zone"),
        (["a"], "s", None, "Row 0 has 'a' in column 'when'"),
        (["noon", "night"], None, None, "does not hold time stamps of one kind, such as 'noon'"),
        (["2024-01-01", None], None, None, "Row 1 has no time stamp in column 'when'"),
        (["01/02/2024", "02/02/2024"], None, None, r"'%m/%d/%Y' and '%d/%m/%Y'"),
        (["01.02.2024"], "%Y", None, "Check it, or pass --time-format"),
    ],
)
def test_errors_say_what_to_do(values, form, zone, said):
    with pytest.raises(ValueError, match=said):
        read(values, form, zone)


def test_stamps_ascend():
    stamps = pd.DatetimeIndex(["2024-10-27 02:00", "2024-10-27 02:30", "2024-10-27 02:00"])
    check_ascending(stamps[:2], "a.csv")
    with pytest.raises(ValueError, match=r"row 2 has 2024-10-27 02:00:00, after .* pass --tz\."):
        check_ascending(stamps, "a.csv")
    with pytest.raises(ValueError, match=r"^Time stamps of a.csv are not ascending: row 1 has 1"):
        check_ascending(pd.Index([1, 1]), "a.csv")


def test_written_stamps_have_an_offset_if_the_others_have_one():
    stamps = pd.DatetimeIndex(["2024-10-27 01:00"], tz="UTC").tz_convert(ZONE)
    like = pd.Series(["2024-10-26T00:00:00+02:00"])
    assert write_stamps(stamps, like) == ["2024-10-27T02:00:00+01:00"]
    assert write_stamps(stamps, pd.Series(stamps)) is stamps
    assert write_stamps([2.5], pd.Series(["1.5"])) == [2.5]
