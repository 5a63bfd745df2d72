"""Known values stay as they are, in every container and shape, and errors are clear."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from estimator_cases import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st
from imputation.imputer_cases import NETWORK, fill, recording, same_bits
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import sktspulse
from sktspulse import TSPulseImputer
from sktspulse.datasets import make_gappy_series, make_labelled_panel
from sktspulse.imputation.gap_filler import GapFiller


def run(script: str, content: bytes = b"") -> bytes:
    """Run a script in a process of its own, from where the package can be imported."""
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(sktspulse.__file__).parents[1],
        input=content,
        capture_output=True,
        check=True,
    ).stdout


# --- What goes in comes out


@settings(max_examples=15)
@given(
    seed=st.integers(0, 1000),
    rate=st.sampled_from([0.0, 0.1, 0.7, 1.0]),
    dtype=st.sampled_from([np.float32, np.float64]),
    length=st.integers(8, 40),
    blend=st.booleans(),
)
def test_known_values_stay_to_the_bit(seed, rate, dtype, length, blend):
    rng = np.random.default_rng(seed)
    X = (10.0 ** rng.integers(-5, 5) * rng.normal(size=(length, 2))).astype(dtype)
    X[rng.random(X.shape) < rate] = np.nan
    before = X.copy()
    filled = fill(X, blend=blend)
    known = ~np.isnan(X)
    assert same_bits(filled[known], X[known])
    assert np.isfinite(filled).all()
    assert same_bits(X, before)


def test_whole_numbers_become_floats():
    filled = fill(np.arange(40).reshape(20, 2), **NETWORK)
    assert same_bits(filled, np.arange(40.0).reshape(20, 2))


def test_pandas_comes_back_as_it_came():
    X = recording(60)
    index = pd.date_range("2024-01-01", periods=60, freq="h")
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1].astype(np.float32)}, index=index)
    filled = fill(frame, **NETWORK)
    assert filled.index.equals(index)
    assert filled.dtypes.equals(frame.dtypes)
    known = frame.notna()
    pd.testing.assert_frame_equal(filled.where(known), frame)
    assert filled.notna().all(axis=None)


def test_polars_comes_back_as_it_came():
    X = recording(60)
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1]}, nan_to_null=True)
    filled = fill(frame, **NETWORK)
    assert filled.schema == frame.schema
    assert filled.null_count().row(0) == (0, 0)
    np.testing.assert_array_equal(filled.to_numpy(), fill(X, **NETWORK))


def test_missing_rows_are_inserted_and_filled():
    X = recording(80)
    index = pd.date_range("2024-01-01", periods=80, freq="h")
    frame = pd.DataFrame(X, columns=["a", "b"], index=index)
    kept = np.flatnonzero(np.random.default_rng(0).random(80) < 0.8)
    kept = np.union1d(kept, [0, 79])
    sparse = X.copy()
    sparse[np.setdiff1d(np.arange(80), kept)] = np.nan
    imputer = TSPulseImputer(random_state=0, batch_size=8, freq="h")
    filled, std = imputer.fit(frame.iloc[kept]).transform(frame.iloc[kept], return_std=True)
    pd.testing.assert_index_equal(filled.index, index)
    pd.testing.assert_index_equal(std.index, index)
    np.testing.assert_array_equal(filled.to_numpy(), fill(sparse))


# --- Shapes


def test_a_panel_is_filled_like_its_series():
    X = recording(100).T[None].repeat(2, axis=0)
    filled = fill(X, **NETWORK)
    assert filled.shape == X.shape
    np.testing.assert_array_equal(filled[0], filled[1])
    np.testing.assert_allclose(filled[0].T, fill(X[0].T, **NETWORK), atol=1e-6)


def test_layout_decides_what_two_axes_are():
    X = recording(60, 3)
    by_series = fill(X.T, layout="panel", **NETWORK)
    assert by_series.shape == (3, 60)
    imputer = TSPulseImputer(layout="panel", **NETWORK).fit(X.T)
    assert (imputer.n_features_in_, imputer.n_channels_in_) == (60, 1)


def test_series_of_unequal_length():
    X = [recording(n).T for n in (8, 100, 700)]
    imputer = TSPulseImputer(random_state=0, batch_size=8).fit(X)
    filled = imputer.transform(X)
    for before, after in zip(X, filled, strict=True):
        assert after.shape == before.shape
        assert np.isfinite(after).all()
        np.testing.assert_allclose(after, imputer.transform([before])[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("length", [8, 9, 511, 512, 513, 1500])
def test_any_length(length):
    filled = fill(recording(length))
    assert filled.shape == (length, 2)
    assert np.isfinite(filled).all()
    assert np.abs(filled).max() < 4


# --- Around it


def test_copies_answer_the_same():
    X = recording()
    imputer = TSPulseImputer(random_state=0, batch_size=8).fit(X)
    expected = imputer.transform(X)
    content = pickle.dumps(imputer)
    assert len(content) < 100_000
    assert same_bits(pickle.loads(content).transform(X), expected)
    assert same_bits(clone(imputer).fit_transform(X), expected)


def test_a_fresh_process_needs_no_network():
    X = recording(60)
    imputer = TSPulseImputer(**NETWORK).fit(X)
    script = (
        "import pickle, socket, sys\n"
        "def refuse(*_, **__): raise RuntimeError('no network')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "imputer, X = pickle.load(sys.stdin.buffer)\n"
        "sys.stdout.buffer.write(imputer.transform(X).tobytes())\n"
    )
    filled = np.frombuffer(run(script, pickle.dumps((imputer, X)))).reshape(X.shape)
    np.testing.assert_allclose(filled, imputer.transform(X), atol=1e-5)


def test_pipelines_scale_before():
    X = recording()
    filled = make_pipeline(StandardScaler(), TSPulseImputer(**NETWORK)).fit_transform(X)
    assert np.isfinite(filled).all()


def test_no_point_is_skipped_by_a_stride_longer_than_a_window():
    X = recording()[:200]
    long, whole = (
        TSPulseImputer(stride=stride, random_state=0, checkpoint=checkpoint()).fit_transform(X)
        for stride in (500, 64)
    )
    assert same_bits(long, whole)


def test_a_grid_searches_blend_and_stride():
    X, y = make_labelled_panel(24, 64, random_state=0)
    X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
    flat = FunctionTransformer(lambda panel: panel.reshape(len(panel), -1))
    model = make_pipeline(TSPulseImputer(random_state=0), flat, LogisticRegression())
    grid = {"tspulseimputer__blend": [True, False], "tspulseimputer__stride": [64, 128]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_it_is_nearer_to_the_truth_than_lines():
    X, truth = make_gappy_series(1000, random_state=0)
    missing, scale = np.isnan(X), np.nanstd(X, axis=0)
    t = np.arange(len(X))
    lines = np.stack([np.interp(t, t[~np.isnan(x)], x[~np.isnan(x)]) for x in X.T], axis=1)
    tables = {"blend": fill(X), "network": fill(X, blend=False), "lines": lines}
    errors = {
        name: np.sqrt(np.mean(((table - truth) / scale)[missing] ** 2))
        for name, table in tables.items()
    }
    assert errors["blend"] < 0.95 * errors["lines"]
    assert errors["blend"] <= 1.02 * errors["network"]


def test_progress_is_shown_on_demand(capsys):
    X = recording(60)
    TSPulseImputer(**NETWORK).fit_transform(X)
    assert capsys.readouterr().err == ""
    TSPulseImputer(verbose=1, **NETWORK).fit_transform(X)
    error = capsys.readouterr().err
    assert "TSPulseImputer" in error
    assert "120/120" in error


# --- Errors


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros((0, 2)), "0 "),
        (np.zeros((7, 2)), "7 time points.*needs at least 8"),
        (np.zeros(20), "expected .*n_timepoints, n_channels"),
        (np.full((20, 2), np.inf), "infinity"),
        (np.full((20, 2), "a"), "numbers"),
        (np.full((20, 2), object()), "numbers"),
        (np.zeros((20, 3)), "3 features|3 channels"),
    ],
)
def test_invalid_input_is_refused(X, message):
    imputer = TSPulseImputer(**NETWORK).fit(recording(60))
    before = pickle.dumps(imputer)
    with pytest.raises((ValueError, TypeError), match=message):
        imputer.transform(X)
    assert pickle.dumps(imputer) == before


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"layout": "table"}, "'layout' parameter .* must be a str among .*'panel'"),
        ({"blend": "no"}, "'blend' parameter .* must be .*bool"),
        ({"fine_tune": 2.0}, "'fine_tune' parameter .* must be .*bool"),
        ({"freq": 3}, "'freq' parameter .* must be .*str"),
        ({"stride": 0}, "'stride' parameter .* must be an int in the range .* Got 0"),
        ({"stride": 1.5}, "'stride' parameter .* must be an int"),
        ({"batch_size": -1}, "'batch_size' parameter .* must be an int"),
        ({"checkpoint": "nothing"}, "no checkpoint 'nothing'. Known names: .*tspulse-p8"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, message):
    imputer = TSPulseImputer(**parameters)
    before = vars(imputer).copy()
    with pytest.raises(ValueError, match=message):
        imputer.fit(recording(60))
    assert vars(imputer) == before


def test_a_fit_that_fails_leaves_the_imputer_as_it_was(monkeypatch):
    frame = pd.DataFrame(recording(60), columns=["a", "b"])
    imputer = TSPulseImputer(**NETWORK).fit(frame)
    before = vars(imputer).copy()

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(GapFiller, "from_time_head", interrupt)
    with pytest.raises(KeyboardInterrupt):
        imputer.fit(recording(60, 3))
    assert vars(imputer) == before


def test_names_of_columns_are_forgotten_by_a_fit_without():
    imputer = TSPulseImputer(**NETWORK).fit(pd.DataFrame(recording(60), columns=["a", "b"]))
    assert imputer.feature_names_in_.tolist() == ["a", "b"]
    assert not hasattr(imputer.fit(recording(60)), "feature_names_in_")


def test_fitted_attributes():
    X = recording(200)
    imputer = TSPulseImputer(random_state=0, batch_size=8)
    assert not hasattr(imputer, "statistics_")
    imputer.fit(X)
    np.testing.assert_allclose(imputer.statistics_, np.nanmean(X, axis=0))
    np.testing.assert_allclose(imputer.scale_, np.nanstd(X, axis=0))
    assert imputer.periods_.shape == (2,)
    np.testing.assert_allclose(imputer.blend_weights_.sum(-1), 1)
    imputer.set_params(blend=False).fit(X)
    assert (imputer.blend_weights_ == [1, 0, 0, 0, 0, 0, 0]).all()


def test_unfitted():
    with pytest.raises(NotFittedError, match="not fitted"):
        TSPulseImputer().transform(recording(60))


def test_a_flat_panel_of_another_length_is_refused():
    imputer = TSPulseImputer(layout="panel", **NETWORK).fit(recording(60).T)
    with pytest.raises(ValueError, match=r"59 features.*X\[:, None, :\]"):
        imputer.transform(recording(59).T)
    assert imputer.transform(recording(59).T[:, None]).shape == (2, 1, 59)


@pytest.mark.slow
def test_memory_is_bounded():
    script = (
        "import resource, numpy as np\n"
        "from sktspulse import TSPulseImputer\n"
        "imputer = TSPulseImputer(blend=False)\n"
        "X = np.random.default_rng(0).normal(size=(80_000, 2)); X[::500] = np.nan\n"
        "imputer.fit(X[:2000]).transform(X[:2000])\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak(); imputer.transform(X); print(peak() - before)\n"
    )
    assert int(run(script)) < 48_000  # [KiB], about 600 bytes a time point


# --- What scikit-learn asks of every estimator


def expected_failures(estimator) -> dict[str, str]:
    return {"check_methods_subset_invariance": "gives one row at a time, but a patch takes eight"}


@parametrize_with_checks(
    [
        TSPulseImputer(random_state=0, batch_size=8, checkpoint=checkpoint(512)),
        TSPulseImputer(blend=False, batch_size=8, checkpoint=checkpoint(512)),
    ],
    expected_failed_checks=expected_failures,
)
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)
