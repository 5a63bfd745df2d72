"""The imputer reads every container, checks time stamps, and gives the container asked for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from imputation.imputer_cases import recording
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sktspulse import TSPulseImputer

HOURS = pd.date_range("2026-01-01", periods=120, freq="h", name="when")
VALUES = recording(120)
FRAME = pd.DataFrame(VALUES, HOURS, ["flow", "heat"])


def imputer(**parameters) -> TSPulseImputer:
    return TSPulseImputer(blend=False, random_state=0).set_params(**parameters)


def fill(X, **parameters):
    return imputer(**parameters).fit_transform(X)


# --------------------------------------------------------------------------- what is missing


@pytest.mark.parametrize("unit", [1.0, 1e-6, 1e9])
@pytest.mark.parametrize("hidden", [1e20, -9999, 0])
def test_what_is_masked_is_filled(unit, hidden):
    X = unit * VALUES
    masked = np.ma.array(np.where(np.isnan(X), hidden, X), mask=np.isnan(X))
    filled = fill(masked)
    assert type(filled) is np.ndarray
    np.testing.assert_array_equal(filled, fill(X))
    np.testing.assert_array_equal(fill(masked.T[None]), fill(X.T[None]))
    np.testing.assert_array_equal(
        fill([masked.T, masked.T[:, :90]])[1], fill([X.T, X.T[:, :90]])[1]
    )


def test_masked_integers_are_filled():
    masked = np.ma.masked_equal(np.arange(120)[:, None] % 24, 7)
    filled = fill(masked)
    assert filled.dtype == np.float64
    assert np.isfinite(filled).all()
    assert (filled == 7).mean() < 0.01
    np.testing.assert_array_equal(filled[~masked.mask], masked.compressed())


@pytest.mark.parametrize("null", [None, pd.NA])
def test_nulls_among_objects_are_filled(null):
    objects = FRAME.astype(object).where(FRAME.notna(), null)
    filled = fill(objects)
    assert (filled.dtypes == np.float64).all()
    pd.testing.assert_frame_equal(filled, fill(FRAME))
    np.testing.assert_array_equal(fill(objects.to_numpy()), fill(VALUES))


@pytest.mark.parametrize("dtype", ["Float64", "Float32"])
def test_nullable_columns_are_filled(dtype):
    filled = fill(FRAME.astype(dtype))
    expected = fill(FRAME)
    np.testing.assert_allclose(filled.to_numpy(float), expected, atol=1e-3)
    assert filled.index.equals(HOURS)


# --------------------------------------------------------------------------- time stamps


@pytest.mark.parametrize("freq", [None, "h"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X: X.sample(frac=1, random_state=1), "not strictly increasing.*Sort the rows"),
        (lambda X: pd.concat([X[:60], X[59:]]), "not strictly increasing: row 60"),
        (lambda X: X.set_axis(X.index.insert(5, pd.NaT)[:-1]), "Row 5 of X has no time stamp"),
        (lambda X: X.set_axis(X.index - X.index[0])[::-1], "not strictly increasing: row 1"),
        (lambda X: X.tz_localize("Europe/Berlin")[::-1], "not strictly increasing: row 1"),
    ],
)
def test_wrong_stamps_are_refused(freq, change, message):
    fitted = imputer(freq=freq).fit(FRAME)
    with pytest.raises(ValueError, match=message):
        fitted.transform(change(FRAME))
    with pytest.raises(ValueError, match=message):
        imputer(freq=freq).fit(change(FRAME))


def test_periods_out_of_order_are_refused():
    with pytest.raises(ValueError, match="not strictly increasing: row 1"):
        imputer().fit(FRAME.to_period("h")[::-1])


def test_irregular_stamps_raise_a_warning_that_names_the_remedy():
    lost = FRAME.drop(HOURS[5:9])
    with pytest.warns(
        UserWarning, match="irregular: from .*1:00:00 to .*5:00:00.* set freq"
    ) as all_:
        fitted = imputer().fit(lost)
    assert all_[0].filename == __file__
    with pytest.warns(UserWarning, match="irregular") as all_:
        fitted.transform(lost)
    assert all_[0].filename == __file__
    fill(lost, freq="h")


@pytest.mark.parametrize("freq", ["MS", "B", "QS", "W", "D"])
def test_calendar_steps_are_regular_and_completed(freq):
    index = pd.date_range("1990-01-01", periods=120, freq=freq, tz="Europe/Berlin")
    X = FRAME.set_axis(index[np.arange(120)])
    imputer().fit(X)
    filled = imputer(freq=freq).fit_transform(X.drop(index[[7, 8, 50]]))
    assert filled.index.equals(index)
    assert filled.notna().all(axis=None)


def test_a_row_of_1970_is_named():
    X = pd.concat([FRAME[:1].set_axis(pd.DatetimeIndex(["1970-01-01"])), FRAME])
    with pytest.raises(ValueError, match=r"makes 49\d,\d{3} rows of the 121 .* 1970-01-01"):
        imputer(freq="h").fit(X)


@pytest.mark.parametrize("lost", [(), (30, 31, 90)])
def test_stacked_recordings_are_refused_and_the_advice_works(lost):
    index = pd.MultiIndex.from_product([["a", "b"], HOURS], names=["device", "time"])
    X = pd.DataFrame(np.concatenate([100 + VALUES, VALUES - 50]), index, ["flow", "heat"])
    X.iloc[110:130] = np.nan
    X = X.drop(index[list(lost)])
    with pytest.raises(ValueError, match=r"groupby\(level='device', group_keys=False\).apply\("):
        imputer().fit(X)
    one = imputer(freq="h")
    filled = X.groupby(level="device", group_keys=False).apply(one.fit_transform)
    assert filled.index.equals(index)
    for device in "ab":
        pd.testing.assert_frame_equal(
            filled.loc[device],
            one.fit_transform(X.loc[device]),
            check_freq=False,
            check_index_type=False,
            check_names=False,
        )


def test_a_column_of_stamps_names_the_remedy():
    X = FRAME.reset_index()
    with pytest.raises(ValueError, match=r"not numbers: \['when'\]. .*X.set_index\('when'\)"):
        imputer().fit(X)
    pd.testing.assert_frame_equal(fill(X.set_index("when")), fill(FRAME), check_freq=False)


# --------------------------------------------------------------------------- what is given

CONTAINERS = {
    "array": VALUES,
    "pandas": FRAME,
    "polars": pl.DataFrame(VALUES, schema=["flow", "heat"]),
}
LIBRARIES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}


@pytest.mark.parametrize("library", ["default", "pandas", "polars"])
@pytest.mark.parametrize("kind", CONTAINERS)
def test_the_container_asked_for_is_given(kind, library):
    X = CONTAINERS[kind]
    model = TSPulseImputer(random_state=0).set_output(transform=library).fit(X[:60])
    tables = [*model.transform(X, return_std=True), model.transform(X)]
    tables += [clone(model).set_params(blend=False).fit_transform(X)]
    names = ["x0", "x1"] if kind == "array" else ["flow", "heat"]
    assert model.get_feature_names_out().tolist() == names
    for table in tables:
        assert type(table) is LIBRARIES.get(library, type(X))
        assert list(getattr(table, "columns", names)) == names
        assert table.shape == X.shape
        if kind == "pandas" and library != "polars":
            pd.testing.assert_index_equal(table.index, HOURS)
    np.testing.assert_array_equal(tables[0], tables[2])


def test_the_setting_of_scikit_learn_is_obeyed():
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(fill(VALUES), pd.DataFrame)
        assert isinstance(
            imputer().set_output(transform="polars").fit_transform(FRAME), pl.DataFrame
        )
    assert isinstance(fill(VALUES), np.ndarray)


def test_inserted_rows_have_their_stamps():
    model = imputer(freq="h").set_output(transform="pandas")
    assert model.fit_transform(FRAME.drop(HOURS[[3, 50, 51]])).index.equals(HOURS)


def test_an_unknown_container_is_refused():
    with pytest.raises(ValueError, match="transform is 'arrow', expected 'default', 'pandas'"):
        imputer().set_output(transform="arrow")
    assert isinstance(imputer().set_output().fit_transform(VALUES), np.ndarray)


def test_panels_stay_arrays():
    panel = np.stack([VALUES.T] * 3)
    for X in (panel, [panel[0], panel[1, :, :90]]):
        model = imputer().set_output(transform="pandas")
        filled = model.fit_transform(X)
        assert type(filled) is type(X)
        assert [one.shape for one in filled] == [one.shape for one in X]
    flat = imputer(layout="panel").set_output(transform="pandas")
    assert list(flat.fit_transform(panel[:, 0]).columns) == [f"x{i}" for i in range(120)]
    assert flat.fit(panel[:, :1]).transform(panel[:, 0]).shape == (3, 120)


def test_pipelines_name_their_columns():
    for steps in ((imputer(), StandardScaler()), (StandardScaler(), imputer())):
        pipeline = make_pipeline(*steps).fit(FRAME)
        assert pipeline.get_feature_names_out().tolist() == ["flow", "heat"]
        given = pipeline.set_output(transform="pandas").fit_transform(FRAME)
        assert list(given.columns) == ["flow", "heat"]
        assert given.index.equals(HOURS)
        assert given.notna().all(axis=None)


@pytest.mark.parametrize("library", ["default", "pandas", "polars"])
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_some_columns_are_filled(kind, library):
    columns = [("fill", imputer(), ["heat"]), ("keep", "passthrough", ["flow"])]
    transformer = ColumnTransformer(columns).set_output(transform=library)
    given = transformer.fit_transform(CONTAINERS[kind])
    assert type(given) is LIBRARIES.get(library, np.ndarray)
    names = ["fill__heat", "keep__flow"]
    assert transformer.get_feature_names_out().tolist() == names
    assert list(getattr(given, "columns", names)) == names
    expected = [imputer().fit_transform(VALUES[:, 1:])[:, 0], VALUES[:, 0]]
    np.testing.assert_array_equal(np.asarray(given, float), np.transpose(expected))


# --------------------------------------------------------------------------- panels


def panel_frame(library):
    return pd.DataFrame(VALUES, columns=["a", "b"]) if library is pd else pl.DataFrame(VALUES)


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize("lengths", [(120, 120), (120, 90)])
def test_a_list_of_frames_is_returned_as_it_came(library, lengths):
    frames = [panel_frame(library)[:n] for n in lengths]
    filled = fill(frames)
    arrays = fill([VALUES[:n].T for n in lengths])
    assert isinstance(filled, list)
    assert isinstance(arrays, list)
    for one, given, expected in zip(filled, frames, arrays, strict=True):
        assert type(one) is type(given)
        assert list(one.columns) == list(given.columns)
        np.testing.assert_array_equal(one.to_numpy(), expected.T)


def test_cases_are_filled_in_their_frame():
    frames = {"b": FRAME, "a": FRAME[:90]}
    X = pd.concat(frames, names=["case", "time"])
    filled = fill(X, layout="panel")
    pd.testing.assert_index_equal(filled.index, X.index)
    expected = fill([VALUES.T, VALUES[:90].T])
    np.testing.assert_array_equal(filled.loc["a"].to_numpy(), expected[1].T)


def test_missing_values_at_the_end_of_a_panel_are_filled():
    X = VALUES.T[None].copy()
    X[0, :, 100:] = np.nan
    assert fill(X).shape == X.shape
    assert np.isfinite(fill(X)).all()
