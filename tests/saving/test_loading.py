"""Every fitted estimator that is loaded from a file answers as before, to the bit."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from estimator_cases import CASES, QUICK, checkpoint
from saving.saved_files import spoil
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import EpochScoring

import sktspulse
from sktspulse import (
    TSLens,
    TSPulseAnomalyDetector,
    TSPulseClassifier,
    TSPulseImputer,
    TSPulseRegressor,
    TSPulseRetriever,
    TSPulseTransformer,
)
from sktspulse.network import tensor_files

SAVED = {name: case for name, case in CASES.items() if hasattr(case.estimator, "save")}
each_case = pytest.mark.parametrize("name", SAVED)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "one.safetensors"


def reloaded(estimator, path, **options):
    """Save and load; the file that is saved then must be the same."""
    estimator.save(path)
    content = path.read_bytes()
    again = sktspulse.load(path, **options)
    assert type(again) is type(estimator)
    again.save(path)
    assert path.read_bytes() == content
    return again


def assert_same_answers(case, one, other, X):
    assert case.answer(one, X).tobytes() == case.answer(other, X).tobytes()


@each_case
def test_answers_are_the_same_to_the_bit(name, path):
    case = SAVED[name]
    fitted = case.fit(case.data())
    again = reloaded(fitted, path)
    assert repr(again.get_params()) == repr(fitted.get_params())
    assert vars(again).keys() == vars(fitted).keys()
    assert_same_answers(case, again, fitted, case.data(1))


@each_case
def test_a_file_is_small(name, path):
    fitted = SAVED[name].fit(SAVED[name].data())
    fitted.save(path)
    assert path.stat().st_size < 1.1 * len(pickle.dumps(fitted)) + 14_000


@each_case
def test_an_estimator_that_was_loaded_can_be_fitted_again(name, path):
    case = SAVED[name]
    fitted = case.fit(case.data())
    again = reloaded(fitted, path)
    for one in (clone(again), again):
        one.fit(case.data(), case.targets(len(case.data())))
        assert_same_answers(case, one, fitted, case.data(1))


LOAD_AND_ASK = """
import sys
import numpy as np
def refuse(event, arguments):
    if event.startswith(("pickle.", "socket.", "subprocess.", "os.system")):
        raise RuntimeError(f"{event} {arguments}")
import sktspulse.saving, threadpoolctl
threadpoolctl.threadpool_info()  # older ones ask a process for the name of the C library
sys.addaudithook(refuse)
for path, method in zip(sys.argv[2::2], sys.argv[3::2], strict=True):
    model = sktspulse.load(path)
    X = np.load(path.replace(".safetensors", ".npy"))
    answer = getattr(model, method)(X)
    answer = answer[0] if isinstance(answer, tuple) else answer
    np.save(path.replace(".safetensors", ".answer.npy"), answer)
"""


def test_a_fresh_process_runs_no_code_of_files(tmp_path):
    arguments, expected = [], {}
    for name, case in SAVED.items():
        path = tmp_path / f"{name}.safetensors"
        fitted = case.fit(case.data())
        fitted.save(path)
        np.save(path.with_suffix(".npy"), case.data(1))
        arguments += [str(path), case.method]
        expected[path] = case.answer(fitted, case.data(1))
    home = {"PYTHONPATH": str(Path(sktspulse.__file__).parents[1])}
    command = [sys.executable, "-c", LOAD_AND_ASK, str(tmp_path), *arguments]
    run = subprocess.run(
        command, env=os.environ | home, check=False, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    for path, answer in expected.items():
        found = np.load(path.with_suffix(".answer.npy"))
        np.testing.assert_allclose(found, answer, rtol=1e-5, atol=1e-6 * np.abs(answer).max())


# --------------------------------------------------------------------------- containers, labels


@each_case
def test_names_of_columns_are_kept(name, path):
    case = SAVED[name]
    X = case.data() if case.kind == "series" else case.data().reshape(20, -1)
    columns = np.array([f"sensor {i}" for i in range(X.shape[1])], dtype=object)
    dates = pd.date_range("2026-01-01", periods=len(X), freq="h")
    frame = pd.DataFrame(X, dates if case.kind == "series" else None, columns)
    fitted = case.fit(frame)
    again = reloaded(fitted, path)
    np.testing.assert_array_equal(again.feature_names_in_, columns, strict=True)
    assert_same_answers(case, again, fitted, frame)
    with pytest.raises(ValueError, match="feature names should match"):
        case.answer(again, frame.rename(columns={columns[0]: "another"}))


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("name", ["transformer", "imputer"])
def test_the_container_of_answers_is_kept(name, path, library):
    fitted = SAVED[name].fit(SAVED[name].data()).set_output(transform=library)
    answer = reloaded(fitted, path).transform(SAVED[name].data())
    assert type(answer).__module__.startswith(library)
    assert answer.equals(fitted.transform(SAVED[name].data()))


@pytest.mark.parametrize(
    "labels",
    [
        ["no", "yes"],
        np.array(["no", "yes"], object),
        np.array([1, 200], np.uint8),
        np.array([-1, 300], np.int16),
        np.array([1, 2], ">i4"),
        [0.0, 1.0],
        [False, True],
        [2**40, 2**41],
    ],
    ids=str,
)
def test_labels_are_of_the_same_type(labels, path):
    X, y = SAVED["classifier"].data(), np.asarray(labels)[np.arange(20) % 2]
    fitted = SAVED["classifier"].new(members=["kernels"]).fit(X, y)
    again = reloaded(fitted, path)
    np.testing.assert_array_equal(again.classes_, fitted.classes_, strict=True)
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X), strict=True)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("classifier", {"class_weight": {0: 1.5, np.int64(1): np.float32(2)}}),
        ("classifier", {"members": ["quantiles", "network"], "max_time": 1e9}),
        ("classifier", {"checkpoint": Path}),
        ("detector", {"heads": ["time", "level"], "smoothing": np.int64(8)}),
        ("detector", {"heads": np.array(["variation"]), "contamination": 0.1}),
        ("imputer", {"bounds": ([-1, None], np.inf), "round_integers": True}),
        ("imputer", {"bounds": "observed", "stride": np.int32(16)}),
        ("retriever", {"radius": np.inf, "store": "int8", "window": 20}),
    ],
    ids=str,
)
def test_parameters_are_the_same(name, parameters, path):
    case = SAVED[name]
    if "checkpoint" in parameters:
        parameters = {"checkpoint": Path(checkpoint())}
    fitted = case.fit(case.data(), **parameters)
    again = reloaded(fitted, path)
    assert_same_answers(case, again, fitted, case.data(1))
    if name != "retriever":  # its file holds numbers and text alone
        assert repr(again.get_params()) == repr(fitted.get_params())


def test_several_targets(path):
    X, rng = SAVED["regressor"].data(), np.random.default_rng(0)
    fitted = SAVED["regressor"].new().fit(X, rng.normal(size=(20, 3)))
    again = reloaded(fitted, path)
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X), strict=True)
    np.testing.assert_array_equal(again.alpha_, fitted.alpha_)


def test_counters_switches_and_constant_channels(path):
    rng = np.random.default_rng(0)
    columns = [rng.random(400).cumsum(), rng.integers(2, size=400), np.ones(400), rng.random(400)]
    case = SAVED["detector-causal"]
    X = np.stack(columns, axis=1)
    for parameters in ({"heads": "auto"}, {"heads": "auto", "causal": False}):
        fitted = case.fit(X[:300], **parameters)
        assert_same_answers(case, reloaded(fitted, path), fitted, X[300:])


def test_a_stream_goes_on(path):
    case = SAVED["detector-causal"]
    fitted = case.fit(case.data())
    streams = [one.stream() for one in (fitted, reloaded(fitted, path))]
    found = [np.concatenate([stream.update(case.data(1)), stream.finish()]) for stream in streams]
    np.testing.assert_array_equal(*found)


def test_a_member_of_this_package_is_saved(path):
    case = SAVED["classifier"]
    member = TSPulseTransformer("time", checkpoint=checkpoint())
    fitted = case.fit(case.data(), members=("kernels", member))
    assert_same_answers(case, reloaded(fitted, path), fitted, case.data(1))


# --------------------------------------------------------------------------- trained networks


@pytest.mark.parametrize("name", ["detector", "imputer"])
def test_a_trained_network_is_in_the_file(name, path, tmp_path, monkeypatch):
    monkeypatch.setattr("sktspulse.anomaly.fine_tuning.N_STEPS", 2)
    monkeypatch.setattr("sktspulse.imputation.imputer._MAX_STEPS", 2)
    case, own = SAVED[name], tmp_path / "own.safetensors"
    own.write_bytes(Path(checkpoint()).read_bytes())
    fitted = case.fit(case.data(), fine_tune=True, random_state=0, checkpoint=str(own))
    own.unlink()
    again = reloaded(fitted, path)
    assert again.network_ is not None
    assert_same_answers(case, again, fitted, case.data(1))


# --------------------------------------------------------------------------- what cannot be saved


def extent(X):
    return np.nanmax(X, axis=-1) - np.nanmin(X, axis=-1)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        (
            "classifier",
            {"members": ["kernels", FunctionTransformer(extent)]},
            r"members\.1 is a skl",
        ),
        ("regressor", {"members": [make_pipeline(FunctionTransformer(extent))]}, r"members\.0 is"),
        (
            "classifier",
            {"strategy": TSLens(1, callbacks=[EpochScoring("accuracy", use_caching=False)])},
            r"strategy\.callbacks\.0 is a skorch",
        ),
        (
            "imputer",
            {"random_state": np.random.RandomState(0)},
            "random_state is a RandomState inst",
        ),
    ],
    ids=["transformer", "pipeline", "callback", "generator"],
)
def test_what_cannot_be_saved_is_named(name, parameters, message, path):
    case = SAVED[name]
    fitted = case.fit(case.data()).set_params(**parameters)
    with pytest.raises(ValueError, match=message):
        fitted.save(path)
    assert not path.exists()


def test_a_foreign_transformer_that_was_fitted_is_named(path):
    case = SAVED["classifier"]
    fitted = case.fit(case.data(), members=["kernels", FunctionTransformer(extent)])
    fitted.set_params(members=["kernels"])
    with pytest.raises(ValueError, match=r"_model\.extractor\.transformers\.0 is a sklearn"):
        fitted.save(path)


# --------------------------------------------------------------------------- which class


ESTIMATORS = {
    TSPulseAnomalyDetector: "detector",
    TSPulseClassifier: "classifier",
    TSPulseImputer: "imputer",
    TSPulseRegressor: "regressor",
    TSPulseRetriever: "retriever",
    TSPulseTransformer: "transformer",
}


def test_a_class_loads_its_own_files_only(tmp_path):
    for name in ESTIMATORS.values():
        SAVED[name].fit(SAVED[name].data()).save(tmp_path / f"{name}.safetensors")
    for cls in ESTIMATORS:
        for other, name in ESTIMATORS.items():
            path = tmp_path / f"{name}.safetensors"
            if cls is other:
                assert type(cls.load(path, device="cpu")) is cls
            else:
                with pytest.raises(
                    ValueError, match=rf"{name}\.safetensors cannot be loaded as an"
                ):
                    cls.load(path)


def test_a_class_of_a_newer_version_is_named(path):
    SAVED["transformer"].fit(SAVED["transformer"].data()).save(path)
    spoil(path, lambda tensors, about: about.update(estimator="TSPulseForecaster", format=2))
    message = "It holds 'TSPulseForecaster', which this version does not know.*install that one"
    with pytest.raises(ValueError, match=message):
        sktspulse.load(path)


def test_files_that_hold_no_estimator_are_refused(tmp_path):
    (tmp_path / "text.safetensors").write_text("text")
    for name in (checkpoint(), tmp_path, tmp_path / "text.safetensors", tmp_path / "absent"):
        with pytest.raises(ValueError, match=r"cannot be loaded as an estimator\."):
            sktspulse.load(name)


def test_another_network_can_be_named(path, tmp_path):
    moved = tmp_path / "moved.safetensors"
    moved.write_bytes(Path(checkpoint()).read_bytes())
    for name in ("classifier", "retriever"):
        case = SAVED[name]
        fitted = case.fit(case.data(), checkpoint=str(moved))
        fitted.save(path)
        again = sktspulse.load(path, checkpoint=checkpoint(), device="cpu")
        assert (again.checkpoint, again.device) == (checkpoint(), "cpu")
        assert_same_answers(case, again, fitted, case.data(1))
        with pytest.raises(ValueError, match="holds other weights"):
            sktspulse.load(path, checkpoint="tspulse-p8")


def test_options_of_fine_tuning_are_kept(path):
    case = SAVED["classifier-tslens"]
    again = reloaded(case.fit(case.data()), path)
    assert repr(again.strategy) == repr(QUICK)


# --------------------------------------------------------------------------- files of users

STORED = Path(__file__).parents[1] / "reference" / "saved_1"


@pytest.mark.parametrize("name", sorted(ESTIMATORS.values()))
@pytest.mark.filterwarnings("ignore:.*was saved by sktspulse")
def test_files_of_the_first_format_are_still_read(name):
    fitted = sktspulse.load(
        STORED / f"{name}.safetensors", checkpoint=str(STORED / "network.safetensors")
    )
    with np.load(STORED / "answers.npz") as stored:
        X, expected = stored[f"{name}_input"], stored[f"{name}_answer"]
    found = SAVED[name].answer(fitted, X)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["transformer", "retriever"])
def test_a_file_is_opened_once(name, path, monkeypatch):
    SAVED[name].fit(SAVED[name].data()).save(path)
    opened = []

    def open_and_count(one):
        opened.append(one)
        return one.open("rb")

    monkeypatch.setattr(tensor_files, "open_file", open_and_count)
    sktspulse.load(path)
    assert opened.count(path) == 1
