"""Gaps are filled, known values stay as they are, and nothing else has a say."""

from __future__ import annotations

import pickle
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import sktspulse
from sktspulse import TSPulseImputer
from sktspulse._finetuning import FineTuner
from sktspulse.datasets import make_gappy_series, make_labelled_panel

NETWORK = {"blend": False, "batch_size": 8}


def recording(n_timepoints: int = 300, n_channels: int = 2, rate: float = 0.2) -> np.ndarray:
    t = np.arange(n_timepoints)[:, None]
    rng = np.random.default_rng(0)
    X = np.sin(t / (7 + 5 * np.arange(n_channels))) + 0.1 * rng.normal(size=(len(t), n_channels))
    X[rng.random(X.shape) < rate] = np.nan
    return X


def fill(X, **parameters):
    return TSPulseImputer(random_state=0, batch_size=8).set_params(**parameters).fit_transform(X)


def run(script: str, content: bytes = b"") -> bytes:
    """Run a script in a process of its own, from where the package can be imported."""
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(sktspulse.__file__).parents[1],
        input=content,
        capture_output=True,
        check=True,
    ).stdout


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    return one.dtype == other.dtype and one.tobytes() == other.tobytes()


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


def test_rows_left_out_are_put_in_and_filled():
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


def test_layout_tells_what_two_axes_are():
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
        np.testing.assert_array_equal(after, imputer.transform([before])[0])


@pytest.mark.parametrize("length", [8, 9, 511, 512, 513, 1500])
def test_any_length(length):
    filled = fill(recording(length))
    assert filled.shape == (length, 2)
    assert np.isfinite(filled).all()
    assert np.abs(filled).max() < 4


# --- Special gaps


def test_far_inside_a_gap_of_a_walk_there_is_a_line():
    X = np.cumsum(np.random.default_rng(2).normal(size=(2400, 1)), axis=0)
    X[600:1800] = np.nan
    imputer = TSPulseImputer(random_state=0, batch_size=8).fit(X)
    assert imputer.periods_.tolist() == [0]
    filled = imputer.transform(X)
    inside = np.arange(1120, 1280)
    line = np.interp(inside, [599, 1800], X[[599, 1800], 0])
    np.testing.assert_allclose(filled[inside, 0], line, atol=1e-9)


def test_a_gap_longer_than_a_window_goes_on_in_season_and_joins():
    t, rng = np.arange(2400), np.random.default_rng(0)
    turn = np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(4 * np.pi * t / 24 + 1)
    X = (turn + 0.1 * rng.normal(size=2400))[:, None]
    gap = slice(900, 1500)
    filled = fill(np.where((t >= 900) & (t < 1500), np.nan, X[:, 0])[:, None])
    line = np.interp(t, [899, 1500], X[[899, 1500], 0])
    error, by_line = ((one[gap] - X[gap, 0]).std() for one in (filled[:, 0], line))
    assert error < 0.4 * by_line
    steps = np.abs(np.diff(filled[:, 0]))
    assert max(steps[899], steps[1499]) < 2 * np.quantile(np.abs(np.diff(X[:, 0])), 0.9)


def test_a_channel_that_is_long_absent_follows_the_others():
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(size=2000))
    X = np.stack([walk, -walk, walk], axis=1) + 0.1 * rng.normal(size=(2000, 3))
    gappy = X.copy()
    gappy[700:1400, 1] = np.nan
    filled = fill(gappy)
    short = np.diff(filled[700:1400, 1]), np.diff(X[700:1400, 1])
    assert np.corrcoef(*short)[0, 1] > 0.8


def test_ninety_percent_missing():
    t, rng = np.arange(1500), np.random.default_rng(0)
    X = np.stack([np.sin(t / 20), np.cos(t / 20)], axis=1) + 0.05 * rng.normal(size=(1500, 2))
    missing = rng.random(X.shape) < 0.9
    filled = fill(np.where(missing, np.nan, X))
    lines = [np.interp(t, t[~gap], x[~gap]) for x, gap in zip(X.T, missing.T, strict=True)]
    errors = [((one - X)[missing] ** 2).mean() for one in (filled, np.stack(lines, axis=1))]
    assert errors[0] < errors[1]


@pytest.mark.parametrize("gap", [slice(0, 60), slice(-60, None)])
def test_ends_are_filled_with_no_wild_values(gap):
    X = recording(300, 1)
    X[gap] = np.nan
    filled = fill(X)
    assert np.isfinite(filled).all()
    assert np.abs(filled).max() < 3


def test_a_channel_without_values_takes_the_mean_of_fit():
    X = recording()
    imputer = TSPulseImputer(**NETWORK).fit(X)
    absent = X.copy()
    absent[:, 1] = np.nan
    assert (imputer.transform(absent)[:, 1] == imputer.statistics_[1]).all()
    assert imputer.statistics_[1] == pytest.approx(np.nanmean(X[:, 1]))
    assert (fill(absent)[:, 1] == 0).all()


def test_a_constant_channel_stays_constant():
    X = recording()
    X[:, 1] = np.where(np.isnan(X[:, 1]), np.nan, 0.1)
    assert (fill(X)[:, 1] == 0.1).all()


def test_few_known_values_make_lines():
    X = np.full((40, 1), np.nan)
    X[[5, 15, 30], 0] = [0.0, 10.0, -5.0]
    expected = np.interp(np.arange(40), [5, 15, 30], [0.0, 10.0, -5.0])
    np.testing.assert_allclose(fill(X, **NETWORK)[:, 0], expected, atol=1e-9)


# --- How far off it may be


def test_nine_errors_in_ten_lie_where_they_should():
    rng = np.random.default_rng(0)
    walks = np.cumsum(rng.normal(size=(6000, 3)), axis=0) @ [[1, 1, 0], [0, 1, 0], [0, 0, 1.0]]
    X = walks + rng.normal(size=walks.shape)
    imputer = TSPulseImputer(random_state=0, batch_size=8).fit(X[:4500])
    gappy = X[4500:].copy()
    gappy[rng.random(gappy.shape) < 0.2] = np.nan
    gappy[500:530, 1] = np.nan
    filled, std = imputer.transform(gappy, return_std=True)
    missing = np.isnan(gappy)
    np.testing.assert_array_equal(std > 0, missing)
    np.testing.assert_array_equal(filled, imputer.transform(gappy))
    inside = (np.abs(filled - X[4500:]) < 1.645 * std)[missing]
    assert 0.85 < inside.mean() < 0.95
    assert std[510:520, 1].min() > np.median(std[:500, 1][missing[:500, 1]])


def test_deviations_come_in_the_container_and_unit_of_the_input():
    X = recording(100)
    imputer = TSPulseImputer(random_state=0, batch_size=8)
    frame = pd.DataFrame(X, columns=["a", "b"])
    filled, std = imputer.fit(frame).transform(frame, return_std=True)
    assert std.columns.tolist() == filled.columns.tolist() == ["a", "b"]
    _, in_thousandths = imputer.fit(1000 * X).transform(1000 * X, return_std=True)
    np.testing.assert_allclose(in_thousandths, 1000 * std, rtol=0.05)
    panel = [X.T, X[:50].T]
    deviations = imputer.fit(panel).transform(panel, return_std=True)[1]
    assert [one.shape for one in deviations] == [(2, 100), (2, 50)]


def test_the_network_alone_knows_no_deviation():
    X = recording(60)
    with pytest.raises(ValueError, match="fitted with blend=True"):
        TSPulseImputer(**NETWORK).fit(X).transform(X, return_std=True)


# --- What has a say and what has not


@pytest.mark.parametrize("unit", [1e-8, 3.0, 1e8])
@pytest.mark.parametrize("blend", [True, False])
def test_units_do_not_matter(unit, blend):
    X = recording()
    expected = unit * (fill(X, blend=blend) + 2)
    np.testing.assert_allclose(fill(unit * (X + 2), blend=blend), expected, atol=2e-3 * abs(unit))


def test_the_network_alone_takes_channels_one_by_one():
    X, other = recording(), recording()
    other[:, 1] *= 100
    imputer = TSPulseImputer(**NETWORK).fit(X)
    assert same_bits(imputer.transform(other)[:, 0].copy(), imputer.transform(X)[:, 0].copy())
    alone = TSPulseImputer(**NETWORK).fit_transform(X[:, :1])
    np.testing.assert_array_equal(TSPulseImputer(**NETWORK).fit_transform(X)[:, :1], alone)


@pytest.mark.parametrize("tie", [1.0, 0.0])
def test_channels_help_where_they_are_tied(tie):
    rng = np.random.default_rng(0)
    walks = np.cumsum(rng.normal(size=(1000, 3)), axis=0)
    X = tie * walks[:, :1] * [1.0, -3.0, 0.5] + (1.002 - tie) * walks
    missing = rng.random(X.shape) < 0.3
    X_missing = np.where(missing, np.nan, X)
    imputer = TSPulseImputer(random_state=0, batch_size=8).fit(X_missing)
    together = imputer.transform(X_missing)
    imputer._filler.correction = None
    alone = imputer.transform(X_missing)
    errors = [(((filled - X) / X.std(0))[missing] ** 2).mean() for filled in (together, alone)]
    assert errors[0] < (0.5 if tie else 1.03) * errors[1]


def test_a_wild_channel_moves_others_little():
    X = recording()
    imputer = TSPulseImputer(random_state=0, batch_size=8).fit(X)
    wild = X * [1, 1e6]
    moved = (imputer.transform(wild) - imputer.transform(X))[:, 0]
    assert np.abs(moved).max() < 1.5 * np.nanstd(X[:, 0])


def test_neighbours_in_a_panel_do_not_matter():
    panel = recording(400, 11).T[:, None]
    imputer = TSPulseImputer(random_state=0, batch_size=4).fit(panel)
    together = imputer.transform(panel)
    for row in (0, 5, 10):
        assert same_bits(imputer.transform(panel[row : row + 1])[0], together[row])


def test_the_seed_alone_decides():
    X, before = recording(), np.random.get_state()[1].copy()  # noqa: NPY002
    assert same_bits(fill(X), fill(X))
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert not np.array_equal(fill(X), fill(X, random_state=1))


# --- Fine-tuned


@pytest.fixture
def told(monkeypatch):
    """Training that moves all weights a little, and tells what it was given."""
    told = {}

    def tune(self, network, series, report=None):
        told.update(tuner=self, series=series)
        tuned = deepcopy(network)
        for number, weight in enumerate(tuned.parameters()):
            weight.mul_(1 + 1e-3 * (number % 3))
        return tuned

    monkeypatch.setattr(FineTuner, "tune", tune)
    return told


def test_a_tuned_network_is_kept_and_used(told):
    X = recording(700)
    tuned = TSPulseImputer(fine_tune=True, random_state=0, **NETWORK).fit(X)
    plain = TSPulseImputer(**NETWORK).fit(X)
    np.testing.assert_array_equal(np.stack(told["series"], axis=1), X)
    observed = told["tuner"].hide((200, 1, 512), torch.Generator().manual_seed(0))
    assert 0.6 < observed.double().mean() < 0.85
    assert tuned.fingerprint_ != plain.fingerprint_
    assert plain.network_ is None
    filled = tuned.transform(X)
    assert not np.array_equal(filled, plain.transform(X))
    assert same_bits(pickle.loads(pickle.dumps(tuned)).transform(X), filled)
    assert clone(tuned).fit(X).fingerprint_ == tuned.fingerprint_
    assert tuned.set_params(fine_tune=False).fit(X).fingerprint_ == plain.fingerprint_


# --- Around it


def test_copies_answer_the_same():
    X = recording()
    imputer = TSPulseImputer(random_state=0, batch_size=8).fit(X)
    expected = imputer.transform(X)
    content = pickle.dumps(imputer)
    assert len(content) < 50_000
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


def test_a_grid_searches_blend_and_stride():
    X, y = make_labelled_panel(24, 64, random_state=0)
    X[np.random.default_rng(0).random(X.shape) < 0.2] = np.nan
    flat = FunctionTransformer(lambda panel: panel.reshape(len(panel), -1))
    model = make_pipeline(TSPulseImputer(random_state=0), flat, LogisticRegression())
    grid = {"tspulseimputer__blend": [True, False], "tspulseimputer__stride": [64, 128]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_it_is_nearer_to_the_truth_than_lines(capsys):
    X, truth = make_gappy_series(random_state=0)
    missing, scale = np.isnan(X), np.nanstd(X, axis=0)
    t = np.arange(len(X))
    lines = np.stack([np.interp(t, t[~np.isnan(x)], x[~np.isnan(x)]) for x in X.T], axis=1)
    tables = {"blend": fill(X), "network": fill(X, blend=False), "lines": lines}
    errors = {
        name: np.sqrt(np.mean(((table - truth) / scale)[missing] ** 2))
        for name, table in tables.items()
    }
    with capsys.disabled():
        sys.stdout.write(f"\nRMSE { ({k: round(float(v), 4) for k, v in errors.items()}) }\n")
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
def test_what_cannot_be_filled_is_refused(X, message):
    imputer = TSPulseImputer(**NETWORK).fit(recording(60))
    before = pickle.dumps(imputer)
    with pytest.raises((ValueError, TypeError), match=message):
        imputer.transform(X)
    assert pickle.dumps(imputer) == before


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"layout": "table"}, "layout is 'table', expected one of"),
        ({"stride": 0}, "stride is 0, expected a whole number"),
        ({"stride": 1.5}, "stride is 1.5, expected a whole number"),
        ({"stride": 513}, "stride is 513, but windows are 512 time points long"),
        ({"batch_size": -1}, "batch_size is -1, expected a whole number"),
        ({"checkpoint": "nothing"}, "no checkpoint 'nothing'. Known names: .*tspulse-p8"),
    ],
)
def test_parameters_out_of_range_are_refused(parameters, message):
    imputer = TSPulseImputer(**parameters)
    before = vars(imputer).copy()
    with pytest.raises(ValueError, match=message):
        imputer.fit(recording(60))
    assert vars(imputer) == before


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
        "X = np.random.default_rng(0).normal(size=(200_000, 2)); X[::500] = np.nan\n"
        "imputer.fit(X[:2000]).transform(X[:2000])\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak(); imputer.transform(X); print(peak() - before)\n"
    )
    assert int(run(script)) < 120_000  # [KiB], about 600 bytes a time point


# --- What scikit-learn asks of every estimator


def expected_failures(estimator) -> dict[str, str]:
    return {"check_methods_subset_invariance": "gives one row at a time, but a patch takes eight"}


@parametrize_with_checks(
    [TSPulseImputer(random_state=0, batch_size=8), TSPulseImputer(blend=False, batch_size=8)],
    expected_failed_checks=expected_failures,
)
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)
