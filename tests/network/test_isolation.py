"""The caller's settings of torch change nothing; a forked process computes on one thread."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import sktspulse
from sktspulse.network.config import TSPulseConfig
from sktspulse.network.isolation import NewWeights, isolated
from sktspulse.network.tslens import TSLensConfig, TSLensNetwork
from sktspulse.network.tspulse import TSPulse

CPU = torch.device("cpu")
SMALL = TSPulseConfig(context_length=64, n_signature_bins=32, n_layers=1, forecast_length=4)


def weights_of(network):
    return dict(network.state_dict())


def assert_same(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def draw(seed):
    """Draw the weights of a network with a TSLens in the way of ``torch.manual_seed``."""
    torch.manual_seed(seed)
    return TSLensNetwork(TSPulse(SMALL), TSLensConfig(2, 3))


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_new_weights_come_from_the_generator_alone(float64, device):
    torch.set_default_dtype(torch.float32)
    expected = weights_of(draw(5))
    torch.set_default_dtype(torch.float64)
    state = torch.get_rng_state()
    with torch.device(device), NewWeights(torch.Generator().manual_seed(5)):
        network = TSLensNetwork(TSPulse(SMALL), TSLensConfig(2, 3))
    assert_same(weights_of(network), expected)
    assert torch.equal(torch.get_rng_state(), state)


def test_weights_without_a_generator_take_no_memory_and_are_not_drawn(float64):
    state = torch.get_rng_state()
    with NewWeights():
        network = TSPulse(SMALL)
    assert {(w.device.type, w.dtype) for w in network.parameters()} == {("meta", torch.float32)}
    assert torch.equal(torch.get_rng_state(), state)


def settings():
    return (
        torch.is_inference_mode_enabled(),
        torch.is_grad_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.empty(0).device.type,  # get_default_device of torch 2.4 ignores contexts
    )


@pytest.mark.parametrize(
    "ambient",
    [
        torch.inference_mode,
        torch.no_grad,
        lambda: torch.autocast("cpu", torch.bfloat16),
        lambda: torch.device("meta"),
    ],
)
def test_settings_of_the_caller_are_set_aside_and_come_back(ambient):
    default = settings()
    with ambient():
        before = settings()
        assert before != default
        with isolated(CPU):
            assert settings() == default == (False, True, False, "cpu")
        assert settings() == before
        with pytest.raises(KeyboardInterrupt), isolated(CPU):
            raise KeyboardInterrupt
        assert settings() == before


# --------------------------------------------------------------------------- forks

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
FORK = """
import multiprocessing, threading, torch
from sktspulse.network.isolation import isolated
def compute():
    with isolated(torch.device("cpu")):
        return torch.ones(300, 300, 50).exp().sum()
torch.set_num_threads(2)
expected = compute()
def work(n_threads):
    if n_threads:
        torch.set_num_threads(n_threads)
    assert torch.isclose(compute(), expected)
    assert torch.get_num_threads() == 1
    in_thread = threading.Thread(target=compute)
    in_thread.start()
    in_thread.join()
context = multiprocessing.get_context("fork")
codes = []
for n_threads in (None, 1, 2):
    child = context.Process(target=work, args=(n_threads,))
    child.start()
    child.join(30)
    codes.append(child.exitcode)
    child.kill()
assert torch.get_num_threads() == 2
print(codes)
"""


@needs_fork
def test_a_forked_process_works_on_one_thread_and_refuses_more():
    home = {"PYTHONPATH": str(Path(sktspulse.__file__).parents[1])}
    command = [sys.executable, "-c", FORK]
    streams = {"capture_output": True, "text": True, "timeout": 120}
    run = subprocess.run(command, check=True, env=os.environ | home, **streams)
    assert run.stdout.strip() == "[0, 0, 1]"
    assert "torch.get_num_threads() is 2 in a process that was forked after" in run.stderr
    assert "Call torch.set_num_threads(1), or start the process with the method" in run.stderr
