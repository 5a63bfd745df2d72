"""Runs of flagged points."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sktspulse.series.runs import runs


def naive_runs(flags):
    found, start = [], 0
    for flag, group in groupby(flags):
        length = len(list(group))
        if flag:
            found.append([start, start + length])
        start += length
    return found


@given(st.lists(st.booleans(), max_size=30))
def test_runs_equal_their_twin(flags):
    assert runs(np.array(flags, dtype=bool)).tolist() == naive_runs(flags)


@pytest.mark.parametrize("flags", [[], [False, False]])
def test_no_flag_gives_an_empty_table_of_two_columns(flags):
    found = runs(np.array(flags, dtype=bool))
    assert found.shape == (0, 2)
    assert found.dtype == np.intp
