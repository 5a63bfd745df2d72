"""Dimensions of xarray are put into the order of recordings and panels, and back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sktspulse.series.xarrays import (
    is_xarray,
    like_panel,
    like_recording,
    panel_array,
    recording_frame,
    reindexed,
    time_coordinate,
)

xr = pytest.importorskip("xarray")
HOURS = pd.date_range("2026-03-28", periods=9, freq="h")
VALUES = np.arange(18.0).reshape(9, 2)
ARRAY = xr.DataArray(
    VALUES,
    dims=("when", "sensor"),
    coords={"when": HOURS, "sensor": ["a", "b"]},
    name="flow",
    attrs={"unit": "l"},
)
DATASET = xr.Dataset(
    {"a": ("when", VALUES[:, 0], {"unit": "l"}), "b": ("when", VALUES[:, 1])},
    coords={"when": HOURS, "day": ("when", np.arange(9))},
)
FRAME = pd.DataFrame(VALUES, HOURS, ["a", "b"])
RECORDINGS = {
    "array": ARRAY,
    "transposed": ARRAY.T,
    "dataset": DATASET,
    "named": ARRAY.drop_vars("when").rename(when="Time"),
    "one channel": ARRAY[:, 0],
}


@pytest.mark.parametrize("kind", RECORDINGS)
def test_recordings_become_frames_and_come_back(kind):
    X = RECORDINGS[kind]
    frame = recording_frame(X)
    np.testing.assert_array_equal(frame, VALUES[:, : frame.shape[1]])
    restored = like_recording(X, frame.to_numpy())
    assert restored.identical(X)
    assert not like_recording(X, frame.to_numpy() + 1).equals(X)
    if kind in ("array", "transposed", "dataset"):
        pd.testing.assert_frame_equal(
            frame, FRAME, check_names=False, check_freq=False, check_column_type=False
        )
        assert time_coordinate(X).equals(HOURS)
        assert reindexed(X.isel(when=[0, 3]), HOURS[:4]).sizes["when"] == 4


@pytest.mark.parametrize("X", [DATASET.expand_dims("site"), ARRAY.expand_dims("site")])
def test_several_recordings_are_refused(X):
    with pytest.raises(ValueError, match=r"X has|X is a Dataset.*isel"):
        recording_frame(X)


PANEL = np.arange(60.0).reshape(5, 2, 6)
CUBE = xr.DataArray(PANEL, dims=("site", "sensor", "time"), coords={"site": list("vwxyz")})
PANELS = {
    "array": CUBE,
    "time first": CUBE.transpose("time", "sensor", "site"),
    "tslearn": CUBE.transpose("site", "time", "sensor"),
    "dataset": xr.Dataset({name: CUBE[:, i] for i, name in enumerate("ab")}),
    "dataset, time first": xr.Dataset({name: CUBE[:, i].T for i, name in enumerate("ab")}),
}


@pytest.mark.parametrize("kind", PANELS)
def test_panels_become_arrays_and_come_back(kind):
    X = PANELS[kind]
    np.testing.assert_array_equal(panel_array(X), PANEL)
    assert like_panel(X, PANEL).identical(X)


def test_dimensions_without_a_known_name_are_in_order():
    X = xr.DataArray(PANEL, dims=("u", "v", "w"))
    assert panel_array(X).dims == ("u", "v", "w")
    assert panel_array(X[:, 0]).dims == ("u", "w")


def test_one_recording_is_no_panel():
    with pytest.raises(ValueError, match=r"one recording.*X.expand_dims\('series'\)"):
        panel_array(ARRAY)


def test_other_objects_are_not_of_xarray():
    assert is_xarray(ARRAY)
    assert not is_xarray(FRAME)
