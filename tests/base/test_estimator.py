"""Estimators hold no weights, know which they were fitted with, and show a bar if asked to."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.utils._param_validation import InvalidParameterError

import sktspulse
from sktspulse import TSPulseConfig, TSPulseTransformer
from sktspulse.base import BaseTSPulse
from sktspulse.network import TSPulse, save_checkpoint

SMALL = TSPulseConfig(context_length=64, n_signature_bins=32, n_layers=2)


def small_network(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return TSPulse(SMALL).eval().requires_grad_(False)


class Estimator(BaseTSPulse):
    def __init__(self, checkpoint="tspulse-p8", batch_size=8, device="auto", verbose=0):
        self.checkpoint = checkpoint
        self.batch_size = batch_size
        self.device = device
        self.verbose = verbose


@pytest.mark.parametrize(
    "parameters",
    [{"batch_size": 0}, {"batch_size": 2.5}, {"verbose": -1}, {"checkpoint": None}],
    ids=str,
)
def test_shared_parameters_are_checked(parameters):
    Estimator()._validate_params()
    (name,) = parameters
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of Estimator must"):
        Estimator(**parameters)._validate_params()


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta", "", None, 0.5, ["cpu"]])
def test_a_device_that_is_not_there_is_refused(device):
    X = np.random.default_rng(0).normal(size=(4, 64))
    with pytest.raises(ValueError, match=r"device=.* is not available .*'cpu'.*'auto'"):
        TSPulseTransformer(device=device).fit(X)
    fitted = TSPulseTransformer().fit(X)
    moved = pickle.loads(pickle.dumps(fitted.set_params(device=device)))
    with pytest.raises(ValueError, match=r"device=.* is not available .*'cpu'.*'auto'"):
        moved.transform(X)
    moved.set_params(device="auto").transform(X)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "small.safetensors"
    save_checkpoint(small_network(), path)
    return path


def test_other_weights_than_those_fitted_with_are_refused(checkpoint):
    X = np.random.default_rng(0).normal(size=(4, 100))
    transformer = TSPulseTransformer(checkpoint=checkpoint).fit(X)
    copy = pickle.loads(pickle.dumps(transformer))
    np.testing.assert_array_equal(copy.transform(X), transformer.transform(X))
    save_checkpoint(small_network(1), checkpoint)
    with pytest.raises(ValueError, match="holds other weights than when TSPulseTransformer was"):
        copy.transform(X)
    save_checkpoint(small_network(), checkpoint)
    copy.transform(X)


# --------------------------------------------------------------------------- pickles

LOAD_AND_USE = """
import pickle, sys
def refuse(event, arguments):
    if event.startswith("socket."):
        raise RuntimeError(f"used the network: {event}")
sys.addaudithook(refuse)
transformer, X, expected = pickle.load(open(sys.argv[1], "rb"))
assert (transformer.transform(X) == expected).all()
assert not any(name.startswith("huggingface_hub") for name in sys.modules)
"""


def test_pickles_are_small_and_work_in_a_fresh_process_without_the_network(tmp_path):
    X = np.random.default_rng(0).normal(size=(5, 2, 100))
    transformer = TSPulseTransformer().fit(X)
    assert len(pickle.dumps(transformer)) < 1500
    file = tmp_path / "fitted.pickle"
    file.write_bytes(pickle.dumps((transformer, X, transformer.transform(X))))
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    home = {"PYTHONPATH": str(Path(sktspulse.__file__).parents[1])}
    command = [sys.executable, "-c", LOAD_AND_USE, str(file)]
    settings_ = {"env": os.environ | threads | home, "capture_output": True, "text": True}
    run = subprocess.run(command, check=False, **settings_)
    assert run.returncode == 0, run.stderr
    assert not run.stdout


def test_estimators_hold_no_tensors():
    transformer = TSPulseTransformer().fit(np.zeros((2, 20)))
    assert vars(transformer)
    assert not any(holds_tensors(value) for value in vars(transformer).values())


def holds_tensors(value):
    inner = value.values() if isinstance(value, dict) else value
    inner = inner if isinstance(value, dict | tuple | list) else ()
    return isinstance(value, torch.Tensor | torch.nn.Module) or any(map(holds_tensors, inner))


# --------------------------------------------------------------------------- verbose


def test_a_bar_shows_only_if_asked_for(capfd, caplog):
    X = np.zeros((3, 2, 20))
    caplog.set_level(logging.DEBUG)
    TSPulseTransformer().fit_transform(X)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    TSPulseTransformer(verbose=1).fit_transform(X)
    out, err = capfd.readouterr()
    assert not out
    assert "TSPulseTransformer: 100%" in err
    assert "6/6" in err.replace(".00", "")


def test_the_bar_does_not_change_the_answer():
    X = np.random.default_rng(0).normal(size=(3, 2, 20))
    silent, loud = (TSPulseTransformer(verbose=n).fit_transform(X) for n in (0, 1))
    np.testing.assert_array_equal(silent, loud)
