"""Panels become the containers of other libraries, and come back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sktspulse import convert_panel
from sktspulse.series.checks import padded
from sktspulse.series.panels import parse_panel

RNG = np.random.default_rng(0)
EQUAL = RNG.normal(size=(4, 2, 9))
UNEQUAL = [RNG.normal(size=(2, n)) for n in (9, 12, 8, 11)]
DAYS = pd.date_range("2026-01-01", periods=12, name="day")
IDS = pd.Index(list("wxyz"), name="pump")
FORMS = ["aeon", "sktime", "nested", "tslearn", "xarray"]
each_form = pytest.mark.parametrize("to", FORMS)


def convert(X, to, **options):
    if to == "xarray":
        pytest.importorskip("xarray")
    return convert_panel(X, to, **options)


def labelled(lengths=(9, 12, 8, 11)):
    frames = [pd.DataFrame(RNG.normal(size=(n, 2)), DAYS[:n], ["flow", "heat"]) for n in lengths]
    return pd.concat(dict(zip(IDS, frames, strict=True)), names=["pump", "day"])


@each_form
@pytest.mark.parametrize("panel", [EQUAL, UNEQUAL, EQUAL.astype("f4")])
def test_every_form_holds_the_panel(panel, to):
    converted = convert(panel, to)
    back = convert(converted, "aeon", time_first=to == "tslearn")
    is_padded = to == "xarray" and isinstance(panel, list)
    for one, other in zip(back, padded(panel) if is_padded else panel, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype
    assert isinstance(back, np.ndarray) == (is_padded or isinstance(panel, np.ndarray))


@pytest.mark.parametrize("to", ["sktime", "nested", "xarray"])
def test_labels_are_kept(to):
    X = labelled([9] * 4)
    there = convert(X, to)
    back = convert(there, "sktime")
    assert [*back.index] == [*X.index]
    assert back.columns.tolist() == ["flow", "heat"]
    np.testing.assert_array_equal(back, X)
    if to == "nested":
        assert there.loc["x", "heat"].index.equals(DAYS[:9])
        pd.testing.assert_index_equal(there.index, IDS)
    if to == "xarray":
        assert there.dims == ("series", "channel", "time")
        assert there.sel(series="x", channel="heat").sum() == pytest.approx(
            X.loc["x", "heat"].sum()
        )


def test_names_of_the_index_are_kept():
    X = labelled()
    pd.testing.assert_frame_equal(convert(X, "sktime"), X, check_freq=False)


def test_frames_of_one_series_each_keep_their_times():
    X = [one.droplevel(0) for _, one in labelled().groupby(level=0)]
    there = convert(X, "sktime")
    assert there.columns.tolist() == ["flow", "heat"]
    assert there.loc[1].index.equals(DAYS)


def test_times_that_differ_are_not_those_of_all():
    X = labelled()
    shifted = [one.droplevel(0).shift(i, "D") for i, (_, one) in enumerate(X.groupby(level=0))]
    there = convert(shifted, "xarray")
    assert "time" not in there.coords
    assert convert(X, "xarray").indexes["time"].equals(DAYS)


@each_form
def test_a_panel_without_an_axis_for_channels_has_one(to):
    assert parse_panel(convert(EQUAL[:, 0], to)).values.shape[0] == 4
    table = pd.DataFrame(EQUAL[:, 0], IDS)
    assert len(convert(table, to)) == (36 if to == "sktime" else 4)


def test_arrays_with_time_first_are_transposed_and_trimmed():
    X = [one.T for one in UNEQUAL]
    for one, other in zip(convert_panel(X, "aeon", time_first=True), UNEQUAL, strict=True):
        np.testing.assert_array_equal(one, other)
    assert convert_panel(EQUAL.swapaxes(1, 2), "aeon", time_first=True).shape == EQUAL.shape


@pytest.mark.parametrize("X", [labelled(), EQUAL[0], [EQUAL[0, 0]]])
def test_time_first_is_for_arrays(X):
    with pytest.raises(ValueError, match="time_first=True needs an array"):
        convert_panel(X, "aeon", time_first=True)


def test_other_forms_are_refused():
    with pytest.raises(ValueError, match=r"to is 'arrow', expected one of \['aeon', 'sktime'"):
        convert_panel(EQUAL, "arrow")


@pytest.mark.parametrize(("to", "library"), [("sktime", "pandas"), ("xarray", "xarray")])
def test_a_library_that_is_absent_is_named(to, library, monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr("sktspulse.series.conversion.import_module", absent)
    with pytest.raises(ImportError, match=f"pip install {library}"):
        convert_panel(EQUAL, to)
