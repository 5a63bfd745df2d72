"""Fits that fail change nothing; threads, forks and settings of the process change no answer."""

from __future__ import annotations

import inspect
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
import sklearn
import torch
from estimator_cases import CASES, SIZES, Case, checkpoint
from sklearn.exceptions import NotFittedError

import sktspulse
from sktspulse import TSPulseAnomalyDetector, TSPulseConfig, TSPulseImputer, TSPulsePretrainer

pytestmark = pytest.mark.usefixtures("few_trees")
PACKAGE = str(Path(sktspulse.__file__).parent)
FINE_TUNED = {
    "detector-fine-tuned": Case(
        TSPulseAnomalyDetector(fine_tune=True, random_state=0), "score_samples", "series"
    ),
    "imputer-fine-tuned": Case(
        TSPulseImputer(fine_tune=True, stride=32, random_state=0), "transform", "series"
    ),
}
WAYS = CASES | FINE_TUNED
each_way = pytest.mark.parametrize("case", WAYS.values(), ids=WAYS)


@pytest.fixture(autouse=True)
def short_fine_tuning(monkeypatch):
    monkeypatch.setattr("sktspulse.anomaly.fine_tuning.N_STEPS", 2)
    monkeypatch.setattr("sktspulse.anomaly.fine_tuning._BATCH_SIZE", 8)
    monkeypatch.setattr("sktspulse.imputation.imputer._MAX_STEPS", 2)


# --------------------------------------------------------------------------- failing fits


class Stop:
    """Count the calls of functions of the package, and raise an error at one of them.

    Generators are not counted, as errors are ignored where they are closed.
    """

    def __init__(self, at=None, error=KeyboardInterrupt):
        self.at, self.error, self.n_calls = at, error, 0

    def __call__(self, frame, event, argument):
        code = frame.f_code
        is_function = not code.co_flags & inspect.CO_GENERATOR
        if event == "call" and is_function and code.co_filename.startswith(PACKAGE):
            self.n_calls += 1
            if self.n_calls == self.at:
                raise self.error

    def run(self, action):
        before = sys.getprofile()
        sys.setprofile(self)
        try:
            action()
        finally:
            sys.setprofile(before)
        return self.n_calls


def places(n_calls, n_places=5):
    """Choose calls from the first to the last one."""
    return np.unique(np.linspace(1, n_calls, n_places).astype(int)).tolist()


def another(case):
    """Draw other data than that of the case: of other size and channels, where it may be."""
    X = case.data(1) * 7 - 3
    return X[: len(X) // 2 * 2 - 4] if case.kind == "table" else X[:-4, :1]


@each_way
def test_an_interrupted_fit_changes_nothing(case):
    X, other = case.data(), another(case)
    fitted = case.fit(X)
    state, targets = pickle.dumps(fitted), case.targets(len(other))
    case.fit(other)  # whatever is read once per process is read
    new = case.new()
    n_calls = Stop().run(lambda: new.fit(other, targets))
    for i, place in enumerate(places(n_calls)):
        stop = Stop(place, (KeyboardInterrupt, MemoryError)[i % 2])
        new = case.new()
        with pytest.raises((stop.error, ValueError)):  # "does not fit into memory"
            Stop(place, stop.error).run(lambda new=new: new.fit(other, targets))
        with pytest.raises(NotFittedError):
            case.answer(new, X)
        with pytest.raises((stop.error, ValueError)):
            stop.run(lambda: fitted.fit(other, targets))
        assert pickle.dumps(fitted) == state


def broken(case):
    X, y = case.data(), case.targets(len(case.data()))
    infinite = np.where(np.arange(X.size).reshape(X.shape) == X.size // 2, np.inf, X)
    yield from ((infinite, y), (X[:0], y), ("a", y), (X + 1j, y), (None, y))
    if case.target:
        yield from ((X, y[:-1]), (X, None), (X, np.full(len(y), np.nan)))
    if case.kind == "table":
        yield X[:, :-1], y


@each_way
def test_a_refused_refit_changes_nothing(case):
    fitted = case.fit(case.data())
    state = pickle.dumps(fitted)
    for X, y in broken(case):
        new = case.new()
        for model in (new, fitted):
            with pytest.raises((ValueError, TypeError)):
                model.fit(X, y)
        with pytest.raises(NotFittedError):
            case.answer(new, case.data())
        assert pickle.dumps(fitted) == state


@pytest.mark.parametrize("method", ["partial_fit", "remove"])
@pytest.mark.parametrize("name", ["retriever", "retriever-levels"])
def test_an_interrupted_change_of_an_index_is_made_as_a_whole_or_not(name, method):
    case = CASES[name]
    X, argument = case.data(), {"partial_fit": case.data(1), "remove": [1, 5]}[method]
    changed = case.fit(X)
    n_calls = Stop().run(lambda: getattr(changed, method)(argument))
    whole = {len(one.ids_): case.answer(one, X) for one in (case.fit(X), changed)}
    for place in places(n_calls - 1, n_places=9):
        fitted = case.fit(X)
        with pytest.raises(KeyboardInterrupt):
            Stop(place).run(lambda fitted=fitted: getattr(fitted, method)(argument))
        np.testing.assert_array_equal(case.answer(fitted, X), whole[len(fitted.ids_)])


def test_a_key_stops_a_fit_at_once():
    case = CASES["classifier-tslens"]
    case.fit(case.data())  # imports what torch needs to train, which would be interrupted
    slow = case.new(strategy__max_epochs=10**6, strategy__n_iter_no_change=10**6)
    timer = threading.Timer(1, signal.raise_signal, (signal.SIGINT,))
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        slow.fit(case.data(), case.targets(20))
    assert time.monotonic() - start < 5
    assert not hasattr(slow, "classes_")


def pretrainer(**settings):
    config = TSPulseConfig(**SIZES)
    settings = {"max_epochs": 2, "steps_per_epoch": 3, "batch_size": 4} | settings
    return TSPulsePretrainer(config, random_state=0, **settings)


def test_a_pretrainer_that_was_not_trained_a_step_is_unchanged():
    X = np.random.default_rng(0).normal(size=(8, 120))
    fitted = pretrainer().fit(X)
    state = pickle.dumps(fitted.network_.state_dict())
    for place in (1, 20, 60):
        new = pretrainer()
        for model in (new, fitted):
            with pytest.raises(KeyboardInterrupt):
                Stop(place).run(lambda model=model: model.fit(X * 2))
        assert not hasattr(new, "network_")
    with pytest.raises(ValueError, match="infinity"):
        fitted.fit(np.full((3, 100), np.inf))
    assert pickle.dumps(fitted.network_.state_dict()) == state


# --------------------------------------------------------------------------- threads


# The tracer of coverage cannot start in a thread while it starts in another.
untraced = pytest.mark.no_cover


@contextmanager
def switching_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def ask_from_threads(seconds, n_threads=8):
    """Ask all estimators for parts of their data, in turn; return the number of answers."""
    models = [(case, case.fit(case.data()), case.data()) for case in CASES.values()]
    asked = [
        (case, model, part, case.answer(model, part))
        for case, model, X in models
        for part in (X, X[: len(X) // 2], X[len(X) // 2 :])
    ]
    end = time.monotonic() + seconds

    def ask(seed):
        rng, n_answers = np.random.default_rng(seed), 0
        while time.monotonic() < end:
            case, model, part, expected = asked[rng.integers(len(asked))]
            np.testing.assert_allclose(case.answer(model, part), expected, rtol=1e-6, atol=1e-9)
            n_answers += 1
        return n_answers

    with warnings.catch_warnings(), switching_often(), ThreadPoolExecutor(n_threads) as pool:
        return sum(pool.map(ask, range(n_threads)))


@untraced
def test_estimators_answer_many_threads():
    assert ask_from_threads(seconds=3) > 50


@pytest.mark.nightly
@untraced
def test_estimators_answer_many_threads_for_a_minute():
    assert ask_from_threads(seconds=60) > 1000


@untraced
@each_way
def test_fits_in_threads_are_repeatable(case):
    panels = [case.data(seed) for seed in range(3)]
    alone = [case.answer(case.fit(X), panels[0]) for X in panels]
    # scikit-learn changes the filters of warnings for a moment, which threads may undo wrongly.
    with warnings.catch_warnings(), switching_often(), ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda X: case.answer(case.fit(X), panels[0]), panels))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-6, atol=1e-9)


@untraced
def test_refits_in_threads_leave_one_of_the_fits():
    case = CASES["classifier"]
    panels = [case.data(seed) for seed in range(3)]
    expected = [case.answer(case.fit(X), panels[0]) for X in panels]
    model = case.fit(panels[0])
    with warnings.catch_warnings(), switching_often(), ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda X: model.fit(X, case.targets(len(X))), panels))
    found = case.answer(model, panels[0])
    assert any(np.allclose(found, one, rtol=1e-9) for one in expected)


@untraced
def test_a_network_is_pretrained_in_threads_as_alone():
    X = np.random.default_rng(0).normal(size=(8, 120))

    def train(seed):
        return pretrainer().set_params(random_state=seed).fit(X).history_["loss"]

    alone = [train(seed) for seed in range(2)]
    with warnings.catch_warnings(), switching_often(), ThreadPoolExecutor(2) as pool:
        assert list(pool.map(train, range(2))) == alone


# --------------------------------------------------------------------------- settings


@contextmanager
def double_precision():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def default_device(name):
    torch.set_default_device(name)
    try:
        yield
    finally:
        torch.set_default_device(None)


@contextmanager
def deterministic():
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@contextmanager
def seeded(seed=987):
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        random.setstate(states[2])


AMBIENT = {
    "float64": double_precision,
    "inference mode": torch.inference_mode,
    "no grad": torch.no_grad,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "default device": lambda: default_device("meta"),
    "device context": lambda: torch.device("meta"),
    "deterministic": deterministic,
    "seeds": seeded,
    "strict numpy": lambda: np.errstate(divide="raise", over="raise", invalid="raise"),
    "scikit-learn": lambda: sklearn.config_context(
        assume_finite=True, enable_metadata_routing=True, skip_parameter_validation=True
    ),
}


def global_states():
    return (
        torch.get_rng_state().tolist(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002
        random.getstate(),
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.are_deterministic_algorithms_enabled(),
        list(warnings.filters),
        np.geterr(),
    )


def assert_answers_do_not_change(case, ambient):
    X, other = case.data(), case.data(1)
    seeds = {"random_state": 0} if "random_state" in case.new().get_params() else {}
    model = case.fit(X, **seeds)
    expected = case.answer(model, other)
    with ExitStack() as stack:
        for setting in ambient:
            stack.enter_context(setting())
        before = global_states()
        np.testing.assert_array_equal(case.answer(model, other), expected)
        again = case.fit(X, **seeds)
        np.testing.assert_array_equal(case.answer(again, other), expected)
        loaded = pickle.loads(pickle.dumps(again))
        np.testing.assert_array_equal(case.answer(loaded, other), expected)
        assert global_states() == before
    np.testing.assert_array_equal(case.answer(again, other), expected)


@each_way
def test_settings_of_the_process_change_no_answer(case):
    assert_answers_do_not_change(case, [*AMBIENT.values()])


@pytest.mark.nightly
@pytest.mark.parametrize("ambient", AMBIENT)
@each_way
def test_no_setting_of_the_process_changes_an_answer(case, ambient):
    assert_answers_do_not_change(case, [AMBIENT[ambient]])


def test_settings_of_the_process_change_no_pretraining():
    X = np.random.default_rng(0).normal(size=(8, 120))
    expected = pretrainer().fit(X)
    with ExitStack() as stack:
        for setting in AMBIENT.values():
            stack.enter_context(setting())
        before = global_states()
        found = pretrainer().fit(X)
        assert global_states() == before
    assert found.history_["loss"] == expected.history_["loss"]
    weights = zip(found.network_.parameters(), expected.network_.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in weights)


def test_a_network_that_is_first_loaded_under_other_settings_is_the_same(tmp_path):
    case = CASES["transformer"]
    copied = tmp_path / "copied.safetensors"
    copied.write_bytes(Path(checkpoint()).read_bytes())
    with double_precision(), torch.inference_mode(), torch.device("meta"):
        found = case.answer(case.fit(case.data(), checkpoint=copied), case.data())
    np.testing.assert_array_equal(found, case.answer(case.fit(case.data()), case.data()))


# --------------------------------------------------------------------------- forks

FORKS = """
import inspect
import multiprocessing, os, sys
import numpy as np, torch
from joblib import Parallel, delayed
from sktspulse import *
rng = np.random.default_rng(0)
X, y = rng.normal(size=(12, 2, 96)), np.arange(12) % 2
R = rng.normal(size=(600, 2)).cumsum(0)
R[100:120, 0] = np.nan
torch.set_num_threads(2)
models = {
    "transform": TSPulseTransformer().fit(X),
    "predict_proba": TSPulseClassifier().fit(X, y),
    "predict": TSPulseRegressor(TSLens(max_epochs=1), random_state=0).fit(X, y),
    "score_samples": TSPulseAnomalyDetector().fit(R),
    "kneighbors": TSPulseRetriever().fit(X),
}
imputer = TSPulseImputer(random_state=0).fit(R)
def ask(method):
    found = getattr(models[method], method)(R if method == "score_samples" else X)
    return np.asarray(found[0] if isinstance(found, tuple) else found)
expected = {method: ask(method) for method in models}
filled = imputer.transform(R)
def work():
    for method in models:
        np.testing.assert_allclose(ask(method), expected[method], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(imputer.transform(R), filled, rtol=1e-4, atol=1e-5)
    again = TSPulseRegressor(TSLens(max_epochs=1), random_state=0).fit(X, y).predict(X)
    np.testing.assert_allclose(again, expected["predict"], rtol=1e-3, atol=1e-4)
    TSPulseClassifier().fit(X, y).predict(X)
context = multiprocessing.get_context("fork")
child = context.Process(target=work)
child.start()
child.join(300)
print("process", child.exitcode)
child.kill()
with context.Pool(2) as pool:
    found = pool.map_async(ask, models).get(300)
    pairs = zip(found, expected.values())
    print("pool", all(np.allclose(*pair, rtol=1e-4, atol=1e-5) for pair in pairs))
embed = delayed(models["transform"].transform)
found = Parallel(2)(embed(part) for part in (X[:9], X[9:]))
print("loky", np.allclose(np.vstack(found), expected["transform"], rtol=1e-4, atol=1e-5))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_forked_processes_work(tmp_path):
    script = tmp_path / "forks.py"
    script.write_text(FORKS)
    home = {"PYTHONPATH": str(Path(sktspulse.__file__).parents[1]), "OMP_NUM_THREADS": "2"}
    streams = {"capture_output": True, "text": True, "timeout": 900}
    command = [sys.executable, str(script)]
    run = subprocess.run(command, env=os.environ | home, check=False, **streams)
    assert run.stdout.split("\n") == ["process 0", "pool True", "loky True", ""], run.stderr
