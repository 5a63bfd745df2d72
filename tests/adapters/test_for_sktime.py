"""The estimators pass the checks of sktime and work in its pipelines."""

from __future__ import annotations

import pickle
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from estimator_cases import CASES
from sklearn.base import clone

from sktspulse import adapters, convert_panel

pytest.importorskip("sktime")
pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # of sktime
    pytest.mark.usefixtures("few_trees"),
]
ADAPTERS = {
    "classifier": adapters.SktimeClassifier,
    "regressor": adapters.SktimeRegressor,
    "transformer": adapters.SktimeTransformer,
    "imputer-network": adapters.SktimeImputer,
    "detector": adapters.SktimeDetector,
}
each = pytest.mark.parametrize("name", ADAPTERS)
PANEL, LABELS = CASES["classifier"].data(), CASES["classifier"].targets(20)
MONTHS = pd.period_range("2010-01", periods=160, freq="M", name="month")
RECORDING = pd.DataFrame(CASES["detector"].data(), MONTHS, ["flow", "heat"])


def adapted(name, **parameters):
    return ADAPTERS[name](CASES[name].new(**parameters))


def of_sktime(module, name):
    return getattr(import_module(f"sktime.{module}"), name)


@pytest.mark.slow
@each
def test_every_check_of_sktime_is_passed(name, monkeypatch):
    model = adapted(name)
    sets = [{"estimator": model.estimator}, {"estimator": clone(model.estimator)}]
    monkeypatch.setattr(
        type(model), "get_test_params", classmethod(lambda cls, parameter_set="default": sets)
    )
    results = of_sktime("utils.estimator_checks", "check_estimator")(model, verbose=False)
    assert {name: result for name, result in results.items() if result != "PASSED"} == {}
    assert len(results) > 50


@each
def test_parameters_go_through_and_copies_are_equal(name):
    model = adapted(name).set_params(estimator__batch_size=7)
    assert model.estimator.batch_size == model.clone().get_params()["estimator__batch_size"] == 7
    assert clone(model).get_params()["estimator__batch_size"] == 7


@pytest.mark.parametrize("to", ["aeon", "sktime", "nested"])
@pytest.mark.parametrize("is_equal", [True, False])
def test_answers_are_those_of_the_estimator(to, is_equal):
    X = PANEL if is_equal else [one[:, : 40 - i] for i, one in enumerate(PANEL)]
    panel = X if is_equal and to == "aeon" else convert_panel(X, "sktime" if to == "aeon" else to)
    model = adapted("classifier").fit(panel, LABELS)
    ours = CASES["classifier"].new().fit(X, LABELS)
    np.testing.assert_allclose(model.predict_proba(panel), ours.predict_proba(X))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(panel), ours.predict(X))
    embeddings = adapted("transformer").fit_transform(panel)
    np.testing.assert_allclose(embeddings, CASES["transformer"].new().fit_transform(X))


def test_pipelines_of_sktime_hold_the_estimators():
    scaler = of_sktime("transformations.series.impute", "Imputer")
    pipeline = scaler() * adapted("classifier")
    assert type(pipeline).__name__ == "ClassifierPipeline"
    assert set(pipeline.fit(PANEL, LABELS).predict(PANEL)) <= set(LABELS)
    neighbors = of_sktime("classification.distance_based", "KNeighborsTimeSeriesClassifier")(
        distance="euclidean"
    )
    pipeline = adapted("imputer-network") * neighbors
    assert set(pipeline.fit(PANEL, LABELS).predict(PANEL)) <= set(LABELS)
    from sklearn.linear_model import RidgeClassifier

    pipeline = of_sktime("classification.compose", "SklearnClassifierPipeline")(
        RidgeClassifier(), [adapted("transformer")]
    )
    assert set(pipeline.fit(PANEL, LABELS).predict(PANEL)) <= set(LABELS)


def test_a_forecaster_gets_a_filled_series():
    forecaster = of_sktime("forecasting.naive", "NaiveForecaster")("mean", sp=12)
    model = adapted("imputer-network") * forecaster
    forecast = model.fit(RECORDING[["flow"]], fh=[1, 2]).predict()
    assert forecast.index.equals(pd.period_range("2023-05", periods=2, freq="M"))
    assert forecast.notna().all(axis=None)


def test_recordings_keep_their_index_and_names():
    filled = adapted("imputer-network").fit_transform(RECORDING)
    pd.testing.assert_frame_equal(filled, CASES["imputer-network"].new().fit_transform(RECORDING))
    detector = adapted("detector", contamination=0.05).fit(RECORDING)
    ours = CASES["detector"].fit(RECORDING, contamination=0.05)
    found = detector.predict(RECORDING)["ilocs"]
    np.testing.assert_array_equal(found, np.flatnonzero(ours.predict(RECORDING) == -1))
    assert 0 < len(found) < 20
    scores = detector.transform_scores(RECORDING)["scores"]
    pd.testing.assert_series_equal(scores, -ours.score_samples(RECORDING), check_names=False)
    assert (detector.predict_scores(RECORDING)["scores"] >= -ours.offset_).all()


def test_estimators_without_an_adapter_work_where_sktime_takes_those_of_scikit_learn():
    pad = of_sktime("transformations.panel.padder", "PaddingTransformer")
    pipeline = of_sktime("classification.compose", "SklearnClassifierPipeline")(
        CASES["classifier"].new(), [pad()]
    )
    assert set(pipeline.fit(PANEL, LABELS).predict(PANEL)) <= set(LABELS)
    filler = of_sktime("transformations.series.adapt", "TabularToSeriesAdaptor")(
        CASES["imputer-network"].new()
    )
    pd.testing.assert_frame_equal(
        filler.fit_transform(RECORDING), CASES["imputer-network"].new().fit_transform(RECORDING)
    )
