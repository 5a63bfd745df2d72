"""Long tables become panels and panels long tables, without loss."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sktspulse import panel_from_long, panel_to_long

LIBRARIES = {"pandas": pd, "polars": pl}
IDS = {
    "text": lambda i: f"pump {9 - i}",
    "number": lambda i: 7 - 3 * i,
    "float": lambda i: 0.5 - i,
    "date": lambda i: datetime.date(2026, 1, 9 - i),
    "flag": lambda i: i % 2 == 0,
}
TIMES = {
    "number": lambda t: 3 * t - 5,
    "float": lambda t: 0.1 * t,
    "stamp": lambda t: datetime.datetime(2026, 1, 1) + datetime.timedelta(hours=t),
    "text": lambda t: f"{t:03}",
}


def draw_rows(rng, lengths, id_kind, time_kind, n_channels):
    """Return rows [id, time, values ...] in random order, and the panel they make."""
    rows, panel = [], {}
    for i, n in enumerate(lengths):
        values = rng.normal(size=(n_channels, n))
        values[rng.random(values.shape) < 0.2] = np.nan
        panel[IDS[id_kind](i)] = values
        times = map(TIMES[time_kind], range(n))
        rows += [[IDS[id_kind](i), time, *values[:, t]] for t, time in enumerate(times)]
    return [rows[place] for place in rng.permutation(len(rows))], panel


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(LIBRARIES)),
    st.sampled_from(sorted(IDS)),
    st.sampled_from(sorted(TIMES)),
    st.lists(st.integers(1, 12), min_size=1, max_size=5),
    st.integers(1, 3),
    st.integers(0, 2**31),
)
def test_a_long_table_makes_the_round_trip(library, id_kind, time_kind, lengths, n_channels, seed):
    lengths = lengths[:2] if id_kind == "flag" else lengths
    rng = np.random.default_rng(seed)
    rows, panel = draw_rows(rng, lengths, id_kind, time_kind, n_channels)
    names = ["key", "when", *(f"v{c}" for c in range(n_channels))]
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    table = LIBRARIES[library].DataFrame(columns)
    X, ids, times = panel_from_long(table, id="key", time="when")
    assert isinstance(ids, LIBRARIES[library].Series)
    assert list(ids) == list(dict.fromkeys(columns["key"]))
    for one, name, stamps in zip(X, ids, times, strict=True):
        np.testing.assert_array_equal(one, panel[name])
        assert list(stamps) == sorted(stamps)
        assert len(stamps) == one.shape[1]
    back = panel_to_long(X, ids, times, id="key", time="when", columns=names[2:])
    assert type(back) is type(table)
    expected = sorted(map(tuple, rows), key=lambda row: (list(ids).index(row[0]), row[1]))
    for name, column in zip(names, zip(*expected, strict=True), strict=True):
        assert back[name].dtype == table[name].dtype
        pd.testing.assert_series_equal(pd.Series(back[name].to_list()), pd.Series(column))
    again, *_ = panel_from_long(back, id="key", time="when")
    for one, other in zip(again, X, strict=True):
        np.testing.assert_array_equal(one, other)


TABLE = pd.DataFrame(
    {
        "id": pd.Categorical(list("bbaab")),
        "time": pd.date_range("2026-03-28", periods=5, tz="Europe/Berlin")[::-1],
        "x": np.arange(5, dtype="f4"),
        "y": pd.array([1, None, 3, 4, 5], dtype="Int64"),
        "note": list("vwxyz"),
    },
    index=[4, 4, 4, 1, 0],
)


def test_types_and_zones_are_kept_and_columns_chosen():
    X, ids, times = panel_from_long(TABLE, "id", "time", ["x"])
    assert [one.tolist() for one in X] == [[[4.0, 1.0, 0.0]], [[3.0, 2.0]]]
    assert X[0].dtype == np.float32
    back = panel_to_long(X, ids, times, columns=["x"])
    assert back["id"].dtype == TABLE["id"].dtype
    assert back["time"].dtype == TABLE["time"].dtype
    assert back.index.tolist() == list(range(5))
    np.testing.assert_array_equal(
        panel_from_long(TABLE, "id", "time", ["y"])[0][0], [[5, np.nan, 1]]
    )


def test_levels_of_an_index_are_columns():
    expected = panel_from_long(TABLE, "id", "time", ["x"])[0]
    for index in (["id", "time"], ["time", "id"], ["id"], ["time"]):
        found = panel_from_long(TABLE.set_index(index), "id", "time", ["x"])[0]
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_defaults_number_series_and_time_points():
    table = panel_to_long(np.arange(12.0).reshape(2, 2, 3))
    assert list(table.columns) == ["id", "time", "ch0", "ch1"]
    assert table.to_numpy().tolist()[3:5] == [[1, 0, 6, 9], [1, 1, 7, 10]]
    assert isinstance(panel_to_long(np.zeros((1, 3)), library="polars"), pl.DataFrame)
    moved = panel_to_long(np.zeros((1, 3)), ids=pl.Series(["a"]), library="pandas")
    assert moved["id"].tolist() == ["a"] * 3


@pytest.mark.parametrize(
    "convert",
    [lambda X: X, lambda X: pl.DataFrame(X.astype(object).where(X.notna(), None).to_dict("list"))],
)
@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        ({}, ("id", "when"), "time='when'.*frame has columns"),
        ({}, ("id", "time", ["x", "id"]), "different columns"),
        ({}, ("id", "time", []), "at least one channel"),
        ({}, ("id", "time"), r"not numbers: \['note'\]. Pass the names"),
        (
            {"time": 1},
            ("id", "time", ["x"]),
            "3 rows of frame have an id and a time.*id=b, time=1",
        ),
        ({"time": [1, None, 3, 4, 5]}, ("id", "time", ["x"]), "Row 1 .* no value in column 'time'"),
        (
            {"id": ["a", "b", None, "c", "d"]},
            ("id", "time", ["x"]),
            "Row 2 .* no value in column 'id'",
        ),
    ],
)
def test_bad_long_tables_are_refused(change, arguments, message, convert):
    with pytest.raises(ValueError, match=message):
        panel_from_long(convert(TABLE.astype({"id": str}).assign(**change)), *arguments)


@pytest.mark.parametrize("frame", [np.zeros((3, 3)), pl.DataFrame({"id": [1]}).lazy(), None])
def test_other_types_than_frames_are_refused(frame):
    with pytest.raises(TypeError, match="expected a data frame"):
        panel_from_long(frame, "id", "time")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ids": [1]}, "1 ids"),
        ({"times": [[1, 2, 3]]}, "1 times"),
        ({"times": [[1, 2], [1, 2, 3, 4]]}, "6 time points, but"),
        ({"columns": ["a"]}, "1 columns"),
        ({"columns": ["a", "id"]}, "in common"),
    ],
)
def test_other_counts_than_those_of_the_panel_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        panel_to_long(np.zeros((2, 2, 3)), **arguments)
