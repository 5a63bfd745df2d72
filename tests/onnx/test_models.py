"""Exported models answer as their estimators, with and without torch."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
from estimator_cases import CASES
from onnx_models import assert_same, exported

import sktspulse
from sktspulse import (
    TSPulseAnomalyDetector,
    TSPulseClassifier,
    TSPulseImputer,
    TSPulseRegressor,
    TSPulseTransformer,
)

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

METHODS = {
    "TSPulseTransformer": ["transform"],
    "TSPulseClassifier": ["decision_function", "predict_proba", "predict"],
    "TSPulseRegressor": ["predict"],
    "TSPulseImputer": ["transform"],
    "TSPulseAnomalyDetector": [
        "score_samples",
        "decision_function",
        "predict",
        "score_heads",
        "score_channels",
    ],
}
LEFT_OUT = {"classifier-tslens", "regressor-tslens"}
NAMES = [
    name
    for name, case in CASES.items()
    if type(case.estimator).__name__ in METHODS and name not in LEFT_OUT
]


def assert_same_answers(model, estimator, X):
    for method in METHODS[type(estimator).__name__]:
        found, expected = getattr(model, method)(X), getattr(estimator, method)(X)
        if np.asarray(expected).dtype.kind == "f":
            assert_same(found, expected)
        else:
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", NAMES)
def test_answers_are_those_of_the_estimator(name, tmp_path):
    case = CASES[name]
    estimator = case.fit(case.data())
    model = exported(estimator, tmp_path)
    assert (model.estimator, model.version) == (type(estimator).__name__, sktspulse.__version__)
    assert (model.n_features_in_, model.n_channels_in_) == (2, 2)
    assert type(estimator).__name__ in repr(model)
    for seed in (0, 1):
        assert_same_answers(model, estimator, case.data(seed))
    assert_same_answers(model, estimator, case.data(2).astype(np.float32))


@pytest.mark.parametrize("embedding", ["semantic", "detailed", "time", "frequency", "all"])
@pytest.mark.parametrize("windowing", ["resample", "sliding"])
@pytest.mark.parametrize("channels", ["concatenate", "mean"])
def test_every_embedding_is_the_same(embedding, windowing, channels, tmp_path):
    case = CASES["transformer"]
    parameters = {"embedding": embedding, "windowing": windowing, "channels": channels}
    estimator = case.new(**parameters).fit(case.data())
    model = exported(estimator, tmp_path)
    rng = np.random.default_rng(0)
    panel = [rng.normal(size=(2, n)).cumsum(1) for n in (40, 64, 200, 9)]
    panel[0][:, 3:7], panel[1][1], panel[2][0] = np.nan, np.nan, 4.0
    assert_same(model.transform(panel), estimator.transform(panel))


@pytest.mark.parametrize(
    ("members", "n_classes"),
    [
        (("network",), 2),
        (("network",), 3),
        (("kernels",), 3),
        (("quantiles",), 2),
        (("quantiles",), 3),
        (("network", "kernels", "quantiles"), 3),
    ],
)
def test_every_member_of_a_classifier_is_exported(members, n_classes, tmp_path):
    case = CASES["classifier"]
    X = case.data()
    labels = np.array(["a", "b", "c"])[np.arange(len(X)) % n_classes]
    estimator = case.new(members=members).fit(X, labels)
    model = exported(estimator, tmp_path)
    assert model.classes_.tolist() == estimator.classes_.tolist()
    assert_same_answers(model, estimator, case.data(1))


@pytest.mark.parametrize("members", [("network",), ("kernels", "quantiles")])
@pytest.mark.parametrize("n_outputs", [0, 1, 2])
def test_targets_keep_their_units_and_axes(members, n_outputs, tmp_path):
    case = CASES["regressor"]
    X = case.data()
    y = np.random.default_rng(0).normal(size=(len(X), max(1, n_outputs))) * 1e6 + 5
    estimator = case.new(members=members).fit(X, y if n_outputs else y[:, 0])
    model = exported(estimator, tmp_path)
    for found, expected in zip(
        model.predict(X, return_std=True), estimator.predict(X, return_std=True), strict=True
    ):
        assert_same(found, expected)


@pytest.mark.parametrize("heads", ["level", "forecast", "coarse", ("time", "variation")])
def test_every_head_of_a_detector_is_exported(heads, tmp_path):
    case = CASES["detector"]
    X = case.data()[:, :1]
    estimator = case.new(heads=heads).fit(X)
    model = exported(estimator, tmp_path)
    assert (model.heads_, model.offset_) == (estimator.heads_, estimator.offset_)
    X[80:90] += 4
    assert_same_answers(model, estimator, X)
    found, expected = model.predict_segments(X), estimator.predict_segments(X)
    for name in ("start", "end", "head", "channel"):
        np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.parametrize("n_channels", [1, 2])
def test_an_imputer_knows_its_errors(n_channels, tmp_path):
    case = CASES["imputer"]
    estimator = case.fit(case.data()[:, :n_channels])
    model = exported(estimator, tmp_path)
    X = case.data(1)[:, :n_channels]
    pairs = zip(
        model.transform(X, return_std=True), estimator.transform(X, return_std=True), strict=True
    )
    for found, expected in pairs:
        assert_same(found, expected)
    np.testing.assert_array_equal(model.transform(X)[~np.isnan(X)], X[~np.isnan(X)])


def test_an_imputer_takes_panels_in_any_container(tmp_path):
    case = CASES["imputer-panel"]
    X = case.data()
    estimator = case.new(blend=False, bounds=(None, 1), round_integers=True).fit(X)
    model = exported(estimator, tmp_path)
    assert_same(model.transform(X), estimator.transform(X))
    series = [X[0], X[1][:, :30]]
    for found, expected in zip(model.transform(series), estimator.transform(series), strict=True):
        assert_same(found, expected)
    with pytest.raises(ValueError, match="return_std=True needs an imputer fitted with blend=True"):
        model.transform(X, return_std=True)


def test_a_flat_panel_keeps_its_length(tmp_path):
    case = CASES["transformer"]
    X = case.data()[:, 0]
    estimator = case.fit(X)
    model = exported(estimator, tmp_path)
    assert_same(model.transform(X), estimator.transform(X))
    assert_same(model.transform(X[:, None, :30]), estimator.transform(X[:, None, :30]))
    for wrong in (X[:, :30], case.data(), X[:, None, :1]):
        with pytest.raises(ValueError, match="X has") as expected:
            estimator.transform(wrong)
        with pytest.raises(ValueError, match="X has") as found:
            model.transform(wrong)
        assert str(found.value) == str(expected.value)


@pytest.mark.slow
def test_shipped_networks_answer_to_a_hundred_thousandth(tmp_path):
    rng = np.random.default_rng(0)
    panel = rng.normal(size=(12, 1, 300)).cumsum(-1)
    panel[rng.random(panel.shape) < 0.05] = np.nan
    series = np.sin(np.arange(2000) / 9)[:, None] + rng.normal(size=(2000, 1)) / 9
    series[500:520] = np.nan
    y = np.arange(12) % 2
    fits = [
        (TSPulseTransformer("all").fit(panel), panel),
        (TSPulseClassifier().fit(panel, y), panel),
        (TSPulseRegressor().fit(panel, y * 1.0), panel),
        (TSPulseAnomalyDetector().fit(series), series),
        (TSPulseImputer(random_state=0).fit(series), series),
    ]
    for estimator, X in fits:
        assert_same_answers(exported(estimator, tmp_path), estimator, X)


BLOCKED = "torch sklearn scipy pandas polars narwhals joblib threadpoolctl skorch safetensors onnx"
WITHOUT = f"""
import sys

class Absent:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED.split()!r}:
            raise ImportError(f"{{name}} is absent")

sys.meta_path.insert(0, Absent)
import numpy as np
import sktspulse.onnx

for name, method in zip(sys.argv[2::2], sys.argv[3::2]):
    folder = sys.argv[1]
    model = sktspulse.onnx.load(f"{{folder}}/{{name}}.onnx", n_threads=1)
    answer = getattr(model, method)(np.load(f"{{folder}}/{{name}}.npy"))
    np.save(f"{{folder}}/{{name}}-answer.npy", answer)
"""


def test_models_work_where_torch_and_its_kin_are_absent(tmp_path):
    arguments, expected = [], {}
    for name in NAMES:
        case = CASES[name]
        estimator, X = case.fit(case.data()), case.data(1)
        sktspulse.export_onnx(estimator, tmp_path / f"{name}.onnx")
        np.save(tmp_path / f"{name}.npy", X)
        arguments += [name, case.method]
        expected[name] = getattr(estimator, case.method)(X)
    command = [sys.executable, "-W", "error", "-c", WITHOUT, str(tmp_path), *arguments]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    for name, answer in expected.items():
        assert_same(np.load(tmp_path / f"{name}-answer.npy"), answer)


def test_answers_raise_no_warnings(tmp_path):
    case = CASES["classifier"]
    model = exported(case.fit(case.data()), tmp_path)
    X = case.data(1)
    X[0], X[1] = np.nan, 3.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(model.predict_proba(X)).all()
