"""Input that estimators accept, what it becomes, and the errors for other input."""

from __future__ import annotations

import copy
import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import BaseEstimator

from sktspulse.series.validation import check_panel, check_series

# Many panels here are short; tests of the warning ask for it.
pytestmark = pytest.mark.filterwarnings("ignore:X is read as:UserWarning")
Z = np.zeros


class Estimator(BaseEstimator):
    """Any estimator."""


def panel(X, fitted_with=None, minimum=8):
    estimator = Estimator()
    if fitted_with is not None:
        check_panel(estimator, fitted_with, reset=True, min_timepoints=minimum)
    return check_panel(estimator, X, reset=fitted_with is None, min_timepoints=minimum), estimator


def series(X, fitted_with=None, minimum=8):
    estimator = Estimator()
    if fitted_with is not None:
        check_series(estimator, fitted_with, reset=True, min_timepoints=minimum)
    return check_series(estimator, X, reset=fitted_with is None, min_timepoints=minimum)


def nested(*arrays):
    """Return an array of objects, one an array each."""
    holder = np.empty(len(arrays), dtype=object)
    holder[:] = arrays
    return holder


def without_end(series, shortest=8):
    """Return a series without the time points at its end at which no channel has a value."""
    n = series.shape[1]
    while n > shortest and all(np.isnan(value) for value in series[:, n - 1]):
        n -= 1
    return series[:, :n]


# --------------------------------------------------------------------------- panels: accepted


@pytest.mark.parametrize(
    ("X", "shape", "n_features"),
    [
        (Z((3, 9)), (3, 1, 9), 9),
        (Z((3, 2, 9)), (3, 2, 9), 2),
        (Z((3, 9)).tolist(), (3, 1, 9), 9),
        (tuple(Z((3, 2, 9))), (3, 2, 9), 2),
        (list(Z((3, 9))), (3, 1, 9), 1),
        (nested(*Z((3, 9))), (3, 1, 9), 1),
        (nested(*Z((3, 2, 9))), (3, 2, 9), 2),
        (pd.Series(list(Z((3, 9)))), (3, 1, 9), 1),
        (pd.DataFrame(Z((3, 9))), (3, 1, 9), 9),
        (pl.DataFrame(Z((3, 9))), (3, 1, 9), 9),
        (np.asfortranarray(Z((3, 2, 9))), (3, 2, 9), 2),
    ],
)
def test_panels_of_equal_length_become_arrays(X, shape, n_features):
    values, estimator = panel(X)
    assert values.shape == shape
    assert (estimator.n_features_in_, estimator.n_channels_in_) == (n_features, shape[1])


@pytest.mark.parametrize(
    ("X", "shapes"),
    [
        ([Z(9), Z(11)], [(1, 9), (1, 11)]),
        ((Z((2, 9)), Z((2, 11))), [(2, 9), (2, 11)]),
        ([Z((1, 9)), Z(11)], [(1, 9), (1, 11)]),
        ([[0.0] * 9, [0.0] * 11], [(1, 9), (1, 11)]),
        (nested(Z(9), Z(11)), [(1, 9), (1, 11)]),
        (pd.Series([Z(9), Z(11)]), [(1, 9), (1, 11)]),
    ],
)
def test_panels_of_unequal_length_become_lists(X, shapes):
    values, estimator = panel(X)
    assert [one.shape for one in values] == shapes
    assert estimator.n_features_in_ == estimator.n_channels_in_ == shapes[0][0]


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        ("f4", "f4"),
        ("f8", "f8"),
        ("f2", "f8"),
        ("i8", "f8"),
        ("u1", "f8"),
        ("?", "f8"),
        ("O", "f8"),
    ],
)
def test_numbers_become_floats(dtype, expected):
    X = np.ones((3, 9)).astype(dtype)
    assert panel(X)[0].dtype == expected
    assert all(one.dtype == expected for one in panel([X[0], X[1, :8]])[0])
    assert series(X.T)[0].dtype == expected


def test_series_of_unequal_length_keep_their_own_type():
    values, _ = panel([Z(9, "f4"), Z(10, "f8"), Z(11, "i2")])
    assert [one.dtype for one in values] == [np.float32, np.float64, np.float64]


def test_missing_values_of_frames_become_nan():
    table = {"a": [1, None, 3], "b": [0.5, None, np.nan], "c": [None, None, None]}
    expected = [[1, 0.5, np.nan], [np.nan, np.nan, np.nan], [3, np.nan, np.nan]]
    nullable = pd.DataFrame(table).astype({"a": "Int64", "b": "Float64"})
    for frame in (pd.DataFrame(table), nullable, pl.DataFrame(table, strict=False)):
        np.testing.assert_array_equal(series(frame, minimum=1)[0], expected)
        np.testing.assert_array_equal(panel(frame, minimum=3)[0][:, 0], expected)


MASK = np.random.default_rng(0).random((3, 2, 9)) < 0.3
NUMBERS = np.random.default_rng(1).integers(-50, 50, (3, 2, 9))


@pytest.mark.parametrize("dtype", ["f8", "f4", "f2", "i8", "u1", "?", "O"])
def test_what_is_masked_is_missing(dtype):
    numbers = NUMBERS.astype(dtype)
    masked = np.ma.array(numbers, mask=MASK)
    before = masked.copy()
    expected = np.where(MASK, np.nan, numbers.astype(float))
    unequal = [masked[0], masked[1, :, :8]]
    for X in (masked, list(masked), [list(one) for one in masked], nested(*masked)):
        values = panel(X)[0]
        np.testing.assert_array_equal(values, expected)
        assert type(values) is np.ndarray
    for values, one in zip(panel(unequal)[0], (expected[0], expected[1, :, :8]), strict=True):
        np.testing.assert_array_equal(values, one)
    for X in (masked[0].T, list(masked[0].T)):
        values, restore = series(X)
        np.testing.assert_array_equal(values, expected[0].T)
        assert type(restore(values)) is np.ndarray
    assert (before.mask == masked.mask).all()
    assert (before.data == masked.data).all()


def test_an_array_without_a_mask_and_float32_stay_as_they_are():
    assert panel(np.ma.array(Z((3, 9), "f4")))[0].dtype == np.float32
    values = series([[1.0, np.ma.masked], [2.0, 3.0]], minimum=1)[0]
    np.testing.assert_array_equal(values, [[1, np.nan], [2, 3]])


@pytest.mark.parametrize("null", [None, np.nan, pd.NA, pd.NaT], ids=str)
@pytest.mark.parametrize("other", ["float64", "Int64", "Float64", "boolean", "object"])
def test_nulls_of_pandas_among_objects_are_missing(null, other):
    first = pd.Series([1.5, null, 3] * 3, dtype=object)
    second = pd.Series([1, 0, 1] * 3).astype(other)
    expected = np.array([[1.5, 1], [np.nan, 0], [3, 1]] * 3)
    X = pd.DataFrame({"a": first, "b": second})
    before = X.copy()
    for one in (X, X.to_numpy(dtype=object), X.to_numpy(dtype=object).tolist()):
        np.testing.assert_array_equal(series(one)[0], expected)
        np.testing.assert_array_equal(panel(one, minimum=2)[0][:, 0], expected)
    stacked = np.stack([X.to_numpy(dtype=object).T] * 2)
    np.testing.assert_array_equal(panel(stacked)[0], [expected.T] * 2)
    np.testing.assert_array_equal(panel([stacked[0], stacked[0, :, :8]])[0][1], expected.T[:, :8])
    pd.testing.assert_frame_equal(X, before)


@pytest.mark.parametrize("dtype", ["Int64", "Int8", "Float64", "Float32", "boolean"])
def test_nulls_of_nullable_columns_are_missing(dtype):
    X = pd.DataFrame({"a": pd.array([1, None, 0] * 3, dtype=dtype), "b": Z(9)})
    np.testing.assert_array_equal(series(X)[0], [[1, 0], [np.nan, 0], [0, 0]] * 3)


def test_column_names_are_remembered_and_forgotten():
    estimator = Estimator()
    frame = pd.DataFrame(Z((9, 9)), columns=list("abcdefghi"))
    check_panel(estimator, frame, reset=True, min_timepoints=8)
    assert list(estimator.feature_names_in_) == list("abcdefghi")
    with pytest.raises(ValueError, match="feature names should match"):
        check_panel(estimator, frame[list("bacdefghi")], reset=False, min_timepoints=8)
    check_panel(estimator, [Z(9), Z(10)], reset=True, min_timepoints=8)
    assert not hasattr(estimator, "feature_names_in_")
    assert estimator.n_features_in_ == 1


@pytest.mark.parametrize("fitted_with", [Z((3, 9)), Z((3, 1, 9)), [Z(9), Z(10)]])
@pytest.mark.parametrize("X", [Z((3, 9)), Z((3, 1, 12)), [Z(9), Z(12)]])
def test_one_channel_may_come_with_two_axes_or_three(X, fitted_with):
    values, estimator = panel(X, fitted_with)
    assert estimator.n_channels_in_ == 1
    assert len(values) == len(X)


@given(
    st.lists(st.integers(8, 30), min_size=1, max_size=5),
    st.integers(1, 3),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from([0.0, 0.3, 1.0]),
    st.integers(0, 2**31),
)
def test_values_come_through_as_they_are(lengths, n_channels, dtype, missing_fraction, seed):
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(n_channels, length)).astype(dtype) for length in lengths]
    for one in X:
        one[rng.random(one.shape) < missing_fraction] = np.nan
    before = copy.deepcopy(X)
    values, estimator = panel(X)
    assert estimator.n_features_in_ == estimator.n_channels_in_ == n_channels
    for out, given_, kept in zip(values, X, before, strict=True):
        np.testing.assert_array_equal(out, without_end(kept))
        np.testing.assert_array_equal(given_, kept)
        assert out.dtype == dtype


# --------------------------------------------------------------------------- panels: refused

BAD_PANELS = [
    ([], r"0 sample\(s\)"),
    ((), r"0 sample\(s\)"),
    (Z((0, 10)), r"0 sample\(s\)"),
    (Z((3, 0)), r"0 feature\(s\)"),
    (Z((0, 2, 9)), r"0 sample\(s\)"),
    (Z((2, 0, 9)), "none of them 0"),
    (Z((2, 2, 0)), "none of them 0"),
    ([Z((2, 0)), Z((2, 9))], r"0 feature\(s\)"),
    (Z(10), r"shape \(10,\).*X.reshape\(1, -1\)"),
    (Z((2, 2, 3, 4)), r"shape \(2, 2, 3, 4\)"),
    ("abc", "cannot be read as numbers"),
    ([["a"] * 9] * 3, "cannot be read as numbers.*Convert or drop"),
    ([Z(9), ["a"] * 10], "Series 1 of X cannot be read as numbers"),
    ([Z(9), [[1, 2], [3]]], "cannot be read as numbers"),
    (Z((2, 9), complex), "Complex"),
    (np.full((2, 9), np.inf), "infinity.*NaN"),
    (np.full((2, 2, 9), -np.inf), "infinity.*NaN"),
    ([Z(9), np.full(10, np.inf)], "infinity.*NaN"),
    (Z((3, 7)), r"length 7 \(n_features = 7\).*Estimator needs at least 8"),
    (Z((3, 2, 7)), "length 7, but Estimator needs at least 8 time points"),
    ([Z(9), Z(7)], "length 7, but Estimator needs at least 8 time points"),
    ([Z((2, 9)), Z((3, 10))], r"series with \[2, 3\] channels.*same"),
    ([Z((2, 9)), Z(9)], r"series with \[1, 2\] channels.*same"),
    (pd.DataFrame({"when": pd.date_range("2020", periods=9)}), r"not numbers: \['when'\]"),
]


@pytest.mark.parametrize(("X", "message"), BAD_PANELS)
def test_bad_panels_are_refused_and_nothing_is_set(X, message):
    estimator = Estimator()
    with pytest.raises(ValueError, match=message):
        check_panel(estimator, X, reset=True, min_timepoints=8)
    assert vars(estimator) == {}


@pytest.mark.parametrize("X", [[{}], None, 5, sparse.csr_array(Z((3, 9)))])
def test_other_types_than_panels_are_refused(X):
    with pytest.raises(TypeError):
        panel(X)


@pytest.mark.parametrize(
    ("fitted_with", "X", "message"),
    [
        (Z((3, 9)), Z((3, 10)), r"10 features.*expecting 9.*Pass X\[:, None, :\]"),
        (Z((3, 2, 9)), Z((3, 3, 9)), "3 channels, but Estimator was fitted with 2. Fit again"),
        (Z((3, 2, 9)), Z((3, 9)), "1 channels, but Estimator was fitted with 2"),
        (Z((3, 9)), Z((3, 2, 9)), "2 channels, but Estimator was fitted with 1"),
        (Z((3, 2, 9)), [Z((3, 9)), Z((3, 10))], "3 channels, but Estimator was fitted with 2"),
    ],
)
def test_other_channels_than_fitted_are_refused(fitted_with, X, message):
    with pytest.raises(ValueError, match=message):
        panel(X, fitted_with)


@pytest.mark.parametrize("member", [Z((2, 9)), pd.DataFrame(Z((9, 2))), pl.DataFrame(Z((9, 2)))])
def test_a_list_of_equal_lengths_is_like_any_list(member):
    other = member[:, :8] if isinstance(member, np.ndarray) else member[:8]
    for fitted_with, X in (([member] * 3, [other] * 3), ([member, other], [member] * 2)):
        values, estimator = panel(X, fitted_with)
        assert len(values) == len(X)
        assert estimator.n_features_in_ == estimator.n_channels_in_ == 2


def test_frames_of_other_columns_than_fitted_are_refused():
    frames = [pd.DataFrame(Z((9, 2)), columns=["x", "y"])] * 2
    _, estimator = panel(frames)
    assert list(estimator.feature_names_in_) == ["x", "y"]
    for names in (["x", "z"], ["y", "x"]):
        with pytest.raises(ValueError, match="feature names should match"):
            panel([frame.set_axis(names, axis=1) for frame in frames], frames)


@pytest.mark.parametrize("wide", [pd.DataFrame, pl.DataFrame])
def test_remedies_of_other_lengths_work_on_the_container(wide):
    for table, remedy in ((Z((3, 10)), "X[:, None, :]"), (wide(Z((3, 10))), "X.to_numpy()")):
        with pytest.raises(ValueError, match=f"Pass {re.escape(remedy)}"):
            panel(table, wide(Z((3, 9))) if remedy != "X[:, None, :]" else Z((3, 9)))
    X = wide(Z((3, 10)))
    assert len(panel(X.to_numpy()[:, None, :], wide(Z((3, 9))))[0]) == 3


# --------------------------------------------------------------------------- unusual shapes


@pytest.mark.parametrize(
    ("X", "remedy"),
    [
        (Z((10, 64, 9)), "X.swapaxes(1, 2)"),
        (list(Z((10, 64, 9))), "[numpy.transpose(one) for one in X]"),
        (Z((10, 64, 9)).tolist(), "[numpy.transpose(one) for one in X]"),
        (Z((100, 3)), "X.T[None]"),
        (Z((100, 3)).tolist(), "numpy.array(X).T[None]"),
        (list(Z((100, 3))), "numpy.array(X).T[None]"),
        (pd.DataFrame(Z((100, 3))), "X.to_numpy().T[None]"),
        (pl.DataFrame(Z((100, 3))), "X.to_numpy().T[None]"),
        (Z((100, 1, 7)), None),
        ([Z((1, 30)), Z((1, 7))], None),
    ],
)
def test_few_time_points_and_many_channels_warn(X, remedy):
    with pytest.warns(UserWarning, match="X is read as") as told:
        panel(X, minimum=2)
    assert len(told) == 1
    assert told[0].filename == __file__
    if remedy is not None:
        assert f"pass {remedy}." in str(told[0].message)
        values = eval(remedy, {"X": X, "numpy": np})  # noqa: S307
        assert panel(values)[1].n_channels_in_ == (3 if len(X) == 100 else 9)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("X", [Z((3, 8)), Z((3, 8, 8)), [Z((2, 8)), Z((2, 9))]])
def test_usual_shapes_do_not_warn(X):
    panel(X)


# --------------------------------------------------------------------------- series


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_come_back_as_arrays_of_their_type(dtype):
    X = np.arange(18, dtype=dtype).reshape(9, 2)
    values, restore = series(X)
    assert restore(values).dtype == dtype
    np.testing.assert_array_equal(restore(values), X)


def test_pandas_frames_come_back_with_index_names_and_types():
    index = pd.date_range("2026-01-01", periods=9, freq="h", name="when")
    table = {"a": np.arange(9, dtype="f4"), "b": np.arange(9), "c": np.linspace(0, 1, 9)}
    X = pd.DataFrame(table, index=index)
    before = X.copy()
    values, restore = series(X)
    answer = restore(values + 1)
    expected = (X + 1).astype({"b": "f8"})
    pd.testing.assert_frame_equal(answer, expected)
    pd.testing.assert_frame_equal(X, before)


def test_polars_frames_come_back_with_names_and_types():
    X = pl.DataFrame({"a": pl.Series([1.0, None, 3.0] * 3, dtype=pl.Float32), "b": range(9)})
    values, restore = series(X)
    answer = restore(np.nan_to_num(values, nan=5.0))
    assert answer.schema == {"a": pl.Float32, "b": pl.Int64}
    assert answer["a"].to_list() == [1, 5, 3] * 3


def test_columns_of_several_levels_come_back():
    columns = pd.MultiIndex.from_product([["pump"], ["flow", "heat"]])
    X = pd.DataFrame(Z((9, 2)), columns=columns, index=list("abcdefghi"))
    values, restore = series(X)
    pd.testing.assert_frame_equal(restore(values), X)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], r"0 sample\(s\)"),
        (Z(9), r"shape \(9,\).*X.reshape\(-1, 1\)"),
        (pd.Series(Z(9)), r"X.to_frame\(\)"),
        (Z((2, 3, 9)), r"shape \(2, 3, 9\)"),
        (Z((7, 2)), r"7 time points \(n_samples = 7\), but Estimator needs at least 8"),
        (Z((9, 0)), r"0 feature\(s\)"),
        (np.full((9, 2), -np.inf), "infinity.*NaN"),
        (
            pd.DataFrame({"when": pd.date_range("2020", periods=9), "b": Z(9)}),
            r"not numbers: \['when'\]. Put .*X.set_index\('when'\)",
        ),
        (pd.DataFrame({"device": list("aaaabbbbb"), "b": Z(9)}), "names recordings, pass one"),
        (pl.DataFrame({"when": ["a"] * 9, "b": Z(9)}), r"not numbers: \['when'\].*index"),
        (pl.DataFrame({"b": Z(9)}).with_columns(t=pl.time(3)), r"not numbers: \['t'\]"),
        (pl.DataFrame({"b": Z(9)}).with_columns(t=pl.date(2026, 1, 1)), "not strictly increasing"),
        (
            pl.DataFrame({"b": Z(9)}).with_columns(t=pl.date(2026, 1, 1), u=pl.date(2026, 1, 1)),
            r"several columns of time stamps or durations, \['t', 'u'\]",
        ),
        (pd.DataFrame(Z((9, 2)), columns=["a", "a"]), "unique column names"),
    ],
)
def test_bad_series_are_refused_and_nothing_is_set(X, message):
    estimator = Estimator()
    with pytest.raises(ValueError, match=message):
        check_series(estimator, X, reset=True, min_timepoints=8)
    assert vars(estimator) == {}


def test_series_of_other_channels_than_fitted_are_refused():
    with pytest.raises(ValueError, match=r"3 features.*expecting 2.*Fit again or select columns"):
        series(Z((9, 3)), Z((9, 2)))


def test_a_recording_with_as_many_channels_as_a_panel_had_time_points_is_refused():
    estimator = Estimator()
    check_panel(estimator, Z((3, 9)), reset=True, min_timepoints=8)
    with pytest.raises(ValueError, match="9 channels, but Estimator was fitted with 1"):
        check_series(estimator, Z((20, 9)), reset=False, min_timepoints=8)
