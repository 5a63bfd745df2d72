"""Labels of rows become dates, durations, numbers or row numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sktspulse.base import TimeAxis

plt = pytest.importorskip("matplotlib.pyplot")

STAMPS = pd.date_range("2025-03-29 20:00", periods=48, freq="h")
BERLIN = STAMPS.tz_localize("UTC").tz_convert("Europe/Berlin")  # the clock changes
POLARS = pl.Series(STAMPS.to_numpy()).dt.replace_time_zone("UTC")

DATES = {
    "pandas": STAMPS,
    "a series": STAMPS.to_series(),
    "numpy": STAMPS.to_numpy(),
    "a list": list(STAMPS),
    "polars": pl.Series(STAMPS.to_numpy()),
    "datetime": list(STAMPS.to_pydatetime()),
}
ZONED = {
    "pandas": BERLIN,
    "a series": BERLIN.to_series(),
    "a list": list(BERLIN),
    "polars": POLARS.dt.convert_time_zone("Europe/Berlin"),
}


@pytest.mark.parametrize("labels", DATES.values(), ids=DATES)
def test_time_stamps_are_dates(labels):
    time = TimeAxis.read(labels)
    np.testing.assert_array_equal(time.places, STAMPS.to_numpy())
    assert (time.label, time.zone, time.has_dates) == ("time", None, True)


@pytest.mark.parametrize("labels", ZONED.values(), ids=ZONED)
def test_stamps_with_a_zone_grow_evenly_and_show_local_time(labels):
    time = TimeAxis.read(labels)
    np.testing.assert_array_equal(time.places, STAMPS.to_numpy())
    assert time.label == "time (Europe/Berlin)"
    axes = plt.subplots()[1]
    axes.plot(time.places[:6], np.zeros(6))
    time.set_ticks(axes.xaxis)
    axes.figure.canvas.draw()
    texts = [text.get_text() for text in axes.get_xticklabels()]
    assert "03:00" in texts  # 2 o'clock does not exist
    assert "02:00" not in texts


@pytest.mark.parametrize("freq", ["M", "D", "Q"])
@pytest.mark.parametrize("kind", [pd.Index, pd.Series])
def test_periods_are_dates(freq, kind):
    periods = pd.period_range("2024-01", periods=30, freq=freq)
    time = TimeAxis.read(kind(periods))
    np.testing.assert_array_equal(time.places, periods.to_timestamp().to_numpy())


def test_days_are_dates():
    days = pd.date_range("2024-01-01", periods=9)
    for labels in (pl.Series(days.to_numpy()).cast(pl.Date), [day.date() for day in days]):
        assert (TimeAxis.read(labels).places == days.to_numpy()).all()


@pytest.mark.parametrize(
    ("step", "unit", "size"),
    [("1h", "d", 24), ("10min", "h", 6), ("1min", "min", 1), ("1s", "s", 1), ("1ms", "ms", 1)],
)
def test_durations_are_in_a_unit_that_fits(step, unit, size):
    labels = pd.timedelta_range("0s", periods=100, freq=step)
    for one in (labels, labels.to_numpy(), pl.Series(labels.to_numpy())):
        time = TimeAxis.read(one)
        assert time.label == f"time [{unit}]" or (size == 1 and step != "1min")
        np.testing.assert_allclose(np.ptp(time.places), 99 / size)


def test_numbers_stay_and_keep_their_name():
    assert TimeAxis.read(np.arange(5, 9)).label == "row"
    time = TimeAxis.read(pd.Index([0.0, 0.5, 2.0], name="depth [m]"))
    assert time.places.tolist() == [0, 0.5, 2]
    assert time.label == "depth [m]"
    assert TimeAxis.read([0.0, 0.5]).label == "time"


@pytest.mark.parametrize(
    "labels",
    [
        ["b", "a", "c"],
        pd.CategoricalIndex(["x", "y", "z"]),
        pd.interval_range(0, 3),
        [0, 1, 0],
        [0.0, np.nan, 1.0],
        np.array(["2025-01-02", "2025-01-01", "NaT"], dtype="M8[D]"),
        pd.MultiIndex.from_product([["a"], [1, 2, 3]]),
        [True, False, True],
    ],
    ids=lambda labels: type(labels).__name__,
)
def test_other_labels_become_row_numbers(labels):
    time = TimeAxis.read(labels)
    assert time.places.tolist() == [0, 1, 2]
    assert time.label == "row"


def test_dates_write_once_what_they_have_in_common():
    figure, axes = plt.subplots()
    time = TimeAxis.read(np.array(["2025-03-03T06:00", "2025-03-03T07:00"], dtype="M8[m]"))
    axes.plot(time.places, [0, 1])
    time.set_ticks(axes.xaxis, 4)
    figure.canvas.draw()
    labels = [one.get_text() for one in axes.get_xticklabels()]
    assert 3 <= len(labels) <= 5
    assert all(len(one) == 5 for one in labels)
    assert axes.xaxis.get_offset_text().get_text() == "2025-Mar-03"
