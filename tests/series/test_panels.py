"""Panels are read rightly from every container whose meaning is certain, or are refused."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sktspulse
from sktspulse.series.checks import trim_ends
from sktspulse.series.frames import as_frame
from sktspulse.series.panels import find_long_columns, parse_panel, parse_series

DAYS = pd.date_range("2026-01-01", periods=40)
NAMES = ["x", "y", "z", "u"]


def frame_of(series, library="pandas", index=None):
    """Return a series (n_channels, n_timepoints) as a data frame with a row for each moment."""
    names = NAMES[: len(series)]
    if library == "polars":
        return pl.DataFrame(series.T, schema=names)
    return pd.DataFrame(series.T, columns=names, index=index)


def cases_of(panel, times, names=("case", "time"), ids=None):
    frames = [frame_of(one, index=times[: one.shape[1]]) for one in panel]
    return pd.concat(dict(zip(ids or range(len(panel)), frames, strict=True)), names=names)


def nested_of(panel, library="pandas", cell=pd.Series):
    names = NAMES[: len(panel[0])]
    if library == "polars":
        cells = {name: [one[c].tolist() for one in panel] for c, name in enumerate(names)}
        return pl.DataFrame(cells, schema=dict.fromkeys(names, pl.List(pl.Float64)))
    return pd.DataFrame({name: [cell(one[c]) for one in panel] for c, name in enumerate(names)})


def padded(panel):
    """Return an array with NaN at the end of shorter series."""
    table = np.full((len(panel), len(panel[0]), max(one.shape[1] for one in panel)), np.nan)
    for row, one in zip(table, panel, strict=True):
        row[:, : one.shape[1]] = one
    return table


CONTAINERS = {
    "list of arrays": list,
    "tuple": tuple,
    "nested lists": lambda panel: [one.tolist() for one in panel],
    "pandas frames": lambda panel: [frame_of(one) for one in panel],
    "pandas frames with dates": lambda panel: [
        frame_of(o, index=DAYS[: o.shape[1]]) for o in panel
    ],
    "polars frames": lambda panel: [frame_of(one, "polars") for one in panel],
    "index of case and date": lambda panel: cases_of(panel, DAYS),
    "index of case and number": lambda panel: cases_of(panel, np.arange(40), ("a", "timepoints")),
    "nested pandas": nested_of,
    "nested arrays": lambda panel: nested_of(panel, cell=np.asarray),
    "nested polars": lambda panel: nested_of(panel, "polars"),
    "series of arrays": lambda panel: pd.Series(list(panel)),
    "padded": padded,
    "masked": lambda panel: np.ma.masked_invalid(padded(panel)),
    "list of masked": lambda panel: [np.ma.masked_invalid(one) for one in panel],
}


def ended(series):
    """Return a series with a value at its last time point, so that nothing is trimmed."""
    series[0, -1] = 1.0
    return series


@settings(max_examples=80)
@given(
    st.sampled_from(sorted(CONTAINERS)),
    st.lists(st.integers(4, 40), min_size=1, max_size=5),
    st.integers(1, 4),
    st.sampled_from(["f8", "f4", "i8", "?"]),
    st.sampled_from([0.0, 0.3, 0.9]),
    st.integers(0, 2**31),
)
def test_every_container_gives_the_same_panel(kind, lengths, n_channels, dtype, share, seed):
    rng = np.random.default_rng(seed)
    panel = [(9 * rng.normal(size=(n_channels, n))).astype(dtype) for n in lengths]
    if panel[0].dtype.kind == "f":
        for one in panel:
            one[rng.random(one.shape) < share] = np.nan
            ended(one)
    X = CONTAINERS[kind](panel)
    found = trim_ends(parse_panel(X).values, 1)
    assert len(found) == len(panel)
    for one, expected in zip(found, panel, strict=True):  # a slow twin: cell by cell
        assert one.shape == expected.shape
        assert one.dtype.kind == "f"
        for place in np.ndindex(expected.shape):
            value, known = one[place], float(expected[place])
            assert value == known or (np.isnan(value) and np.isnan(known))


@pytest.mark.parametrize("kind", CONTAINERS)
def test_answers_go_back_into_the_container(kind):
    rng = np.random.default_rng(0)
    panel = [rng.normal(size=(2, n)) for n in (9, 12, 9)]
    X = CONTAINERS[kind](panel)
    parsed = parse_panel(X)
    answer = parsed.restore([one + 1 for one in parsed.values])
    again = parse_panel(answer)
    for one, other in zip(trim_ends(again.values, 1), panel, strict=True):
        np.testing.assert_allclose(one, other + 1)
    if as_frame(X) is not None or isinstance(X, np.ndarray):
        assert type(answer) in (type(X), np.ndarray)
        assert answer.shape == X.shape
    if isinstance(X, list) and as_frame(X[0]) is not None:
        assert type(answer[0]) is type(X[0])
        assert list(answer[0].columns) == ["x", "y"]
    if isinstance(X, pd.DataFrame):
        pd.testing.assert_index_equal(answer.index, X.index)


def test_cases_may_be_mixed_and_keep_their_order():
    panel = [ended(np.random.default_rng(i).normal(size=(2, 9))) for i in range(3)]
    X = cases_of(panel, DAYS, ids=["b", "a", "c"])
    mixed = X.sort_index(level=1, sort_remaining=False, kind="stable")
    for one, other in zip(parse_panel(mixed).values, panel, strict=True):
        np.testing.assert_array_equal(one, other)
    answer = parse_panel(mixed).restore(list(parse_panel(mixed).values))
    pd.testing.assert_frame_equal(answer, mixed)


def test_columns_of_frames_are_aligned_by_name():
    first = frame_of(np.arange(16.0).reshape(2, 8))
    for other in (first[["y", "x"]], pl.DataFrame(first)[["y", "x"]]):
        one, two = parse_panel([first, other]).values
        np.testing.assert_array_equal(one, two)
    with pytest.raises(ValueError, match=r"Series 1 of X has columns \['x', 'z'\].*series 0 has"):
        parse_panel([first, first.set_axis(["x", "z"], axis=1)])


def test_cells_may_be_null():
    X = nested_of([np.ones((2, 9)), np.ones((2, 8))])
    X.loc[1, "y"] = None
    assert np.isnan(parse_panel(X).values[1][1]).all()
    assert parse_panel(X).values[1].shape == (2, 8)


@pytest.mark.parametrize("columns", [range(1, 25), [f"{h:02}" for h in range(24)]])
def test_a_row_for_each_day_is_certain_only_if_columns_are_numbers(columns):
    X = pd.DataFrame(np.zeros((40, 24)), index=DAYS, columns=pd.Index(list(columns)))
    if columns[0] == 1:
        assert parse_panel(X).values.shape == (40, 1, 24)
    else:
        with pytest.raises(ValueError, match="time stamps in its index"):
            parse_panel(X)


# --------------------------------------------------------------------------- refused, with advice

RNG = np.random.default_rng(0)
LONG = pd.DataFrame(
    {
        "pump": np.repeat(["a", "b", "c"], 20),
        "when": np.tile(DAYS[:20], 3),
        "flow": RNG.normal(size=60),
        "heat": RNG.normal(size=60),
    }
)
NUMBERS = LONG.assign(pump=LONG["pump"].factorize()[0], when=np.tile(np.arange(20), 3))
NUMBERS = NUMBERS.rename(columns={"pump": "case", "when": "time"})
REFUSED = {
    "long": LONG,
    "long, polars": pl.from_dict(LONG.to_dict("list")),
    "long, numbers": NUMBERS,
    "long, numbers, polars": pl.from_dict(NUMBERS.to_dict("list")),
    "cases": NUMBERS.set_index(["case", "time"]).rename_axis(["subject", "trial"]),
    "unnamed cases": NUMBERS.set_index(["case", "time"]).rename_axis([None, None]),
    "recording": LONG[:20].set_index("when")[["flow", "heat"]],
    "recording, no names": pd.DataFrame(np.zeros((20, 9)), index=DAYS[:20]),
}


POLARS = REFUSED["long, polars"]


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_certain_is_refused_with_a_conversion_that_works(kind):
    X = REFUSED[kind]
    with pytest.raises(ValueError, match="X has") as refused:
        parse_panel(X)
    message = str(refused.value)
    code = re.findall(r"pass ((?:sktspulse|X\.to_numpy\(\)\.T).*?(?:\[0\]|\[None\]))", message)[0]
    panel = eval(code, {"X": X, "sktspulse": sktspulse})  # noqa: S307
    values = parse_panel(panel).values
    assert values[0].shape == ((X.shape[1], 20) if "recording" in kind else (2, 20))
    assert len(values) == (1 if "recording" in kind else 3)


def test_the_other_conversion_works_as_well():
    for kind in ("cases", "recording", "long, polars", "long"):
        X = REFUSED[kind]
        with pytest.raises(ValueError, match="X has") as refused:
            parse_panel(X)
        code = re.findall(r"(X\.[\w.]+\([^()]*\))\.$", str(refused.value))[0]
        values = parse_panel(eval(code, {"X": X})).values  # noqa: S307
        assert values.shape == (len(X), 1, 2)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (
            [frame_of(np.zeros((2, 9))), LONG],
            r"Series 1 of X has columns \['pump', 'when', 'flow'\]",
        ),
        (
            [LONG, LONG],
            r"Series 0 of X has columns that are not.*\[one.drop\(columns=\['pump', 'when'",
        ),
        (
            [pl.from_dict(LONG.to_dict("list"))] * 2,
            r"\[one.drop\(\['pump'\]\) for one in X\]",
        ),
        ([frame_of(np.zeros((2, 9)), index=DAYS[:9][::-1])], "Series 0: .*not strictly increasing"),
        (cases_of([np.zeros((2, 9))], DAYS[[0, 1, 2, 3, 4, 5, 6, 8, 7]]), "strictly increasing"),
        (cases_of([np.zeros((1, 3))], [1, 1, 2]), r"series 0 of X.*X.sort_index\(\)"),
        (nested_of([np.zeros((2, 9))]).assign(age=3), r"and others, \['age'\].*columns=\['age'\]"),
        (pd.DataFrame({"a": [[1, 2]], "b": [[1, 2, 3]]}), r"Series 0 .*channels of \[2, 3\] time"),
        ([np.zeros((9, 2)), np.zeros((8, 2))], r"\[numpy.transpose|np.transpose\(one\)"),
        ({"a": np.zeros((2, 9))}, r"list\(X.values\(\)\)"),
        (np.zeros(9), r"X.reshape\(1, -1\)"),
        ([0.0] * 9, r"\[X\] is a panel"),
        (pd.Series(np.zeros(9)), r"X.to_numpy\(\).reshape\(1, -1\)"),
        (pd.DataFrame(np.zeros((0, 9))), r"0 sample\(s\)"),
        (nested_of([np.zeros((2, 9))])[:0], r"0 sample\(s\)"),
    ],
)
def test_other_input_is_refused_in_words(X, message):
    with pytest.raises((ValueError, TypeError), match=message):
        parse_panel(X)


def test_irregular_time_stamps_warn_once():
    index = DAYS[[0, 1, 2, 3, 4, 5, 6, 20]]
    with pytest.warns(UserWarning, match="irregular") as told:
        parse_panel([frame_of(np.zeros((2, 8)), index=index)] * 3)
    assert len(told) == 1


# --------------------------------------------------------------------------- parts


def test_ends_are_trimmed_down_to_the_shortest_length():
    panel = np.ones((4, 2, 9))
    panel[0, :, 5:] = panel[1, 0, 5:] = panel[2] = np.nan
    found = trim_ends(panel, 2)
    assert [one.shape for one in found] == [(2, 5), (2, 9), (2, 2), (2, 9)]
    assert trim_ends(panel[[1, 3]], 2) is not None
    whole = np.ones((2, 1, 4))
    assert trim_ends(whole, 2) is whole


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["id", "time", "v"], ("id", "time")),
        (["Case_ID", "v", "Timestamp"], ("Case_ID", "Timestamp")),
        (["a", "b"], (None, None)),
    ],
)
def test_columns_of_long_tables_are_known_by_name(names, expected):
    frame = as_frame(pd.DataFrame(np.zeros((2, len(names))), columns=names))
    assert find_long_columns(frame) == expected


def test_columns_of_long_tables_are_known_by_type():
    assert find_long_columns(as_frame(LONG)) == ("pump", "when")


def test_one_series_is_read_from_arrays_and_frames():
    x = np.arange(18.0).reshape(2, 9)
    masked = np.ma.array(x, mask=x == 3)
    for one in (x, x.tolist(), frame_of(x), frame_of(x, "polars"), masked):
        expected = np.where(x == 3, np.nan, x) if one is masked else x
        np.testing.assert_array_equal(parse_series(one), expected)
    assert parse_series(x[0]).shape == (1, 9)
    with pytest.raises(ValueError, match="query holds dates"):
        parse_series(DAYS.to_numpy(), "query")
