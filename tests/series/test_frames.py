"""Which columns of a data frame are channels, and which one holds the time."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sktspulse.series.frames import as_frame, channel_table, time_column, time_labels, with_stamps

HOURS = pd.date_range("2026-03-28", periods=9, freq="h", tz="Europe/Berlin", name="when")
DAYS = pl.date_range(pl.date(2026, 3, 28), pl.date(2026, 4, 5), eager=True)
VALUES = np.arange(9.0)


def polars_of(index, dtype=None) -> pl.DataFrame:
    """Return a channel, and the stamps of an index of pandas."""
    naive = index.tz_convert("UTC").tz_localize(None) if getattr(index, "tz", None) else index
    stamps = pl.Series("when", naive.to_numpy())
    if getattr(index, "tz", None):
        stamps = stamps.dt.replace_time_zone("UTC").dt.convert_time_zone(str(index.tz))
    return pl.DataFrame({"flow": VALUES[: len(index)], "when": stamps.cast(dtype or stamps.dtype)})


def test_the_time_of_polars_is_a_column_and_that_of_pandas_the_index():
    X = polars_of(HOURS)
    assert time_column(as_frame(X)) == "when"
    assert channel_table(X).columns == ["flow"]
    table = pd.DataFrame({"flow": VALUES, "when": HOURS})
    assert time_column(as_frame(table)) is None
    assert channel_table(table) is table
    assert time_column(None) is None
    plain = X.drop("when")
    assert channel_table(plain) is plain
    assert time_labels(plain) is None
    assert channel_table(VALUES) is VALUES


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize(
    "index", [HOURS, HOURS.tz_localize(None), pd.timedelta_range("1h", periods=9, freq="h")]
)
def test_stamps_become_an_index_of_pandas(index, unit):
    kind = pl.Duration(unit) if index.dtype.kind == "m" else pl.Datetime(unit, str(index.tz or ""))
    kind = pl.Datetime(unit) if kind == pl.Datetime(unit, "") else kind
    X = polars_of(index, None if getattr(index, "tz", None) else kind)
    assert time_labels(X).tolist() == index.tolist()
    assert time_labels(X).name == "when"


def test_dates_are_stamps():
    X = pl.DataFrame({"day": DAYS, "flow": VALUES})
    assert time_labels(X).tolist() == pd.date_range("2026-03-28", periods=9).tolist()


def test_two_columns_of_stamps_are_refused():
    X = polars_of(HOURS).with_columns(then=pl.col("when"))
    with pytest.raises(ValueError, match=r"several columns .* \['when', 'then'\]. Keep the one"):
        channel_table(X)


@pytest.mark.parametrize("index", [HOURS, HOURS.tz_localize(None)])
def test_rows_are_inserted_for_stamps(index):
    X = polars_of(index)
    full = with_stamps(X.filter(pl.col("flow") != 4), index)
    assert full.schema == X.schema
    assert full["when"].equals(X["when"])
    assert full["flow"].to_list() == [0, 1, 2, 3, None, 5, 6, 7, 8]


def test_stamps_of_a_column_need_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="in column 'when' of X are checked by pandas"):
        time_labels(polars_of(HOURS))
