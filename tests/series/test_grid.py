"""Time stamps that are left out come back as empty rows, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sktspulse.series.time_index import on_grid

HOURS = pd.date_range("2024-03-30", periods=60, freq="h", tz="Europe/Berlin", name="when")


def table(rows=slice(None)):
    values = np.arange(120.0).reshape(60, 2)
    return pd.DataFrame(values, columns=["a", "b"], index=HOURS).iloc[rows]


def test_rows_come_back():
    kept = [0, 1, 2, 10, 11, 40, 59]
    X = table(kept)
    before = X.copy()
    full = on_grid(X, "h")
    pd.testing.assert_index_equal(full.index, HOURS, exact="equiv")
    pd.testing.assert_frame_equal(full.iloc[kept], before, check_freq=False)
    assert full.drop(full.index[kept]).isna().all(axis=None)
    pd.testing.assert_frame_equal(X, before)


def test_a_full_grid_stays():
    pd.testing.assert_frame_equal(on_grid(table(), "h"), table(), check_freq=False)


@pytest.mark.parametrize(
    ("X", "freq", "message"),
    [
        (np.zeros((9, 2)), "h", "type ndarray without time stamps"),
        (table().reset_index(drop=True), "h", "type DataFrame without time stamps"),
        (table([0, 2, 1]), "h", "do not grow: row 2"),
        (table([0, 1, 1]), "h", "do not grow: row 2"),
        (table(), "2h", "30 of 60 time stamps are not on that grid, the first 2024-03-30 01:00"),
        (table(), "fortnight", "fortnight"),
    ],
)
def test_what_has_no_grid_is_refused(X, freq, message):
    with pytest.raises(ValueError, match=message):
        on_grid(X, freq)
