"""What must not change an answer, and by how much it may, for every estimator.

Answers are compared relative to their largest value.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
import torch
from estimator_cases import CASES, N_CHANNELS, checkpoint

from sktspulse import TSLens
from sktspulse.metrics import find_period, vus_pr_score

pytestmark = pytest.mark.usefixtures("few_trees")
UNITS = [1e-160, 1e-30, 1e-6, 3.7, 1e9, 1e160, 1e300]
TYPES = [np.float32, np.longdouble]
IN_UNITS = {"imputer", "imputer-network", "imputer-panel", "to-table", "to-panel"}
each = pytest.mark.parametrize("name", CASES)
learners = pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("to-")])


@cache
def fitted(name):
    """Return data, a fitted estimator, and its answer."""
    case = CASES[name]
    X = case.data()
    model = case.fit(X)
    return X, model, case.answer(model, X)


def refitted(name, X):
    return CASES[name].answer(CASES[name].fit(X), X)


def assert_close(found, expected, share):
    """Compare arrays, relative to the largest value."""
    scale = np.abs(expected[np.isfinite(expected)]).max()
    np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=share)


@pytest.mark.parametrize("unit", UNITS)
@each
def test_units(name, unit):
    X, _, expected = fitted(name)
    factor = 1 / unit if name in IN_UNITS else 1
    assert_close(refitted(name, X * unit) * factor, expected, 2e-5)


@pytest.mark.parametrize("level", [-3.0, 1e3, 1e6])
@each
def test_levels(name, level):
    X, _, expected = fitted(name)
    shift = level if name in IN_UNITS else 0
    # A level of 1e6 leaves ten digits of the values.
    assert_close(refitted(name, X + level) - shift, expected, 2e-4)


@pytest.mark.parametrize("dtype", TYPES)
@each
def test_types(name, dtype):
    X, _, expected = fitted(name)
    assert_close(refitted(name, X.astype(dtype)), expected, 2e-3)


@pytest.mark.parametrize("peak", [1.79e308, 3.4e38])
@each
def test_the_largest_numbers_are_numbers(name, peak):
    X, _, expected = fitted(name)
    unit = 0.999 * peak / np.nanmax(np.abs(X))
    dtype = np.float32 if peak < 1e39 else np.float64
    factor = 1 / unit if name in IN_UNITS else 1
    assert_close(refitted(name, (X * unit).astype(dtype)) * factor, expected, 2e-3)
    both_ends = np.where(np.isnan(X), np.nan, np.where(X > 1, peak, -peak)).astype(dtype)
    assert not np.isinf(refitted(name, both_ends)).any()


@pytest.mark.parametrize("value", [1e-300, 1e160, -1e300, -np.finfo(float).max])
@learners
def test_an_extreme_query_has_a_finite_answer(name, value):
    X, model, _ = fitted(name)
    assert np.isfinite(CASES[name].answer(model, X / np.nanmax(np.abs(X)) * value)).all()


@each
def test_order_of_channels(name):
    X, _, expected = fitted(name)
    if CASES[name].kind == "table" or "tslens" in name:
        return  # TSLens mixes channels in their order
    if "members" in CASES[name].new().get_params():
        return  # see below
    swapped = X[:, ::-1]
    found = refitted(name, swapped)
    if found.shape == X.shape:
        found = found[:, ::-1]
    elif CASES[name].method == "transform" and "mean" not in name:
        found = found.reshape(len(X), N_CHANNELS, -1)[:, ::-1].reshape(expected.shape)
    random = name in ("imputer", "imputer-panel")  # hidden gaps are drawn channel by channel
    assert_close(found, expected, 0.2 if random else 1e-4)


@pytest.mark.parametrize("name", ["classifier", "classifier-sliding", "regressor"])
def test_order_of_channels_for_the_network(name):
    # Kernels read sums of drawn channels, and trees draw features by their place.
    case = CASES[name]
    X = case.data()
    expected, found = (
        case.answer(case.fit(one, members=["network"]), one) for one in (X, X[:, ::-1])
    )
    assert_close(found, expected, 1e-4)


@pytest.mark.parametrize(
    "name",
    [name for name, case in CASES.items() if case.kind != "series" and "imputer" not in name],
)
def test_order_of_series(name):
    case = CASES[name]
    X, _, expected = fitted(name)
    order = np.random.default_rng(1).permutation(len(X))
    y = case.targets(len(X))
    model = case.new().fit(X[order], None if y is None else y[order])
    assert_close(case.answer(model, X), expected, 1e-6)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.kind != "series"])
def test_neighbours_in_the_batch(name):
    X, model, expected = fitted(name)
    alone = np.concatenate([CASES[name].answer(model, X[i : i + 1]) for i in range(len(X))])
    assert_close(alone, expected, 1e-5)
    assert_close(CASES[name].answer(model, X[::-1])[::-1], expected, 1e-5)


@learners
def test_size_of_the_batch(name):
    X, model, expected = fitted(name)
    changed = pickle.loads(pickle.dumps(model)).set_params(batch_size=3)
    assert_close(CASES[name].answer(changed, X), expected, 1e-5)


@each
def test_number_of_threads(name):
    X, _, expected = fitted(name)
    n_threads = torch.get_num_threads()
    try:
        torch.set_num_threads(3 - min(n_threads, 2))
        found = refitted(name, X)
    finally:
        torch.set_num_threads(n_threads)
    assert_close(found, expected, 1e-3 if "tslens" in name else 1e-4)


def test_another_process_gives_the_same_answers(tmp_path):
    checkpoint()
    tasks = {name: (fitted(name)[1], fitted(name)[0], CASES[name].method) for name in CASES}
    (tmp_path / "tasks").write_bytes(pickle.dumps(tasks))
    code = (
        "import pickle, sys; from pathlib import Path; folder = Path(sys.argv[1])\n"
        "tasks = pickle.loads((folder / 'tasks').read_bytes())\n"
        "found = {n: getattr(m, method)(X) for n, (m, X, method) in tasks.items()}\n"
        "(folder / 'found').write_bytes(pickle.dumps(found))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    for name, found in pickle.loads((tmp_path / "found").read_bytes()).items():
        one = found[0] if isinstance(found, tuple) else found
        assert_close(np.asarray(one, float), fitted(name)[2], 1e-6)


# Parameters of queries, and those that say where and how to run.
MAY_CHANGE = {"n_neighbors", "radius", "checkpoint", "batch_size", "n_jobs", "device", "verbose"}
OTHERS = {
    "strategy": ["tslens", "probe", TSLens(max_epochs=1)],
    "members": [["network"], ["kernels", "quantiles"]],
    "windowing": ["sliding", "resample"],
    "class_weight": ["balanced"],
    "max_time": [0],
    "embedding": ["detailed", "time"],
    "channels": ["mean", "concatenate"],
    "metric": ["cosine", "euclidean"],
    "normalize": [True, False],
    "window": [10],
    "stride": [3],
    "store": ["int8"],
    "index": ["faiss"],
    "heads": ["time"],
    "combine": ["mean", "max"],
    "smoothing": [5],
    "contamination": [0.1],
    "causal": [True, False],
    "fine_tune": [True],
    "layout": ["panel", "series"],
    "blend": [True, False],
    "freq": ["h"],
    "bounds": [(0, 1)],
    "round_integers": [True],
    "random_state": [3],
    "n_channels": [1, 4],
    "trim": [True],
}


@each
def test_parameters_set_after_fit_change_nothing(name):
    X, model, expected = fitted(name)
    original = model.get_params(deep=False)
    for parameter in original.keys() - MAY_CHANGE:
        for value in OTHERS[parameter]:
            model.set_params(**{parameter: value})
            np.testing.assert_array_equal(CASES[name].answer(model, X), expected)
            model.set_params(**{parameter: original[parameter]})


WRONG = {
    "boolean": ["False", "no", 1, None],
    "device": [3, None],
    "batch_size": [0, 1.5, "8", None],
    "n_jobs": [1.5, "all"],
    "verbose": ["yes"],
    "max_time": [-1, np.nan, "60"],
    "contamination": [np.nan, 0.0, 0.7, "1 %"],
    "smoothing": [0, np.nan],
    "stride": [0, 2.5],
    "n_channels": [0, 1.5, "2"],
    "n_neighbors": [0, np.nan, "5"],
    "radius": [np.nan, -1, "1"],
    "window": [1, 2.5],
}
FLAGS = {"normalize", "causal", "fine_tune", "blend", "round_integers", "trim"}


@each
def test_wrong_parameters_are_refused(name):
    case, X = CASES[name], fitted(name)[0]
    for parameter in case.new().get_params(deep=False):
        for value in WRONG["boolean"] if parameter in FLAGS else WRONG.get(parameter, []):
            if value is None and parameter == "stride":
                continue
            with pytest.raises(
                ValueError, match=rf"'{parameter}' parameter .* must be|{parameter}="
            ):
                case.fit(X, **{parameter: value})


@pytest.mark.parametrize("unit", [1e-320, 1e-160, 1e160, 1e308])
def test_metrics_of_extreme_numbers(unit):
    x = np.sin(np.arange(900) / 9)
    flags = np.arange(900) % 90 < 5
    assert find_period(x * unit) == find_period(x)
    expected = vus_pr_score(flags, x.round(2), window=5)
    assert vus_pr_score(flags, x.round(2) * unit, window=5) == pytest.approx(expected, rel=1e-2)


@pytest.mark.parametrize("unit", [1e-300, 1e-170, 1e155, 3e307])
@pytest.mark.parametrize("name", ["regressor", "regressor-tslens"])
def test_targets_of_any_size(name, unit):
    X, _, expected = fitted(name)
    y = CASES[name].targets(len(X)) * min(unit, 2e307)
    found = CASES[name].answer(CASES[name].new().fit(X, y), X) / min(unit, 2e307)
    assert_close(found, expected, 1e-6)
