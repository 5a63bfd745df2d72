"""What a user passes comes back as it came: library, types of columns, time, names, order."""

from __future__ import annotations

from functools import cache

import narwhals
import numpy as np
import pandas as pd
import polars as pl
import pytest
from estimator_cases import CASES

N = 160
HOURS = pd.date_range("2026-03-27", periods=N, freq="h", tz="Europe/Berlin", name="when")
X = CASES["imputer"].data()
X[100:106, 1] += 9
FRAME = pd.DataFrame(X, HOURS, ["flow", "heat"])
WHOLE = (10 * FRAME).round()


def arrow(dtype):
    pytest.importorskip("pyarrow")
    return (WHOLE if dtype.startswith("int") else FRAME).astype(f"{dtype}[pyarrow]")


def polars_frame(**columns):
    return pl.DataFrame({"flow": X[:, 0], **columns, "heat": X[:, 1]}).with_columns(
        pl.col("flow").fill_nan(None)
    )


def polars_hours():
    stamps = pl.Series(HOURS.tz_convert("UTC").tz_localize(None).to_numpy())
    return stamps.dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin")


def data_array(dims=("when", "channel")):
    xarray = pytest.importorskip("xarray")
    coords = {"when": HOURS.tz_convert("UTC").tz_localize(None), "channel": ["flow", "heat"]}
    return xarray.DataArray(X, dims=("when", "channel"), coords=coords).transpose(*dims)


def data_set():
    return data_array().to_dataset("channel").assign_attrs(place="here")


RECORDINGS = {
    "pandas": lambda: FRAME,
    "float32": lambda: FRAME.astype("float32"),
    "float16": lambda: FRAME.astype("float16"),
    "Float64": lambda: FRAME.astype("Float64"),
    "Float32": lambda: FRAME.astype("Float32"),
    "mixed": lambda: FRAME.assign(on=np.arange(N) % 3 > 0, count=np.arange(N), wide=2**60 + 1),
    "nullable": lambda: FRAME.convert_dtypes().assign(
        on=pd.array(np.arange(N) % 3 > 0, "boolean"), count=pd.array(np.arange(N), "UInt8")
    ),
    "double[pyarrow]": lambda: arrow("double"),
    "float[pyarrow]": lambda: arrow("float"),
    "time zone": lambda: FRAME.tz_convert("Asia/Tokyo"),
    "periods": lambda: FRAME.tz_localize(None).set_axis(
        pd.period_range("2026-01-01", periods=N, freq="h")
    ),
    "durations": lambda: FRAME.set_axis(pd.timedelta_range("1s", periods=N, freq="s")),
    "text index": lambda: FRAME.set_axis([f"row {i}" for i in range(N)]),
    "numbered backwards": lambda: FRAME.set_axis(range(N, 0, -1)),
    "device and time": lambda: pd.concat({"pump": FRAME}, names=["device"]),
    "numbered columns": lambda: FRAME.set_axis([7, 3], axis=1),
    "two levels of columns": lambda: pd.concat({"pump": FRAME}, axis=1, names=["device", "sensor"]),
    "polars": polars_frame,
    "polars, float32": lambda: polars_frame().cast(pl.Float32),
    "polars, time zone": lambda: polars_frame(when=polars_hours()),
    "polars, dates": lambda: polars_frame(
        day=pl.date_range(pl.date(2026, 1, 1), pl.date(2026, 6, 9), eager=True)
    ),
    "polars, durations": lambda: polars_frame(
        after=pl.Series(pd.timedelta_range("1s", periods=N, freq="s").to_numpy())
    ),
    "polars, types": lambda: polars_frame(
        on=pl.Series(np.arange(N) % 3 > 0), count=pl.Series(np.arange(N), dtype=pl.UInt16)
    ),
    "table of Arrow": lambda: pytest.importorskip("pyarrow") and polars_frame().to_arrow(),
    "table of Arrow with time": lambda: (
        pytest.importorskip("pyarrow") and polars_frame(when=polars_hours()).to_arrow()
    ),
    "DataArray": data_array,
    "DataArray, time last": lambda: data_array(("channel", "when")),
    "Dataset": data_set,
}
each_recording = pytest.mark.parametrize("kind", RECORDINGS)


def description(table):
    """Return all about a container but its values."""
    if hasattr(table, "dims"):
        return (
            [*table.sizes],
            table.attrs,
            {name: [*one.values] for name, one in table.coords.items()},
        )
    if isinstance(table, pd.DataFrame):
        index = table.index
        return list(index), index.names, index.dtype, table.columns, list(table.dtypes), table.attrs
    return [*table.schema.items()] if hasattr(table.schema, "items") else table.schema


def channels(table):
    if isinstance(table, pd.DataFrame):
        return table.to_numpy(float, na_value=np.nan)
    if hasattr(table, "dims"):
        array = table.to_dataarray("channel") if hasattr(table, "data_vars") else table
        return array.transpose("when", "channel").to_numpy()
    table = pl.DataFrame(table)
    numbers = table.select(pl.selectors.numeric() | pl.selectors.boolean())
    return numbers.cast(pl.Float64).to_numpy()


def same(a, b):
    return all(np.all(one == other) for one, other in zip(a, b, strict=True))


@cache
def fitted(kind, name):
    return CASES[name].fit(RECORDINGS[kind]())


@each_recording
def test_a_filled_recording_is_as_it_came(kind):
    if kind == "float16" and not hasattr(narwhals, "Float16"):
        pytest.skip("narwhals takes float16 for an unknown type")
    recording = RECORDINGS[kind]()
    before = channels(recording)
    filled = fitted(kind, "imputer-network").transform(recording)
    assert type(filled) is type(recording)
    assert same(description(filled), description(recording))
    after, known = channels(filled), ~np.isnan(before)
    np.testing.assert_array_equal(after[known], before[known])
    assert np.isfinite(after).all()
    np.testing.assert_array_equal(channels(recording), before)


@pytest.mark.parametrize("kind", ["mixed", "nullable", "polars, time zone", "Dataset"])
def test_deviations_are_as_the_recording(kind):
    recording = RECORDINGS[kind]()
    _, std = fitted(kind, "imputer").transform(recording, return_std=True)
    assert type(std) is type(recording)
    assert ((channels(std) > 0) == np.isnan(channels(recording))).all()


@pytest.mark.parametrize("round_integers", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda: WHOLE.astype("Int64"),
        lambda: arrow("int64"),
        lambda: pl.from_pandas(WHOLE).fill_nan(None).cast(pl.Int32),
    ],
)
def test_integers_are_integers_if_their_fills_are(make, round_integers):
    recording = make()
    filled = CASES["imputer"].new(round_integers=round_integers).fit_transform(recording)
    kinds = dict(filled.schema) if isinstance(filled, pl.DataFrame) else dict(filled.dtypes)
    before = recording.schema if isinstance(filled, pl.DataFrame) else recording.dtypes
    floats = {"Float64", "double[pyarrow]"}
    for name, dtype in kinds.items():
        assert dtype == before[name] if round_integers else str(dtype) in floats


@each_recording
def test_answers_about_rows_have_the_labels_of_rows(kind):
    recording = RECORDINGS[kind]()
    detector = fitted(kind, "detector")
    is_pandas = isinstance(recording, pd.DataFrame) or hasattr(recording, "dims")
    answers = [getattr(detector, name)(recording) for name in ("score_samples", "predict")]
    for answer in answers:
        assert isinstance(answer, pd.Series if is_pandas else np.ndarray)
        assert len(answer) == N
        if is_pandas:
            assert answer.index.equals(stamps_of(recording)) or kind == "device and time"
    scores = detector.score_channels(recording)
    if isinstance(recording, pd.DataFrame):
        pd.testing.assert_index_equal(scores.columns, recording.columns)
        pd.testing.assert_index_equal(scores.index, recording.index)
    elif not is_pandas:
        assert type(scores) is type(recording)
        names = scores.columns if isinstance(scores, pl.DataFrame) else scores.column_names
        theirs = recording.columns if isinstance(scores, pl.DataFrame) else recording.column_names
        assert set(names) == set(theirs)


def stamps_of(recording):
    """Return what labels rows: an index, a column or a coordinate, or else row numbers."""
    if isinstance(recording, pd.DataFrame):
        return recording.index.get_level_values(-1)
    if hasattr(recording, "dims"):
        return recording.indexes["when"]
    names = recording.schema.names
    names = names() if callable(names) else names
    column = next((recording[one] for one in ("when", "day", "after") if one in names), None)
    return np.arange(N) if column is None else column.to_numpy()


@each_recording
def test_segments_have_the_time_and_the_names_of_the_recording(kind):
    recording = RECORDINGS[kind]()
    detector = CASES["detector"].fit(recording, contamination=0.05)
    segments = detector.predict_segments(recording)
    worst = int(np.argmin(np.asarray(detector.score_samples(recording))))
    is_library = "polars" in kind or "Arrow" in kind
    peaks = segments["peak"].to_numpy() if is_library else segments["peak"]
    assert stamps_of(recording)[worst] in list(peaks)
    names = {str(one) for one in segments["channel"].to_numpy()}
    channel = names.pop() if len(names) == 1 else "heat"
    assert channel in {"heat", "3", "('pump', 'heat')"}


@pytest.mark.parametrize("kind", ["pandas", "polars, time zone", "DataArray, time last", "Dataset"])
def test_rows_that_are_absent_are_inserted(kind):
    recording = RECORDINGS[kind]()
    keep = np.r_[:50, 53:N]
    if isinstance(recording, pd.DataFrame):
        gappy = recording.iloc[keep]
    else:
        gappy = recording[keep.tolist()] if kind.startswith("pol") else recording.isel(when=keep)
    filled = CASES["imputer-network"].new(freq="h").fit_transform(gappy)
    assert same(description(filled), description(recording))


@pytest.mark.parametrize("change", ["unsorted", "twice"])
def test_wrong_stamps_in_a_column_are_refused(change):
    recording = polars_frame(when=polars_hours())
    recording = (
        recording.reverse() if change == "unsorted" else pl.concat([recording[:2], recording])
    )
    with pytest.raises(ValueError, match="not strictly increasing"):
        CASES["detector"].fit(recording)


# --------------------------------------------------------------------------- panels

PANEL = CASES["imputer-panel"].data()
IDS = pd.Index([f"case {i}" for i in range(len(PANEL))], name="case")


def cases_frame():
    frames = [pd.DataFrame(one.T, HOURS[: one.shape[1]], ["a", "b"]) for one in PANEL]
    return pd.concat(dict(zip(IDS, frames, strict=True)), names=["case", "when"])


def nested_frame():
    cells = [[pd.Series(row, HOURS[: len(row)]) for row in one] for one in PANEL]
    return pd.DataFrame(cells, IDS, ["a", "b"])


def cube():
    xarray = pytest.importorskip("xarray")
    return xarray.DataArray(PANEL, dims=("case", "channel", "time"), coords={"case": IDS})


PANELS = {
    "array": lambda: PANEL,
    "float32": lambda: PANEL.astype("float32"),
    "list": lambda: [one[:, : 40 - i % 5] for i, one in enumerate(PANEL)],
    "frames": lambda: [pd.DataFrame(one.T, HOURS[:40], ["a", "b"]) for one in PANEL],
    "nullable frames": lambda: [pd.DataFrame(one.T, dtype="Float64") for one in PANEL],
    "polars frames": lambda: [
        pl.DataFrame(one.T, schema=["a", "b"]).with_columns(when=polars_hours()[:40])
        for one in PANEL
    ],
    "index of case and time": cases_frame,
    "cells": nested_frame,
    "DataArray": cube,
    "DataArray, time first": lambda: cube().transpose("time", "case", "channel"),
    "Dataset": lambda: cube().to_dataset("channel").rename({0: "a", 1: "b"}),
}
each_panel = pytest.mark.parametrize("kind", PANELS)


def check_same_kind(a, b):
    assert type(a) is type(b)
    if isinstance(a, list):
        for one, other in zip(a, b, strict=True):
            check_same_kind(one, other)
    elif isinstance(a, np.ndarray):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
    elif isinstance(a, pd.Series):
        pd.testing.assert_index_equal(a.index, b.index)
    else:
        assert same(description(a), description(b))


@each_panel
def test_a_filled_panel_is_as_it_came(kind):
    panel = PANELS[kind]()
    filled = CASES["imputer-panel"].new().fit_transform(panel)
    check_same_kind(filled, panel)
    if kind == "cells":
        check_same_kind(filled.loc["case 3", "b"], panel.loc["case 3", "b"])
    if kind not in ("float32", "list"):
        expected = CASES["imputer-panel"].new().fit_transform(PANEL)
        answer = filled
        if kind.startswith(("Data", "cells")) or isinstance(filled, pd.DataFrame):
            answer = CASES["to-table"].new().fit_transform(filled)
            expected = CASES["to-table"].new().fit_transform(expected)
            np.testing.assert_allclose(answer, expected)


@cache
def answer_for_array(name):
    return CASES[name].answer(CASES[name].fit(PANEL), PANEL)


@each_panel
@pytest.mark.parametrize("name", ["classifier", "regressor", "transformer", "retriever"])
def test_estimators_of_panels_answer_alike_for_every_container(name, kind, few_trees):
    case, panel = CASES[name], PANELS[kind]()
    model = case.new().fit(panel, case.targets(len(PANEL)))
    answer = case.answer(model, panel)
    assert len(answer) == len(PANEL)
    if kind not in ("float32", "list"):
        np.testing.assert_allclose(answer, answer_for_array(name), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", ["index of case and time", "cells"])
def test_embeddings_have_the_labels_of_the_series(kind):
    model = CASES["transformer"].new().set_output(transform="pandas")
    pd.testing.assert_index_equal(model.fit_transform(PANELS[kind]()).index, IDS, check_names=False)


LABELS = np.array(["calm", "wild"])[np.arange(len(PANEL)) % 2]


@pytest.mark.parametrize(
    "y",
    [
        pd.Series(LABELS),
        pd.Series(LABELS, dtype="category"),
        pd.Series(LABELS, IDS),
        pl.Series(LABELS),
        pl.Series(LABELS, dtype=pl.Categorical),
        pd.Series(LABELS == "wild", dtype="boolean"),
        pd.Series(LABELS == "wild").astype("Int64"),
        pl.Series(LABELS == "wild"),
    ],
    ids=lambda y: f"{type(y).__module__} {y.dtype}",
)
def test_labels_come_back_in_their_type(y, few_trees):
    model = CASES["classifier"].new().fit(PANEL, y)
    assert set(model.predict(PANEL)) <= set(y.to_list())
    assert model.classes_.dtype.kind in "OUTbi"
