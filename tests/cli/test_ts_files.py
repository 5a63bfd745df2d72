"""Panels in .ts files."""

from __future__ import annotations

import numpy as np
import pytest

from sktspulse.cli.ts_files import read_ts

HEAD = (
    "# about\n@problemName Tiny\n@timeStamps false\n@univariate false\n@classLabel {} a b\n@data\n"
)


@pytest.fixture
def ts(tmp_path):
    def write(text):
        (tmp_path / "a.ts").write_text(text)
        return tmp_path / "a.ts"

    return write


def test_series_and_labels(ts):
    X, labels = read_ts(ts(HEAD.format("true") + "1,2,?:3,4:a\n\n5:6:b\n"))
    assert labels == ["a", "b"]
    np.testing.assert_array_equal(X[0], [[1, 2, np.nan], [3, 4, np.nan]])
    assert X[1].tolist() == [[5], [6]]


def test_series_without_labels(ts):
    X, labels = read_ts(ts(HEAD.format("false") + "1,2\n"))
    assert labels is None
    assert X[0].tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,2\n", "has no series after a line @data"),
        (HEAD.format("true"), "has no series after a line @data"),
        (HEAD.format("true").replace("Stamps false", "Stamps true") + "(0,1)", "with time stamps"),
        (HEAD.format("true") + "1,x:a", "line 7: could not convert string to float: 'x'"),
        (HEAD.format("true") + "a", "line 7: there is no series before the label"),
    ],
)
def test_damaged_files(ts, text, said):
    with pytest.raises(ValueError, match=said):
        read_ts(ts(text))
