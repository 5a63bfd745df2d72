"""Answers about a recording come back in the kind of container it came in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from sktspulse.series.containers import Container, restorer, to_library
from sktspulse.series.frames import as_frame

VALUES = np.arange(8.0).reshape(4, 2)
INDEXES = [
    pd.date_range("2024-03-31", periods=4, freq="h", tz="Europe/Berlin", name="when"),
    pd.timedelta_range("1h", periods=4, freq="min"),
    pd.period_range("2024-01", periods=4, freq="M"),
    pd.RangeIndex(10, 14),
    pd.Index(list("wxyz")),
]


def frame(index, columns=("a", "b")) -> pd.DataFrame:
    return pd.DataFrame(VALUES, index=index, columns=columns)


@pytest.mark.parametrize("X", [VALUES, VALUES.tolist(), VALUES.astype("f4")])
def test_arrays_stay_arrays(X):
    container = Container(X)
    assert container.series(VALUES) is container.table(VALUES) is restorer(X)(VALUES) is VALUES
    assert as_frame(X) is None


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: type(index).__name__)
def test_pandas_gives_its_index_and_names(index):
    container = Container(frame(index))
    expected = pd.Series(VALUES[:, 0], index=index)
    pd.testing.assert_series_equal(container.series(VALUES[:, 0]), expected)
    pd.testing.assert_frame_equal(container.table(VALUES), frame(index))
    heads = ("x", "y", "z")
    expected = pd.DataFrame(np.zeros((4, 3)), index=index, columns=list(heads))
    pd.testing.assert_frame_equal(container.table(np.zeros((4, 3)), heads), expected)
    assert list(container.channels(np.array([1, 0, 1]))) == ["b", "a", "b"]
    assert container.channel_places(["b", "a"]).tolist() == [1, 0]
    rows = np.array([3, 1])
    assert container.labels(rows).equals(index[rows])
    assert container.places(container.labels(rows)).tolist() == [3, 1]


@pytest.mark.parametrize("index", INDEXES[:4], ids=lambda index: type(index).__name__)
def test_rows_have_labels_of_one_level(index):
    stacked = pd.MultiIndex.from_product([["pump"], index])
    for one in (index, stacked):
        assert Container(frame(one)).row_labels(4).equals(index)
    assert Container(VALUES).row_labels(4).tolist() == [0, 1, 2, 3]


def test_labels_leave_out_the_name_of_the_recording():
    index = pd.MultiIndex.from_product([["pump"], INDEXES[0]])
    container = Container(frame(index))
    assert container.labels(np.array([1])).equals(INDEXES[0][1:2])
    assert container.series(VALUES[:, 0]).index.equals(index)


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ([3, "b"], [3, "b"]),
        (pd.MultiIndex.from_product([["pump"], ["x", "y"]]), [("pump", "x"), ("pump", "y")]),
    ],
)
def test_names_of_any_kind_are_kept(columns, names):
    X = frame(range(4), columns)
    container = Container(X)
    pd.testing.assert_frame_equal(container.table(VALUES), X)
    assert container.new({"channel": container.channels(np.array([0, 1]))}).values.tolist() == [
        [names[0]],
        [names[1]],
    ]


def test_polars_gives_its_names_and_no_index():
    X = pl.DataFrame(VALUES, schema=["a", "b"])
    container = Container(X)
    assert container.index is None
    assert container.series(VALUES[:, 0]).tolist() == VALUES[:, 0].tolist()
    assert container.table(VALUES).equals(X)
    assert container.table(np.zeros((4, 1)), ("x",)).equals(pl.DataFrame({"x": np.zeros(4)}))
    assert list(container.channels(np.array([1, 1]))) == ["b", "b"]


@pytest.mark.parametrize("X", [frame(range(4)), pl.DataFrame(VALUES)])
@pytest.mark.parametrize("n_rows", [0, 2])
def test_a_new_frame_has_rows_of_its_own(X, n_rows):
    new = Container(X).new({"start": np.arange(n_rows), "head": np.full(n_rows, "time")})
    assert type(new) is type(X)
    assert new.shape == (n_rows, 2)


TABLES = {"array": VALUES, "pandas": frame(INDEXES[0]), "polars": pl.DataFrame(VALUES)}


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("kind", TABLES)
def test_tables_become_frames_of_a_library(kind, library):
    X = TABLES[kind]
    table = to_library(X, library, ["u", "v"])
    assert isinstance(table, {"pandas": pd.DataFrame, "polars": pl.DataFrame}[library])
    assert list(table.columns) == ["u", "v"]
    np.testing.assert_array_equal(table, VALUES)
    if kind == library == "pandas":
        pd.testing.assert_index_equal(table.index, X.index)
        assert list(X.columns) == ["a", "b"]
    assert list(to_library(X, library, ["u"]).columns) == ["x0", "x1"]
    assert to_library(X, "default", ["u", "v"]) is X


def test_a_pandas_frame_gets_an_index():
    table = to_library(VALUES, "pandas", ["u", "v"], pd.Index(list("wxyz")))
    assert list(table.index) == list("wxyz")
    assert to_library(VALUES, "polars", ["u", "v"], pd.Index(list("wxyz"))).shape == (4, 2)


@pytest.mark.parametrize("X", [np.zeros((2, 2, 2)), [np.zeros((2, 3))], np.zeros(3)])
def test_what_is_no_table_stays(X):
    assert to_library(X, "pandas", ["u", "v"]) is X
