"""Rows of a table belong to recordings, whatever their order and types."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sktspulse.distributed.recordings import Recordings, Roles, naming

ROLES = Roles("id", "t", None)
FRAME = pd.DataFrame({"id": list("abab"), "t": [2, 1, 1, 3], "x": [1.0, 2, 3, 4]})


def times(kind: str) -> object:
    stamps = pd.to_datetime(FRAME["t"], unit="D")
    kinds = {
        "integers": FRAME["t"],
        "negative": FRAME["t"] - 5,
        "floats": FRAME["t"] / 2,
        "nullable": FRAME["t"].astype("Int64"),
        "stamps": stamps,
        "zones": stamps.dt.tz_localize("UTC"),
        "strings": FRAME["t"].astype(str),
    }
    return kinds[kind]


@pytest.mark.parametrize(
    "kind", ["integers", "negative", "floats", "nullable", "stamps", "zones", "strings"]
)
def test_rows_are_sorted_by_time(kind):
    found = Recordings.find(FRAME.assign(t=times(kind)), ROLES)
    assert {one: rows.tolist() for one, rows in found} == {"a": [2, 0], "b": [1, 3]}


def test_without_a_time_the_order_of_rows_stays():
    found = Recordings.find(FRAME, Roles("id", None, ("x",)))
    assert [rows.tolist() for _, rows in found] == [[0, 2], [1, 3]]


def test_the_panel_has_one_series_for_each_id():
    found = Recordings.find(FRAME, ROLES)
    np.testing.assert_array_equal(found.panel(), [[[3, 1]], [[2, 4]]])
    found = Recordings.find(FRAME[:3], ROLES)
    assert [one.tolist() for one in found.panel()] == [[[3, 1]], [[2]]]
    assert [one.tolist() for one in found.alone(0).panel()] == [[[3, 1]]]
    assert not Recordings.find(FRAME[:0], ROLES).rows


def test_a_single_precision_stays_and_integers_become_floats():
    assert Recordings.find(FRAME.astype({"x": np.float32}), ROLES).values.dtype == np.float32
    found = Recordings.find(FRAME.assign(x=pd.array([1, None, 3, 4], "Int64")), ROLES)
    np.testing.assert_array_equal(found.values[:, 0], [1, np.nan, 3, 4])
    assert found.frame(np.array([0, 2]))["x"].tolist() == [1, 3]


def test_time_stamps_become_the_index_of_a_recording():
    found = Recordings.find(FRAME.assign(t=times("stamps")), ROLES)
    assert found.frame(found.rows[0]).index.name == "t"
    assert Recordings.find(FRAME, ROLES).frame(np.array([1, 2])).index.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"t": [2, 1, None, 3]}, "1 rows have no value in column 't'; the first is row 2"),
        ({"t": pd.to_datetime(["2026", None, "2027", "2028"])}, "no value in column 't'"),
        ({"id": ["a", "b", None, "b"]}, "no value in column 'id'"),
        ({"t": [2, 1, 2, 3]}, "id='a' has the same t in two rows"),
    ],
    ids=str,
)
def test_rows_without_a_place_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Recordings.find(FRAME.assign(**change), ROLES)


@pytest.mark.parametrize("roles", [Roles("i", "t", None), Roles("id", "t", ("y",))], ids=str)
def test_unknown_columns_are_refused(roles):
    with pytest.raises(ValueError, match="must be names of columns"):
        roles.channels(list(FRAME.columns))
    with pytest.raises(ValueError, match="at least one channel"):
        Roles("id", "t", ()).channels(list(FRAME.columns))


def test_an_error_is_named():
    with pytest.raises(RuntimeError, match=r"^pump 3: no$"), naming("pump 3"):
        raise ValueError("no")
    with pytest.raises(KeyboardInterrupt), naming("pump 3"):
        raise KeyboardInterrupt
