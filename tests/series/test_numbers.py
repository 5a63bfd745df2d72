"""Numbers come through; dates, durations and other objects are refused with a way out."""

from __future__ import annotations

import datetime
import re

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest

from sktspulse.series.numbers import as_floats, is_numeric, read_floats, without_masks

DATES = np.arange(12).reshape(4, 3).astype("M8[D]")
SPANS = np.arange(12).reshape(4, 3).astype("m8[h]")


def with_nat(values):
    values = values.copy()
    values[1, 1] = "NaT"
    return values


@pytest.mark.parametrize("unit", ["D", "s", "ns"])
@pytest.mark.parametrize(("values", "word"), [(DATES, "dates"), (SPANS, "durations")])
def test_dates_and_durations_are_refused(values, word, unit):
    kind = values.dtype.kind
    one = values.astype(f"{kind}8[{unit}]")
    objects = one.astype("M8[us]" if kind == "M" else "m8[us]").astype(object)
    masked = np.ma.array(one, mask=np.eye(4, 3, dtype=bool))
    for X in (one, with_nat(one), objects, objects.tolist(), list(one), masked, pd.Series(one[0])):
        with pytest.raises(ValueError, match=f"X holds {word}"):
            read_floats(X)


@pytest.mark.parametrize(
    "value", [datetime.date(2026, 1, 1), datetime.timedelta(1), datetime.time(3), np.timedelta64(3)]
)
def test_one_date_among_numbers_is_refused(value):
    X = np.array([[1.0, 2.0], [value, 3.0]], dtype=object)
    with pytest.raises(ValueError, match="X holds d"):
        read_floats(X)


@pytest.mark.parametrize("unit", ["h", "s", "ns"])
def test_the_remedy_for_durations_works(unit):
    X = with_nat(SPANS).astype(f"m8[{unit}]")
    with pytest.raises(ValueError, match="Convert durations") as refused:
        read_floats(X)
    code = re.findall(r"Convert durations, (.*)\.", str(refused.value))[0]
    seconds = eval(code.replace("numpy", "np"), {"X": X, "np": np})  # noqa: S307
    np.testing.assert_array_equal(read_floats(seconds)[0], [0, 3600, 7200])
    assert np.isnan(seconds[1, 1])


def test_a_missing_date_among_numbers_is_missing():
    X = np.array([[1.0, pd.NaT]], dtype=object)
    np.testing.assert_array_equal(read_floats(X), [[1, np.nan]])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([["a", 1.0]], "Y cannot be read as numbers.*Convert or drop"),
        ({"a": 1}, r"Y cannot be read as numbers.*list\(X.values\(\)\)"),
        (pd.DataFrame({"a": [np.zeros(2), np.zeros(2)]}), "Y cannot be .*X is a panel"),
    ],
)
def test_other_objects_are_refused(X, message):
    with pytest.raises((ValueError, TypeError), match=message):
        as_floats(None, X, "Y")


def test_masks_become_nan():
    masked = np.ma.array([1, 2, 3], mask=[0, 1, 0])
    np.testing.assert_array_equal(without_masks(masked), [1, np.nan, 3])
    np.testing.assert_array_equal(without_masks([masked, masked]), [[1, np.nan, 3]] * 2)
    plain = [1.0, 2.0]
    assert without_masks(plain) is plain


@pytest.mark.parametrize("library", [pd, pl])
def test_columns_are_numeric_by_type(library):
    table = library.DataFrame(
        {"a": [1, 2], "b": [True, False], "c": ["x", "y"], "d": [datetime.date(2026, 1, 1)] * 2}
    )
    columns = nw.from_native(table).iter_columns()
    assert [is_numeric(column) for column in columns] == [True, True, False, False]
