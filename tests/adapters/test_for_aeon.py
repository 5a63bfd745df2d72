"""The estimators pass the checks of aeon and work in its pipelines."""

from __future__ import annotations

import pickle
from importlib import import_module

import numpy as np
import pytest
from estimator_cases import CASES
from sklearn.base import clone

from sktspulse import adapters

pytest.importorskip("aeon")
pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of aeon and numba
    pytest.mark.usefixtures("few_trees"),
]
ADAPTERS = {
    "classifier": adapters.AeonClassifier,
    "regressor": adapters.AeonRegressor,
    "transformer": adapters.AeonTransformer,
    "imputer-panel": adapters.AeonTransformer,
    "imputer-network": adapters.AeonImputer,
    "detector": adapters.AeonAnomalyDetector,
}
each = pytest.mark.parametrize("name", ADAPTERS)
PANEL, LABELS = CASES["classifier"].data(), CASES["classifier"].targets(20)
NUMBERS = CASES["regressor"].targets(20)
RECORDING = CASES["detector"].data()


def adapted(name, **parameters):
    return ADAPTERS[name](CASES[name].new(**parameters))


def of_aeon(module, name):
    return getattr(import_module(f"aeon.{module}"), name)


@each
def test_every_check_of_aeon_is_passed(name, monkeypatch):
    model = adapted(name)
    if name == "imputer-panel":
        model.set_params(estimator__blend=False)
    sets = classmethod(lambda cls, parameter_set="default": {"estimator": model.estimator})
    monkeypatch.setattr(type(model), "_get_test_params", sets)
    check = of_aeon("testing.estimator_checking", "check_estimator")
    results = check(model, use_first_parameter_set=True)
    assert {name: result for name, result in results.items() if result != "PASSED"} == {}
    assert len(results) > 20


@each
def test_parameters_go_through_and_copies_are_equal(name):
    model = adapted(name).set_params(estimator__batch_size=7)
    assert model.estimator.batch_size == clone(model).get_params()["estimator__batch_size"] == 7
    assert not hasattr(model.estimator, "fingerprint_")


@pytest.mark.parametrize("X", [PANEL, [one[:, : 40 - i] for i, one in enumerate(PANEL)]])
def test_answers_are_those_of_the_estimator(X):
    model = adapted("classifier").fit(X, LABELS)
    ours = CASES["classifier"].new().fit(X, LABELS)
    np.testing.assert_array_equal(model.predict_proba(X), ours.predict_proba(X))
    np.testing.assert_array_equal(model.predict(X), ours.predict(X))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), ours.predict_proba(X))
    numbers = adapted("regressor").fit(X, NUMBERS).predict(X)
    np.testing.assert_array_equal(numbers, CASES["regressor"].new().fit(X, NUMBERS).predict(X))
    embeddings = adapted("transformer").fit_transform(X)
    np.testing.assert_array_equal(embeddings, CASES["transformer"].new().fit_transform(X))


def test_pipelines_of_aeon_take_panels_with_gaps():
    make = of_aeon("pipeline", "make_pipeline")
    neighbors = of_aeon("classification.distance_based", "KNeighborsTimeSeriesClassifier")
    normalizer = of_aeon("transformations.collection", "Normalizer")
    filler = adapted("imputer-panel", blend=False)
    for pipeline in (
        make(filler, neighbors()),
        make(filler, normalizer(), adapted("classifier")),
        make(adapted("classifier")),
    ):
        found = pipeline.fit(PANEL, LABELS).predict(PANEL)
        assert set(found) <= set(LABELS)
        assert len(found) == len(LABELS)


def test_embeddings_feed_an_estimator_of_tables():
    from sklearn.linear_model import RidgeClassifier

    pipeline = of_aeon("pipeline", "make_pipeline")(adapted("transformer"), RidgeClassifier())
    assert len(pipeline.fit(PANEL, LABELS).predict(PANEL)) == len(LABELS)


def test_ensembles_of_aeon_hold_the_classifier():
    ensemble = of_aeon("classification.compose", "ClassifierEnsemble")
    models = [("ours", adapted("classifier"))]
    filled = np.nan_to_num(PANEL)
    found = ensemble(models).fit(filled[:, :1], LABELS).predict(filled[:, :1])
    assert set(found) <= set(LABELS)


def test_recordings_have_time_on_the_axis_that_is_named():
    model = adapted("imputer-network")
    filled = model.fit_transform(RECORDING, axis=0)
    expected = CASES["imputer-network"].new().fit_transform(RECORDING)
    np.testing.assert_array_equal(filled, expected)
    np.testing.assert_array_equal(model.fit_transform(RECORDING.T, axis=1), expected.T)
    scores = adapted("detector").fit(RECORDING, axis=0).predict(RECORDING, axis=0)
    ours = CASES["detector"].fit(RECORDING).score_samples(RECORDING)
    np.testing.assert_array_equal(scores, -ours)
    labels = np.arange(len(RECORDING)) % 2
    both = adapted("detector").fit_predict(RECORDING, labels, axis=0)
    np.testing.assert_array_equal(both, scores)
