"""Estimators under the backends of joblib, alone and within searches."""

from __future__ import annotations

import numpy as np
import pytest
from estimator_cases import CASES, checkpoint
from joblib import parallel_config
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from sktspulse import TSPulseTransformer

NAMES = ("classifier", "transformer", "detector", "imputer", "retriever")
pytestmark = pytest.mark.usefixtures("few_trees")


@pytest.fixture(params=["dask", pytest.param("ray", marks=pytest.mark.nightly)])
def backend(request):
    if request.param == "dask":
        request.getfixturevalue("client")
        yield "dask"
        return
    request.getfixturevalue("ray")
    pytest.importorskip("ray.util.joblib").register_ray()
    yield "ray"


def search(path: str) -> GridSearchCV:
    pipe = make_pipeline(TSPulseTransformer(checkpoint=path), LogisticRegression())
    return GridSearchCV(pipe, {"logisticregression__C": [0.1, 10]}, cv=2, error_score="raise")


@pytest.mark.parametrize("name", NAMES)
def test_answers_do_not_depend_on_the_backend(backend, name):
    case = CASES[name]
    X = case.data()
    expected = case.answer(case.fit(X), X)
    with parallel_config(backend=backend):
        found = case.answer(case.fit(X), X)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * np.nanmax(abs(expected)))


def test_searches_run_on_workers(backend):
    case = CASES["classifier"]
    X, y = case.data(), np.arange(20) % 2
    classifier = case.new(members=["network"])
    alone = cross_val_score(classifier, X, y, cv=2), search(checkpoint()).fit(X, y)
    with parallel_config(backend=backend):
        scores, found = cross_val_score(classifier, X, y, cv=2), search(checkpoint()).fit(X, y)
    np.testing.assert_allclose(scores, alone[0])
    np.testing.assert_allclose(
        found.cv_results_["mean_test_score"], alone[1].cv_results_["mean_test_score"]
    )


def test_a_worker_without_the_network_says_so(backend, tmp_path):
    X = CASES["transformer"].data()
    message = "own.safetensors cannot be loaded as a checkpoint. .*No such file"
    with parallel_config(backend=backend), pytest.raises(ValueError, match=message):
        search(str(tmp_path / "own.safetensors")).fit(X, np.arange(20) % 2)
