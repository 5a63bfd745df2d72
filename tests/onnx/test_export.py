"""What can be exported is written whole, and what cannot is said."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from estimator_cases import CASES
from onnx_models import assert_same, exported
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

import sktspulse
from sktspulse.onnx.session import FACTS_KEY

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def fit(name, **parameters):
    case = CASES[name]
    return case.fit(case.data(), **parameters)


def test_a_file_is_a_valid_model_with_its_facts(tmp_path):
    path = tmp_path / "embed.onnx"
    sktspulse.export_onnx(fit("transformer"), str(path))
    onnx.checker.check_model(str(path), full_check=True)
    model = onnx.load(path)
    facts = json.loads({one.key: one.value for one in model.metadata_props}[FACTS_KEY])
    assert facts["kind"] == "TSPulseTransformer"
    assert facts["config"]["context_length"] == 64
    assert [one.name for one in model.graph.output] == ["semantic_tokens"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_replaced(tmp_path):
    for windowing in ("sliding", "resample"):
        estimator = fit("transformer", windowing=windowing)
        model = exported(estimator, tmp_path)
        X = CASES["transformer"].data(1)
        assert_same(model.transform(X), estimator.transform(X))


def test_members_without_the_network_make_a_small_file(tmp_path):
    sktspulse.export_onnx(fit("classifier", members=("kernels",)), tmp_path / "a.onnx")
    graph = onnx.load(tmp_path / "a.onnx").graph
    assert [node.op_type for node in graph.node] == ["Identity"]


def test_subclasses_are_exported(tmp_path):
    class Own(sktspulse.TSPulseTransformer):
        pass

    case = CASES["transformer"]
    estimator = Own(checkpoint=case.new().checkpoint).fit(case.data())
    assert exported(estimator, tmp_path).estimator == "TSPulseTransformer"


def test_fine_tuned_networks_are_exported(tmp_path, monkeypatch):
    monkeypatch.setattr("sktspulse.imputation.imputer._MAX_STEPS", 4)
    estimator = fit("imputer-network", fine_tune=True, random_state=0)
    estimator.network_.time_head.linear.bias.data += 1
    X = CASES["imputer-network"].data(1)
    assert_same(exported(estimator, tmp_path).transform(X), estimator.transform(X))


@pytest.mark.parametrize("name", ["classifier-tslens", "regressor-tslens"])
def test_tslens_is_refused(name, tmp_path):
    with pytest.raises(ValueError, match=r"fine-tuned by TSLens.*strategy='probe'"):
        sktspulse.export_onnx(fit(name), tmp_path / "a.onnx")


class Lengths(BaseEstimator):
    """A transformer of panels."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return np.array([[one.shape[-1]] for one in X])


def test_other_transformers_are_refused(tmp_path):
    estimator = fit("classifier", members=["network", Lengths()])
    with pytest.raises(ValueError, match=r"of other packages, \['Lengths'\]"):
        sktspulse.export_onnx(estimator, tmp_path / "a.onnx")


def test_a_grid_of_time_is_refused(tmp_path):
    pandas = pytest.importorskip("pandas")
    case = CASES["imputer-network"]
    X = case.data()
    table = pandas.DataFrame(X, pandas.date_range("2026-01-01", periods=len(X), freq="h"))
    estimator = case.new(freq="h").fit(table)
    with pytest.raises(ValueError, match="freq needs pandas"):
        sktspulse.export_onnx(estimator, tmp_path / "a.onnx")


@pytest.mark.parametrize("estimator", [BaseEstimator(), sktspulse.TSPulseRetriever()])
def test_other_estimators_are_refused(estimator, tmp_path):
    with pytest.raises(TypeError, match=r"cannot be exported\. These can: TSPulseTransformer, "):
        sktspulse.export_onnx(estimator, tmp_path / "a.onnx")


def test_an_estimator_is_fitted_first(tmp_path):
    with pytest.raises(NotFittedError):
        sktspulse.export_onnx(sktspulse.TSPulseTransformer(), tmp_path / "a.onnx")


def test_a_name_ends_in_onnx(tmp_path):
    with pytest.raises(ValueError, match=r"expected a name that ends in '\.onnx'"):
        sktspulse.export_onnx(fit("transformer"), tmp_path / "a.safetensors")


def test_without_onnx_the_error_says_what_to_install(tmp_path, monkeypatch):
    estimator = fit("transformer")
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install '\.\[onnx\]'"):
        sktspulse.export_onnx(estimator, tmp_path / "a.onnx")


def test_labels_of_any_type_are_kept(tmp_path):
    case = CASES["classifier"]
    X = case.data()
    for labels in (["é", "b"], [3, 1], [True, False], [1.0, 2.0]):
        for kind in (None, object):
            y = np.array(labels, dtype=kind)[np.arange(len(X)) % 2]
            estimator = case.new(members=("quantiles",)).fit(X, y)
            found, expected = exported(estimator, tmp_path).predict(X), estimator.predict(X)
            assert found.dtype == expected.dtype
            assert found.tolist() == expected.tolist()
